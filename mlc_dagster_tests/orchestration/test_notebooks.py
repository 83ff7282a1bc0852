"""The examples of docs/notebooks.md run, and what they find is exact."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import mlc_dagster
from mlc_dagster.core.arrow_columns import ready_batch, ready_schema, source_batch, source_schema
from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.core.outcomes import Ready
from mlc_dagster.ledger import Ledger, Run
from mlc_dagster.ledger.records.closes import Books
from mlc_dagster.orchestration.storage.row_store import RowStore
from mlc_dagster.systems.cin7.records import PURCHASES, Purchase
from mlc_dagster.systems.ifs.records import PurchaseOrder

PAGE = Path(mlc_dagster.__file__).parents[1] / "docs/notebooks.md"
DAY, EXACT = "2026-11-05", Decimal("12345678901234567890.1234")
LINE = {"order_no": "0001", "line_no": "1", "release_no": "1", "account": "4010", "line_amount": EXACT}
ORDERS: list[dict[str, Any]] = [
    {"order_no": "0001", "currency_code": "SEK", "total_amount": EXACT, "lines": [LINE]},
    {"order_no": "0002", "currency_code": "SEK", "total_amount": Decimal("0.0001"), "lines": []},
]


@pytest.fixture
def here(tmp_path: Path, sqlite_ledger: Ledger, sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Ledger:
    """A day of two orders, of which one is ready, and a month of one account that differs."""
    monkeypatch.setenv("MLC_STORAGE", str(tmp_path / "rows"))
    monkeypatch.setenv("MLC_DATABASE_URL", sqlite_url)
    store = RowStore(str(tmp_path / "rows"), sqlite_ledger.stored)
    batch = source_batch(ORDERS, ["e", "e"], [None, None], PurchaseOrder)
    store.write(("ifs", "purchase_order_set"), DAY, source_schema(PurchaseOrder), [batch])
    purchase = Purchase(
        company="0010", marker="0010/0001", slot="", supplier_no="S1", supplier_id="7", currency="SEK", location=""
    )
    ready = [Ready("0001", "v", "f", purchase)]
    store.write(("cin7", "purchases_prepared"), DAY, ready_schema(Purchase), [ready_batch(ready, PURCHASES.record)])
    sums = [
        {"account": "4010", "currency": "SEK", "ours": "100.10", "theirs": "100.11", "difference": "0.01"},
        {"account": "", "currency": "SEK", "ours": str(EXACT), "theirs": str(EXACT), "difference": "0"},
    ]
    kept = {"flows": [{"flow": "cin7/purchases", "sums": sums}]}
    sqlite_ledger.closes.keep(Books("0010", "2026-11"), "mark", kept, {}, Run("r1"))
    return sqlite_ledger


def test_what_the_page_shows_runs_and_is_exact(here: Ledger) -> None:
    found: dict[str, Any] = {}
    for example in re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S):
        exec(example, found)  # our own page
    assert found["by_currency"]["SEK"] == EXACT + Decimal("0.0001")
    (line,) = found["by_account"].dropna().to_dict("records")
    assert line == {"order_no": "0001", "account": "4010", "line_amount": EXACT}
    assert found["not_ready"] == {"0002"}
    assert found["apart"].to_dict("records") == [
        {"flow": "cin7/purchases", "account": "4010", "currency": "SEK"}
        | {"ours": Decimal("100.10"), "theirs": Decimal("100.11"), "difference": Decimal("0.01")}
    ]


def test_a_month_that_nobody_gathered_says_how(here: Ledger) -> None:
    with pytest.raises(Misconfigured, match="nothing is kept of 2026-10") as refused:
        mlc_dagster.load_month_end("2026-10", "0010")
    assert "mlc close --period 2026-10 --company 0010" in str(refused.value)
    with pytest.raises(Misconfigured, match="no month"):
        mlc_dagster.load_month_end("November", "0010")
