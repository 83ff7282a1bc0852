"""Compares what a record expects with the tenant's $metadata: fields gone, new, or of another type."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, get_args

import msgspec

from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.core.vocabulary import EntitySet, LineSet, Record
from mlc_dagster.systems.ifs.schema.catalogue import fields_of, wire_name
from mlc_dagster.systems.ifs.schema.csdl import MetadataModel, Types

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
    """Raises Misconfigured where the service does not have the entity set."""
    types = model.properties(entity.path)
    if types is None:
        raise Misconfigured(
            f"{entity.projection} has no entity set {entity.path}",
            cure=f"It has {', '.join(sorted(model.sets))}. Set ifs.entity_sets.{entity.name}.set in mlc.yaml.",
        )
    if not types:
        return SchemaReport(untold=f"$metadata names the type {model.sets[entity.path]}, and does not describe it")
    apart = entity.not_selected | ({entity.lines.field} if entity.lines else set())
    apart |= set() if entity.modified else {"last_modified"}
    report = _compared(entity.record, entity.wire, types, "", apart)
    return _with_lines(report, entity.lines, model)


def _compared(record: type[Record], wire: Any, types: Types, prefix: str, apart: AbstractSet[str]) -> SchemaReport:
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


def _with_lines(report: SchemaReport, lines: LineSet | None, model: MetadataModel) -> SchemaReport:
    """The line set may stand in another projection: then nothing is known of it."""
    types = model.properties(lines.path) if lines else None
    if lines is None or types is None:
        return report
    below = _compared(lines.record, lines.wire, types, f"{lines.field}.", lines.absent)
    new = (*report.new, *(f"{lines.path}.{name}" for name in below.new))
    return SchemaReport((*report.gone, *below.gone), new, {**report.changed, **below.changed})
