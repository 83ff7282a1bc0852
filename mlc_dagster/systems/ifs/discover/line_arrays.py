"""What is below a header: the arrays and the set of its lines, and arrays that hold more of its own fields."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from mlc_dagster.core.vocabulary import LineSet
from mlc_dagster.systems.ifs.discover.known_names import STAMPS, Known, KnownChild, KnownLines, Place, known_as
from mlc_dagster.systems.ifs.discover.matching import Fields, Keys, key_matched, matched
from mlc_dagster.systems.ifs.discover.services import Services
from mlc_dagster.systems.ifs.schema.catalogue import fields_of
from mlc_dagster.systems.ifs.schema.csdl import MetadataModel, Types, target_of

MANY = "Collection("


@dataclass(frozen=True)
class Lines:
    """The lines of a header on this tenant. `place`: of their own set; None where there is none."""

    arrays: tuple[str, ...]
    place: Place | None
    keys: Keys
    fields: Fields
    fields_of: Mapping[str, Fields] = field(default_factory=dict)  # array -> its fields, where they differ
    stamp: str = ""  # the modified column of their own set
    maybe: str = ""  # an array that may hold the lines, where none of the known ones is there

    @property
    def is_there(self) -> bool:
        return bool(self.arrays or self.place) and self.keys.is_exact

    @property
    def columns(self) -> list[str]:
        own = [*self.keys.wires.values(), *(one.wire for one in self.fields.values() if one.wire)]
        return list(dict.fromkeys(own))


@dataclass(frozen=True)
class Child:
    """An array below the header, or a set beside it, with fields that the header lacks.

    `is_known`: its name is; else it is asked about. `on`: the header's key -> its name in a set of its own.
    """

    navigation: str
    fields: Fields
    of_company: bool = False
    is_known: bool = True
    place: Place | None = None
    on: Mapping[str, str] = field(default_factory=dict)


# --- lines ----------------------------------------------------------------------------------------------------------


def lines_of(known: Known, place: Place, kind: str, services: Services) -> Lines | None:
    """None where the record has no lines."""
    found = _lines_of(known, place, kind, services)
    if found is None or found.place is None or place.form == "grouped":
        return found
    model = services.of(found.place).model
    types = model.properties_of(model.sets[found.place.set])
    return replace(found, stamp=next((name for name in STAMPS if name in types), ""))


def _lines_of(known: Known, place: Place, kind: str, services: Services) -> Lines | None:
    line_set = known.entity.lines
    if known.lines is None or line_set is None:
        return None
    model = services.of(place).model
    if place.form == "grouped":
        return _described(known.lines, line_set, model, kind, (), place)
    own = _own_set(known.lines, place, services)
    arrays = _arrays(known.lines, kind, model)
    if not arrays:
        if own is None:
            return Lines((), None, Keys(), {}, maybe=_other_array(known.lines, line_set, kind, model))
        there = services.of(own).model
        return _described(known.lines, line_set, there, there.sets[own.set], (), own)
    is_beside = own is not None and len(arrays) == 1 and own.projection == place.projection
    return _of_arrays(known.lines, line_set, model, kind, arrays, own if is_beside else None)


def _arrays(lines: KnownLines, kind: str, model: MetadataModel) -> tuple[str, ...]:
    """Of the first group of known names of which any is there, those that are."""
    there = {name for name, its in model.navigations_of(kind).items() if its.startswith(MANY)}
    groups = (tuple(name for name in group if name in there) for group in lines.arrays)
    return next((group for group in groups if group), ())


def _own_set(lines: KnownLines, header: Place, services: Services) -> Place | None:
    """The header's own service first: a tenant may have renamed it; then the known ones."""
    names = dict.fromkeys(each.set for each in lines.sets)
    beside = [Place(header.projection, name, header.surface) for name in names]
    every = (each for each in (*beside, *lines.sets) if each.set in services.of(each).model.sets)
    return next(every, None)


def _of_arrays(
    lines: KnownLines, line_set: LineSet, model: MetadataModel, kind: str, arrays: tuple[str, ...], own: Place | None
) -> Lines:
    """The array with the most fields gives the names; where another one differs, it says so itself."""
    each = {name: _described(lines, line_set, model, _target(model, kind, name), (name,), own) for name in arrays}
    first = max(each.values(), key=lambda one: sum(its.is_exact for its in one.fields.values()))
    differ = {name: _different(first.fields, one.fields) for name, one in each.items()}
    inexact = next((one.keys for one in each.values() if not one.keys.is_exact), first.keys)
    return Lines(arrays, own, inexact, first.fields, {name: those for name, those in differ.items() if those})


