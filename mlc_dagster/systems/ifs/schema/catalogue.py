"""What this tenant calls the entity sets of the catalogue: names of mlc.yaml over those of the records."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import cast

import msgspec

from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.core.near_names import offered
from mlc_dagster.core.vocabulary import ChildSet, EntitySet, LineSet, PartSet, Record
from mlc_dagster.systems.ifs.schema.child_sets import child_of, list_record
from mlc_dagster.systems.ifs.schema.overlay import absent_now, given, named, without
from mlc_dagster.systems.ifs.settings import (
    ABSENT,
    EntitySetSettings,
    LineSetSettings,
    Name,
    PartSettings,
)

Overrides = Mapping[str, EntitySetSettings]
"""`ifs.entity_sets` of mlc.yaml, or a preset."""


def catalogue_of(
    entities: Iterable[EntitySet], overrides: Overrides, section: str = "entity_sets"
) -> dict[str, EntitySet]:
    """Name -> entity set, under the tenant's names. Raises Misconfigured with every name that nothing has.

    `section`: where in `ifs` of mlc.yaml the names stand.
    """
    known = {entity.name: entity for entity in entities}
    if wrong := [
        f"{'.'.join(path)} in mlc.yaml: {words}" for path, words in wrong_names(known.values(), overrides, section)
    ]:
        raise Misconfigured("\n".join(wrong))
    return {name: _renamed(entity, overrides[name]) if name in overrides else entity for name, entity in known.items()}


def wire_name(name: str, wire: Mapping[str, str]) -> str:
    """A record field's name on the wire: `order_no` is OrderNo unless the tenant says otherwise."""
    return wire.get(name) or "".join(part.capitalize() for part in name.split("_"))


def fields_of(record: type[Record], *, without: str | None = None) -> tuple[str, ...]:
    """The names of a record's fields, in order, but for those that are no column of its own set."""
    return tuple(name for name in record.__struct_fields__ if name not in (without, BESIDE))


BESIDE = "receipts"
"""The field of an order that holds rows of another set of the catalogue."""

# --- what mlc.yaml calls by a name that there is not ------------------------------------------------------------------

Wrong = tuple[tuple[str, ...], str]
"""(path in mlc.yaml, what is wrong there)"""


def wrong_names(entities: Iterable[EntitySet], overrides: Overrides, section: str = "entity_sets") -> Iterator[Wrong]:
    """Entity sets and fields that the catalogue does not have, and two fields that have one name on the wire."""
    known = {entity.name: entity for entity in entities}
    for name, names in overrides.items():
        where = ("ifs", section, name)
        if name in known:
            yield from _wrong_in(known[name], names, where)
        else:
            yield where, _none(name, known, "entity set")


def _wrong_in(entity: EntitySet, names: EntitySetSettings, where: tuple[str, ...]) -> Iterator[Wrong]:
    known = fields_of(entity.record, without=entity.lines.field if entity.lines else None)
    yield from _unknown(names.fields, known, (*where, "fields"), "field")
    yield from _unknown(names.keys, entity.keys, (*where, "keys"), "key")
    yield from _unknown(names.sums, known, (*where, "sums"), "field")
    yield from _absent_keys(names.fields, entity.keys, (*where, "fields"))
    for name in names.extra_fields:
        if name in entity.record.__struct_fields__:
            yield (*where, "extra_fields", name), f"the record has this field; use {'.'.join(where)}.fields"
    for field, name in (("stamp", "last_modified"), ("state", "obj_state")):
        if getattr(names, field) not in (None, ABSENT) and name not in known:
            yield (*where, field), f"{entity.name} has no {name}. Take it out"
    yield from _wrong_parts(entity, names, known, where)
    yield from _same_in(_renamed(entity, names), (*where, "fields"))
    yield from _wrong_lines(entity, names.lines, (*where, "lines"))


