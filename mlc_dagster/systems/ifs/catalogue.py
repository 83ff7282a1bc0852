"""What this tenant calls the entity sets of the catalogue: names of mlc.yaml over those of the records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache
from typing import Literal, Protocol, cast

import msgspec

from mlc_dagster.errors import Misconfigured
from mlc_dagster.vocabulary import EntitySet, LineSet, Record


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
    """Name -> entity set, under the tenant's names. Raises Misconfigured for a name that nothing has."""
    known = {entity.name: entity for entity in entities}
    for name in overrides:
        _expect(name, known, "ifs.entity_sets", "entity set")
    return {name: _renamed(entity, overrides[name]) if name in overrides else entity for name, entity in known.items()}


def wire_name(name: str, wire: Mapping[str, str]) -> str:
    """A record field's name on the wire: `order_no` is OrderNo unless the tenant says otherwise."""
    return wire.get(name) or "".join(part.capitalize() for part in name.split("_"))


def fields_of(record: type[Record], *, without: str | None = None) -> tuple[str, ...]:
    """The names of a record's fields, in order, but for one that is no column of its own set."""
    return tuple(name for name in record.__struct_fields__ if name != without)


def _renamed(entity: EntitySet, names: Override) -> EntitySet:
    where = f"ifs.entity_sets.{entity.name}"
    known = fields_of(entity.record, without=entity.lines.field if entity.lines else None)
    for name in names.fields:
        _expect(name, known, f"{where}.fields", "field")
    for name in names.extra_fields:
        if name in entity.record.__struct_fields__:
            raise Misconfigured(
                f"{where}.extra_fields.{name} in mlc.yaml: the record has this field; use {where}.fields"
            )
    delta = names.delta or entity.delta
    wire = {**entity.wire, **names.fields, **names.extra_fields}
    _expect_distinct([*known, *names.extra_fields], wire, f"{where}.fields")
    return replace(
        entity,
        record=extended(entity.record, tuple(names.extra_fields)),
        projection=names.projection or entity.projection,
        path=names.set or entity.path,
        wire=wire,
        delta=delta,
        modified=None if delta == "sweep" else entity.modified,
        expand=names.expand or entity.expand,
        lines=_lines(entity, names.lines, f"{where}.lines"),
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


def _lines(entity: EntitySet, names: LineOverride, where: str) -> LineSet | None:
    if entity.lines is None:
        if names.navigation or names.set or names.fields:
            raise Misconfigured(f"{where}: {entity.name} has no lines", cure="Take the lines section out of mlc.yaml.")
        return None
    for name in names.fields:
        _expect(name, fields_of(entity.lines.record), f"{where}.fields", "field")
    return replace(
        entity.lines,
        navigation=names.navigation or entity.lines.navigation,
        path=names.set or entity.lines.path,
        wire={**entity.lines.wire, **names.fields},
    )


def _expect(name: str, known: Iterable[str], where: str, what: str) -> None:
    if name not in known:
        raise Misconfigured(f"{where}.{name} in mlc.yaml: no {what} of this name; known are {', '.join(sorted(known))}")


def _expect_distinct(names: Iterable[str], wire: Mapping[str, str], where: str) -> None:
    """Two fields under one name on the wire would hold each other's values."""
    by_wire: dict[str, str] = {}
    for name in names:
        if (other := by_wire.setdefault(wire_name(name, wire), name)) != name:
            raise Misconfigured(f"{where} in mlc.yaml: {wire_name(name, wire)} stands for both {other} and {name}")
