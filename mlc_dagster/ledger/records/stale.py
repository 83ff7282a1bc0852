"""What is stale: delivered records of which something else would be made today, though their sources rest."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import func, null, select, update

from mlc_dagster.ledger.columns import stored_key
from mlc_dagster.ledger.database import Database, chunks, clock
from mlc_dagster.ledger.tables import deliveries, flows, stakes
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

    def worth(self) -> dict[str, dict[str, Decimal]]:
        """Flow -> currency -> what those that are come to, as they were delivered; of what is worth nothing none."""
        same = (stakes.c.flow == deliveries.c.flow) & (stakes.c.key == deliveries.c.key)
        wanted = select(deliveries.c.flow, stakes.c.amount, stakes.c.currency).join(stakes, same)
        wanted = wanted.where(_IS_STALE, of_tenant(deliveries.c.flow), stakes.c.amount.is_not(None))
        found: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
        with self._database.reading() as connection:
            for row in connection.execute(wanted):
                found[row.flow][row.currency or ""] += Decimal(row.amount)
        return {flow: dict(amounts) for flow, amounts in found.items()}

    def of(self, flow: str, limit: int | None = None) -> list[StaleRecord]:
        """Those of a flow, the oldest first."""
        columns = (deliveries.c.key, deliveries.c.partition, deliveries.c.remote_id, deliveries.c.stale_since)
        wanted = select(*columns).where(deliveries.c.flow == flow, _IS_STALE)
        wanted = wanted.order_by(deliveries.c.stale_since, deliveries.c.key).limit(limit)
        with self._database.reading() as connection:
            return [StaleRecord(*row) for row in connection.execute(wanted)]

    def note(self, flow: str, stale: Iterable[str], fresh: Iterable[str] = ()) -> None:
        """What somebody found who does not load: stale since now, where it was not before; and what is no more."""
        with self._database.writing() as connection:
            for keys, was, since in ((stale, ~_IS_STALE, clock(connection)), (fresh, _IS_STALE, null())):
                for chunk in chunks([stored_key(key) for key in keys]):
                    mine = (deliveries.c.flow == flow, deliveries.c.key.in_(chunk), was)
                    connection.execute(update(deliveries).where(*mine).values(stale_since=since))

    def compared(self, flow: str) -> tuple[str | None, str | None]:
        """With which mark of a mapping a flow's deliveries were compared, and the partition that this came to: None
        where it came to the end.
        """
        wanted = select(flows.c.mapped_by, flows.c.compared_to).where(flows.c.flow == flow)
        with self._database.reading() as connection:
            row = connection.execute(wanted).first()
        return (None, None) if row is None else (row.mapped_by, row.compared_to)

    def compare_to(self, flow: str, mark: str, partition: str | None) -> None:
        """It came as far as this partition. Of a flow that never delivered anything nothing is kept."""
        came = update(flows).where(flows.c.flow == flow).values(mapped_by=mark, compared_to=partition)
        with self._database.writing() as connection:
            connection.execute(came)
