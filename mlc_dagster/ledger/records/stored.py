"""Which rows are stored: the digest of each partition's file, known before it takes its place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Row, delete, insert, select, update

from mlc_dagster.ledger.database import Database, clock
from mlc_dagster.ledger.tables import stored
from mlc_dagster.ledger.tenants import of_tenant

GIVEN_UP = timedelta(days=1)
"""After which a write that never said that its file is in place is none any more: no upload takes that long."""
REMOVED = ""
"""The digest of rows that retention has removed."""


class Write(NamedTuple):
    """A file that is about to take its place, and the entries that are over once it has: those that were there."""

    id: int
    earlier: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """A file as it was written. `placed_at` is None where its writer was cut off, or is at it now."""

    asset: str
    partition: str
    digest: str
    size: int
    rows: int
    written_at: datetime
    placed_at: datetime | None
    read_number: int | None = None  # of the walk that the rows are of; None: not told

    @property
    def is_removal(self) -> bool:
        return self.digest == REMOVED


class Stored:
    """Two writers of one partition, and one that is killed at any moment, leave what is in place known.

    An entry is written before its file is put in place. Once it is, those entries go whose files had been in place
    before: theirs cannot be the file that lies there now.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(
        self, asset: str, partition: str, *, digest: str, size: int, rows: int, read_number: int | None = None
    ) -> Write:
        """Say which file is about to take its place, or that it is removed now: its digest is REMOVED."""
        mine = (stored.c.asset == asset, stored.c.partition == partition)
        with self._database.writing() as connection:
            now = clock(connection)
            left = stored.c.placed_at.is_(None) & (stored.c.written_at < now - GIVEN_UP)
            connection.execute(delete(stored).where(*mine, left))
            earlier = connection.execute(select(stored.c.id).where(*mine, stored.c.placed_at.is_not(None))).scalars()
            row: dict[str, object] = {"asset": asset, "partition": partition, "digest": digest, "size": size}
            row |= {"rows": rows, "read_number": read_number}
            over = tuple(earlier)
            made = connection.execute(insert(stored).values(**row, written_at=now).returning(stored.c.id))
            return Write(made.scalar_one(), over)

    def placed(self, write: Write) -> None:
        """The file is in its place, and on the disk."""
        with self._database.writing() as connection:
            mine = update(stored).where(stored.c.id == write.id)
            connection.execute(mine.values(placed_at=clock(connection)))
            connection.execute(delete(stored).where(stored.c.id.in_(write.earlier)))

    def of(self, asset: str, partition: str) -> list[Entry]:
        """Whose file may lie there, oldest first; none where nothing was stored, or by a release that kept no digests.

        More than one where a writer is at it, or was cut off.
        """
        wanted = select(stored).where(stored.c.asset == asset, stored.c.partition == partition)
        with self._database.reading() as connection:
            return [_entry(row) for row in connection.execute(wanted.order_by(stored.c.id))]

    def all(self) -> Iterator[list[Entry]]:
        """What is known of each partition, in the order of their names."""
        place = (stored.c.asset, stored.c.partition)
        wanted = select(*place).where(of_tenant(stored.c.asset)).distinct().order_by(*place)
        with self._database.reading() as connection:
            places = [tuple(row) for row in connection.execute(wanted)]
        for asset, partition in places:
            yield self.of(asset, partition)


def _entry(row: Row[tuple[object, ...]]) -> Entry:
    found = row._mapping
    return Entry(**{name: found[name] for name in Entry.__slots__})
