"""What this tenant calls the entity sets of the catalogue: names of mlc.yaml over those of the records."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import Literal, Protocol, cast

import msgspec

from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.core.near_names import offered
from mlc_dagster.core.vocabulary import EntitySet, LineSet, Record


class LineOverride(Protocol):
    """`ifs.entity_sets.<name>.lines` of mlc.yaml; what is None or empty stays as it is."""

    @property
    def navigation(self) -> str | None: ...
    @property
    def set(self) -> str | None: ...
    @property
    def fields(self) -> Mapping[str, str]: ...


class Override(Protocol):
    """`ifs.entity_sets.<name>` of mlc.yaml."""

    @property
    def projection(self) -> str | None: ...
    @property
    def set(self) -> str | None: ...
    @property
    def fields(self) -> Mapping[str, str]: ...
    @property
    def extra_fields(self) -> Mapping[str, str]: ...
    @property
    def delta(self) -> Literal["modified", "sweep"] | None: ...
    @property
    def expand(self) -> Literal["auto", "always", "never"] | None: ...
    @property
    def lines(self) -> LineOverride: ...


def catalogue_of(entities: Iterable[EntitySet], overrides: Mapping[str, Override]) -> dict[str, EntitySet]:
    """Name -> entity set, under the tenant's names. Raises Misconfigured with every name that nothing has."""
    known = {entity.name: entity for entity in entities}
    if wrong := [f"{'.'.join(path)} in mlc.yaml: {words}" for path, words in wrong_names(known.values(), overrides)]:
        raise Misconfigured("\n".join(wrong))
    return {name: _renamed(entity, overrides[name]) if name in overrides else entity for name, entity in known.items()}


def wire_name(name: str, wire: Mapping[str, str]) -> str:
    """A record field's name on the wire: `order_no` is OrderNo unless the tenant says otherwise."""
    return wire.get(name) or "".join(part.capitalize() for part in name.split("_"))


def fields_of(record: type[Record], *, without: str | None = None) -> tuple[str, ...]:
    """The names of a record's fields, in order, but for one that is no column of its own set."""
    return tuple(name for name in record.__struct_fields__ if name != without)


Wrong = tuple[tuple[str, ...], str]
"""(path in mlc.yaml, what is wrong there)"""


def wrong_names(entities: Iterable[EntitySet], overrides: Mapping[str, Override]) -> Iterator[Wrong]:
    """Entity sets and fields that the catalogue does not have, and two fields that have one name on the wire."""
    known = {entity.name: entity for entity in entities}
    for name, names in overrides.items():
        where = ("ifs", "entity_sets", name)
        if name in known:
            yield from _wrong_in(known[name], names, where)
        else:
            yield where, _none(name, known, "entity set")


def _wrong_in(entity: EntitySet, names: Override, where: tuple[str, ...]) -> Iterator[Wrong]:
    known = fields_of(entity.record, without=entity.lines.field if entity.lines else None)
    yield from ((((*where, "fields", name)), _none(name, known, "field")) for name in names.fields if name not in known)
    for name in names.extra_fields:
        if name in entity.record.__struct_fields__:
            yield (*where, "extra_fields", name), f"the record has this field; use {'.'.join(where)}.fields"
    wire = {**entity.wire, **names.fields, **names.extra_fields}
    for name, other in _same_on_the_wire([*known, *names.extra_fields], wire):
        yield (*where, "fields"), f"{wire_name(name, wire)} stands for both {other} and {name}"
    yield from _wrong_lines(entity, names.lines, (*where, "lines"))


def _wrong_lines(entity: EntitySet, names: LineOverride, where: tuple[str, ...]) -> Iterator[Wrong]:
    if entity.lines is None:
        if names.navigation or names.set or names.fields:
            yield where, f"{entity.name} has no lines. Take this section out"
        return
    known = fields_of(entity.lines.record)
    yield from ((((*where, "fields", name)), _none(name, known, "field")) for name in names.fields if name not in known)


def _none(name: str, known: Iterable[str], what: str) -> str:
    there = sorted(known)
    return f"no {what} of this name" + (offered(name, there) or f"; known are {', '.join(there)}")


def _same_on_the_wire(names: Iterable[str], wire: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Two fields under one name on the wire would hold each other's values."""
    by_wire: dict[str, str] = {}
    for name in names:
        if (other := by_wire.setdefault(wire_name(name, wire), name)) != name:
            yield name, other


def _renamed(entity: EntitySet, names: Override) -> EntitySet:
    delta = names.delta or entity.delta
    return replace(
        entity,
        record=extended(entity.record, tuple(names.extra_fields)),
        projection=names.projection or entity.projection,
        path=names.set or entity.path,
        wire={**entity.wire, **names.fields, **names.extra_fields},
        delta=delta,
        modified=None if delta == "sweep" else entity.modified,
        expand=names.expand or entity.expand,
        lines=_lines(entity, names.lines),
    )


@cache
def extended(record: type[Record], extra: tuple[str, ...]) -> type[Record]:
    """The record with more fields, as text: what a tenant added to its ERP is read, stored and mapped like the rest."""
    if not extra:
        return record
    fields = [(name, str | None, None) for name in extra]
    made = msgspec.defstruct(
        record.__name__,
        fields,
        bases=(record,),
        module=record.__module__,
        frozen=True,
        kw_only=True,
        omit_defaults=True,
        gc=False,
    )
    return cast(type[Record], made)


def _lines(entity: EntitySet, names: LineOverride) -> LineSet | None:
    if entity.lines is None:
        return None
    return replace(
        entity.lines,
        navigation=names.navigation or entity.lines.navigation,
        path=names.set or entity.lines.path,
        wire={**entity.lines.wire, **names.fields},
    )
