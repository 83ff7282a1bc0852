"""What is open of each flow, and what money is in it: what is on hold, and what the two sides have otherwise."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from sqlalchemy import Row, Table, func, select

from mlc_dagster.ledger.database import Database
from mlc_dagster.ledger.tables import differences, holds
from mlc_dagster.ledger.tenants import of_tenant


@dataclass
class OpenStock:
    """What is open of one flow."""

    number: int = 0
    oldest: datetime | None = None
    amounts: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))  # currency -> their sum, exact


class LedgerStock:
    """One grouped question for each table: equal amounts of a flow are one row."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def holds(self) -> dict[str, OpenStock]:
        """Flow -> what it has on hold."""
        return _summed(self._rows(holds, "opened_at"))

    def differences(self) -> dict[str, OpenStock]:
        """Flow -> what differs."""
        return _summed(self._rows(differences, "first_seen"))

    def _rows(self, table: Table, since: str) -> list[Row[Any]]:
        kind = (table.c.flow, table.c.currency, table.c.amount)
        wanted = select(*kind, func.count().label("number"), func.min(table.c[since]).label("oldest"))
        mine = (table.c.closed_at.is_(None), of_tenant(table.c.flow))
        with self._database.reading() as connection:
            return list(connection.execute(wanted.where(*mine).group_by(*kind)))


def _summed(rows: Iterable[Row[Any]]) -> dict[str, OpenStock]:
    found: dict[str, OpenStock] = defaultdict(OpenStock)
    for row in rows:
        one = found[row.flow]
        one.number += row.number
        one.oldest = min(filter(None, (one.oldest, row.oldest)), default=None)
        if (amount := _amount(row.amount)) is not None:
            one.amounts[row.currency or "?"] += amount * row.number
    return dict(found)


def _amount(text: str | None) -> Decimal | None:
    """None where the record has none."""
    try:
        return Decimal(text) if text else None
    except InvalidOperation:
        return None
