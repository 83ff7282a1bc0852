"""Compares what a record expects with the tenant's $metadata: fields gone, new, or of another type."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import get_args

import msgspec

from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.core.vocabulary import EntitySet, Record
from mlc_dagster.systems.ifs.schema.catalogue import fields_of, wire_name
from mlc_dagster.systems.ifs.schema.child_sets import list_record
from mlc_dagster.systems.ifs.schema.csdl import MetadataModel, Types
from mlc_dagster.systems.ifs.schema.parts import headers_alone, lines_alone

WHOLE = ("Edm.Int64", "Edm.Int32", "Edm.Int16", "Edm.Byte", "Edm.SByte", "Edm.Decimal")

KNOWN_AS: dict[type, tuple[str, ...]] = {
    str: ("Edm.String", "Edm.Guid"),
    Decimal: ("Edm.Decimal", "Edm.Double", "Edm.Single", *WHOLE[:-1]),
    int: WHOLE,
    bool: ("Edm.Boolean",),
    date: ("Edm.Date", "Edm.DateTimeOffset"),
    datetime: ("Edm.DateTimeOffset",),
}
"""Type of a field -> the types it may have in $metadata, the usual one first. An enumeration is text."""


@dataclass(frozen=True)
class SchemaReport:
    """How a tenant's entity set differs from the record. Fields of lines are written "lines.part_no"."""

    gone: tuple[str, ...] = ()  # record fields that the tenant does not have
    new: tuple[str, ...] = ()  # names on the wire that the record does not have
    changed: dict[str, tuple[str, str]] = field(default_factory=dict)  # record field -> (expected, found)
    untold: str = ""  # why nothing is known of the tenant's fields: then the above is empty


def schema_report(entity: EntitySet, model: MetadataModel) -> SchemaReport:
    """Of an entity that stands in one set. Raises Misconfigured where the service has no such set, or no such array."""
    types = _types(entity.path, model)
    if types is None:
        raise Misconfigured(
            f"{entity.projection} has no entity set {entity.path}",
            cure=f"It has {', '.join(sorted(model.sets))}. Set ifs.entity_sets.{entity.name}.set in mlc.yaml.",
        )
    if not types:
        kind = model.sets.get(entity.path, f"of {entity.path}")
        return SchemaReport(untold=f"$metadata names the type {kind}, and does not describe it")
    if entity.header_from_rows and entity.lines:
        return _of_rows(entity, types)
    return combined([_of_columns(entity, types), *_of_lines(entity, model), *_of_children(entity, model)])


def _types(path: str, model: MetadataModel) -> Types | None:
    """Of a set; or of an array below one of its rows: `PurchaseOrderSet(OrderNo='1')/LinePartArray`."""
    if not path.endswith(")") and "(" in path:
        return model.arrays(path.partition("(")[0]).get(path.rpartition("/")[2], {})
    return model.properties(path)


def combined(reports: Iterable[SchemaReport]) -> SchemaReport:
    """What is wrong with any of them; untold only where all are."""
    every = list(reports)
    told = [report for report in every if not report.untold]
    return SchemaReport(
        tuple(dict.fromkeys(name for report in told for name in report.gone)),
        tuple(dict.fromkeys(name for report in told for name in report.new)),
        {name: change for report in told for name, change in report.changed.items()},
        "" if told else next((report.untold for report in every), ""),
    )


def _of_columns(entity: EntitySet, types: Types) -> SchemaReport:
    apart = entity.not_selected | ({entity.lines.field} if entity.lines else set())
    return _compared(entity.record, entity.wire, types, "", apart | (set() if entity.modified else {"last_modified"}))


def _of_rows(entity: EntitySet, types: Types) -> SchemaReport:
    """The fields of headers and of lines are columns of the same rows."""
    assert entity.lines is not None
    header, line = headers_alone(entity), lines_alone(entity, entity.lines)
    below = _compared(line.record, line.wire, types, f"{entity.lines.field}.", line.not_selected)
    above = _of_columns(replace(header, absent=header.absent | {entity.lines.field}), types)
    new = tuple(name for name in above.new if name in below.new)
    return SchemaReport((*above.gone, *below.gone), new, {**above.changed, **below.changed})


def _of_lines(entity: EntitySet, model: MetadataModel) -> Iterable[SchemaReport]:
    """The line set may stand in another projection, and the service may not tell its arrays: then nothing is known."""
    lines = entity.lines
    if lines is None:
        return
    if lines.path and not lines.arrays:
        if (types := model.properties(lines.path)) is not None and not (lines.projection or lines.surface):
            line = lines_alone(entity, lines)
            below = _compared(line.record, line.wire, types, f"{lines.field}.", line.not_selected)
            yield SchemaReport(below.gone, tuple(f"{lines.path}.{name}" for name in below.new), below.changed)
        return
    told = model.arrays(entity.path)
    for array in lines.navigations if told else ():
        line = lines_alone(entity, lines, array, array)
        if types := _array(entity, told, array, "lines.navigations"):
            below = _compared(line.record, line.wire, types, f"{lines.field}.", line.not_selected)
            yield SchemaReport(below.gone, tuple(f"{array}.{name}" for name in below.new), below.changed)


def _of_children(entity: EntitySet, model: MetadataModel) -> Iterable[SchemaReport]:
    told = model.arrays(entity.path)
    for child in entity.children:
        types = _array(entity, told, child.navigation, "children") if child.navigation and told else None
        if child.path and not (child.projection or child.surface):
            types = model.properties(child.path)
        if types and child.field:
            apart = child.gone | ({"supplier_id"} - child.on.keys())
            record = list_record(entity.record, child.field)
            found = _compared(record, {**child.fields, **child.on}, types, f"{child.field}.", apart)
            yield SchemaReport(found.gone, (), found.changed)
        elif types:
            apart = frozenset(fields_of(entity.record)) - child.fields.keys()
            found = _compared(entity.record, child.fields, types, "", apart)
            yield SchemaReport(found.gone, (), found.changed)


def _array(entity: EntitySet, told: Mapping[str, Types], array: str, where: str) -> Types:
    if array not in told:
        raise Misconfigured(
            f"{entity.projection}/{entity.path} has no {array} below its rows",
            cure=f"It has {', '.join(sorted(told))}. Correct ifs.entity_sets.{entity.name}.{where} in mlc.yaml.",
        )
    return told[array]


def _compared(
    record: type[Record], wire: Mapping[str, str], types: Types, prefix: str, apart: AbstractSet[str]
) -> SchemaReport:
    names = {name: wire_name(name, wire) for name in fields_of(record) if name not in apart}
    found = {name: types[on_wire] for name, on_wire in names.items() if on_wire in types}
    return SchemaReport(
        tuple(f"{prefix}{name}" for name in names if name not in found),
        tuple(sorted(types.keys() - set(names.values()))),
        {f"{prefix}{name}": change for name, kind in found.items() if (change := _change(record, name, kind))},
    )


def _change(record: type[Record], name: str, found: str) -> tuple[str, str] | None:
    hint = next(one.type for one in msgspec.structs.fields(record) if one.name == name)
    kinds = KNOWN_AS[next((part for part in get_args(hint) if part in KNOWN_AS), hint)]
    is_enumeration = not found.startswith(("Edm.", "Collection("))
    fits = found in kinds or (is_enumeration and kinds[0] == "Edm.String")
    return None if fits else (kinds[0], found)
