"""What one tenant calls an entity set and its fields: the bridge between the catalogue and the wire."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from mlc_dagster.sandbox.ifs.catalogue import Tenant
from mlc_dagster.sandbox.ifs.rows import RowSet, Stored


@dataclass(frozen=True)
class Collection:
    """An entity set on the wire: the headers of a kind, or all of its lines."""

    tenant: Tenant
    rows: RowSet
    is_lines: bool = False

    @property
    def catalogue_set(self) -> str:
        lines = self.rows.kind.lines
        return lines.set if self.is_lines and lines else self.rows.kind.set

    @property
    def set(self) -> str:
        return self.tenant.sets.get(self.catalogue_set, self.catalogue_set)

    @property
    def projection(self) -> str:
        kind, named = self.rows.kind, self.tenant.projections
        default = named.get(kind.set, named.get(kind.projection, kind.projection))
        return named.get(self.catalogue_set, default)

    @property
    def navigation(self) -> str | None:
        """The name of the navigation property to the lines, on headers."""
        lines = self.rows.kind.lines
        if lines is None or self.is_lines:
            return None
        return self.tenant.navigations.get(lines.navigation, lines.navigation)

    @property
    def keys(self) -> tuple[str, ...]:
        lines = self.rows.kind.lines
        return lines.keys if self.is_lines and lines else self.rows.kind.keys

    @property
    def types(self) -> dict[str, str]:
        """Catalogue name -> type, custom fields included."""
        lines = self.rows.kind.lines
        if self.is_lines and lines:
            known: Mapping[str, str] = {**lines.fields, **self.rows.line_extra}
        else:
            known = {**self.rows.kind.fields, **self.rows.extra}
        return {name: kind for name, kind in known.items() if name != "LastModified" or self.tenant.modified}

    @cached_property
    def _renamed(self) -> Mapping[str, str]:
        return self.tenant.fields.get(self.catalogue_set, {})

    def wire(self, name: str) -> str:
        return self._renamed.get(name, name)

    @property
    def names(self) -> dict[str, tuple[str, str]]:
        """Name on the wire -> (catalogue name, type)."""
        return {self.wire(name): (name, kind) for name, kind in self.types.items()}

    def stored(self) -> list[Stored]:
        """As they were inserted."""
        if not self.is_lines:
            return self.rows.insertion_order()
        return [line for header in self.rows.insertion_order() for line in header.lines]

    def by_modified(self, low: str | None, high: str | None) -> list[Stored]:
        return self.rows.lines_by_modified(low, high) if self.is_lines else self.rows.by_modified(low, high)

    def lines(self) -> Collection:
        return Collection(self.tenant, self.rows, True)

    def find(self, key: tuple[object, ...]) -> Stored | None:
        if not self.is_lines:
            return self.rows.by_key.get(key)
        header = self.rows.by_key.get(key[: len(self.rows.kind.keys)])
        return next((line for line in header.lines if line.key == key), None) if header else None
