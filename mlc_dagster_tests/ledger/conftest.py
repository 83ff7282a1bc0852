"""Every statement of the ledger that a test runs names whose rows it means."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy
from sqlalchemy import Column, Delete, Engine, Select, Table, Update, event
from sqlalchemy.sql import visitors

from mlc_dagster.ledger.tables import TABLES
from mlc_dagster.ledger.tenants import Scoped, ScopedKey


@pytest.fixture(autouse=True)
def every_statement_names_its_tenant() -> Iterator[None]:
    event.listen(Engine, "before_execute", refuse_what_names_none)
    yield
    event.remove(Engine, "before_execute", refuse_what_names_none)


def refuse_what_names_none(connection: Any, statement: Any, *_: Any) -> None:
    """A question or a change that is asked of all tenants at once, on an engine that is of one of them."""
    if not isinstance(statement, (Select, Update, Delete)) or getattr(connection.dialect, "mlc_tenant", "") is None:
        return
    parts = list(visitors.iterate(statement))
    named = {
        column.table
        for part in parts
        if (condition := getattr(part, "whereclause", None)) is not None
        for column in visitors.iterate(condition)
        if isinstance(column, Column) and (isinstance(column.type, (Scoped, ScopedKey)) or column.name == "id")
    }
    changed = [statement.table] if isinstance(statement, (Update, Delete)) else []
    asked = {part for part in [*parts, *changed] if isinstance(part, Table)} & set(TABLES.tables.values())
    if (nobodys := asked - named) and not _asked_by_a_test():
        raise AssertionError(f"of which tenant are these rows of {[each.name for each in nobodys]}? {statement}")


def _asked_by_a_test() -> bool:
    """A test may look at a whole table."""
    frame = sys._getframe(2)
    while frame.f_back and Path(sqlalchemy.__file__).parent in Path(frame.f_code.co_filename).parents:
        frame = frame.f_back
    return "mlc_dagster_tests" in Path(frame.f_code.co_filename).parts
