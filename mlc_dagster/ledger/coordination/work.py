"""The work list: which days a flow has still to deliver, which of them wait, and which need a person."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Connection, Select, delete, func, or_, select

from mlc_dagster.ledger.database import Database, clock, upsert
from mlc_dagster.ledger.tables import work
from mlc_dagster.ledger.tenants import of_tenant

State = Literal["due", "waiting", "needs_person"]
SLEW = timedelta(seconds=1)
"""By which a clock that is kept right goes back."""


@dataclass(frozen=True)
class Task:
    """A day, or a company, that a flow is to deliver."""

    flow: str
    partition: str
    state: State
    asked_at: datetime
    due_at: datetime  # waiting: until then
    why: str
    cause: str  # alike for all that one remedy cures
    attempts: int  # runs that failed at it in a row


class Work:
    """One line for each flow and partition. A request that comes while a load is under way outlives that load."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def now(self) -> datetime:
        """By the clock that all who use the ledger share: to be asked before a load begins, and handed to `done`."""
        with self._database.reading() as connection:
            return clock(connection)

    def ask(self, flow: str, partitions: Iterable[str], why: str, cause: str = "") -> None:
        """They are due from now on. What needs a person, or waits, does so still; but it is asked for anew."""
        with self._database.writing() as connection:
            now = clock(connection)
            new = upsert(connection.dialect.name, work)
            again = {"asked_at": new.excluded.asked_at}
            put = new.on_conflict_do_update(index_elements=["flow", "partition"], set_=again)
            common = {"flow": flow, "state": "due", "asked_at": now, "due_at": now, "why": why, "cause": cause}
            rows = [{**common, "partition": each, "attempts": 0} for each in sorted(set(partitions))]
            if rows:
                connection.execute(put, rows)

    def wait(self, flow: str, partition: str, seconds: float, why: str, cause: str) -> Task:
        """A run failed at it, and may be tried again so many seconds from now."""
        return self._failed(flow, partition, "waiting", seconds, why, cause)

    def need_person(self, flow: str, partition: str, why: str, cause: str) -> Task:
        """No run is asked for until a person has spoken: `release`."""
        return self._failed(flow, partition, "needs_person", 0.0, why, cause)

    def release(self, cause: str) -> int:
        """What waits, or needs a person, by this cause is due now, its attempts forgotten; how many."""
        with self._database.writing() as connection:
            mine = (of_tenant(work.c.flow), work.c.cause == cause, work.c.state != "due")
            freed = work.update().where(*mine).values(state="due", due_at=clock(connection), attempts=0)
            return int(connection.execute(freed).rowcount)

    def done(self, flow: str, partition: str, began_at: datetime) -> bool:
        """A load that began then ended well. False where it was asked for anew since: it is due still."""
        with self._database.writing() as connection:
            mine = (work.c.flow == flow, work.c.partition == partition)
            over = delete(work).where(*mine, work.c.asked_at <= began_at)
            connection.execute(over)
            return connection.execute(select(work.c.flow).where(*mine)).first() is None

    def forget(self, flow: str, partitions: Iterable[str]) -> None:
        """They are no partitions of the flow any more."""
        with self._database.writing() as connection:
            mine = (work.c.flow == flow, work.c.partition.in_(list(partitions)))
            connection.execute(delete(work).where(*mine))

    def due(self, flows: Iterable[str] | None = None, limit: int | None = None) -> list[Task]:
        """What may be asked for now, the newest partition first; what waits until a time that has come, with it.

        A time further ahead than it was meant to be, since a clock was wrong when it was written, is none.
        """
        with self._database.reading() as connection:
            now = clock(connection)
            come = or_(work.c.due_at <= now, work.c.asked_at > now + SLEW)
            wanted = self._of(flows).where(work.c.state != "needs_person", come).limit(limit)
            return _tasks(connection, wanted)

    def all(self, flows: Iterable[str] | None = None) -> list[Task]:
        """The newest partition first."""
        with self._database.reading() as connection:
            return _tasks(connection, self._of(flows))

    def count(self) -> dict[tuple[str, str, str], int]:
        """(flow, state, cause) -> partitions."""
        kind = (work.c.flow, work.c.state, work.c.cause)
        wanted = select(*kind, func.count()).where(of_tenant(work.c.flow)).group_by(*kind)
        with self._database.reading() as connection:
            return {(flow, state, cause): number for flow, state, cause, number in connection.execute(wanted)}

    def _of(self, flows: Iterable[str] | None) -> Select[Any]:
        whose = of_tenant(work.c.flow) if flows is None else work.c.flow.in_(list(flows))
        return select(work).where(whose).order_by(work.c.partition.desc(), work.c.flow)

    def _failed(self, flow: str, partition: str, state: State, seconds: float, why: str, cause: str) -> Task:
        with self._database.writing() as connection:
            now = clock(connection)
            row = {"flow": flow, "partition": partition, "state": state, "asked_at": now, "attempts": 1}
            row |= {"due_at": now + timedelta(seconds=seconds), "why": why, "cause": cause}
            new = upsert(connection.dialect.name, work).values(**row)
            changed = {name: new.excluded[name] for name in ("state", "due_at", "why", "cause")}
            put = new.on_conflict_do_update(
                index_elements=["flow", "partition"], set_={**changed, "attempts": work.c.attempts + 1}
            )
            return Task(**connection.execute(put.returning(work)).one()._mapping)


def _tasks(connection: Connection, wanted: Select[Any]) -> list[Task]:
    return [Task(**row) for row in connection.execute(wanted).mappings()]
