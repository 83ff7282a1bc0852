"""The work list: which days a flow has still to deliver, which of them wait, and which need a person."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, case, delete, exists, func, or_, select, update

from mlc_dagster.ledger.coordination.work_entries import REFUSED, SETTINGS, THROTTLED, UNREACHABLE, Failure, Task
from mlc_dagster.ledger.coordination.work_entries import State as State
from mlc_dagster.ledger.coordination.work_entries import cause_of as cause_of
from mlc_dagster.ledger.database import Database, clock, upsert
from mlc_dagster.ledger.tables import work
from mlc_dagster.ledger.tenants import of_tenant

SLEW = timedelta(seconds=1)
"""By which a clock that is kept right goes back."""

Place = tuple[str, str]
"""(flow, partition)"""


class Work:
    """One line for each flow and partition. A request that comes while a load is under way outlives that load.

    Whatever asks for a run writes it down here, and so does a run that fails; only a load that was prepared after the
    request, of rows that were read after it, takes it away.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def now(self) -> datetime:
        """By the clock that all who use the ledger share: to be asked before a step begins."""
        with self._database.reading() as connection:
            return clock(connection)

    # --- what comes in ---

    def ask(self, flow: str, partitions: Iterable[str], why: str, *, soon: float = 0.0) -> None:
        """As `ask_all`, of one flow."""
        self.ask_all([(flow, each) for each in partitions], why, soon=soon)

    def ask_all(self, places: Iterable[Place], why: str, *, soon: float = 0.0) -> None:
        """They are due from now on. What needs a person, or waits, does so still; but it is asked for anew.

        `soon`: seconds that are left to the run which the caller asks for itself.
        """
        with self._database.writing() as connection:
            now = clock(connection)
            new = upsert(connection.dialect.name, work)
            later = case((work.c.state == "due", new.excluded.due_at), else_=work.c.due_at)
            again = {"asked_at": new.excluded.asked_at, "due_at": later, "written_at": new.excluded.written_at}
            put = new.on_conflict_do_update(index_elements=["flow", "partition"], set_=again)
            common = {"state": "due", "asked_at": now, "due_at": now + timedelta(seconds=soon), "why": why}
            common |= {"cause": "", "attempts": 0, "connection": "", "run_id": "", "since": now, "written_at": now}
            rows = [{"flow": flow, "partition": day, **common} for flow, day in sorted(set(places))]
            if rows:
                connection.execute(put, rows)

    def put_off(
        self,
        places: Iterable[Place],
        connection: str,
        word: str,
        why: str,
        run_id: str,
        *,
        seconds: float | None = None,
        prepared: bool = False,
    ) -> None:
        """A run left them, and did not fail: THROTTLED, SLICE, PAUSED. None needs a person.

        `seconds` from now they may be asked for; None: at once, when no pause stands in their way.
        `prepared`: what is ready need not be prepared anew for it.
        """
        with self._database.writing() as opened:
            now = clock(opened)
            new = upsert(opened.dialect.name, work)
            row: dict[str, Any] = {"state": "due" if seconds is None else "waiting", "asked_at": now, "why": why}
            row |= {"attempts": 0}
            row |= {"due_at": now + timedelta(seconds=seconds or 0.0), "cause": cause_of(connection, word)}
            row |= {"connection": connection, "run_id": run_id, "since": now, "written_at": now}
            row |= {"prepared_at": now if prepared else None}
            rows = [{"flow": flow, "partition": day, **row} for flow, day in dict.fromkeys(places)]
            if rows:
                opened.execute(_in_its_place(new), rows)

    def fail(self, places: Iterable[Place], failure: Failure, *, prepared: bool = False) -> list[Task]:
        """A run failed at them; what came of each. Runs that fail by one cause are counted together, whatever day each
        was of; steps of one run that fail alike are one attempt.
        """
        wanted = list(dict.fromkeys(places))
        with self._database.writing() as connection:
            now = clock(connection)
            attempts = _failed_before(connection, failure) + 1
            ready = {"prepared_at": now if prepared else None}
            rows = [{**_after(failure, attempts, place, now), **ready} for place in wanted]
            if rows:
                connection.execute(_in_its_place(upsert(connection.dialect.name, work)), rows)
            found = _of_places(connection, wanted)
        return [found[place] for place in wanted]

    # --- what goes out ---

    def prepared(self, flow: str, partition: str, began_at: datetime, read: str = "") -> None:
        """What is ready was made by a prepare that began then. `read`: as long as that is due, it was of older rows."""
        mine = (work.c.flow == flow, work.c.partition == partition)
        if not self._has(*mine):
            return
        unread = work.alias()
        is_read = ~exists().where(unread.c.flow == read, unread.c.partition == partition)
        with self._database.writing() as connection:
            connection.execute(update(work).where(*mine, is_read).values(prepared_at=began_at))

    def prepared_at(self, flow: str, partition: str) -> datetime | None:
        """To be asked before a load begins, and handed to `done`; None: it is not on the list, or not prepared."""
        wanted = select(work.c.prepared_at).where(work.c.flow == flow, work.c.partition == partition)
        with self._database.reading() as connection:
            found: datetime | None = connection.execute(wanted).scalar()
            return found

    def done(self, flow: str, partition: str, began_at: datetime) -> bool:
        """What began then ended well. False where it was asked for anew since: it is due still, its failures over."""
        mine = (work.c.flow == flow, work.c.partition == partition)
        if not self._has(*mine):
            return True
        over = {"state": "due", "cause": "", "attempts": 0, "connection": ""}
        with self._database.writing() as connection:
            connection.execute(delete(work).where(*mine, work.c.asked_at <= began_at))
            left = connection.execute(update(work).where(*mine).values(**over, due_at=clock(connection)))
            return left.rowcount == 0

    def forget(self, flow: str, partitions: Iterable[str]) -> None:
        """They are no partitions of the flow any more."""
        with self._database.writing() as connection:
            mine = (work.c.flow == flow, work.c.partition.in_(list(partitions)))
            connection.execute(delete(work).where(*mine))

    # --- what is let go on ---

    def release(self, what: str) -> int:
        """What failed by this cause, or of this flow, is due now, its attempts forgotten; how many."""
        mine = or_(work.c.cause == what, work.c.flow == what)
        return self._freed(and_(mine, work.c.attempts > 0), attempts=0)

    def answered(self, connection: str, flow: str = "") -> int:
        """A connection answers (again), and has taken what a load of this flow sent: what failed by its silence or its
        refusal is due now; how many. The attempts are kept, as the next one may fail.
        """
        gone = work.c.cause.in_([cause_of(connection, UNREACHABLE), cause_of(connection, REFUSED)])
        own = or_(work.c.cause == cause_of(flow, REFUSED), work.c.cause.like(f"%:{SETTINGS}-%"))
        return self._freed(or_(gone, and_(work.c.flow == flow, own)))

    def _freed(self, which: ColumnElement[bool], **also: int) -> int:
        mine = (of_tenant(work.c.flow), which, work.c.state != "due")
        if not self._has(*mine):
            return 0
        with self._database.writing() as connection:
            now = clock(connection)
            freed = update(work).where(*mine).values(state="due", due_at=now, written_at=now, **also)
            return int(connection.execute(freed).rowcount)

    # --- what is asked ---

    def due(self, flows: Iterable[str] | None = None, limit: int | None = None) -> list[Task]:
        """What may be asked for now, the newest partition first; what waits until a time that has come, with it."""
        with self._database.reading() as connection:
            come = _has_come(clock(connection))
            return _tasks(connection, self._of(flows).where(work.c.state != "needs_person", come).limit(limit))

    def next_due(self) -> datetime | None:
        """When the first of what waits, or was left to a run, is asked for next: past where that has come; None where
        nothing is due but by a person.
        """
        first = select(func.min(work.c.due_at)).where(of_tenant(work.c.flow), work.c.state != "needs_person")
        with self._database.reading() as connection:
            found: datetime | None = connection.execute(first).scalar()
            return found

    def all(self, flows: Iterable[str] | None = None) -> list[Task]:
        """The newest partition first."""
        with self._database.reading() as connection:
            return _tasks(connection, self._of(flows))

    def number(self) -> int:
        """How many are on the list."""
        wanted = select(func.count()).select_from(work).where(of_tenant(work.c.flow))
        with self._database.reading() as connection:
            return int(connection.execute(wanted).scalar_one())

    def of_run(self, run_id: str) -> list[Task]:
        """What a run left."""
        with self._database.reading() as connection:
            return _tasks(connection, self._of(None).where(work.c.run_id == run_id))

    def count(self) -> dict[tuple[str, str, str], int]:
        """(flow, state, cause) -> partitions."""
        kind = (work.c.flow, work.c.state, work.c.cause)
        wanted = select(*kind, func.count()).where(of_tenant(work.c.flow)).group_by(*kind)
        with self._database.reading() as connection:
            return {(flow, state, cause): number for flow, state, cause, number in connection.execute(wanted)}

    def silent(self) -> dict[str, datetime]:
        """Connection -> the latest time until which it asked to be left alone, of what waits for that still."""
        latest = func.max(work.c.due_at)
        wanted = select(work.c.connection, latest).where(of_tenant(work.c.flow), work.c.state == "waiting")
        with self._database.reading() as connection:
            wanted = wanted.where(work.c.cause.like(f"%:{THROTTLED}"), ~_has_come(clock(connection)))
            return dict(connection.execute(wanted.group_by(work.c.connection)).tuples().all())

    def _of(self, flows: Iterable[str] | None) -> Select[Any]:
        whose = of_tenant(work.c.flow) if flows is None else work.c.flow.in_(list(flows))
        return select(work).where(whose).order_by(work.c.partition.desc(), work.c.flow)

    def _has(self, *which: ColumnElement[bool]) -> bool:
        """Nothing is written where nothing is to be: most loads are of what nobody had to wait for."""
        with self._database.reading() as connection:
            return connection.execute(select(work.c.flow).where(*which).limit(1)).first() is not None


