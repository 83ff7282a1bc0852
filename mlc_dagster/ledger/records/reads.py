"""Read numbers: each walk through a source has one before its first request, and a later walk has a higher one.

Which of two states of a record is newer is told by them, and by no wall clock: what was asked for later is newer.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, insert, select

from mlc_dagster.ledger.database import Database, clock
from mlc_dagster.ledger.tables import reads


class Read(NamedTuple):
    """A walk that began, whether or not it came to its end."""

    number: int
    entity: str
    partition: str
    run_id: str
    began_at: datetime


_COLUMNS = (reads.c.id.label("number"), reads.c.entity, reads.c.partition, reads.c.run_id, reads.c.began_at)


class Reads:
    """Numbers are given, and never taken back: one whose walk was cut off is of no use to anybody, and does no harm."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, entity: str, partition: str, run_id: str) -> int:
        """A number that is higher than every one given before; on the disk before it is returned."""
        with self._database.writing() as connection:
            row = {"entity": entity, "partition": partition, "run_id": run_id, "began_at": clock(connection)}
            return int(connection.execute(insert(reads).values(**row).returning(reads.c.id)).scalar_one())

    def of(self, number: int) -> Read | None:
        """The walk of this number."""
        with self._database.reading() as connection:
            row = connection.execute(select(*_COLUMNS).where(reads.c.id == number)).first()
        return None if row is None else Read(*row)

    def latest(self, entity: str, partition: str) -> Read | None:
        """The walk of a partition that began last; None where none ever did."""
        wanted = select(*_COLUMNS).where(reads.c.entity == entity, reads.c.partition == partition)
        with self._database.reading() as connection:
            row = connection.execute(wanted.order_by(reads.c.id.desc()).limit(1)).first()
        return None if row is None else Read(*row)


def last_number(connection: Connection) -> int | None:
    """The highest that was given to any tenant: every walk that begins from now on has a higher one."""
    newest = select(reads.c.id).where(reads.c.id > 0).order_by(reads.c.id.desc()).limit(1)
    return connection.execute(newest).scalar()
