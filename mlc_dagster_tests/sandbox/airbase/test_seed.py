"""The demo's Airbase: the same each time, sound but for the flaws that are on record."""

from __future__ import annotations

from collections import Counter
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from mlc_dagster.sandbox import Sandbox


@pytest.fixture(scope="module")
def demo() -> Sandbox:
    return Sandbox(seed="demo", today=date(2026, 11, 21))


def test_the_demo_has_the_same_spend_each_time(demo: Sandbox) -> None:
    again = Sandbox(seed="demo", today=date(2026, 11, 21))
    for one, other in (
        (demo.airbase.purchase_requests, again.airbase.purchase_requests),
        (demo.airbase.ledger_entries, again.airbase.ledger_entries),
    ):
        assert [_without_vendor_id(row) for row in one.values()] == [_without_vendor_id(row) for row in other.values()]


def _without_vendor_id(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "vendor": (row["vendor"] or {}).get("name")}


def test_all_but_the_flawed_spend_of_the_demo_adds_up(demo: Sandbox) -> None:
    flawed = {key for flaw, keys in demo.flaws.items() if "add up" in flaw for key in keys}
    requests, entries = demo.airbase.purchase_requests, demo.airbase.ledger_entries
    for row in (*requests.values(), *entries.values()):
        lines = row.get("line_items") or row["expense_list"]
        adds_up = sum(Decimal(line["amount"]) for line in lines) == Decimal(row["total_amount"])
        assert adds_up is (row["airbase_id"] not in flawed)
    assert Counter(row["status"] for row in requests.values()) == {"approved": 46, "pending": 3, "rejected": 2}
    assert Counter(row["type"] for row in entries.values()).most_common(1)[0][0] == "bill_payment"
    assert {row["subsidiary"]["erp_reference_id"] for row in requests.values()} == {"0010", "20", "0030"}


def test_each_flaw_of_the_demos_spend_is_where_it_is_said_to_be(demo: Sandbox) -> None:
    requests, entries = demo.airbase.purchase_requests, demo.airbase.ledger_entries

    def only(flaw: str) -> str:
        (key,) = demo.flaws[flaw]
        return key

    department = requests[only("request: department not in IFS")]["line_items"][0]["tags"][0]
    assert department["erp_reference_id"] == "CC999"
    assert requests[only("request: purchase type not configured")]["purchase_type"] == "Unheard of"
    foreign = requests[only("request: foreign currency")]
    assert (foreign["currency"]["iso_code"], foreign["subsidiary"]["erp_reference_id"]) == ("USD", "0010")
    assert entries[only("ledger entry: bank account not in IFS")]["bank_account"]["erp_reference_id"] == "1999"
    assert Decimal(entries[only("ledger entry: nothing was paid")]["total_amount"]) == 0
    assert entries[only("ledger entry: three decimals")]["total_amount"] == "12.345"
    name = only("vendor: name of two suppliers")
    suppliers = [row for row in demo.ifs.rows("SupplierSet") if (row["Name"] or "").casefold() == name.casefold()]
    assert len(suppliers) == 2 and name in {row["name"] for row in demo.airbase.vendors.values()}
