"""Cin7's accounts as they were measured: each flow into them is exact, and the second pass writes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mlc_dagster.ledger import Ledger
from mlc_dagster.orchestration.storage import RowStore
from mlc_dagster.sandbox import Limits, Sandbox
from mlc_dagster_tests.promises.journey import Journey, flow_of, settings_at
from mlc_dagster_tests.promises.kinds import RECORDS, books, proposals

FLOWS = ("cin7/suppliers", "cin7/purchases", "cin7/purchase_invoices")
PLENTY = Limits(cin7_calls_per_minute=60_000, ifs_requests_per_minute=60_000)
PROFILES = ("cin7.measured", "cin7.tax_method=Total", "cin7.composed_statuses=true", "cin7.products_once=false")


@pytest.fixture(params=["", *PROFILES])
def box(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    with Sandbox(seed="empty", limits=PLENTY, profiles=[request.param] if request.param else []) as made:
        books(made)
        proposals(made)
        yield made


@pytest.mark.promise("C30", "accounts of Cin7 as they were measured: suppliers, purchases and invoices, two passes")
def test_c30_each_flow_into_cin7_is_exact_beside_each_kind_of_account(box: Sandbox, tmp_path: Path) -> None:
    settings, store = settings_at(box.url), RowStore(str(tmp_path / "rows"))
    with Ledger.open(f"sqlite:///{tmp_path}/ledger.db") as ledger:
        first = {name: Journey(flow_of(name), settings, ledger, store, f"1 {name}").make() for name in FLOWS}
        assert {name: each.delivered for name, each in first.items()} == dict.fromkeys(FLOWS, RECORDS), first
        assert not any(ledger.open_holds(name) for name in FLOWS) and ledger.differences.open() == []
        totals = sorted(each["Order"]["Total"] for each in box.cin7.purchases.values())
        on_orders, own = [2 * n for n in range(1, RECORDS + 1)], [n for n in range(1, RECORDS + 1) if n % 2 == 0]
        assert totals == sorted([*on_orders, *own]), "orders, and the purchases of invoices without one"
        billed = [
            invoice["Total"]
            for each in box.cin7.purchases.values()
            for invoice in each["Invoice"]
            if invoice["InvoiceNumber"]
        ]
        assert sorted(billed) == list(range(1, RECORDS + 1))
        box.forget_calls()
        again = {name: Journey(flow_of(name), settings, ledger, store, f"2 {name}").make() for name in FLOWS}
        assert {name: each.delivered for name, each in again.items()} == dict.fromkeys(FLOWS, 0)
        assert box.journal("cin7") == []
