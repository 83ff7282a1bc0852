"""Who stopped the writing to a connection, when and why; and the loads that wait until it goes on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, delete, func, or_, select, text, update

from mlc_dagster.core.errors import MlcError
from mlc_dagster.ledger.database import Database, clock, upsert
from mlc_dagster.ledger.tables import paused_loads, pauses
from mlc_dagster.ledger.tenants import of_tenant

SLEW = timedelta(seconds=1)
"""By which a clock that is kept right goes back."""


@dataclass(frozen=True)
class Pause:
    """Nothing is written to the connection from `at` until `lifted_at`."""

    id: int
    connection: str  # the section of mlc.yaml: "cin7"
    at: datetime
    who: str
    reason: str
    lifted_at: datetime | None = None
    lifted_by: str | None = None
    lifted_because: str | None = None

    def end_within(self, seconds: float, call: str) -> None:
        """A batch that was in flight may end, within so many seconds. Raises Paused after that: `call` is not sent."""
        if seconds <= 0:
            raise Paused(self, f"{call} was not sent.")

    def __str__(self) -> str:
        since, why = f"{self.at:%Y-%m-%d %H:%M} UTC", self.reason.rstrip(".")
        return f"{self.connection} is paused by {self.who} since {since}: {why}"


class Paused(MlcError):
    """A person stopped the writing: nothing was sent after that, and nothing is lost."""

    def __init__(self, pause: Pause, left: str = "") -> None:
        told = f"{pause}. {left}" if left else str(pause)
        cure = f"`mlc resume {pause.connection}`: what waits is then loaded by itself, or materialize these days again."
        super().__init__(told, cure=cure)
        self.pause = pause


THROTTLED, SLICE = "throttled", "slice"
"""Why a load is due that no person stopped: the system asked to be left alone; it gave way to others."""


class PausedLoad(NamedTuple):
    """A day, or a company, that a flow did not deliver to its end: it is due."""

    flow: str  # or, of what was not read, READ and the asset
    partition: str
    connection: str  # whose pause, or silence, it waits for
    since: datetime
    run_id: str
    due_at: datetime | None = None  # None: when the pause is lifted
    why: str | None = None  # None: a person's pause

    def has_come(self, now: datetime) -> bool:
        """Whether it is due: a time that lies further ahead than it was meant to is no time."""
        return self.due_at is None or self.due_at <= now or now < self.since - SLEW


class Pauses:
    """At most one pause stands for a connection; those that were lifted are kept."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, connection: str) -> Pause | None:
        """The pause that stands. One small question, by index: asked before every batch."""
        with self._database.reading() as opened:
            return standing(opened, connection)

    def standing(self) -> dict[str, Pause]:
        """Connection -> its pause, of all that are paused now."""
        wanted = (
            select(pauses)
            .where(of_tenant(pauses.c.connection), pauses.c.lifted_at.is_(None))
            .order_by(pauses.c.connection)
        )
        with self._database.reading() as opened:
            return {row.connection: _pause(row) for row in opened.execute(wanted)}

    def history(self, connection: str | None = None) -> list[Pause]:
        """All pauses ever, the newest first."""
        wanted = select(pauses).where(of_tenant(pauses.c.connection)).order_by(pauses.c.id.desc())
        if connection is not None:
            wanted = wanted.where(pauses.c.connection == connection)
        with self._database.reading() as opened:
            return [_pause(row) for row in opened.execute(wanted)]

    def pause(self, connection: str, who: str, reason: str) -> tuple[Pause, bool]:
        """Stop all writing from now on; False where it was paused already: that pause stands as it is."""
        with self._database.writing() as opened:
            row = {"connection": connection, "at": clock(opened), "who": who, "reason": reason}
            new = upsert(opened.dialect.name, pauses).values(**row)
            open_one = text("lifted_at IS NULL")
            new = new.on_conflict_do_nothing(index_elements=["connection"], index_where=open_one)
            began = opened.execute(new.returning(pauses.c.id)).first() is not None
            found = standing(opened, connection)
        assert found is not None
        return found, began

    def lift(self, connection: str, who: str, reason: str = "") -> Pause | None:
        """Let it go on; the pause that stood, None where none did."""
        mine = (pauses.c.connection == connection, pauses.c.lifted_at.is_(None))
        with self._database.writing() as opened:
            ended = {"lifted_at": clock(opened), "lifted_by": who, "lifted_because": reason}
            row = opened.execute(update(pauses).where(*mine).values(**ended).returning(pauses)).first()
        return None if row is None else _pause(row)

    # --- what waits ---

    def keep(
        self,
        connection: str,
        places: Iterable[tuple[str, str]],
        run_id: str,
        *,
        seconds: float | None = None,
        why: str | None = None,
    ) -> None:
        """Remember (flow, partition) pairs that are to be loaded when the connection goes on; each is kept once.

        `seconds` from now they are due, because of `why`: THROTTLED, SLICE. Else when the pause is lifted.
        """
        new = upsert("sqlite" if self._database.is_sqlite else "postgresql", paused_loads)
        names = ("connection", "since", "run_id", "due_at", "why")
        put = new.on_conflict_do_update(
            index_elements=["flow", "partition"],
            set_={name: getattr(new.excluded, name) for name in names},
            where=or_(paused_loads.c.why.is_not(None), new.excluded.why.is_not(None)),
        )
        with self._database.writing() as opened:
            now = clock(opened)
            due_at = None if seconds is None else now + timedelta(seconds=seconds)
            common = {"connection": connection, "since": now, "run_id": run_id, "due_at": due_at, "why": why}
            rows = [{"flow": flow, "partition": day, **common} for flow, day in dict.fromkeys(places)]
            if rows:
                opened.execute(put, rows)

    def loads(self, flows: Iterable[str] | None = None) -> list[PausedLoad]:
        """What waits, the newest partition first; of all flows, or of these."""
        wanted = select(paused_loads).where(of_tenant(paused_loads.c.flow))
        wanted = wanted.order_by(paused_loads.c.partition.desc(), paused_loads.c.flow)
        if flows is not None:
            wanted = wanted.where(paused_loads.c.flow.in_(list(flows)))
        with self._database.reading() as opened:
            return [PausedLoad(**row) for row in opened.execute(wanted).mappings()]

    def due(self, flows: Iterable[str] | None = None) -> list[PausedLoad]:
        """Those of `loads` whose time has come, by the ledger's clock; whether their pause was lifted is not asked."""
        found = self.loads(flows)
        if not found:
            return []
        with self._database.reading() as opened:
            now = clock(opened)
        return [load for load in found if load.has_come(now)]

    def waiting_until(self) -> dict[str, datetime]:
        """Connection -> the latest time until which it asked to be left alone, of what waits for that still."""
        late: dict[str, datetime] = {}
        found = [load for load in self.loads() if load.due_at is not None and load.why == THROTTLED]
        if found:
            with self._database.reading() as opened:
                now = clock(opened)
            for load in found:
                if not load.has_come(now) and load.due_at is not None:
                    late[load.connection] = max(load.due_at, late.get(load.connection, load.due_at))
        return late

    def done(self, flow: str, partition: str) -> None:
        """It was loaded to its end, or is no partition any more. Nothing is written where nothing waited."""
        mine = (paused_loads.c.flow == flow, paused_loads.c.partition == partition)
        with self._database.reading() as opened:
            if opened.execute(select(paused_loads.c.flow).where(*mine)).first() is None:
                return
        with self._database.writing() as opened:
            opened.execute(delete(paused_loads).where(*mine))

    def latest(self, connection: str) -> int:
        """The number of its latest pause: whoever asks for what waited asks anew after each. 0: it never had one."""
        wanted = select(func.max(pauses.c.id)).where(pauses.c.connection == connection)
        with self._database.reading() as opened:
            return opened.execute(wanted).scalar() or 0


def standing(opened: Connection, connection: str) -> Pause | None:
    """As `Pauses.of`, in a transaction that is open already: beside the look at a lease."""
    wanted = select(pauses).where(pauses.c.connection == connection, pauses.c.lifted_at.is_(None))
    row = opened.execute(wanted).first()
    return None if row is None else _pause(row)


def _pause(row: Row[Any]) -> Pause:
    return Pause(**row._mapping)
