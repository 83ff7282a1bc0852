"""What people call what is open: tags on holds and differences, until these are closed."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select

from mlc_dagster.ledger.database import Database
from mlc_dagster.ledger.records.open_item_entries import OpenItem
from mlc_dagster.ledger.records.open_item_sides import SIDES
from mlc_dagster.ledger.tenants import of_tenant


class Tags:
    """Each is text without a comma."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, items: Iterable[OpenItem], tags: Iterable[str], *, on: bool = True) -> int:
        """On open items, or off them; how many are open still."""
        number, some = 0, set(tags)
        with self._database.writing() as connection:
            for one in items:
                left = sorted(set(one.tags) | some if on else set(one.tags) - some)
                side = next(side for side in SIDES if side.differs is one.cause.differs)
                number += side.put(connection, [one.id], tags=f",{','.join(left)}," if left else None)
        return number

    def all(self) -> list[str]:
        """Those that are on something that is open."""
        stored: set[str] = set()
        with self._database.reading() as connection:
            for side in SIDES:
                mine = (side.is_open, side.tags.is_not(None), of_tenant(side.table.c.flow))
                stored.update(connection.execute(select(side.tags).where(*mine).distinct()).scalars())
        return sorted({tag for text in stored for tag in text.split(",") if tag})
