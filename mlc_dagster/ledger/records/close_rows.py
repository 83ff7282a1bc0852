"""What a month end is made of: deliveries with what was sent and what was shown, holds, decisions, ends of trails."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, case, func, or_, select

from mlc_dagster.core.outcomes import Shown
from mlc_dagster.ledger.database import Database, chunks
from mlc_dagster.ledger.entries import NEVER_AGAIN, Attempt, Event
from mlc_dagster.ledger.records import looks
from mlc_dagster.ledger.tables import attempts, chains, contents, deliveries, holds, shown
from mlc_dagster.ledger.tenants import of_tenant

DAY = timedelta(days=1)
ACCEPTED_STATE = '"@state"'
"""Stands in what was shown where a person accepted that it is gone."""
FIRST = (Event.CREATED, Event.ADOPTED)
DECIDED = (
    *(Event.RELEASED, Event.RELEASED_ONCE, Event.DISCARDED, Event.GUARD_RAISED, Event.ACCEPTED),
    *(Event.DECISION_TAKEN_BACK, Event.ASKED_AGAIN, Event.RELINKED, Event.FORGOTTEN, Event.REVERSED),
    *(Event.ACTION_REQUESTED, Event.ACTION_ENDED, Event.EXPLAINED, Event.EXPLANATION_ENDED),
)
"""What people decide of a record, and what follows from their rules after it was delivered."""
HAPPENED = (*FIRST, Event.UPDATED, Event.DIFFERS, Event.AGREES, Event.HELD, Event.CLOSED, *DECIDED)
"""By what a figure of a month end becomes another one."""


class DeliveredRow(NamedTuple):
    """A delivery, what was sent, and what its target showed at the last look."""

    key: str
    partition: str
    number: str  # what a person would look for in the target; else its id
    link: str
    verified_at: datetime | None
    content: Any  # plain JSON, as it was sent; None: not kept
    shown: Shown | None  # as agreed since the last look; None: never looked at since it was delivered
    is_accepted: bool = False  # a person said that the target is right with something
    version: str = ""  # when its source changed it, as text; empty or no time: its source does not say


class HeldRow(NamedTuple):
    """Open holds that are alike."""

    company: str
    dated: date | None
    partition: str
    currency: str
    amount: str
    holds: int
    version: str = ""  # when its source changed it: of what has no date, and was read on a day that was asked for


class CloseRows:
    """Reads only."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def delivered(self, flow: str, first: date | None = None, last: date | None = None) -> Iterator[DeliveredRow]:
        """What a flow delivered and nothing took the place of, few of them in memory at once.

        `first`, `last`: all that may be of these days is among it. What is of another one for certain is not opened:
        each look at a month would cost as much as all months do.
        """
        for chunk in chunks(self._keys(flow, first, last)):
            yield from self._page(flow, chunk)

    def are_delivered(self, flow: str, keys: Sequence[str]) -> frozenset[str]:
        """Those of the keys that it delivered, of whatever day."""
        found: set[str] = set()
        with self._database.reading() as connection:
            for chunk in chunks(keys):
                wanted = select(deliveries.c.key).where(*_stands(flow), deliveries.c.key.in_(chunk))
                found.update(connection.execute(wanted).scalars())
        return frozenset(found)

    def _keys(self, flow: str, first: date | None, last: date | None) -> list[str]:
        wanted = select(deliveries.c.key).where(*_stands(flow)).order_by(deliveries.c.key)
        if first is not None and last is not None:
            wanted = wanted.outerjoin(contents, _sent_last(flow)).where(_may_be_of(first, last))
        with self._database.reading() as connection:
            return list(connection.execute(wanted).scalars())

    def _page(self, flow: str, keys: Sequence[str]) -> list[DeliveredRow]:
        with self._database.reading() as connection:
            page = select(deliveries).where(*_stands(flow), deliveries.c.key.in_(keys)).order_by(deliveries.c.key)
            rows = list(connection.execute(page))
            sent, seen = dict[tuple[str, str], str](), dict[str, Any]()
            for chunk in chunks(keys):
                kept = select(contents).where(contents.c.flow == flow, contents.c.key.in_(chunk))
                sent |= {(row.key, row.fingerprint): row.content for row in connection.execute(kept)}
                known = select(shown).where(shown.c.flow == flow, shown.c.key.in_(chunk))
                seen |= {row.key: row for row in connection.execute(known)}
        return [_delivered(row, sent.get((row.key, row.fingerprint)), seen.get(row.key)) for row in rows]

    def held(self, flow: str, edges: Sequence[str] = ()) -> list[HeldRow]:
        """What a flow has on hold now, from one grouped query. `edges`: partitions whose UTC day may be another one for
        a company; what has no date there comes with when its source changed it.
        """
        is_at_one = and_(holds.c.dated.is_(None), holds.c.partition.in_(edges))
        changed = case((is_at_one, holds.c.version), else_="").label("changed")
        kind = (holds.c.company, holds.c.dated, holds.c.partition, holds.c.currency, holds.c.amount, changed)
        mine = (holds.c.flow == flow, holds.c.closed_at.is_(None))
        with self._database.reading() as connection:
            rows = connection.execute(select(*kind, func.count().label("number")).where(*mine).group_by(*kind))
            return [
                HeldRow(r.company, r.dated, r.partition, r.currency or "", r.amount or "", r.number, r.changed)
                for r in rows
            ]

    def held_of(self, flow: str, partition: str) -> int:
        """How many rows of a day a flow has on hold now."""
        mine = (holds.c.flow == flow, holds.c.closed_at.is_(None), holds.c.partition == partition)
        with self._database.reading() as connection:
            return int(connection.execute(select(func.count()).select_from(holds).where(*mine)).scalar_one())

    def held_in(self, flow: str, company: str, first: date, last: date) -> list[str]:
        """The keys of a company that were on hold at any time and are dated so, both ends included."""
        mine = (holds.c.flow == flow, holds.c.company == company, holds.c.dated >= first, holds.c.dated <= last)
        with self._database.reading() as connection:
            return list(connection.execute(select(holds.c.key).where(*mine).distinct()).scalars())

    def first_delivered(self, flow: str, keys: Sequence[str]) -> dict[str, datetime]:
        """Key -> when it came into the target, by our hand."""
        found: dict[str, datetime] = {}
        with self._database.reading() as connection:
            for chunk in chunks(keys):
                mine = (attempts.c.flow == flow, attempts.c.key.in_(chunk), attempts.c.event.in_(FIRST))
                wanted = (
                    select(attempts.c.key, func.min(attempts.c.at).label("first")).where(*mine).group_by(attempts.c.key)
                )
                found |= {row.key: row.first for row in connection.execute(wanted)}
        return found

    def lines(self, flow: str, keys: Sequence[str], events: Sequence[Event], after: int = 0) -> list[Attempt]:
        """The lines of these keys behind a place in the trail, the oldest first."""
        columns = [each for each in attempts.c if each.name not in ("seq", "hash")]
        found: list[Attempt] = []
        with self._database.reading() as connection:
            for chunk in chunks(keys):
                mine = (attempts.c.flow == flow, attempts.c.key.in_(chunk), attempts.c.event.in_(events))
                rows = connection.execute(select(*columns).where(*mine, attempts.c.seq > after)).mappings()
                found += [Attempt(**{**row, "event": Event(row["event"])}) for row in rows]
        return sorted(found, key=lambda each: each.id)

    def heads(self) -> dict[str, tuple[int, str]]:
        """Flow -> how many lines its trail has, and the hash of the last one."""
        wanted = select(chains.c.flow, chains.c.seq, chains.c.hash).where(of_tenant(chains.c.flow))
        with self._database.reading() as connection:
            return {row.flow: (row.seq, row.hash) for row in connection.execute(wanted) if row.seq}


