"""A set or an array of such a tenant, as queries and writes see it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from mlc_dagster.sandbox.ifs.catalogue import Tenant
from mlc_dagster.sandbox.ifs.names import Collection
from mlc_dagster.sandbox.ifs.rows import Stored
from mlc_dagster.sandbox.ifs.views.view import META, View, ViewRow, rows


@dataclass(frozen=True)
class ViewCollection(Collection):
    """`below`: the row whose array it is; None: an entity set."""

    view: View = field(kw_only=True)
    below: ViewRow | None = field(default=None, kw_only=True)
    _made: dict[tuple[object, ...], tuple[Stored, tuple[ViewRow, ...]]] = field(
        default_factory=dict, kw_only=True, compare=False, repr=False
    )

    @property
    def catalogue_set(self) -> str:
        return self.view.kind

    @property
    def set(self) -> str:
        return self.view.set

    @property
    def projection(self) -> str:
        return self.view.projection

    @property
    def navigation(self) -> str | None:
        return None

    @property
    def keys(self) -> tuple[str, ...]:
        return self.view.keys

    @cached_property
    def types(self) -> dict[str, str]:
        return {**dict.fromkeys(META, "text"), **{each.name: each.filtered_as for each in self.view.columns}}

    def wire(self, name: str) -> str:
        return name

    @cached_property
    def names(self) -> dict[str, tuple[str, str]]:
        return {name: (name, kind) for name, kind in self.types.items()}

    def stored(self) -> list[Stored]:
        heads = [self.below.source.head] if self.below else self.rows.insertion_order()
        return list(self._shown(heads))

    def by_modified(self, low: str | None, high: str | None) -> list[Stored]:
        if "LastModified" not in self.types or self.below:
            return self.stored()
        return list(self._shown(self.rows.by_modified(low, high)))

    def find(self, key: tuple[object, ...]) -> ViewRow | None:
        """The row with this key; by the stored row's own key where the view's has all of it."""
        by_name = self.view.by_name
        kept = {by_name[name].kept_as: value for name, value in zip(self.view.keys, key, strict=True)}
        heads: Iterable[Stored] = self.rows.insertion_order()
        if self.below:
            heads = [self.below.source.head]
        elif all(name in kept for name in self.rows.kind.keys):
            found = self.rows.by_key.get(tuple(kept[name] for name in self.rows.kind.keys))
            heads = [found] if found else []
        return next((row for row in self._shown(heads) if row.key == key), None)

    def array(self, name: str, row: ViewRow) -> ViewCollection | None:
        view = self.view.array(name)
        return ViewCollection(self.tenant, self.rows, view=view, below=row) if view else None

    def plain(self, is_lines: bool = False) -> Collection:
        """The same rows under the catalogue's names, to write to."""
        return Collection(Tenant(), self.rows, is_lines)

    def _shown(self, heads: Iterable[Stored]) -> Iterable[ViewRow]:
        """What the service user may see: companies that are not his are absent, without a word."""
        allowed = self.tenant.allowed_companies
        seen = (head for head in heads if not allowed or head.fields.get("Company") in (None, *allowed))
        found = (row for head in seen for row in self._rows_of(head))
        return found if self.below is None else (row for row in found if self._is_below(row))

    def _rows_of(self, head: Stored) -> tuple[ViewRow, ...]:
        """Made once of each version of a stored row."""
        if self.below is not None:
            return tuple(rows(self.view, [head], self.tenant.etag_form))
        made = self._made.get(head.key)
        if made is None or made[0] is not head:
            made = self._made[head.key] = head, tuple(rows(self.view, [head], self.tenant.etag_form))
        return made[1]

    def _is_below(self, row: ViewRow) -> bool:
        """Of an array below an array: the key's columns that both have are equal."""
        above: Any = self.below
        return all(row.fields[name] == above.fields[name] for name in self.view.keys if name in above.fields)
