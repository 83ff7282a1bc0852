"""Where the two sides of a delivered record do not agree any more: found after delivery, open until they do again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Row, func, select, text, update

from mlc_dagster.ledger.columns import stored_key
from mlc_dagster.ledger.database import Database, chunks, clock, upsert
from mlc_dagster.ledger.tables import differences
from mlc_dagster.ledger.tenants import of_tenant

AGREED = "both sides agree"
"""By what a difference is closed that a later look does not find any more."""
_IS_OPEN = differences.c.closed_at.is_(None)


class Found(NamedTuple):
    """A difference as a look finds it."""

    key: str
    kind: str  # edited_in_the_target, gone_in_the_source, taken_back, ...
    field: str = ""  # empty: the record as a whole
    ours: str | None = None  # as text; None: there is none
    theirs: str | None = None
    amount: str | None = None  # what is at stake, exact, in `currency`
    currency: str | None = None


@dataclass(frozen=True)
class Difference:
    """A difference as it stands in the ledger."""

    id: int
    flow: str
    key: str
    kind: str
    field: str
    ours: str | None
    theirs: str | None
    amount: str | None
    currency: str | None
    first_seen: datetime
    last_seen: datetime
    closed_at: datetime | None = None
    closed_by: str | None = None


class Differences:
    """At most one is open for a key, kind and field. No load and no healing of holds closes one."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def see(self, flow: str, found: Sequence[Found]) -> int:
        """Open those that are new, and say of the others that they were seen again, as they are now; how many are new.

        Of a difference that is named twice the last counts.
        """
        newest = {(stored_key(one.key), one.kind, one.field): one for one in found}
        if not newest:
            return 0
        with self._database.writing() as connection:
            before = self._count(connection, flow)
            new = upsert(connection.dialect.name, differences)
            names = ("ours", "theirs", "amount", "currency", "last_seen")
            seen = new.on_conflict_do_update(
                index_elements=["flow", "key", "kind", "field"],
                index_where=text("closed_at IS NULL"),
                set_={name: new.excluded[name] for name in names},
            )
            now = clock(connection)
            common = {"flow": flow, "first_seen": now, "last_seen": now}
            connection.execute(seen, [{**newest[place]._asdict(), **common} for place in sorted(newest)])
            return self._count(connection, flow) - before

    def agree(self, flow: str, looked_at: Iterable[str], kinds: Sequence[str], found: Sequence[Found]) -> int:
        """Close what a look at these keys did not find any more, of the kinds that it looks for; how many."""
        still = {(stored_key(one.key), one.kind, one.field) for one in found}
        gone = [
            one.id
            for one in self.of_keys(flow, list(looked_at))
            if one.kind in kinds and (one.key, one.kind, one.field) not in still
        ]
        return self.close(gone, AGREED)

    def close(self, ids: Sequence[int], by: str) -> int:
        """Close these, by a person's word or since both sides agree; how many were open. Closed ones stay as they are.

        Raises ValueError where nobody is named.
        """
        if not by.strip():
            raise ValueError("a difference is closed by somebody, or since both sides agree: nobody is named")
        closed = 0
        with self._database.writing() as connection:
            now = clock(connection)
            for chunk in chunks(ids):
                mine = (differences.c.id.in_(chunk), of_tenant(differences.c.flow, walked=True), _IS_OPEN)
                closing = update(differences).where(*mine).values(closed_at=now, closed_by=by)
                closed += connection.execute(closing).rowcount
        return closed

    def open(self, flow: str | None = None, key: str | None = None, limit: int | None = 1000) -> list[Difference]:
        """Those that are open, the oldest first."""
        wanted = select(differences).where(_IS_OPEN, self._whose(flow)).order_by(differences.c.id).limit(limit)
        if key is not None:
            wanted = wanted.where(differences.c.key == key)
        with self._database.reading() as connection:
            return [_difference(row) for row in connection.execute(wanted)]

    def told_since(self, flow: str, moment: datetime) -> frozenset[str]:
        """Keys of which a look said something after that: it saw a difference, or closed one."""
        later = (differences.c.last_seen > moment) | (differences.c.closed_at > moment)
        with self._database.reading() as connection:
            wanted = select(differences.c.key).where(differences.c.flow == flow, later).distinct()
            return frozenset(connection.execute(wanted).scalars())

    def history(self, flow: str, key: str) -> list[Difference]:
        """All of a record, the closed ones too, the oldest first."""
        mine = (differences.c.flow == flow, differences.c.key == key)
        with self._database.reading() as connection:
            rows = connection.execute(select(differences).where(*mine).order_by(differences.c.id))
            return [_difference(row) for row in rows]

    def count(self) -> dict[tuple[str, str], int]:
        """(flow, kind) -> open differences."""
        kind = (differences.c.flow, differences.c.kind)
        wanted = select(*kind, func.count()).where(_IS_OPEN, self._whose(None)).group_by(*kind)
        with self._database.reading() as connection:
            return {(flow, name): number for flow, name, number in connection.execute(wanted)}

    def of_keys(self, flow: str, keys: Sequence[str]) -> list[Difference]:
        """Those of these keys that are open."""
        found: list[Difference] = []
        with self._database.reading() as connection:
            for chunk in chunks(keys):
                wanted = select(differences).where(differences.c.flow == flow, differences.c.key.in_(chunk), _IS_OPEN)
                found += [_difference(row) for row in connection.execute(wanted)]
        return found

    def _whose(self, flow: str | None) -> Any:
        return of_tenant(differences.c.flow) if flow is None else differences.c.flow == flow

    def _count(self, connection: Any, flow: str) -> int:
        wanted = select(func.count()).select_from(differences).where(differences.c.flow == flow, _IS_OPEN)
        return int(connection.execute(wanted).scalar_one())


def _difference(row: Row[Any]) -> Difference:
    return Difference(**row._mapping)
