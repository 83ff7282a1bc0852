"""How many calls a credential may make, counted for all threads, processes and machines that share the ledger.

Times come from clocks, and a clock may have been a day ahead: a slot or a pause that is further away than it can have
been when it was written is void.
"""

from __future__ import annotations

import math
import time
from array import array
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from sqlalchemy import Connection, Row, select, update

from mlc_dagster.core.logs import logger
from mlc_dagster.core.outcomes import TooFar
from mlc_dagster.core.pace import MARGIN, moved, next_slot
from mlc_dagster.ledger.database import Database, clock, upsert
from mlc_dagster.ledger.tables import budgets
from mlc_dagster.ledger.tenants import of_tenant

MISSED_AT_MOST = 5  # slots given up by one call, so that a machine that is always late still makes progress
AHEAD = 60.0  # seconds that a slot is taken in advance at most, whatever the period
SLEW = 1.0  # seconds by which a clock that is kept right goes back
UNTOLD_PAUSE = 150.0  # seconds of a pause of which the release before did not say how long it was meant to be
SECONDS_BETWEEN_WORDS = 60.0

log = logger(__name__)


class _Look(NamedTuple):
    """What the ledger says at a moment, as far as it can be true."""

    now: float
    taken: Sequence[float]
    paused_until: float


class Quota(NamedTuple):
    """What a system said of the calls of a day."""

    connection: str
    left: int
    most: int
    at: datetime


class Quotas:
    """Of each credential, as its system said last."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[Quota]:
        said = select(budgets).where(budgets.c.quota_left.is_not(None), of_tenant(budgets.c.name))
        with self._database.reading() as connection:
            return [
                Quota(row.name.partition(" ")[0], row.quota_left, row.quota_most, row.quota_at)
                for row in connection.execute(said)
            ]


class SharedBudget:
    """`outcomes.Budget`, kept in the ledger: the slots of the credential's calls are one list in one row."""

    def __init__(self, database: Database, name: str, limit: int, period: float) -> None:
        if limit < 1 or period <= 0:
            raise ValueError(f"a budget of {limit} calls in {period} s lets nothing through")
        self._database, self._name, self._limit, self._period = database, name, limit, period
        self._ahead = min(period, AHEAD) * (1 + MARGIN)
        with database.writing(hasty=True) as connection:
            new = {"name": name, "slots": b"", "paused_until": 0.0}
            connection.execute(upsert(connection.dialect.name, budgets).on_conflict_do_nothing(), new)

    def take(self, longest: float = math.inf) -> float:
        """Wait for the next free slot; the seconds waited. Raises TooFar, LedgerUnavailable.

        Who comes too late to a slot, on a busy machine, asks for another: it would leave in its successor's window.
        """
        waited, missed, told_at = 0.0, 0, time.monotonic()
        while True:
            asked = time.monotonic()
            when, wait, is_ours = self._reserve(longest)
            if wait > 0:
                told_at = self._tell(when, asked + wait, told_at)
                wait = wait if is_ours else min(max(wait - self._ahead / 2, wait / 2), SECONDS_BETWEEN_WORDS)
                time.sleep(wait)
                waited += wait
            late = time.monotonic() - asked - max(wait, 0.0) > self._period * MARGIN / 2
            if not is_ours:
                continue
            if late and missed < MISSED_AT_MOST:
                missed += 1
            elif wait <= 0 or self._look().paused_until <= when:
                return waited

    def free_in(self) -> float:
        """Seconds until a slot is free; takes none."""
        look = self._look()
        return max(0.0, self._next(look)[0] - look.now)

    def left(self, late: float) -> None:
        """As outcomes.Budget; what the margin covers is not written down."""
        if late <= self._period * MARGIN / 2:
            return
        with self._database.writing(hasty=True) as connection:
            look = self._seen(connection, self._row(connection, locked=True))
            slots = moved(look.taken, look.now - late, look.now)
            self._write(connection, slots=array("d", slots).tobytes())

    def pause(self, seconds: float) -> None:
        """Nobody takes a slot before then; who waits for one already waits anew. The longer pause stands."""
        with self._database.writing(hasty=True) as connection:
            look = self._seen(connection, self._row(connection, locked=True))
            if look.now + seconds > look.paused_until:
                self._write(connection, paused_until=look.now + seconds, paused_for=seconds)

    def remains(self, left: int, most: int) -> None:
        """`pace.KeepsQuota`."""
        with self._database.writing(hasty=True) as connection:
            self._write(connection, quota_left=left, quota_most=most, quota_at=clock(connection))

    def _reserve(self, longest: float) -> tuple[float, float, bool]:
        """The time of the next slot, how many seconds away it is, and whether it is ours now: else it is too far to be
        taken already.
        """
        with self._database.writing(hasty=True) as connection:
            look = self._seen(connection, self._row(connection, locked=True))
            when, taken = self._next(look)
            wait = when - look.now
            if look.paused_until - look.now > longest:
                raise TooFar(wait)
            if wait > self._ahead:
                return when, wait, False
            self._write(connection, slots=array("d", taken).tobytes())
            return when, wait, True

    def _next(self, look: _Look) -> tuple[float, list[float]]:
        return next_slot(look.taken, max(look.now, look.paused_until), self._limit, self._period)

    def _look(self) -> _Look:
        with self._database.reading() as connection:
            return self._seen(connection, self._row(connection))

    def _seen(self, connection: Connection, row: Row[tuple[bytes, float, float | None]]) -> _Look:
        now, times = clock(connection).timestamp(), array("d")
        times.frombytes(row.slots)
        taken = [when for when in times if when <= now + self._ahead + SLEW]
        meant = UNTOLD_PAUSE if row.paused_for is None else row.paused_for
        is_true = row.paused_until - now <= meant + SLEW
        return _Look(now, taken, row.paused_until if is_true else 0.0)

    def _row(self, connection: Connection, *, locked: bool = False) -> Row[tuple[bytes, float, float | None]]:
        wanted = select(budgets.c.slots, budgets.c.paused_until, budgets.c.paused_for)
        mine = wanted.where(budgets.c.name == self._name)
        return connection.execute(mine.with_for_update() if locked else mine).one()

    def _write(self, connection: Connection, **fields: object) -> None:
        connection.execute(update(budgets).where(budgets.c.name == self._name).values(**fields))

    def _tell(self, when: float, until: float, told_at: float) -> float:
        """Of each minute of waiting there is a word; when the latest was said."""
        if until - told_at <= SECONDS_BETWEEN_WORDS:
            return told_at
        words = "waiting until %s for the next call of %s: it has made %d in %g s, or was asked to be silent"
        log.info(words, f"{datetime.fromtimestamp(when, UTC):%H:%M:%S} UTC", self._name, self._limit, self._period)
        return time.monotonic()