def _stands(flow: str) -> tuple[ColumnElement[bool], ...]:
    """Delivered, and nothing took its place."""
    is_there = deliveries.c.fingerprint.is_not(None)
    return (deliveries.c.flow == flow, is_there, deliveries.c.version.is_distinct_from(NEVER_AGAIN))


def _sent_last(flow: str) -> ColumnElement[bool]:
    same = (contents.c.key == deliveries.c.key, contents.c.fingerprint == deliveries.c.fingerprint)
    return and_(contents.c.flow == flow, *same)


def _may_be_of(first: date, last: date) -> ColumnElement[bool]:
    """By its own date; where it has none, by when its source changed it, a day and more to each side: companies have
    zones. What tells neither may be of any month, and so may what an earlier release sent, which noted no date.
    """
    dated, version = func.coalesce(contents.c.dated, ""), func.coalesce(deliveries.c.version, "")
    around = (f"{first - 2 * DAY:%Y-%m-%d}", f"{last + 2 * DAY:%Y-%m-%d}~")
    changed = or_(version.between(*around), version.not_like("____-__-__T%"))
    noted = or_(dated.between(first.isoformat(), last.isoformat()), and_(dated == "", changed))
    return or_(and_(contents.c.key.is_not(None), contents.c.dated.is_(None)), noted)


def _delivered(row: Any, sent: str | None, known: Any) -> DeliveredRow:
    is_of_it = known is not None and known.by == "look" and known.seen_at >= row.delivered_at
    return DeliveredRow(
        row.key,
        row.partition or "",
        row.detail or row.remote_id or "",
        row.link or "",
        row.verified_at if is_of_it else None,
        json.loads(sent) if sent else None,
        looks.parsed(known.content) if is_of_it else None,
        is_of_it and (known.accepted is not None or ACCEPTED_STATE in known.content),
        row.version or "",
    )
