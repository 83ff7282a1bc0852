"""What is known of where a set may be, and what it and its fields may be called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from mlc_dagster.core.vocabulary import EntitySet
from mlc_dagster.systems.ifs.schema.catalogue import wire_name
from mlc_dagster.systems.ifs.schema.presets import CLOUD

Names = Mapping[str, tuple[str, ...]]
"""Record field -> its names on the wire, the surest first."""

Form = Literal["rows", "grouped", "parts"]
"""rows: a row is a record; grouped: the rows are lines, and those with the same keys are one record; parts: one of
several sets that hold the records, `set` with a letter for "*"."""

ENTITY_SERVICES = "int"
"""The surface of Entity Service APIs: `<Unit>Entity.svc/<Unit>Set`, each activated by itself (24R2 techdocs)."""


@dataclass(frozen=True)
class Place:
    """Where a set may be."""

    projection: str
    set: str
    surface: str = "main"
    form: Form = "rows"

    @property
    def has_entity_service(self) -> bool:
        """Its set is named after a unit, as those of entity services are."""
        return self.form == "rows" and self.surface == "main" and not self.set.startswith("Reference_")

    def __str__(self) -> str:
        return f"{self.projection}/{self.set}"


@dataclass(frozen=True)
class KnownLines:
    """What the lines of a set may be called: arrays below the header that hold them together, sets of their own."""

    arrays: tuple[tuple[str, ...], ...]  # each a group of arrays that are read together
    sets: tuple[Place, ...]
    fields: Names = field(default_factory=dict)
    extra_keys: tuple[str, ...] = ()  # record fields that are part of the key on some tenants


@dataclass(frozen=True)
class KnownChild:
    """What holds more fields of a header: an array below it, or a set. `of_company`: one row for each company."""

    navigation: str
    fields: Names
    of_company: bool = False
    place: Place | None = None  # where it is no array but a set of its own, joined by `on`
    on: Names = field(default_factory=dict)  # the header's key -> what it may be called there


@dataclass(frozen=True)
class Known:
    """What one set of the catalogue may be called."""

    entity: EntitySet
    places: tuple[Place, ...]
    words: tuple[str, ...]  # a service with one of these in its name may serve it under another name
    fields: Names = field(default_factory=dict)
    lines: KnownLines | None = None
    children: tuple[KnownChild, ...] = ()
    sums: Mapping[str, str] = field(default_factory=dict)
    codes: Mapping[str, str] = field(default_factory=dict)  # field -> the column of its code, where it holds a name

    @property
    def constants(self) -> Mapping[str, str | bool]:
        """Name on the wire -> what is sent with each create, as the preset `cloud` has it."""
        found: Mapping[str, str | bool] = CLOUD.get(self.entity.name, {}).get("constants", {})
        return found

    def every_place(self) -> tuple[Place, ...]:
        """The known ones, and the entity service of each set that has a row for each record."""
        entity = (_entity_service(each.set) for each in self.places if each.has_entity_service)
        return tuple(dict.fromkeys((*self.places, *entity)))


def _entity_service(set_name: str) -> Place:
    return Place(f"{set_name.removesuffix('Set')}Entity", set_name, ENTITY_SERVICES)


def names_in(text: str) -> dict[str, tuple[str, ...]]:
    """`"country=CountryCode,Country name"` -> {"country": ("CountryCode", "Country"), "name": ("Name",)}."""
    pairs = (each.partition("=") for each in text.split())
    return {name: tuple(known.split(",")) if known else (wire_name(name, {}),) for name, _, known in pairs}
