"""What went since a moment, by cause; beside what is open, which says itself how much of it came since then."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, select

from mlc_dagster.ledger.database import Database
from mlc_dagster.ledger.records.open_item_conditions import sides_of, whose
from mlc_dagster.ledger.records.open_item_entries import CauseStock, OpenCause, Wanted, connection_of
from mlc_dagster.ledger.records.open_item_sides import Side
from mlc_dagster.ledger.tenants import of_tenant


@dataclass
class Trend:
    """Of a cause, since `Wanted.came_since`; what came and went in between counts as both."""

    came: int = 0
    went: int = 0

    def __str__(self) -> str:
        told = (f"+{self.came:,}" if self.came else "", f"-{self.went:,}" if self.went else "")
        return ", ".join(filter(None, told)) or "as it was"


class OpenItemTrend:
    """From a narrow index of what was closed, by when."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, stocks: list[CauseStock], wanted: Wanted) -> dict[OpenCause, Trend]:
        """Of what went those of the companies and flow that `wanted` names; its other filters are of what is open."""
        found = {one.cause: Trend(one.came) for one in stocks}
        with self._database.reading() as connection:
            for side in sides_of(wanted):
                for row in connection.execute(_closed(side, wanted)):
                    cause = OpenCause(row.what, side.differs, _connection(row, wanted), row.company, row.value)
                    if cause in found:
                        found[cause].came += row.came
                        found[cause].went += row.items
        return found


def _closed(side: Side, wanted: Wanted) -> Select[Any]:
    key, since = ("flow", "what", "company", "value"), wanted.came_since
    came = func.count().filter(side.since >= since).label("came")
    mine = (of_tenant(side.table.c.flow, walked=True), side.table.c.closed_at >= since)
    counted = select(*side.named(*key), func.count().label("items"), came).where(*mine, *whose(side, wanted))
    return counted.group_by(*map(side.column, key))


def _connection(row: Any, wanted: Wanted) -> str:
    return wanted.connections.get(row.flow) or connection_of(row.flow)