def _different(usual: Fields, own: Fields) -> Fields:
    return {name: one for name, one in own.items() if one.wire != usual[name].wire}


def _described(
    lines: KnownLines, line_set: LineSet, model: MetadataModel, kind: str, arrays: tuple[str, ...], own: Place | None
) -> Lines:
    types = model.properties_of(kind)
    keys = key_matched(line_set.record, line_set.keys, lines.fields, types, model.keys_of(kind), lines.extra_keys)
    wanted = [name for name in fields_of(line_set.record) if name not in keys.fields]
    rest = {name: its for name, its in types.items() if name not in keys.wires.values()}
    return Lines(arrays, own, keys, matched(line_set.record, wanted, lines.fields, rest))


def _target(model: MetadataModel, kind: str, navigation: str) -> str:
    return target_of(model.navigations_of(kind)[navigation])


def _other_array(lines: KnownLines, line_set: LineSet, kind: str, model: MetadataModel) -> str:
    """An array under a name that is not known, whose rows have the key of the lines."""
    for name, its in sorted(model.navigations_of(kind).items()):
        if its.startswith(MANY):
            one = _described(lines, line_set, model, _target(model, kind, name), (name,), None)
            if one.keys.is_exact and model.keys_of(_target(model, kind, name)):
                return name
    return ""


# --- children -------------------------------------------------------------------------------------------------------


def children_of(known: Known, place: Place, kind: str, fields: Fields, services: Services) -> tuple[Child, ...]:
    """What has fields that the header lacks: each field once, from the surest place."""
    lacking = [name for name, one in fields.items() if not one.is_exact]
    return tuple(_children(known, place, kind, lacking, services))


def _children(known: Known, place: Place, kind: str, lacking: list[str], services: Services) -> Iterator[Child]:
    model = services.of(place).model
    there = model.navigations_of(kind)
    for child in known.children:
        found = _beside(known, child, place, services) if child.place else _below(child, there, model)
        if found is None:
            continue
        types, made = found
        wanted = [name for name in child.fields if name in lacking]
        exact = _exact(matched(known.entity.record, wanted, child.fields, types))
        lacking = [name for name in lacking if name not in exact]
        if exact:
            yield replace(made, fields=exact)
    names = {name: known_as(known.fields, name) for name in lacking if name in known.fields or name in _ASKED}
    for name in sorted(there.keys() - {child.navigation for child in known.children} - _arrays_of(known)):
        if there[name].startswith(MANY) and (exact := _asked(known, names, _target(model, kind, name), model)):
            names = {each: its for each, its in names.items() if each not in exact}
            yield Child(name, exact, is_known=False)


def _below(child: KnownChild, there: Types, model: MetadataModel) -> tuple[Types, Child] | None:
    if child.navigation not in there:
        return None
    return model.properties_of(target_of(there[child.navigation])), Child(child.navigation, {}, child.of_company)


def _beside(known: Known, child: KnownChild, header: Place, services: Services) -> tuple[Types, Child] | None:
    """A set that is joined: its key must be the header's, under a known name, and it must be another set."""
    place = child.place
    if place is None or place == header or place.set not in services.of(place).model.sets:
        return None
    model = services.of(place).model
    kind = model.sets[place.set]
    keys = key_matched(known.entity.record, known.entity.keys, child.on, model.properties_of(kind), model.keys_of(kind))
    made = Child("", {}, child.of_company, place=place, on=keys.wires)
    return (model.properties_of(kind), made) if keys.is_exact else None


_ASKED = ("currency_code", "payment_terms", "credit_limit", "vat_no", "bank_account", "email")
"""What a partner has on its children under a name of its own."""


def _asked(known: Known, names: Mapping[str, tuple[str, ...]], kind: str, model: MetadataModel) -> Fields:
    types = model.properties_of(kind)
    return _exact(matched(known.entity.record, list(names), names, types))


def _exact(fields: Fields) -> Fields:
    return {name: one for name, one in fields.items() if one.is_exact}


def _arrays_of(known: Known) -> set[str]:
    return {name for group in known.lines.arrays for name in group} if known.lines else set()
