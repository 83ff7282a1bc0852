"""How many calls a credential may make, counted for all threads, processes and machines that share the ledger."""

from __future__ import annotations

import time
from array import array
from collections.abc import Sequence

from sqlalchemy import Connection, case, select, update

from mlc_dagster.ledger.database import Database, clock, upsert
from mlc_dagster.ledger.tables import budgets
from mlc_dagster.pace import MARGIN, next_slot

MISSED_AT_MOST = 5  # slots given up by one call, so that a machine that is always late still makes progress


class SharedBudget:
    """`outcomes.Budget`, kept in the ledger: the slots of the credential's calls are one list in one row."""

    def __init__(self, database: Database, name: str, limit: int, period: float) -> None:
        if limit < 1 or period <= 0:
            raise ValueError(f"a budget of {limit} calls in {period} s lets nothing through")
        self._database, self._name, self._limit, self._period = database, name, limit, period
        with database.writing(hasty=True) as connection:
            new = {"name": name, "slots": b"", "paused_until": 0.0}
            connection.execute(upsert(connection.dialect.name, budgets).on_conflict_do_nothing(), new)

    def take(self) -> float:
        """Wait for the next free slot; the seconds waited. Raises LedgerUnavailable.

        Who comes too late to a slot, on a busy machine, asks for another: it would leave in its successor's window.
        """
        waited, missed = 0.0, 0
        while True:
            asked = time.monotonic()
            when, wait = self._reserve()
            if wait > 0:
                time.sleep(wait)
                waited += wait
            late = time.monotonic() - asked - max(wait, 0.0) > self._period * MARGIN / 2
            if late and missed < MISSED_AT_MOST:
                missed += 1
            elif wait <= 0 or self._paused_until() <= when:
                return waited

    def free_in(self) -> float:
        """Seconds until a slot is free; takes none."""
        with self._database.reading() as connection:
            mine = select(budgets.c.slots, budgets.c.paused_until).where(budgets.c.name == self._name)
            row, now = connection.execute(mine).one(), clock(connection).timestamp()
        when, _ = next_slot(_times(row.slots), max(now, row.paused_until), self._limit, self._period)
        return max(0.0, when - now)

    def pause(self, seconds: float) -> None:
        """Nobody takes a slot before then; who waits for one already waits anew. The longer pause stands."""
        with self._database.writing(hasty=True) as connection:
            until = clock(connection).timestamp() + seconds
            longer = case((budgets.c.paused_until > until, budgets.c.paused_until), else_=until)
            connection.execute(update(budgets).where(budgets.c.name == self._name).values(paused_until=longer))

    def _reserve(self) -> tuple[float, float]:
        """The time of our slot, and how many seconds away it is."""
        with self._database.writing(hasty=True) as connection:
            mine = select(budgets.c.slots, budgets.c.paused_until).where(budgets.c.name == self._name)
            row = connection.execute(mine.with_for_update()).one()
            now = clock(connection).timestamp()
            when, taken = next_slot(_times(row.slots), max(now, row.paused_until), self._limit, self._period)
            self._keep(connection, taken)
            return when, when - now

    def _keep(self, connection: Connection, taken: Sequence[float]) -> None:
        slots = array("d", taken).tobytes()
        connection.execute(update(budgets).where(budgets.c.name == self._name).values(slots=slots))

    def _paused_until(self) -> float:
        with self._database.reading() as connection:
            mine = select(budgets.c.paused_until).where(budgets.c.name == self._name)
            until: float = connection.execute(mine).scalar_one()
            return until


def _times(slots: bytes) -> array[float]:
    times = array("d")
    times.frombytes(slots)
    return times
