"""All tables of a ledger from PostgreSQL into SQLite, and back: every value as it is stored."""

from __future__ import annotations

import io
import sqlite3
from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import Connection, Table, insert, select, text

from mlc_dagster.ledger.database import Database
from mlc_dagster.ledger.tables import TABLES

ROWS_AT_ONCE = 5000
SECONDS_TO_WAIT = 30.0  # for another process that keeps a file locked


def rows_from_server(server: Database, file: Database) -> None:
    """Of one moment, into empty tables of the same revision."""
    with server.reading() as connection:
        source = connection.execution_options(isolation_level="REPEATABLE READ", yield_per=ROWS_AT_ONCE)
        for table in TABLES.sorted_tables:
            for page in source.execute(select(table)).partitions():
                with file.writing(hasty=True) as target:
                    target.execute(insert(table), [dict(row._mapping) for row in page])


def rows_to_server(file: sqlite3.Connection, server: Connection) -> None:
    """In place of all that is there, in one transaction of the server."""
    server.exec_driver_sql("ALTER TABLE attempts DISABLE TRIGGER attempts_no_change")
    names = ", ".join(TABLES.tables)
    server.exec_driver_sql(f"TRUNCATE {names} RESTART IDENTITY")
    for table in TABLES.sorted_tables:
        _copy_in(server, table, _rows(file, table))
        if "id" in table.c:
            counted = f"SELECT setval(pg_get_serial_sequence('{table.name}', 'id'), max(id)) FROM {table.name}"  # noqa: S608
            server.execute(text(counted))
    server.exec_driver_sql("ALTER TABLE attempts ENABLE TRIGGER attempts_no_change")


def _rows(file: sqlite3.Connection, table: Table) -> Iterator[tuple[Any, ...]]:
    columns = ", ".join(f'"{column.name}"' for column in table.columns)
    yield from file.execute(f'SELECT {columns} FROM "{table.name}"')  # noqa: S608 - our own names


def _copy_in(server: Connection, table: Table, rows: Iterable[tuple[Any, ...]]) -> None:
    columns = ", ".join(f'"{column.name}"' for column in table.columns)
    statement = f'COPY "{table.name}" ({columns}) FROM STDIN WITH (FORMAT csv)'
    raw: Any = server.connection.dbapi_connection
    with raw.cursor() as cursor:
        cursor.copy_expert(statement, _Lines(rows))


class _Lines(io.RawIOBase):
    """Rows as the text that COPY reads, page by page. A text is quoted always; what is not, and is empty, is null."""

    def __init__(self, rows: Iterable[tuple[Any, ...]]) -> None:
        self._lines = ((",".join(map(_cell, row)) + "\n").encode() for row in rows)
        self._left = b""

    def read(self, size: int = -1) -> bytes:
        while size < 0 or len(self._left) < size:
            line = next(self._lines, None)
            if line is None:
                break
            self._left += line
        size = len(self._left) if size < 0 else size
        found, self._left = self._left[:size], self._left[size:]
        return found


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bytes):
        return f'"\\x{value.hex()}"'
    if isinstance(value, str):
        return '"' + value.replace('"', '""') + '"'
    return repr(value)
