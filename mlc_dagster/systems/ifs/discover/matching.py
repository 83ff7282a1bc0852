"""Which properties of a tenant's type are the fields of a record: exact by name and type, near, or absent. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import get_args

import msgspec

from mlc_dagster.core.vocabulary import Record
from mlc_dagster.systems.ifs.discover.known_names import Names, known_as
from mlc_dagster.systems.ifs.schema.csdl import Types
from mlc_dagster.systems.ifs.schema.metadata import KNOWN_AS

ALIKE = 0.75  # of 1: how much a name must resemble a known one to be asked about


LONG_ENOUGH = 5  # letters of a known name that is looked for inside of others


@dataclass(frozen=True)
class Matched:
    """One field beside what the tenant has. `wire`: its name there, None where nothing matches exactly."""

    wire: str | None
    kind: str = ""  # its type there
    sought: tuple[str, ...] = ()
    maybe: str = ""  # a name that may be it, and is not exact
    why_maybe: str = ""
    note: str = ""  # what else its line says

    @property
    def is_exact(self) -> bool:
        return self.wire is not None


Fields = dict[str, Matched]


def matched(record: type[Record], wanted: Iterable[str], known: Names, types: Types) -> Fields:
    """Field -> what the tenant has for it. A property stands for one field: the first that it fits."""
    found: Fields = {}
    free = dict(types)
    for name in wanted:
        one = _exact(record, name, known_as(known, name), free)
        if one.wire is not None:
            del free[one.wire]
        found[name] = one
    return {name: one if one.is_exact else _near(record, name, one, free) for name, one in found.items()}


def fits(record: type[Record], name: str, kind: str) -> bool:
    """Whether a property of this type may be that field: schema.metadata.KNOWN_AS; an enumeration is text."""
    kinds = expected(record, name)
    is_enumeration = not kind.startswith(("Edm.", "Collection("))
    return kind in kinds or (is_enumeration and kinds[0] == "Edm.String")


def expected(record: type[Record], name: str) -> tuple[str, ...]:
    """The types that a field may have on the wire, the usual one first."""
    hint = next(one.type for one in msgspec.structs.fields(record) if one.name == name)
    return KNOWN_AS[next((part for part in get_args(hint) if part in KNOWN_AS), hint)]


def shown(kind: str) -> str:
    """A type as a comment names it: IfsApp.SupplierHandling.PartyType is PartyType."""
    return kind if kind.startswith("Edm.") else kind.rpartition(".")[2].rstrip(")")


def _exact(record: type[Record], name: str, sought: tuple[str, ...], types: Types) -> Matched:
    for wire in sought:
        if wire in types and fits(record, name, types[wire]):
            return Matched(wire, types[wire], sought)
    return Matched(None, "", sought)


def _near(record: type[Record], name: str, one: Matched, free: Types) -> Matched:
    for wire in one.sought:
        if wire in free:
            words = f"its type is {shown(free[wire])}, expected {expected(record, name)[0]}"
            return Matched(None, free[wire], one.sought, wire, words)
    fitting = {wire.casefold(): wire for wire, kind in free.items() if fits(record, name, kind)}
    for wire in one.sought:
        if alike := _alike(wire.casefold(), sorted(fitting)):
            found = fitting[alike]
            return Matched(None, free[found], one.sought, found, f"its name is like {wire}, and is not known")
    return one


def _alike(word: str, names: list[str]) -> str:
    """What is written much alike, else the shortest that the word is a part of; empty where there is none."""
    close = get_close_matches(word, names, n=1, cutoff=ALIKE)
    holding = sorted((name for name in names if len(word) >= LONG_ENOUGH and word in name), key=len)
    return next(iter([*close, *holding]), "")


@dataclass(frozen=True)
class Keys:
    """The key of a type beside the record's."""

    fields: Fields = field(default_factory=dict)
    more: tuple[str, ...] = ()  # parts of the tenant's key that no field of ours stands for

    @property
    def is_exact(self) -> bool:
        return not self.more and all(one.is_exact for one in self.fields.values())

    @property
    def wires(self) -> dict[str, str]:
        """Field -> name on the wire, of those that match."""
        return {name: one.wire for name, one in self.fields.items() if one.wire is not None}

    def why_not(self) -> str:
        """What keeps the key from being exact, in words."""
        lacking = [f"{name} (sought: {', '.join(one.sought)})" for name, one in self.fields.items() if not one.is_exact]
        words = [f"its key lacks {', '.join(lacking)}"] * bool(lacking)
        words += [f"its key has {', '.join(self.more)} besides"] * bool(self.more)
        return "; ".join(words)


def key_matched(
    record: type[Record],
    wanted: Iterable[str],
    known: Names,
    types: Types,
    key: Iterable[str],
    extra: Iterable[str] = (),
) -> Keys:
    """`key`: the tenant's key properties, none where they are not told. `extra`: fields that may be part of it."""
    parts = tuple(key)
    there: Types = {name: types[name] for name in parts if name in types} if parts else types
    also = [name for name in extra if any(wire in parts for wire in known_as(known, name))]
    found = matched(record, [*wanted, *also], known, there)
    taken = {one.wire for one in found.values()}
    return Keys(found, tuple(name for name in parts if name not in taken))
