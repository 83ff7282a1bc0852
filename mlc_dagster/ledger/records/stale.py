"""What is stale: delivered records of which something else would be made today, though their sources rest."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func, select, update

from mlc_dagster.ledger.columns import stored_key
from mlc_dagster.ledger.database import Database, chunks, clock
from mlc_dagster.ledger.tables import deliveries
from mlc_dagster.ledger.tenants import of_tenant

_IS_STALE = deliveries.c.stale_since.is_not(None)


class StaleRecord(NamedTuple):
    """One of them, and where a replay finds it."""

    key: str
    partition: str
    remote_id: str
    since: datetime


class Stale:
    """Loads say what is stale, and what is no more. Counted by the index of those that are."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def count(self) -> dict[str, int]:
        """Flow -> how many are; flows of which none is are left out."""
        counted = select(deliveries.c.flow, func.count().label("number")).where(_IS_STALE, of_tenant(deliveries.c.flow))
        with self._database.reading() as connection:
            found = connection.execute(counted.group_by(deliveries.c.flow))
            return {row.flow: row.number for row in found}

    def of(self, flow: str, limit: int | None = None) -> list[StaleRecord]:
        """Those of a flow, the oldest first."""
        columns = (deliveries.c.key, deliveries.c.partition, deliveries.c.remote_id, deliveries.c.stale_since)
        wanted = select(*columns).where(deliveries.c.flow == flow, _IS_STALE)
        wanted = wanted.order_by(deliveries.c.stale_since, deliveries.c.key).limit(limit)
        with self._database.reading() as connection:
            return [StaleRecord(*row) for row in connection.execute(wanted)]

    def note(self, flow: str, keys: Iterable[str]) -> None:
        """They are stale, as somebody found who does not load: since now, where they were not before."""
        mine = (deliveries.c.flow == flow, deliveries.c.stale_since.is_(None))
        with self._database.writing() as connection:
            now = clock(connection)
            for chunk in chunks([stored_key(key) for key in keys]):
                connection.execute(update(deliveries).where(*mine, deliveries.c.key.in_(chunk)).values(stale_since=now))
