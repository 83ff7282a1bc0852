"""The demo's Procurify fits the demo's ERP, but for what is flawed on purpose."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from mlc_dagster.sandbox import Sandbox
from mlc_dagster.sandbox.seed.books import BLOCKED, COSTS, EXPIRED, NOT_IN_IFS


@pytest.fixture(scope="module")
def demo() -> Sandbox:
    return Sandbox(seed="demo", today=date(2026, 11, 21))


def test_what_it_holds_outlives_a_restart(demo: Sandbox) -> None:
    other = Sandbox(seed="empty")
    other.procurify.recall(demo.procurify.remembered())
    assert other.procurify.state() == demo.procurify.state()
    assert other.procurify.bills == demo.procurify.bills


def test_the_demo_is_the_same_each_time(demo: Sandbox) -> None:
    again = Sandbox(seed="demo", today=date(2026, 11, 21))
    assert again.procurify.state() == demo.procurify.state()


def test_the_demo_fills_thirty_days_with_every_status_and_type(demo: Sandbox) -> None:
    bills, orders = demo.procurify.bills.values(), demo.procurify.purchase_orders.values()
    days = {(date(2026, 11, 21) - timedelta(days=back)).isoformat() for back in range(30)}
    assert {bill["last_modified_datetime"][:10] for bill in bills} == days
    assert {order["last_modified"][:10] for order in orders} == days
    assert {bill["status"] for bill in bills} == set(range(9)) and {bill["type"] for bill in bills} == {0, 1, 2}
    assert {"SEK", "JPY", "KWD"} < {bill["currency"]["name"] for bill in bills}
    covering = Counter(len(bill["added_purchase_orders"]) for bill in bills)
    assert covering[0] and covering[1] and covering[2]
    assert 2 in Counter(order["id"] for bill in bills for order in bill["added_purchase_orders"]).values()


def test_all_but_the_flawed_bills_add_up_and_fit_the_erp(demo: Sandbox) -> None:
    flawed = {key for flaw, keys in demo.flaws.items() if flaw.startswith("procurify bill") for key in keys}
    companies = {row["name"]: row["external_id"] for row in demo.procurify.state()["locations"]}
    for key, bill in demo.procurify.bills.items():
        if key in flawed:
            continue
        places = [each for item in bill["items"] for each in item["cost_allocations"]]
        places += [cost["cost_allocation"] for cost in bill["costs"]]
        booked = sum(Decimal(each["amount"]) for each in places)
        assert bill["total_cost_with_tax"] - bill["shipping_amount"] - booked in (0, bill["exclusive_tax_amount"])
        assert {each["budget"]["account_code"]["code"] for each in places} <= set(COSTS)
        assert len({companies[each["budget"]["department"]["branch"]["name"]] for each in places}) == 1
        assert all(each["budget"]["department"]["external_id"] for each in places)


def test_each_flaw_is_what_its_name_says(demo: Sandbox) -> None:
    def first(flaw: str) -> dict[str, Any]:
        return demo.procurify.bills[demo.flaws[f"procurify bill: {flaw}"][0]]

    def budget(flaw: str) -> dict[str, Any]:
        return dict(first(flaw)["items"][0]["cost_allocations"][0]["budget"])

    assert first("credit")["total_cost_with_tax"] < 0
    mixed = first("line in another currency")
    assert mixed["items"][0]["currency"]["name"] != mixed["currency"]["name"]
    assert budget("department without cost centre")["department"]["external_id"] == ""
    assert first("allocation missing")["items"][0]["cost_allocations"] == []
    accounts = [budget(f"account {flaw}")["account_code"]["code"] for flaw in ("not in IFS", "blocked", "expired")]
    assert accounts == [NOT_IN_IFS, BLOCKED, EXPIRED]
    assert first("invoice number empty")["invoice_number"] == ""
    twins = [demo.procurify.bills[key] for key in demo.flaws["procurify bill: invoice number of another bill"]]
    assert len({(bill["vendor"]["id"], bill["invoice_number"]) for bill in twins}) == 1 and len(twins) == 2


def test_the_demos_vendors_fit_suppliers_or_say_why_not(demo: Sandbox) -> None:
    suppliers = {row["SupplierId"]: row for row in demo.ifs.rows("SupplierSet")}
    vendors = demo.procurify.vendors
    assert all(vendor["external_id"] in suppliers for vendor in vendors.values() if vendor["external_id"])
    for key in demo.flaws["procurify vendor: known by name and country alone"]:
        assert [row["Name"] for row in suppliers.values()].count(vendors[int(key)]["name"]) == 1
    names = {str(row["Name"]).casefold() for row in suppliers.values()}
    assert not names & {vendors[int(key)]["name"].casefold() for key in demo.flaws["procurify vendor: not in IFS"]}
    kinds = [vendors[int(key)]["type"] for key in demo.flaws["procurify vendor: of a type that is no supplier"]]
    assert kinds == [1, 2, 5, 8]
