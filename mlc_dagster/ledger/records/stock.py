"""What is open of each flow, and what money is in it: what is on hold, and what the two sides have otherwise."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from sqlalchemy import Row, Table, func, select

from mlc_dagster.ledger.columns import stored_key
from mlc_dagster.ledger.database import Database, chunks
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

    def by_rule(self, flow: str, without: Collection[str] = ()) -> dict[str, OpenStock]:
        """Rule -> what a flow has on hold by it, but for these keys; a hold with two rules counts for both."""
        kind = (holds.c.rules, holds.c.currency, holds.c.amount)
        counted = select(*kind, func.count().label("number"), func.min(holds.c.opened_at).label("oldest"))
        mine = (holds.c.flow == flow, holds.c.closed_at.is_(None))
        found: dict[str, OpenStock] = defaultdict(OpenStock)
        with self._database.reading() as connection:
            for row in connection.execute(counted.where(*mine).group_by(*kind)):
                _count(found, row, 1)
            for chunk in chunks([stored_key(key) for key in without]):
                for row in connection.execute(counted.where(*mine, holds.c.key.in_(chunk)).group_by(*kind)):
                    _count(found, row, -1)
        return {rule: one for rule, one in found.items() if one.number}

    def keys(self, flow: str, partitions: Iterable[str]) -> list[str]:
        """What a flow has on hold of these partitions."""
        wanted = select(holds.c.key).where(holds.c.flow == flow, holds.c.closed_at.is_(None))
        with self._database.reading() as connection:
            found = connection.execute(wanted.where(holds.c.partition.in_(sorted(set(partitions)))))
            return list(found.scalars())

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


def _count(found: dict[str, OpenStock], row: Row[Any], sign: int) -> None:
    for rule in dict.fromkeys(filter(None, row.rules.split(","))):
        one = found[rule]
        one.number += sign * row.number
        one.oldest = min(filter(None, (one.oldest, row.oldest)), default=None)
        if (amount := _amount(row.amount)) is not None:
            one.amounts[row.currency or "?"] += sign * amount * row.number


def _amount(text: str | None) -> Decimal | None:
    """None where the record has none."""
    try:
        return Decimal(text) if text else None
    except InvalidOperation:
        return None
