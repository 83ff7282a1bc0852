"""Who stopped the writing to a connection, when and why. What waits until it goes on stands on the work list."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, select, text, update

from mlc_dagster.core.errors import MlcError
from mlc_dagster.ledger.database import Database, clock, upsert
from mlc_dagster.ledger.tables import pauses
from mlc_dagster.ledger.tenants import of_tenant


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
