"""What came and what went since a moment, by cause: how a list moves, from two narrow indexes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, select

from mlc_dagster.ledger.database import Database
from mlc_dagster.ledger.records.open_item_conditions import sides_of, whose
from mlc_dagster.ledger.records.open_item_entries import OpenCause, Wanted, connection_of
from mlc_dagster.ledger.records.open_item_sides import Side
from mlc_dagster.ledger.tenants import of_tenant


@dataclass
class Trend:
    """Of a cause; what came and went in between counts as both."""

    came: int = 0
    went: int = 0

    def __str__(self) -> str:
        told = (f"+{self.came:,}" if self.came else "", f"-{self.went:,}" if self.went else "")
        return ", ".join(filter(None, told)) or "as it was"


class OpenItemTrend:
    def __init__(self, database: Database) -> None:
        self._database = database

    def since(self, moment: datetime, wanted: Wanted) -> dict[OpenCause, Trend]:
        """Whose companies and which flows are as `wanted` says; its other filters are of what is open now."""
        found: dict[OpenCause, Trend] = {}
        with self._database.reading() as connection:
            for side in sides_of(wanted):
                for row, is_open in _counted(connection, side, wanted, moment):
                    cause = _cause(side, row, wanted)
                    if wanted.connection and cause.connection != wanted.connection:
                        continue
                    one = found.setdefault(cause, Trend())
                    one.came += row.came
                    one.went += 0 if is_open else row.items
        return found


def _counted(connection: Connection, side: Side, wanted: Wanted, moment: datetime) -> Iterator[tuple[Any, bool]]:
    closed = side.table.c.closed_at
    for is_open, which in ((True, (closed.is_(None), side.since >= moment)), (False, (closed >= moment,))):
        for row in connection.execute(_by_cause(side, wanted, moment, which)):
            yield row, is_open


def _by_cause(side: Side, wanted: Wanted, moment: datetime, which: tuple[ColumnElement[bool], ...]) -> Select[Any]:
    key = ("flow", "what", "company", "value")
    came = func.count().filter(side.since >= moment).label("came")
    counted = select(*side.named(*key), func.count().label("items"), came)
    walked = of_tenant(side.table.c.flow, walked=True)
    return counted.where(walked, *which, *whose(side, wanted)).group_by(*map(side.column, key))


def _cause(side: Side, row: Any, wanted: Wanted) -> OpenCause:
    connection = wanted.connections.get(row.flow) or connection_of(row.flow)
    return OpenCause(row.what, side.differs, connection, row.company, row.value)
