"""The sandboxed Procurify's purchase orders, bills and vendors are what they are on the wire."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx
import pytest

from mlc_dagster.sandbox import Sandbox
from mlc_dagster.sandbox.procurify.lines import Cost, Line
from mlc_dagster_tests.sandbox.conftest import json_of, listed

BILLS, ORDERS, VENDORS = "/api/v3/ap/bills/", "/api/v2/purchase_orders/purchased/all/", "/api/v3/vendors/"
VENDOR = {"name": "Acme", "email": [], "type": 3, "overall_score": None}
MARCH = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_a_list_of_orders_has_no_lines_and_one_order_has(box: Sandbox, procurify: httpx.Client) -> None:
    lines = [
        Line("500", quantity="10", tax="25"),
        Line("100", splits=(("4010", "Operations", "40"), ("4011", "R&D", "60"))),
    ]
    number = box.procurify.put_purchase_order(lines=lines, freight="20", currency="CAD")
    (row,) = listed(procurify, ORDERS)
    assert "order_items" not in row and row["total"] == "645.00"
    by_number, by_uuid = (
        json_of(procurify.get(f"/api/v2/purchase_orders/{which}/"))["data"] for which in (number, row["uuid"])
    )
    assert by_number == by_uuid
    first, second = by_number["order_items"]
    assert (first["price"], first["total_cost"], first["quantity"]) == ("50.00000000", "500.00", Decimal("10.0"))
    assert first["account"]["department"]["external_id"] == "CC100" and first["spend_allocation"] == []
    assert [each["amount"] for each in second["spend_allocation"]] == ["40.00", "60.00"]
    assert second["spend_allocation"][1]["account"]["department"]["name"] == "R&D"


def test_orders_are_listed_by_status_with_counts(box: Sandbox, procurify: httpx.Client) -> None:
    for state in (0, 1, 3, 4, 5):
        box.procurify.put_purchase_order(state=state)
    answer = procurify.get("/api/v2/purchase_orders/purchased/open/").json()
    assert [row["state"] for row in answer["data"]] == [0, 5]
    assert answer["metadata"]["counts"] == {"all": 5, "cancelled": 1, "closed": 1, "open": 2, "paid": 1, "partial": 0}


def test_one_bill_is_found_by_its_uuid_without_dashes_alone(box: Sandbox, procurify: httpx.Client) -> None:
    bill = box.procurify.put_bill()
    (row,) = listed(procurify, BILLS)
    assert row["uuid"].count("-") == 4 and row["uuid"].replace("-", "") == bill
    assert row["items"] == [row["id"] * 100 + 1] and "costs" not in row
    assert procurify.get(f"/api/v2/ap/bills/{bill}/").status_code == 200
    assert procurify.get(f"/api/v2/ap/bills/{row['uuid']}/").status_code == 404
    assert procurify.get(f"/api/v2/ap/bills/{bill.upper()}/").status_code == 404


def test_a_bills_totals_are_floats_and_its_parts_are_texts(box: Sandbox, procurify: httpx.Client) -> None:
    order = box.procurify.put_purchase_order(lines=[Line("500")])
    lines = [Line("500", tax="25", po=order, quantity="10"), Line("110", tax="10", tax_inclusive=True, shipping="5")]
    bill = box.procurify.put_bill(lines=lines, costs=[Cost("Freight", "20")], shipping="2.5")
    answer = procurify.get(f"/api/v2/ap/bills/{bill}/")
    found = json_of(answer)["data"]
    assert {name: found[name] for name in found if name.endswith(("cost", "amount", "with_tax"))} == {
        "subtotal_cost": Decimal("610.0"),
        "total_cost": Decimal("630.0"),
        "tax_amount": Decimal("35.0"),
        "inclusive_tax_amount": Decimal("10.0"),
        "exclusive_tax_amount": Decimal("25.0"),
        "shipping_amount": Decimal("7.5"),
        "total_cost_with_tax": Decimal("662.5"),
        "converted_total_cost": Decimal("662.5"),
    }
    assert b'"total_cost_with_tax":662.5' in answer.content and b'"quantity":"10.00"' in answer.content
    assert found["items"][0]["po"]["id"] == order == found["added_purchase_orders"][0]["id"]
    assert found["items"][0]["cost_allocations"][0]["amount"] == "500.00"
    assert found["costs"][0]["cost_allocation"]["budget"]["account_code"]["code"] == "4310"


def test_amounts_keep_the_decimals_of_their_currency(box: Sandbox, procurify: httpx.Client) -> None:
    bills = [
        box.procurify.put_bill(lines=[Line(amount)], currency=currency)
        for amount, currency in (("12.345", "KWD"), ("5000", "JPY"), ("-0.1", "SEK"))
    ]
    found = [json_of(procurify.get(f"/api/v2/ap/bills/{bill}/"))["data"] for bill in bills]
    assert [bill["total_cost_with_tax"] for bill in found] == [Decimal("12.345"), Decimal("5000.0"), Decimal("-0.1")]
    texts = [bill["items"][0]["cost_allocations"][0]["amount"] for bill in found]
    assert texts == ["12.345", "5000.00", "-0.10"]


def test_what_is_given_wins_over_what_is_computed(box: Sandbox, procurify: httpx.Client) -> None:
    bill = box.procurify.put_bill(
        lines=[Line("10", department=None, splits=None)], total_cost_with_tax="11", uuid="ab-1"
    )
    found = json_of(procurify.get(f"/api/v2/ap/bills/{bill}/"))["data"]
    assert bill == "ab1" and found["total_cost_with_tax"] == Decimal(11)
    assert found["items"][0]["cost_allocations"][0]["budget"]["department"] is None


# --- vendors --------------------------------------------------------------------------------------------------------


def test_the_usual_list_has_active_vendors_and_the_whole_one_has_all(box: Sandbox, procurify: httpx.Client) -> None:
    here = box.procurify.put_vendor(name="Here", external_id="S-1", currency="SEK")
    gone = box.procurify.put_vendor(name="Gone, and Closed", active=False)
    assert [row["id"] for row in listed(procurify, VENDORS)] == [here]
    assert [row["id"] for row in listed(procurify, f"{VENDORS}all/")] == [here, gone]
    assert [row["id"] for row in listed(procurify, VENDORS, external_id="S-1")] == [here]
    assert [row["id"] for row in listed(procurify, f"{VENDORS}all/", name="Gone, and Closed")] == [gone]


def test_a_new_vendor_needs_four_fields(box: Sandbox, procurify: httpx.Client) -> None:
    refused = procurify.post(VENDORS, json={"name": "Acme"})
    required = {name: ["This field is required."] for name in ("email", "type", "overall_score")}
    assert (refused.status_code, refused.json()) == (400, required)
    made = procurify.post(VENDORS, json={**VENDOR, "external_id": "S-1", "unknown": 1})
    assert made.status_code == 201 and "unknown" not in made.json()["data"]
    assert box.procurify.vendors[made.json()["data"]["id"]]["external_id"] == "S-1"
    assert [(entry["method"], entry["id"]) for entry in box.journal("procurify")] == [("POST", "81")]


@pytest.mark.parametrize(
    "changes",
    [
        {"name": " "},
        {"name": "x" * 151},
        {"email": "a@b.example"},
        {"email": ["nobody"]},
        {"type": 5},
        {"currency": 99},
        {"currency": "SEK"},
        {"external_id": "x" * 101},
        {"country": None},
        {"active": "yes"},
    ],
)
def test_a_vendor_that_does_not_hold_is_refused(box: Sandbox, procurify: httpx.Client, changes: Any) -> None:
    answer = procurify.post(VENDORS, json={**VENDOR, **changes})
    assert answer.status_code == 400 and list(answer.json()) == list(changes)
    assert box.procurify.vendors == {}


def test_an_empty_patch_still_moves_the_date_on(box: Sandbox, procurify: httpx.Client) -> None:
    vendor = box.procurify.put_vendor(name="Acme", dateModified=MARCH)
    answer = procurify.patch(f"{VENDORS}{vendor}/", json={})
    found = box.procurify.vendors[vendor]
    assert answer.status_code == 200 and found["name"] == "Acme"
    assert datetime.fromisoformat(found["dateModified"]) > MARCH


def test_a_bill_shows_its_vendor_as_it_is_today(box: Sandbox, procurify: httpx.Client) -> None:
    vendor = box.procurify.put_vendor(name="Acme")
    bill = box.procurify.put_bill(vendor)
    procurify.patch(f"{VENDORS}{vendor}/", json={"external_id": "S-1"})
    assert procurify.get(f"/api/v2/ap/bills/{bill}/").json()["data"]["vendor"]["external_id"] == "S-1"


def test_a_put_is_whole_and_a_patch_is_of_what_it_names(box: Sandbox, procurify: httpx.Client) -> None:
    vendor = box.procurify.put_vendor(name="Acme", city="Lund")
    assert procurify.put(f"{VENDORS}{vendor}/", json={"city": "Malmö"}).status_code == 400
    assert procurify.patch(f"{VENDORS}{vendor}/", json={"city": "Malmö"}).json()["data"]["city"] == "Malmö"
    assert procurify.put(f"{VENDORS}{vendor}/", json={**VENDOR, "name": "Acme 2"}).status_code == 200
    assert box.procurify.vendors[vendor]["name"] == "Acme 2"


def test_a_number_that_is_taken_is_not_given_again(box: Sandbox) -> None:
    assert [box.procurify.put_vendor(id=82), box.procurify.put_vendor(), box.procurify.put_vendor()] == [82, 83, 84]
    bills = [box.procurify.put_bill(id=702), box.procurify.put_bill()]
    assert [box.procurify.bills[bill]["id"] for bill in bills] == [702, 703]
