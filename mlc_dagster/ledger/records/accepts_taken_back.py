"""That theirs is right is taken back, until the record is delivered again: what was agreed before is agreed anew."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, select, update

from mlc_dagster.core.inert import inert
from mlc_dagster.ledger.columns import stored_key
from mlc_dagster.ledger.database import Database
from mlc_dagster.ledger.entries import Event, Run
from mlc_dagster.ledger.records import looks
from mlc_dagster.ledger.records.looks import Looks, Remembered
from mlc_dagster.ledger.records.trail import Trail, line
from mlc_dagster.ledger.records.ways_back import Said, WordRefused
from mlc_dagster.ledger.tables import attempts, differences

BEGINS = "accepted by "
WRITES = (Event.SENT, Event.BEGUN, Event.CREATED, Event.UPDATED, Event.ADOPTED, Event.RELINKED, Event.FORGOTTEN)
"""After one of these it is another matter than was accepted."""


class AcceptedLast(NamedTuple):
    """The acceptance that stands for a record."""

    said: str  # "accepted by kari: agreed with the buyer"
    at: datetime
    ids: tuple[int, ...]  # of the differences that it closed
    why_not: str = ""  # it cannot be taken back any more


class AcceptsTakenBack:
    """The differences that the word closed are open again, as they were."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def last(self, flow: str, key: str) -> AcceptedLast | None:
        """None: nothing of it was accepted last."""
        with self._database.reading() as connection:
            return _last(connection, flow, key)

    def take_back(self, flow: str, key: str, seen: AcceptedLast, said: Said, run: Run) -> None:
        """`seen`: as the person saw it. Raises WordRefused."""
        before = Looks(self._database).of(flow, [key])
        with self._database.writing() as connection:
            trail = Trail(connection, flow, run)
            now = _last(connection, flow, key)
            if now is None or now != seen or now.why_not:
                why = now.why_not if now else "nothing that was accepted stands any more"
                raise WordRefused(f"{flow} {inert(key)}: {why or 'it was accepted anew'}")
            again = {"closed_at": None, "closed_by": None, "last_seen": trail.at}
            mine = (differences.c.id.in_(now.ids), differences.c.flow == flow)
            rows = connection.execute(update(differences).where(*mine).values(again).returning(*_TOLD)).all()
            if before and before[0].shown is not None:
                looks.put(connection, flow, key, _agreed_before(before[0], rows), trail.at)
            told = f"{said.reason} ({seen.said})"
            lines = [line(Event.DECISION_TAKEN_BACK, key, detail=f"by {said.who}: accept is taken back: {told}")]
            names = (f"{row.kind} {row.field}".strip() for row in rows)
            trail.add([*lines, *(line(Event.DIFFERS, key, detail=f"{name}: as before") for name in names)])


_TOLD = (differences.c.id, differences.c.kind, differences.c.field)


def _last(connection: Connection, flow: str, key: str) -> AcceptedLast | None:
    mine = (differences.c.flow == flow, differences.c.key == stored_key(key))
    closed = select(differences).where(*mine, differences.c.closed_at.is_not(None))
    rows = connection.execute(closed.order_by(differences.c.closed_at.desc(), differences.c.id)).all()
    if not rows or not (rows[0].closed_by or "").startswith(BEGINS):
        return None
    alike = _together(rows)
    first = AcceptedLast(rows[0].closed_by, rows[0].closed_at, tuple(sorted(row.id for row in alike)))
    return first._replace(why_not=_why_not(connection, flow, key, alike))


def _together(rows: Sequence[Row[Any]]) -> list[Row[Any]]:
    """Those that one word closed: it may take two steps, right after each other."""
    found = []
    for row in rows:
        if row.closed_by != rows[0].closed_by:
            break
        found.append(row)
    return found


def _why_not(connection: Connection, flow: str, key: str, closed: Sequence[Row[Any]]) -> str:
    since = min(row.closed_at for row in closed)
    mine = (attempts.c.flow == flow, attempts.c.key == stored_key(key), attempts.c.at > since)
    after = select(attempts.c.event, attempts.c.at).where(*mine, attempts.c.event.in_(WRITES))
    if (row := connection.execute(after.order_by(attempts.c.id).limit(1)).first()) is not None:
        return f"it was delivered since: {row.event}, {row.at:%Y-%m-%d %H:%M} UTC"
    open_ = select(differences.c.id).where(
        differences.c.flow == flow, differences.c.key == stored_key(key), differences.c.closed_at.is_(None)
    )
    return "something differs again: decide on that" if connection.execute(open_).first() is not None else ""


def _agreed_before(look: looks.Look, rows: Sequence[Row[Any]]) -> Remembered:
    """Of the fields that were accepted ours counts again; a state that was accepted does not."""
    values, accepted = dict(look.shown or {}), dict(look.accepted)
    values.pop(looks.STATE, None)
    for row in rows:
        if row.field in accepted:
            values[row.field] = accepted.pop(row.field)[0]
    return Remembered(values, accepted, look.restored)
