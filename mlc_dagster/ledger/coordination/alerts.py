"""Which causes people were told of, and when: a run that fails every quarter of an hour is one message an hour."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update

from mlc_dagster.ledger.database import Database, clock, upsert
from mlc_dagster.ledger.tables import alerts


class Alerts:
    """One line for each cause."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def due(self, cause: str, quiet_seconds: float, since: datetime | None = None) -> int | None:
        """None where it was told within that time, and is counted; else it counts as told now. What a clock that was
        ahead says of it is no time. `since`: the cause stands from then on without a break, and is told once.

        Then: how often it was not told since the last message.
        """
        mine = alerts.c.cause == cause
        with self._database.writing() as connection:
            now = clock(connection)
            new = upsert(connection.dialect.name, alerts).values(cause=cause, told_at=now, untold=0)
            if connection.execute(new.on_conflict_do_nothing().returning(alerts.c.cause)).first():
                return 0
            row = connection.execute(select(alerts).where(mine).with_for_update()).one()
            told = timedelta(0) <= now - row.told_at
            if told and (now - row.told_at < timedelta(seconds=quiet_seconds) or (since and row.told_at >= since)):
                connection.execute(update(alerts).where(mine).values(untold=row.untold + 1))
                return None
            connection.execute(update(alerts).where(mine).values(told_at=now, untold=0))
            return int(row.untold)

    def forget(self, causes: Iterable[str]) -> None:
        """These were not told after all: they are due again."""
        with self._database.writing() as connection:
            for cause in causes:
                connection.execute(delete(alerts).where(alerts.c.cause == cause))
