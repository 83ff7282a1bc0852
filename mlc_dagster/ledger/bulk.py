"""Many rows at once: SQLAlchemy says the statement and the types, the driver is handed tuples that are ready.

SQLAlchemy's own way goes over each value of each row, which takes longer than the database does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Dialect, Insert
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql import psycopg2

Row = tuple[Any, ...]

PAGE = 1000  # rows in one statement on PostgreSQL

_STYLES: dict[str, tuple[Any, str]] = {
    "sqlite": (sqlite.dialect, "qmark"),
    "postgresql": (psycopg2.dialect, "format"),
}


@dataclass(frozen=True, eq=False)
class Bulk:
    """INSERTs of many rows into one table.

    `alike` names the columns with one value for all rows, which passes through the column's type; `own` those with a
    value of each row, which is as it is stored: see `stored_key` and `storable`. Other values belong into the
    statement as literals.
    """

    statements: Mapping[str, Insert]  # by dialect
    alike: tuple[str, ...]
    own: tuple[str, ...]

    def write(self, connection: Connection, alike: Mapping[str, Any], rows: Iterable[Row]) -> None:
        """`alike` in Python's own types by name; each row in the order of `own`."""
        text, order = _compiled(self, connection.dialect.name)
        first = tuple(self._stored(name, alike[name], connection.dialect) for name in self.alike)
        ready = [order(first + row) for row in rows]
        if connection.dialect.name == "sqlite":
            if ready:
                connection.exec_driver_sql(text, ready)
            return
        one = f"({', '.join(['%s'] * (len(first) + len(self.own)))})"
        for page in _pages(ready):
            several = text.replace(one, ", ".join([one] * len(page)), 1)
            connection.exec_driver_sql(several, tuple(value for row in page for value in row))

    def _stored(self, name: str, value: Any, dialect: Dialect) -> Any:
        column = self.statements[dialect.name].table.c[name]
        convert = column.type.dialect_impl(dialect).bind_processor(dialect)
        return value if convert is None else convert(value)


@cache
def _compiled(bulk: Bulk, dialect: str) -> tuple[str, itemgetter[Any]]:
    """The statement's text, and what brings a row into the order of its places."""
    names = [*bulk.alike, *bulk.own]
    style, places = _STYLES[dialect]
    compiled: Any = bulk.statements[dialect].compile(dialect=style(paramstyle=places), column_keys=names)
    if sorted(compiled.positiontup) != sorted(names):
        raise TypeError(f"{compiled}: takes {compiled.positiontup}, expected {names}; write other values as literals")
    return str(compiled), itemgetter(*map(names.index, compiled.positiontup))


def _pages(rows: Sequence[Row]) -> Iterator[list[Row]]:
    source = iter(rows)
    while page := list(islice(source, PAGE)):
        yield page
