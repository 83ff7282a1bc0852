"""Filters that a person keeps under a name of his own."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import delete, func, select

from mlc_dagster.core.errors import MlcError
from mlc_dagster.ledger.database import Database, clock, upsert
from mlc_dagster.ledger.tables import saved_filters

MOST = 30  # of one person


class TooMany(MlcError):
    """Nothing was kept."""


class SavedFilter(NamedTuple):
    name: str
    query: str  # "company=20&owner=nobody"


class SavedFilters:
    """Nobody sees those of another person."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, person: str) -> list[SavedFilter]:
        mine = select(saved_filters.c.name, saved_filters.c.query).where(saved_filters.c.person == person)
        with self._database.reading() as connection:
            return [SavedFilter(*row) for row in connection.execute(mine.order_by(saved_filters.c.name))]

    def keep(self, person: str, name: str, query: str) -> None:
        """In the place of the one of that name. Raises TooMany."""
        mine = (saved_filters.c.person == person, saved_filters.c.name != name)
        with self._database.writing() as connection:
            others = connection.execute(select(func.count()).select_from(saved_filters).where(*mine)).scalar() or 0
            if others >= MOST:
                raise TooMany(f"{MOST} filters are kept for {person}", cure="Remove one first.")
            new = upsert(connection.dialect.name, saved_filters)
            put = {"query": new.excluded.query, "at": new.excluded.at}
            row = {"person": person, "name": name, "query": query, "at": clock(connection)}
            connection.execute(new.on_conflict_do_update(index_elements=["person", "name"], set_=put), row)

    def remove(self, person: str, name: str) -> None:
        with self._database.writing() as connection:
            mine = (saved_filters.c.person == person, saved_filters.c.name == name)
            connection.execute(delete(saved_filters).where(*mine))
