"""What two people asked for that a run carries out: restore, recreate, reverse, relink, forget. One for a record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Row, select, update

from mlc_dagster.core.errors import MlcError
from mlc_dagster.core.inert import inert
from mlc_dagster.ledger.columns import stored_key
from mlc_dagster.ledger.database import Database, clock, upsert
from mlc_dagster.ledger.entries import Event, Run
from mlc_dagster.ledger.records.trail import Trail, line
from mlc_dagster.ledger.tables import action_requests
from mlc_dagster.ledger.tenants import of_tenant

Ended = Literal["done", "not_done", "void", "withdrawn"]
ASKED = Run("review")
TAKEN_FOR = timedelta(minutes=15)
"""In which a run that took it may be at work: only then another one does."""
FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=1)
"""Before a try that no system answered is made once more: doubled with each."""


class RequestRefused(MlcError):
    """It was not written: nothing has changed."""


@dataclass(frozen=True)
class ActionRequest:
    """What is asked of a run for one record, and what came of it."""

    id: int
    flow: str
    key: str
    action: str
    argument: str
    content: str  # mark of the differences that it was decided on
    who: str
    reason: str
    at: datetime
    taken_at: datetime | None
    next_at: datetime
    tries: int
    ended_at: datetime | None = None
    ended_how: Ended | None = None
    outcome: str | None = None


class ActionRequests:
    """Each step is a line in the trail, with who asked for it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def ask(self, flow: str, key: str, action: str, argument: str, content: str, said: tuple[str, str]) -> None:
        """`said`: by whom, and why. Raises RequestRefused where another one stands for the record."""
        who, reason = said
        with self._database.writing() as connection:
            trail = Trail(connection, flow, ASKED)
            row: dict[str, Any] = {"flow": flow, "key": key, "action": action, "argument": argument}
            row["content"] = content
            row |= {"who": who, "reason": reason, "at": trail.at, "next_at": trail.at, "tries": 0}
            new = upsert(connection.dialect.name, action_requests).on_conflict_do_nothing()
            if not connection.execute(new, row).rowcount:
                raise RequestRefused(f"{flow} {inert(key)}: another action waits for a run already")
            to = f" to {argument}" if argument else ""
            trail.add([line(Event.ACTION_REQUESTED, key, detail=f"by {who}: {action}{to}: {reason}")])

    def standing(self, flows: Sequence[str]) -> list[ActionRequest]:
        """Those of some flows that are to be tried now, the oldest first."""
        open_, table = action_requests.c.ended_at.is_(None), action_requests
        with self._database.reading() as connection:
            mine = (table.c.flow.in_(flows), open_, table.c.next_at <= clock(connection))
            return [_request(row) for row in connection.execute(select(table).where(*mine).order_by(table.c.id))]

    def last(self, flow: str, key: str) -> ActionRequest | None:
        """The latest of a record, also where it has ended."""
        mine = (action_requests.c.flow == flow, action_requests.c.key == stored_key(key))
        wanted = select(action_requests).where(*mine).order_by(action_requests.c.id.desc()).limit(1)
        with self._database.reading() as connection:
            row = connection.execute(wanted).first()
            return None if row is None else _request(row)

    def take(self, one: ActionRequest) -> bool:
        """Before a run does anything of it: whether it stands still, and no other run has it. From here on it cannot be
        withdrawn.
        """
        with self._database.writing() as connection:
            now = clock(connection)
            taken = {"tries": one.tries + 1, "taken_at": one.taken_at or now, "next_at": now + TAKEN_FOR}
            mine = (*_is(one), action_requests.c.tries == one.tries, action_requests.c.next_at <= now)
            return connection.execute(update(action_requests).where(*mine).values(taken)).rowcount > 0

    def put_off(self, one: ActionRequest, why: str) -> None:
        """No system answered: it is tried again, later each time."""
        wait = min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(one.tries, 10))
        with self._database.writing() as connection:
            later = {"next_at": clock(connection) + wait, "outcome": why}
            connection.execute(update(action_requests).where(*_is(one)).values(later))

    def end(self, one: ActionRequest, how: Ended, outcome: str, run: Run) -> bool:
        """Whether it stood still."""
        with self._database.writing() as connection:
            trail = Trail(connection, one.flow, run)
            over = {"ended_at": trail.at, "ended_how": how, "outcome": outcome}
            if not connection.execute(update(action_requests).where(*_is(one)).values(over)).rowcount:
                return False
            told = f"{one.action} by {one.who}: {how.replace('_', ' ')}: {outcome}"
            trail.add([line(Event.ACTION_ENDED, one.key, detail=told)])
            return True

    def withdraw(self, one: ActionRequest, said: tuple[str, str]) -> None:
        """Before a run took it. Raises RequestRefused."""
        who, reason = said
        with self._database.writing() as connection:
            trail = Trail(connection, one.flow, ASKED)
            over = {"ended_at": trail.at, "ended_how": "withdrawn", "outcome": f"by {who}: {reason}"}
            mine = (*_is(one), action_requests.c.taken_at.is_(None))
            if not connection.execute(update(action_requests).where(*mine).values(over)).rowcount:
                raise RequestRefused(f"{one.flow} {inert(one.key)}: a run has taken it up, or it has ended")
            told = f"{one.action} by {one.who}: withdrawn by {who}: {reason}"
            trail.add([line(Event.ACTION_ENDED, one.key, detail=told)])


def _is(one: ActionRequest) -> tuple[Any, ...]:
    mine = (action_requests.c.id == one.id, of_tenant(action_requests.c.flow, walked=True))
    return (*mine, action_requests.c.ended_at.is_(None))


def _request(row: Row[Any]) -> ActionRequest:
    return ActionRequest(**row._mapping)
