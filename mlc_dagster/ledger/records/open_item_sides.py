"""Holds and differences under the same names: what of the one list stands in which column of its table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, func, null, type_coerce, update

from mlc_dagster.ledger.columns import Name, Words
from mlc_dagster.ledger.database import chunks
from mlc_dagster.ledger.tables import differences, holds
from mlc_dagster.ledger.tenants import of_tenant

LOWEST = -(2**63)
"""Stands where there is no amount: below every one."""


@dataclass(frozen=True, eq=False)
class Side:
    """One of the two tables."""

    table: Table
    differs: bool
    what: ColumnElement[Any]
    value: ColumnElement[Any]
    since: ColumnElement[Any]
    seen: ColumnElement[Any]
    owner: ColumnElement[Any]
    dated: ColumnElement[Any]
    content: ColumnElement[Any]
    ours: ColumnElement[Any]
    theirs: ColumnElement[Any]
    explained_until: ColumnElement[Any]

    def __getattr__(self, name: str) -> Any:
        """What both tables call alike."""
        return self.table.c[name]

    @property
    def is_open(self) -> ColumnElement[bool]:
        return self.table.c.closed_at.is_(None)

    @property
    def columns(self) -> list[ColumnElement[Any]]:
        alike = ("id", "flow", "key", "company", "party", "amount", "currency", "scaled", "assigned", "tags")
        own = ("what", "value", "since", "seen", "owner", "dated", "content", "ours", "theirs", "explained_until")
        return self.named(*alike, *own)

    def column(self, name: str) -> ColumnElement[Any]:
        found: ColumnElement[Any] = getattr(self, name)
        return found

    def named(self, *names: str) -> list[ColumnElement[Any]]:
        """Under the names that both have. Grouped is by the column: PostgreSQL takes a name for the table's own."""
        return [self.column(name).label(name) for name in names]

    def put(self, connection: Connection, ids: Sequence[int], **values: Any) -> int:
        """What people say of them; how many of them are open."""
        number = 0
        for chunk in chunks(ids):
            mine = (self.table.c.id.in_(chunk), self.is_open, of_tenant(self.table.c.flow, walked=True))
            put = update(self.table).where(*mine).values(values)
            number += connection.execute(put).rowcount
        return number


def _nothing(kind: Any) -> ColumnElement[Any]:
    return type_coerce(null(), kind)


HOLDS = Side(
    holds,
    False,
    what=holds.c.rules,
    value=holds.c.missing,
    since=holds.c.opened_at,
    seen=holds.c.updated_at,
    owner=func.coalesce(holds.c.assigned, holds.c.owner, ""),
    dated=holds.c.dated,
    content=holds.c.content,
    ours=_nothing(Words()),
    theirs=_nothing(Words()),
    explained_until=_nothing(holds.c.dated.type),
)
DIFFERENCES = Side(
    differences,
    True,
    what=differences.c.kind,
    value=differences.c.field,
    since=differences.c.first_seen,
    seen=differences.c.last_seen,
    owner=func.coalesce(differences.c.assigned, ""),
    dated=_nothing(holds.c.dated.type),
    content=_nothing(Name()),
    ours=differences.c.ours,
    theirs=differences.c.theirs,
    explained_until=differences.c.explained_until,
)
SIDES = (HOLDS, DIFFERENCES)
