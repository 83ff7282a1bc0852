"""A sandboxed monday with a board for suppliers and one for invoices, and a client on it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mlc_dagster.sandbox import Limits, Sandbox
from mlc_dagster_tests.systems.monday.samples import INVOICE_BOARD, SUPPLIER_BOARD


@pytest.fixture
def limits() -> Limits:
    return Limits(monday_calls_per_minute=100_000, monday_points_per_minute=2 * 10**9)


@pytest.fixture
def box(limits: Limits) -> Iterator[Sandbox]:
    with Sandbox(seed="empty", limits=limits) as sandbox:
        sandbox.monday.add_board(SUPPLIER_BOARD, "Suppliers", {"IFS key": "text", "Country": "dropdown"})
        columns = {"IFS key": "text", "Amount": "numbers", "Due": "date", "Status": "status", "Currency": "dropdown"}
        sandbox.monday.add_board(INVOICE_BOARD, "Invoices", columns)
        sandbox.monday.boards.add_column(INVOICE_BOARD, "Supplier", "board_relation", {"boardIds": [SUPPLIER_BOARD]})
        yield sandbox
