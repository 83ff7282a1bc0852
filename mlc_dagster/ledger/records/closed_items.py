"""What became of an item or a cause that a mailed link still names: also when nothing of it is open."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Select, func, select

from mlc_dagster.ledger.database import Database
from mlc_dagster.ledger.records.open_item_entries import OpenCause, Wanted, connection_of
from mlc_dagster.ledger.records.open_item_sides import SIDES, Side
from mlc_dagster.ledger.tables import differences, holds
from mlc_dagster.ledger.tenants import of_tenant


class Ended(NamedTuple):
    """A cause of which nothing is open: how many items it had, and how they ended, by whom."""

    cause: OpenCause
    items: int
    ended_at: datetime
    how: dict[str, int]  # delivered, discarded, "accepted by kari: ..." -> items


class ClosedItems:
    """Reads only."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def place(self, differs: bool, number: int) -> tuple[str, str] | None:
        """(flow, key) of an item, open or not; None: there is none."""
        table = differences if differs else holds
        mine = (table.c.id == number, of_tenant(table.c.flow, walked=True))
        with self._database.reading() as connection:
            row = connection.execute(select(table.c.flow, table.c.key).where(*mine)).first()
            return None if row is None else (row.flow, row.key)

    def cause(self, mark: str, wanted: Wanted) -> Ended | None:
        """Of those companies that are wanted; None: there never was such a cause, or he may not see it."""
        found: dict[str, int] = {}
        cause, last = None, None
        with self._database.reading() as connection:
            for side in SIDES:
                for row in connection.execute(_grouped(side, wanted)):
                    named = wanted.connections.get(row.flow) or connection_of(row.flow)
                    one = OpenCause(row.what, side.differs, named, row.company, row.value)
                    if one.mark != mark:
                        continue
                    cause, last = one, max(filter(None, (last, row.ended_at)))
                    how = (row.how or "closed").partition(":")[0]
                    found[how] = found.get(how, 0) + row.items
        return Ended(cause, sum(found.values()), last, found) if cause and last else None


def _grouped(side: Side, wanted: Wanted) -> Select[Any]:
    how = side.table.c.closed_by if side.differs else side.table.c.closed_how
    key = ("flow", "what", "company", "value")
    counted = (func.count().label("items"), func.max(side.table.c.closed_at).label("ended_at"), how.label("how"))
    mine = [side.table.c.closed_at.is_not(None), of_tenant(side.table.c.flow)]
    if wanted.companies is not None:
        mine.append(side.company.in_(sorted(wanted.companies)))
    return select(*side.named(*key), *counted).where(*mine).group_by(*map(side.column, key), how)
