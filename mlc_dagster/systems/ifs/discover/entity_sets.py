"""Finds each entity set of the catalogue among a tenant's services: by its known names, else by its key and fields."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from mlc_dagster.systems.ifs.discover.known_names import (
    CODE_PARTS,
    KNOWN,
    STAMPS,
    STATES,
    Known,
    Names,
    Place,
    every_place,
    of_rows,
)
from mlc_dagster.systems.ifs.discover.line_arrays import Child, Lines, children_of, lines_of
from mlc_dagster.systems.ifs.discover.matching import Fields, Keys, key_matched, matched
from mlc_dagster.systems.ifs.discover.services import Service, Services
from mlc_dagster.systems.ifs.schema.catalogue import fields_of
from mlc_dagster.systems.ifs.supplier_child_records import OWN_KEYS
from mlc_dagster.systems.ifs.writing.document_steps import TODAY

SEARCHED = 10  # services that are read for a set that none of the known ones has: each may be several hundred kB
ENOUGH = 3  # fields that must match by name and type, beside the key, before another set is asked about


@dataclass(frozen=True)
class Part:
    """One of several sets that hold a record's rows: `Reference_CodeB`."""

    place: Place
    letter: str
    keys: Keys
    fields: Fields


@dataclass(frozen=True)
class FoundSet:
    """A set of the catalogue on this tenant. `doubt`: why it is asked about, and not proposed; empty where it is exact.

    `known` has the names that fit the way its rows are kept.
    """

    known: Known
    place: Place
    kind: str  # its entity type
    keys: Keys = field(default_factory=Keys)
    fields: Fields = field(default_factory=dict)
    lines: Lines | None = None
    children: tuple[Child, ...] = ()
    parts: tuple[Part, ...] = ()
    actions: tuple[str, ...] = ()
    constants: tuple[str, ...] = ()
    doubt: str = ""
    found_by: str = ""  # where the service is none of the known ones

    @property
    def columns(self) -> list[str]:
        """The names on the wire that its rows are asked for."""
        own = [*self.keys.wires.values(), *(one.wire for one in self.fields.values() if one.wire)]
        return list(dict.fromkeys(own))


@dataclass(frozen=True)
class Absent:
    """A set that the tenant does not show: what was asked, and what each service said."""

    known: Known
    why: tuple[str, ...]


def find(known: Known, services: Services) -> FoundSet | Absent:
    """The surest place of a set: exact, else the likest one to ask about. Raises MlcError where nobody answers."""
    doubtful: list[FoundSet] = []
    for found in _known_places(known, services):
        if not found.doubt:
            return _completed(found, services)
        doubtful.append(found)
    for found in _elsewhere(known, services):
        if not found.doubt:
            return _completed(found, services)
        doubtful.append(found)
    if doubtful:
        return _completed(max(doubtful, key=_likeness), services)
    return Absent(known, tuple(dict.fromkeys(_said(known, services))))


def _likeness(found: FoundSet) -> tuple[int, int]:
    return sum(one.is_exact for one in found.keys.fields.values()), sum(one.is_exact for one in found.fields.values())


def _said(known: Known, services: Services) -> Iterator[str]:
    """What each place said: first those that are there and do not answer, since a right or a gateway cures that."""
    every = [(place, services.of(place)) for place in known.every_place()]
    for place, service in sorted(every, key=lambda each: each[1].state not in ("denied", "refused")):
        yield service.why if service.state != "read" else f"{place.projection} has no set {place.set}"
    if not known.every_place():
        yield "no service of it is publicly known"
    if services.catalogue.names is not None:
        yield f"no other service named {', '.join(known.words)} has a set with its key and {ENOUGH} of its fields"


# --- where it may be ------------------------------------------------------------------------------------------------


def _known_places(known: Known, services: Services) -> Iterator[FoundSet]:
    for place in known.every_place():
        service = services.of(place)
        if service.state == "read" and (found := _at(known, place, service)):
            yield found


def _elsewhere(known: Known, services: Services) -> Iterator[FoundSet]:
    """Under another name in the known services, then in those that the catalogue lists under one of its words."""
    places = known.every_place()
    ours = list(dict.fromkeys((each.surface, each.projection) for each in places))
    listed = services.catalogue.like(known.words, [name for _, name in ours], SEARCHED)
    others = [("main", name) for name in listed if ("main", name) not in ours]
    services.ask(Place(name, "", surface) for surface, name in others)
    by_name = {each.set: each for each in places if each.form != "parts"}
    for surface, name in (*ours, *others):
        service = services.of(Place(name, "", surface))
        for set_name in sorted(service.model.sets):
            place = replace(by_name.get(set_name, Place(name, set_name)), projection=name, surface=surface)
            if place in places or (set_name.startswith("Reference_") and set_name not in by_name):
                continue
            if found := _unsure(known, place, service, set_name in by_name):
                yield found


