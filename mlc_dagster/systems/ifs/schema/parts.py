"""The sets and arrays that hold the rows of one record: mostly one, and a tenant may have nine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import pyarrow as pa

from mlc_dagster.core.vocabulary import EntitySet, LineSet, PartSet


@dataclass(frozen=True)
class Part:
    """A set as it is asked for, and what its rows have that no column of it says."""

    entity: EntitySet
    constants: Mapping[str, str]

    def narrowed(self, conditions: Mapping[str, object]) -> Mapping[str, object] | None:
        """The conditions that are left to ask for; None where no row of this set fits."""
        if any(conditions.get(name, value) != value for name, value in self.constants.items()):
            return None
        return {name: value for name, value in conditions.items() if name not in self.constants}

    def filled(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        for name, value in self.constants.items():
            place = batch.schema.get_field_index(name)
            values = pa.array([value] * len(batch), batch.schema.types[place])
            batch = batch.set_column(place, batch.schema.field(place), values)
        return batch


def parts_of(entity: EntitySet) -> list[Part]:
    """The sets to ask for the rows of an entity."""
    return [_part(entity, part) for part in entity.sources] or [Part(entity, {})]


def _part(entity: EntitySet, part: PartSet) -> Part:
    own = replace(
        entity,
        path=part.path,
        projection=part.projection or entity.projection,
        surface=part.surface or entity.surface,
        keys=tuple(name for name in entity.keys if name not in part.constants),
        wire={**entity.wire, **part.wire},
        absent=entity.absent - part.wire.keys() | part.absent | part.constants.keys(),
        sources=(),
    )
    return Part(own, part.constants)


def lines_alone(entity: EntitySet, lines: LineSet, array: str = "", path: str = "") -> EntitySet:
    """The lines as a set of their own; or as they stand in one of the arrays below a header, whose path is given."""
    named = lines.wire_of.get(array, {})
    return replace(
        entity,
        name=lines.name or entity.name,
        path=path or lines.path,
        projection=entity.projection if path else lines.projection or entity.projection,
        surface=entity.surface if path else lines.surface or entity.surface,
        record=lines.record,
        keys=lines.keys,
        wire={**lines.wire, **named},
        absent=lines.absent - named.keys() | lines.absent_of.get(array, frozenset()),
        modified=None,
        lines=None,
        beside=None,
        sums={},
        children=(),
        sources=(),
        header_from_rows=False,
        types={},
    )


def headers_alone(entity: EntitySet) -> EntitySet:
    """The fields of the header as columns of the rows that it is made of."""
    return replace(entity, lines=None, beside=None, header_from_rows=False, sums={}, children=())


def services_of(entity: EntitySet) -> Iterator[tuple[str, str]]:
    """(surface, projection) of each service that the record is read from."""
    yield from dict.fromkeys((part.entity.surface, part.entity.projection) for part in parts_of(entity))
