"""Whether two databases hold the same ledger: how many rows each table has, and a digest over all of them."""

from __future__ import annotations

import hashlib
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Table, func, select

from mlc_dagster.core.vocabulary import version_of
from mlc_dagster.ledger.tables import TABLES

ROWS_AT_ONCE = 5000


class Summed(NamedTuple):
    """A table: equal content, equal text, on whichever database."""

    rows: int
    digest: str


def digests(connection: Connection) -> dict[str, Summed]:
    """Table -> what is in it, on a connection that is of all tenants."""
    return {table.name: _summed(connection, table) for table in TABLES.sorted_tables}


def counts(connection: Connection) -> dict[str, int]:
    """Table -> how many rows."""
    return {
        table.name: int(connection.execute(select(func.count()).select_from(table)).scalar_one())
        for table in TABLES.sorted_tables
    }


def _summed(connection: Connection, table: Table) -> Summed:
    """In the order of the primary key, which both databases compare byte by byte."""
    hashed, rows = hashlib.blake2b(digest_size=16), 0
    wanted = select(table).order_by(*table.primary_key.columns)
    for row in connection.execute(wanted.execution_options(yield_per=ROWS_AT_ONCE)):
        hashed.update(repr([_plain(value) for value in row]).encode("utf-8", "surrogatepass"))
        rows += 1
    return Summed(rows, hashed.hexdigest())


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return version_of(value)
    if isinstance(value, date):
        return value.isoformat()
    return bytes(value) if isinstance(value, memoryview) else value