def _unsure(known: Known, place: Place, service: Service, is_named: bool) -> FoundSet | None:
    """A set in a place that no source names: exact where its own name is known; else a question."""
    found = _at(known, place, service)
    if found is None or (not is_named and not _is_alike(found)):
        return None
    word = f"{place.projection} is none of the known services; its set was found in the service catalogue"
    other = "" if is_named else f"{place} is not a known name; key and fields match by name and type"
    doubt = "; ".join(filter(None, [other, found.doubt]))
    known_service = any(each.projection == place.projection for each in known.every_place())
    return replace(found, doubt=doubt, found_by="" if known_service else word)


def _is_alike(found: FoundSet) -> bool:
    enough = min(ENOUGH, len(found.fields))
    exact = sum(one.is_exact for one in found.fields.values())
    return all(one.is_exact for one in found.keys.fields.values()) and not found.keys.more and exact >= enough


# --- what is there --------------------------------------------------------------------------------------------------


def _at(known: Known, place: Place, service: Service) -> FoundSet | None:
    if place.form == "parts":
        return _parts(known, place, service)
    if place.set not in service.model.sets:
        return None
    model, kind = service.model, service.model.sets[place.set]
    types, key = model.properties_of(kind), model.keys_of(kind)
    if not types:
        return FoundSet(known, place, kind, doubt=f"$metadata names the type {kind}, and does not describe it")
    here = of_rows(known) if place.form == "grouped" else known
    record = here.entity.record
    keys = key_matched(record, here.entity.keys, here.fields, types, key)
    if place.form == "grouped":
        keys = replace(keys, more=())  # what is more is the key of the rows
    rest = {name: its for name, its in types.items() if name not in keys.wires.values()}
    fields = matched(record, _own_fields(here), {**here.fields, **_columns_of_its_own(here)}, rest)
    doubt = "" if keys.is_exact else keys.why_not()
    return FoundSet(here, place, kind, keys, fields, doubt=doubt)


def _own_fields(known: Known) -> list[str]:
    """Those that may be a column; lists of children are named in mlc.yaml."""
    entity = known.entity
    names = fields_of(entity.record, without=entity.lines.field if entity.lines else None)
    return [name for name in names if name not in entity.keys and name not in OWN_KEYS]


def _columns_of_its_own(known: Known) -> Names:
    return {"last_modified": STAMPS, "obj_state": STATES}


def _parts(known: Known, place: Place, service: Service) -> FoundSet | None:
    """Nine sets for one record: the letter is a constant of each, and the name of its key."""
    parts = [one for letter in CODE_PARTS if (one := _part(known, place, service, letter))]
    if not parts:
        return None
    first = parts[0]
    inexact = [one for one in parts if not one.keys.is_exact]
    doubt = f"{inexact[0].place}: {inexact[0].keys.why_not()}" if inexact else ""
    return FoundSet(known, place, place.set, first.keys, first.fields, parts=tuple(parts), doubt=doubt)


def _part(known: Known, place: Place, service: Service, letter: str) -> Part | None:
    there = replace(place, set=place.set.replace("*", letter), form="rows")
    if there.set not in service.model.sets:
        return None
    kind = service.model.sets[there.set]
    types, key = service.model.properties_of(kind), service.model.keys_of(kind)
    names = {**known.fields, "code_part_value": (f"Code{letter}",)}
    wanted = [name for name in known.entity.keys if name != "code_part"]
    keys = key_matched(known.entity.record, wanted, names, types, key)
    rest = {name: its for name, its in types.items() if name not in keys.wires.values()}
    fields = matched(known.entity.record, _own_fields(known), {**names, **_columns_of_its_own(known)}, rest)
    return Part(there, letter, keys, fields)


def _completed(found: FoundSet, services: Services) -> FoundSet:
    """With its lines, children, actions and constants."""
    if found.parts or not found.fields:
        return found
    model, known = services.of(found.place).model, found.known
    types, lines = model.properties_of(found.kind), lines_of(known, found.place, found.kind, services)
    without = "" if lines is None or lines.is_there else "its lines were not found"
    return replace(
        found,
        lines=lines,
        doubt="; ".join(filter(None, [found.doubt, without])),
        children=children_of(known, found.place, found.kind, found.fields, services),
        actions=model.actions_of(found.kind),
        constants=tuple(name for name, value in known.constants.items() if _takes(types.get(name, ""), value)),
    )


def _takes(kind: str, value: str | bool) -> bool:
    if isinstance(value, bool):
        return kind == "Edm.Boolean"
    if value == TODAY:
        return kind in ("Edm.Date", "Edm.DateTimeOffset")
    return bool(kind) and (kind == "Edm.String" or not kind.startswith("Edm."))


def find_all(services: Services) -> list[FoundSet | Absent]:
    """Every set of the catalogue, in its order."""
    services.ask(every_place())
    return [find(known, services) for known in KNOWN]
