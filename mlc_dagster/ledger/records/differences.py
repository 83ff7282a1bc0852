"""Where the two sides of a delivered record do not agree any more: found after delivery, open until they do again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, and_, case, func, null, select, text, update

from mlc_dagster.core.amounts import scaled
from mlc_dagster.ledger.columns import stored_key
from mlc_dagster.ledger.database import Database, chunks, upsert
from mlc_dagster.ledger.entries import Event, Run
from mlc_dagster.ledger.records.trail import Trail, line
from mlc_dagster.ledger.records.whose import NOBODYS, whose_are
from mlc_dagster.ledger.tables import deliveries, differences
from mlc_dagster.ledger.tenants import of_tenant

AGREED = "both sides agree"
"""By what a difference is closed that a later look does not find any more."""
BOTH_GONE = "both sides agree: neither has it any more"
"""By what it is closed where the target does not have it any more either."""
A_LOOK = Run("a look")
"""Who finds a difference, where no run is named."""
_IS_OPEN = differences.c.closed_at.is_(None)
_Spot = tuple[str, str, str]
"""Stored key, kind, field."""


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
    company: str = ""  # of the document that was delivered; empty: not told
    party: str | None = None
    assigned: str | None = None
    tags: str | None = None  # ",urgent,"
    explained_until: date | None = None  # up to and with this day a person has said why
    explained: str | None = None  # "by kari: paid on the second"


class Differences:
    """At most one is open for a key, kind and field. No load and no healing of holds closes one."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def see(self, flow: str, found: Sequence[Found], run: Run = A_LOOK) -> int:
        """Open those that are new, and say of the others that they were seen again, as they are now; how many are new.

        Of a difference that is named twice the last counts. Each that is new is a line in the trail.
        """
        newest = {(stored_key(one.key), one.kind, one.field): one for one in found}
        if not newest:
            return 0
        with self._database.writing() as connection:
            trail = Trail(connection, flow, run)
            before = self._open_places(connection, flow, newest)
            new = upsert(connection.dialect.name, differences)
            names = ("ours", "theirs", "amount", "currency", "scaled", "last_seen", "company", "party")
            seen = new.on_conflict_do_update(
                index_elements=["flow", "key", "kind", "field"],
                index_where=text("closed_at IS NULL"),
                set_={name: new.excluded[name] for name in names} | _explained_still(new),
            )
            common = {"flow": flow, "first_seen": trail.at, "last_seen": trail.at}
            whose = whose_are(connection, flow, sorted({key for key, _, _ in newest}))
            rows = [(newest[place], whose.get(place[0], NOBODYS)) for place in sorted(newest)]
            connection.execute(seen, [_as_stored(one, *documents) | common for one, documents in rows])
            opened = [newest[place] for place in sorted(newest) if place not in before]
            trail.add(line(Event.DIFFERS, one.key, detail=_in_words(one)) for one in opened)
            return len(opened)

    def agree(
        self, flow: str, looked_at: Iterable[str], kinds: Sequence[str], found: Sequence[Found], run: Run = A_LOOK
    ) -> int:
        """Close what a look at these keys did not find any more, of the kinds that it looks for; how many."""
        still = {(stored_key(one.key), one.kind, one.field) for one in found}
        gone = [
            one.id
            for one in self._of_keys(flow, list(looked_at))
            if one.kind in kinds and (one.key, one.kind, one.field) not in still
        ]
        return self.close(gone, AGREED, run)

    def close(self, ids: Sequence[int], by: str, run: Run = A_LOOK) -> int:
        """Close these, by a person's word or since both sides agree; how many were open. Closed ones stay as they are.

        Raises ValueError where nobody is named.
        """
        if not by.strip():
            raise ValueError("a difference is closed by somebody, or since both sides agree: nobody is named")
        closed = 0
        with self._database.writing() as connection:
            for chunk in chunks(ids):
                which = (differences.c.id.in_(chunk), of_tenant(differences.c.flow, walked=True), _IS_OPEN)
                rows = connection.execute(select(differences).where(*which).order_by(differences.c.id))
                standing = [_difference(row) for row in rows]
                for flow in sorted({one.flow for one in standing}):
                    mine = [one for one in standing if one.flow == flow]
                    closed += _close(Trail(connection, flow, run), mine, by)
        return closed

    def open(self, flow: str | None = None, key: str | None = None, limit: int | None = 1000) -> list[Difference]:
        """Those that are open, the oldest first."""
        wanted = select(differences).where(_IS_OPEN, self._whose(flow)).order_by(differences.c.id).limit(limit)
        if key is not None:
            wanted = wanted.where(differences.c.key == key)
        with self._database.reading() as connection:
            return [_difference(row) for row in connection.execute(wanted)]

    def decided(self, flow: str, keys: Iterable[str], kind: str) -> frozenset[str]:
        """Those of the keys whose latest difference of this kind was closed by a person's word, or since it is gone on
        both sides, with nothing delivered since: it is not told again.
        """
        stored, last = {stored_key(key): key for key in keys}, dict[str, Any]()
        here = (deliveries.c.flow == differences.c.flow) & (deliveries.c.key == differences.c.key)
        columns = (differences.c.key, differences.c.closed_at, differences.c.closed_by, deliveries.c.delivered_at)
        with self._database.reading() as connection:
            for chunk in chunks(list(stored)):
                mine = (differences.c.flow == flow, differences.c.kind == kind, differences.c.key.in_(chunk))
                wanted = select(*columns).join(deliveries, here).where(*mine, deliveries.c.flow == flow)
                for row in connection.execute(wanted.order_by(differences.c.id)):
                    last[row.key] = row
        return frozenset(stored[key] for key, row in last.items() if _is_decided(row))

    def of(self, flow: str, keys: Sequence[str], kinds: Sequence[str]) -> dict[str, list[Difference]]:
        """Key -> those of these kinds that are open. A flow without any costs one small question."""
        some = select(differences.c.id).where(differences.c.flow == flow, _IS_OPEN, differences.c.kind.in_(kinds))
        with self._database.reading() as connection:
            if not keys or connection.execute(some.limit(1)).first() is None:
                return {}
        stored, found = {stored_key(key): key for key in keys}, defaultdict[str, list[Difference]](list)
        for one in self._of_keys(flow, list(stored)):
            if one.kind in kinds:
                found[stored[one.key]].append(one)
        return dict(found)

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

    def _of_keys(self, flow: str, keys: Sequence[str]) -> list[Difference]:
        found: list[Difference] = []
        with self._database.reading() as connection:
            for chunk in chunks(keys):
                wanted = select(differences).where(differences.c.flow == flow, differences.c.key.in_(chunk), _IS_OPEN)
                found += [_difference(row) for row in connection.execute(wanted)]
        return found

    def _whose(self, flow: str | None) -> Any:
        return of_tenant(differences.c.flow) if flow is None else differences.c.flow == flow

    def _open_places(self, connection: Connection, flow: str, places: Iterable[_Spot]) -> set[_Spot]:
        """Those of them that are open already."""
        found: set[_Spot] = set()
        columns = (differences.c.key, differences.c.kind, differences.c.field)
        for chunk in chunks(sorted({key for key, _, _ in places})):
            mine = (differences.c.flow == flow, differences.c.key.in_(chunk), _IS_OPEN)
            found.update((row.key, row.kind, row.field) for row in connection.execute(select(*columns).where(*mine)))
        return found


