"""On which day a key was first seen as it is now, for rows that no timestamp can place."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy import select

from mlc_dagster.ledger.columns import storable, stored_key
from mlc_dagster.ledger.database import Database, chunks, upsert
from mlc_dagster.ledger.tables import sightings


class LedgerSightings:
    """`vocabulary.Sightings`, kept in the ledger."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def place(self, entity: str, seen: Sequence[tuple[str, str]], today: date) -> None:
        """A key that is new, or whose ETag changed, is placed on `today`. Of a key seen twice, the last ETag counts."""
        etags = {stored_key(key): storable(etag) for key, etag in seen}
        known = self._known(entity, list(etags))
        rows = [
            {"entity": entity, "key": key, "etag": etag, "placed_on": today}
            for key, etag in sorted(etags.items())  # two sweeps at once cannot block each other
            if known.get(key) != etag
        ]
        if not rows:
            return
        with self._database.writing() as connection:
            statement = upsert(connection.dialect.name, sightings)
            new = statement.excluded
            moved = statement.on_conflict_do_update(
                index_elements=["entity", "key"], set_={"etag": new.etag, "placed_on": new.placed_on}
            )
            connection.execute(moved, rows)

    def placed_on(self, entity: str, day: date) -> list[str]:
        """The keys whose present ETag was first seen on that day, in order."""
        wanted = select(sightings.c.key).where(sightings.c.entity == entity, sightings.c.placed_on == day)
        with self._database.reading() as connection:
            return list(connection.execute(wanted.order_by(sightings.c.key)).scalars())

    def places(self, entity: str, keys: Sequence[str]) -> dict[str, date]:
        """Key -> the day on which its present ETag was first seen, of those that were."""
        found: dict[str, date] = {}
        with self._database.reading() as connection:
            for chunk in chunks([stored_key(key) for key in keys]):
                mine = (sightings.c.entity == entity, sightings.c.key.in_(chunk))
                rows = connection.execute(select(sightings.c.key, sightings.c.placed_on).where(*mine))
                found.update((row.key, row.placed_on) for row in rows)
        return found

    def _known(self, entity: str, keys: Sequence[str]) -> dict[str, str]:
        known: dict[str, str] = {}
        with self._database.reading() as connection:
            for chunk in chunks(keys):
                wanted = select(sightings.c.key, sightings.c.etag).where(
                    sightings.c.entity == entity, sightings.c.key.in_(chunk)
                )
                known.update((row.key, row.etag) for row in connection.execute(wanted))
        return known
