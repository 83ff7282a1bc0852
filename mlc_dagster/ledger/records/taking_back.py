"""A decision on a hold is taken back: a discard at any time, a release until a run has taken it up. Held anew."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, delete, or_, select, update

from mlc_dagster.core.inert import inert
from mlc_dagster.ledger.columns import stored_key
from mlc_dagster.ledger.database import Database
from mlc_dagster.ledger.entries import Decided, Event, Run
from mlc_dagster.ledger.records.decisions import EVENTS, DecisionRefused
from mlc_dagster.ledger.records.trail import Trail, line
from mlc_dagster.ledger.tables import attempts, decisions, holds, proposals
from mlc_dagster.ledger.tenants import of_tenant

BESIDE = (Event.NOTED, Event.ASSIGNED, Event.PROPOSED, Event.REFUSED_BY_PERSON, Event.STARTED)
"""Of these nothing happens to the record."""


class DecidedLast(NamedTuple):
    """The decision that stands for a key, and whether it can be taken back."""

    verdict: Decided
    who: str
    reason: str
    at: datetime
    hold: int  # the id of the hold that it closed; 0: none is kept
    content: str
    why_not: str = ""  # it cannot be taken back any more


class TakingBack:
    """The hold that was closed by the decision is open again, as it was: its content was never sent."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def last(self, flow: str, key: str) -> DecidedLast | None:
        """None: no decision stands."""
        with self._database.reading() as connection:
            return _last(connection, flow, key)

    def reasons(self, who: str, most: int = 5) -> list[str]:
        """Those that a person gave last, of the decisions that stand and of what he proposed."""
        told: list[tuple[datetime, str]] = []
        with self._database.reading() as connection:
            for table in (decisions, proposals):
                own = or_(table.c.who == who, table.c.who.startswith(f"{who}, confirmed by ", autoescape=True))
                mine = select(table.c.at, table.c.reason).where(of_tenant(table.c.flow), own)
                told += [(row.at, row.reason) for row in connection.execute(mine.order_by(table.c.at.desc()).limit(50))]
        return list(dict.fromkeys(reason for _, reason in sorted(told, reverse=True)))[:most]

    def take_back(self, flow: str, key: str, seen: DecidedLast, said: tuple[str, str], run: Run) -> None:
        """`seen`: the decision as the person saw it; `said`: by whom, and why. Raises DecisionRefused."""
        who, reason = said
        with self._database.writing() as connection:
            trail = Trail(connection, flow, run)
            now = _last(connection, flow, key)
            if now is None or now != seen or now.why_not:
                why = now.why_not if now else "no decision stands any more"
                raise DecisionRefused(f"{flow} {inert(key)}: {why or 'another decision stands now'}")
            connection.execute(delete(decisions).where(*_of(decisions, flow, key)))
            opened = {"closed_at": None, "closed_how": None, "updated_at": trail.at}
            mine = (holds.c.id == now.hold, *_of(holds, flow, key))
            row = connection.execute(update(holds).where(*mine).values(opened).returning(holds.c.version)).one()
            told = {"version": row.version, "fingerprint": now.content}
            detail = f"by {who}: {now.verdict} by {now.who} is taken back: {reason}"
            trail.add([line(Event.DECISION_TAKEN_BACK, key, **told, detail=detail)])


def _of(table: Any, flow: str, key: str) -> tuple[Any, Any]:
    return table.c.flow == flow, table.c.key == stored_key(key)


def _last(connection: Connection, flow: str, key: str) -> DecidedLast | None:
    row = connection.execute(select(decisions).where(*_of(decisions, flow, key))).first()
    if row is None:
        return None
    closed = select(holds.c.id, holds.c.content).where(*_of(holds, flow, key)).order_by(holds.c.id.desc())
    hold = connection.execute(closed.where(holds.c.closed_how == row.verdict).limit(1)).first()
    of = (hold.id if hold else 0, row.content or "")
    return DecidedLast(row.verdict, row.who, row.reason, row.at, *of, _why_not(connection, flow, row, hold))


def _why_not(connection: Connection, flow: str, row: Row[Any], hold: Row[Any] | None) -> str:
    is_open = select(holds.c.id).where(holds.c.flow == flow, holds.c.key == row.key, holds.c.closed_at.is_(None))
    if connection.execute(is_open).first() is not None:
        return "it is on hold again: decide on that"
    if hold is None or hold.content != row.content:
        return "its content has changed since"
    if row.verdict == "released" and (after := _after(connection, flow, row)) is not None:
        return f"a run has taken it up: {after.event}, {after.at:%Y-%m-%d %H:%M} UTC"
    return ""


def _after(connection: Connection, flow: str, row: Row[Any]) -> Row[Any] | None:
    """What happened to the record since it was released; nothing: no run has taken it up."""
    mine = (attempts.c.flow == flow, attempts.c.key == row.key)
    said = select(attempts.c.id).where(*mine, attempts.c.event == EVENTS["released"])
    first = connection.execute(said.order_by(attempts.c.id.desc()).limit(1)).scalar() or 0
    since = select(attempts.c.event, attempts.c.at).where(*mine, attempts.c.id > first)
    others = attempts.c.event.not_in((*BESIDE, Event.CLOSED))
    return connection.execute(since.where(others).order_by(attempts.c.id).limit(1)).first()