def _explained_still(new: Any) -> dict[str, Any]:
    """A person explained these values: of others it is said no more."""
    pairs = ((differences.c.ours, new.excluded.ours), (differences.c.theirs, new.excluded.theirs))
    alike = and_(*(was.is_not_distinct_from(now) for was, now in pairs))
    return {name: case((alike, differences.c[name]), else_=null()) for name in ("explained_until", "explained")}


def close_of_key(trail: Trail, key: str, kinds: Sequence[str], by: str) -> int:
    """Close those of a record that are open, of these kinds, each with its line; how many they are."""
    mine = (differences.c.flow == trail.flow, differences.c.key == stored_key(key), differences.c.kind.in_(kinds))
    rows = trail.connection.execute(select(differences).where(*mine, _IS_OPEN).order_by(differences.c.id))
    return _close(trail, [_difference(row) for row in rows], by)


def _close(trail: Trail, standing: Sequence[Difference], by: str) -> int:
    ids = [one.id for one in standing]
    mine = (differences.c.id.in_(ids), differences.c.flow == trail.flow, _IS_OPEN)
    number = trail.connection.execute(update(differences).where(*mine).values(closed_at=trail.at, closed_by=by))
    trail.add(line(Event.AGREES, one.key, detail=f"{_named(one)}: {by}") for one in standing)
    return number.rowcount


def _named(one: Found | Difference) -> str:
    return f"{one.kind} {one.field}".strip()


def _in_words(one: Found) -> str:
    """As the trail tells it: "edited_in_the_target total: ours 120.00, theirs 90.00"."""
    sides = [f"{side} {value}" for side, value in (("ours", one.ours), ("theirs", one.theirs)) if value is not None]
    money = f"{one.amount} {one.currency or ''}".strip() if one.amount else ""
    return ": ".join(filter(None, (_named(one), ", ".join(filter(None, (*sides, money))))))


def _difference(row: Row[Any]) -> Difference:
    return Difference(**{name: value for name, value in row._mapping.items() if name != "scaled"})


def _as_stored(one: Found, company: str, party: str | None) -> dict[str, Any]:
    return {**one._asdict(), "scaled": scaled(one.amount), "company": company, "party": party}


def _is_decided(row: Row[Any]) -> bool:
    return (
        row.closed_at is not None and row.closed_by != AGREED and (row.delivered_at or row.closed_at) <= row.closed_at
    )