def _wrong_parts(
    entity: EntitySet, names: EntitySetSettings, known: Iterable[str], where: tuple[str, ...]
) -> Iterator[Wrong]:
    there = frozenset(known)
    for number, child in enumerate(names.children or ()):
        place = (*where, "children", str(number))
        listed = fields_of(list_record(entity.record, child.list)) if child.list in there else known
        yield from _unknown(child.fields, listed, (*place, "fields"), "field")
        yield from _unknown(child.on, known, (*place, "on"), "field")
        if child.list and child.list not in there:
            yield (*place, "list"), f"{entity.name} has no {child.list}. Take it out"
        if child.writes and not child.on:
            keys = ", ".join(entity.keys)
            yield (*place, "on"), f"expected what its rows are written by: a field of the record ({keys}), its name"
        if bool(child.navigation) == bool(child.set):
            yield place, "expected either navigation (an array below each row) or set (joined by on)"
        elif child.set and not child.on:
            keys = ", ".join(entity.keys)
            yield (*place, "on"), f"expected what its rows are found by: a field of the record ({keys}), its name there"
    if names.sources and entity.partition != "company":
        yield (*where, "sources"), f"{entity.name} is read by day, from one set: only snapshots are put together"
    for name, on_wire in names.keys.items():
        if on_wire == "Objid":
            yield (*where, "keys", name), "Objid names a row's place, which changes; expected the key itself"
    for number, part in enumerate(names.sources or ()):
        place = (*where, "sources", str(number))
        for words, said in (("constants", part.constants), ("keys", part.keys), ("fields", part.fields)):
            yield from _unknown(said, known, (*place, words), "field")


def _wrong_lines(entity: EntitySet, names: LineSetSettings, where: tuple[str, ...]) -> Iterator[Wrong]:
    if entity.lines is None:
        if names != LineSetSettings():
            yield where, f"{entity.name} has no lines. Take this section out"
        return
    known = fields_of(entity.lines.record)
    yield from _unknown(names.fields, known, (*where, "fields"), "field")
    yield from _unknown(names.keys, known, (*where, "keys"), "field")
    yield from _absent_keys(names.fields, entity.lines.keys, (*where, "fields"))
    arrays = _arrays(entity.lines, names)
    for array, fields in names.fields_of.items():
        if array not in arrays:
            yield (*where, "fields_of", array), _none(array, arrays, "array")
        yield from _unknown(fields, known, (*where, "fields_of", array), "field")


def _unknown(names: Iterable[str], known: Iterable[str], where: tuple[str, ...], what: str) -> Iterator[Wrong]:
    there = tuple(known)
    yield from (((*where, name), _none(name, there, what)) for name in names if name not in there)


def _absent_keys(names: Mapping[str, Name], keys: Iterable[str], where: tuple[str, ...]) -> Iterator[Wrong]:
    for name in keys:
        if names.get(name) == ABSENT:
            yield (*where, name), "found null; expected a name: without its key no row can be told from another"


def _none(name: str, known: Iterable[str], what: str) -> str:
    there = sorted(known)
    return f"no {what} of this name" + (offered(name, there) or f"; known are {', '.join(there)}")


def _same_in(entity: EntitySet, where: tuple[str, ...]) -> Iterator[Wrong]:
    """Two fields under one name on the wire would hold each other's values."""
    by_wire: dict[str, str] = {}
    for name in fields_of(entity.record, without=entity.lines.field if entity.lines else None):
        on_wire = wire_name(name, entity.wire)
        if name not in entity.not_selected and (other := by_wire.setdefault(on_wire, name)) != name:
            yield where, f"{on_wire} stands for both {other} and {name}"


# --- names over names -------------------------------------------------------------------------------------------------