def _has_come(now: datetime) -> ColumnElement[bool]:
    """A time further ahead than it was meant to be, since a clock was wrong when it was written, is none."""
    return or_(work.c.due_at <= now, work.c.written_at > now + SLEW)


def _in_its_place(new: Any) -> Any:
    """Over the line that is there; when it was asked for, and prepared, stays as it was."""
    kept = ("state", "due_at", "why", "cause", "attempts", "connection", "run_id", "written_at")
    alike = work.c.cause == new.excluded.cause
    changed = {name: new.excluded[name] for name in kept}
    changed["since"] = case((alike, func.coalesce(work.c.since, new.excluded.since)), else_=new.excluded.since)
    return new.on_conflict_do_update(index_elements=["flow", "partition"], set_=changed)


def _failed_before(connection: Connection, failure: Failure) -> int:
    """How many runs before this one failed by its cause, and left what is not loaded yet."""
    mine = (of_tenant(work.c.flow), work.c.cause == failure.cause, work.c.run_id != failure.run_id)
    return connection.execute(select(func.max(work.c.attempts)).where(*mine)).scalar() or 0


def _after(failure: Failure, attempts: int, place: Place, now: datetime) -> dict[str, Any]:
    """Its line after this failure."""
    state, seconds = failure.after(attempts)
    row = {"flow": place[0], "partition": place[1], "state": state, "asked_at": now, "attempts": attempts}
    row |= {"due_at": now + timedelta(seconds=seconds), "why": failure.why, "cause": failure.cause}
    return row | {"connection": failure.connection, "run_id": failure.run_id, "since": now, "written_at": now}


def _of_places(connection: Connection, places: Sequence[Place]) -> dict[Place, Task]:
    flows, days = {flow for flow, _ in places}, {day for _, day in places}
    wanted = select(work).where(work.c.flow.in_(flows), work.c.partition.in_(days))
    return {(task.flow, task.partition): task for task in _tasks(connection, wanted)}


def _tasks(connection: Connection, wanted: Select[Any]) -> list[Task]:
    return [Task(**row) for row in connection.execute(wanted).mappings()]