def _renamed(entity: EntitySet, names: EntitySetSettings) -> EntitySet:
    said = _with_stamp_and_state(names)
    wire = {**said, **names.keys, **names.extra_fields}
    from_children = {name for child in names.children or () for name in child_of(child).told}
    absent = absent_now(entity.absent - from_children, wire)
    stamp = "last_modified" if names.stamp not in (None, ABSENT) else entity.modified
    from_rows = entity.header_from_rows if names.header_from_rows is None else names.header_from_rows
    has_no_stamp = entity.partition == "day" and ("last_modified" in absent or from_rows)
    has_lists = any(child.list for child in names.children or ())  # a row of theirs moves, and the header does not
    delta = names.delta or ("sweep" if has_no_stamp or has_lists else entity.delta)
    return replace(
        entity,
        record=extended(entity.record, tuple(names.extra_fields)),
        projection=names.projection if names.projection not in (None, ABSENT) else entity.projection,
        path=names.set if names.set not in (None, ABSENT) else entity.path,
        surface=entity.surface if names.surface is None else names.surface,
        is_off=_is_off(entity, names),
        wire=named(entity.wire, wire),
        absent=absent,
        delta=delta,
        modified=None if delta == "sweep" or "last_modified" in absent else stamp,
        expand=names.expand or entity.expand,
        lines=_lines(entity, names.lines),
        constants=given(entity.constants, names.constants),
        sums=given(without(entity.sums, said), names.sums),
        actions=given(entity.actions, names.actions),
        header_from_rows=from_rows,
        children=_children(entity, said) if names.children is None else tuple(map(child_of, names.children)),
        sources=entity.sources if names.sources is None else tuple(map(_part, names.sources)),
    )


def _is_off(entity: EntitySet, names: EntitySetSettings) -> bool:
    """`set: null` switches a set off, and a name given later on again."""
    if ABSENT in (names.projection, names.set):
        return True
    return entity.is_off and names.set is None and not names.sources


def _with_stamp_and_state(names: EntitySetSettings) -> dict[str, Name]:
    said = {"last_modified": names.stamp, "obj_state": names.state}
    return {**names.fields, **{name: value for name, value in said.items() if value is not None}}


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


def _lines(entity: EntitySet, names: LineSetSettings) -> LineSet | None:
    lines = entity.lines
    if lines is None:
        return None
    said: dict[str, Name] = {**names.fields, **names.keys}
    arrays = _arrays(lines, names)
    return replace(
        lines,
        navigation=arrays[0],
        arrays=arrays if len(arrays) > 1 else (),
        path="" if names.set == ABSENT else names.set or lines.path,
        projection=lines.projection if names.projection is None else names.projection,
        surface=lines.surface if names.surface is None else names.surface,
        keys=(*lines.keys, *(name for name in names.keys if name not in lines.keys)),
        wire=named(lines.wire, said),
        absent=absent_now(lines.absent, said),
        stamp="" if names.stamp == ABSENT else names.stamp or lines.stamp,
        wire_of={**lines.wire_of, **{array: named({}, fields) for array, fields in names.fields_of.items()}},
        absent_of={**lines.absent_of, **{array: absent_now(frozenset(), it) for array, it in names.fields_of.items()}},
    )


def _arrays(lines: LineSet, names: LineSetSettings) -> tuple[str, ...]:
    if names.navigations:
        return names.navigations
    if names.set not in (None, ABSENT) and not names.navigation:
        return lines.navigations[:1]  # a set of their own takes the place of arrays
    return (names.navigation,) if names.navigation else lines.navigations


def _children(entity: EntitySet, said: Mapping[str, Name]) -> tuple[ChildSet, ...]:
    """A field that mlc.yaml names, or says to be absent, is no longer fetched from a child."""
    kept = (child if child.field else replace(child, fields=without(child.fields, said)) for child in entity.children)
    return tuple(child for child in kept if child.fields)


def _part(names: PartSettings) -> PartSet:
    said: dict[str, Name] = {**names.fields, **names.keys}
    return PartSet(
        path=names.set,
        projection=names.projection or "",
        surface=names.surface or "",
        constants=names.constants,
        wire=named({}, said),
        absent=absent_now(frozenset(), said),
    )
