"""Supplier invoices of IFS as bills of Airbase: beside their order, to the cent, once, and told where they differ."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from mlc_dagster.systems.airbase.bills.shape import BillShape
from mlc_dagster_tests.promises.ledgered_room import Room, rules_of
from mlc_dagster_tests.systems.airbase.bills.conftest import PATHS, bills, by_hand

FLOW, BACK = "airbase/supplier_invoices", "ifs/vouchers_from_airbase_bills"
WITH_TAX = {"VatAmount": Decimal("25.00"), "GrossAmount": Decimal("125.00")}


def test_an_invoice_is_a_bill_beside_its_order_with_its_tax_to_the_cent(room: Room) -> None:
    room.proposal(1, PoReference="P1", **WITH_TAX)
    assert room.go(FLOW)["created"] == 1
    bill = bills(room)["0010/1"]
    assert (bill["invoice_number"], bill["vendor"]["erp_reference_id"]) == ("F-1", "S1")
    assert (bill["purchase_order"]["erp_reference_id"], bill["subsidiary"]["erp_reference_id"]) == ("P1", "0010")
    assert (bill["total_amount"], bill["entry_date"], bill["due_date"]) == ("125.00", "2026-11-04", "2026-12-04")
    lines = [(line["erp_reference_id"], line["amount"], line.get("account")) for line in bill["expense_list"]]
    assert lines == [("0010/1/1", "100.00", {"erp_reference_id": "4010"}), ("0010/1/tax", "25.00", None)]
    assert bill["status"] == "draft", "nothing is paid by what we send"

    writes = len(room.box.journal("airbase"))
    assert room.go(FLOW).get("unchanged") == 1 and len(room.box.journal("airbase")) == writes
    assert not room.said(FLOW) and room.look(FLOW).there == 1 and not room.said(FLOW)


def test_an_invoice_that_changes_changes_its_bill_and_a_lost_answer_doubles_none(room: Room) -> None:
    room.box.faults.add(system="airbase", method="POST", path="bills/bulk", drop="after")
    room.proposal(1, PoReference="P1")
    room.go(FLOW)
    room.go(FLOW)
    assert len(bills(room)) == 1
    room.proposal(1, "150.00", PoReference="P1")
    assert room.go(FLOW)["updated"] == 1
    assert bills(room)["0010/1"]["total_amount"] == "150.00"


def test_an_invoice_without_an_order_is_a_bill_of_its_own(room: Room) -> None:
    room.proposal(1)
    room.go(FLOW)
    assert bills(room)["0010/1"]["purchase_order"] is None


def test_an_invoice_waits_for_the_order_that_it_names_and_then_stands_beside_it(room: Room) -> None:
    room.proposal(1, PoReference="P9")
    room.go(FLOW)
    assert rules_of(room.holds(FLOW)) == {"0010/1": ["order_is_delivered"]} and not bills(room)
    room.order("P9", "200.00")
    room.go("airbase/purchase_orders", FLOW)
    assert bills(room)["0010/1"]["purchase_order"]["erp_reference_id"] == "P9" and not room.holds(FLOW)


def test_what_is_billed_beyond_its_order_is_told_without_tax_and_closed_when_the_order_grows(room: Room) -> None:
    room.proposal(1, "150.00", PoReference="P1", VatAmount=Decimal("50.00"), GrossAmount=Decimal("200.00"))
    room.go(FLOW)
    assert not room.said(FLOW), "an order states no tax: 150 of 200"
    room.proposal(2, "80.00", PoReference="P1")
    room.go(FLOW)
    assert room.said(FLOW) == [("0010/2", "invoiced_more_than_ordered", "total_amount", "230.00", "200.00")]
    ((amount, currency),) = {(one.amount, one.currency) for one in room.ledger.differences.open(FLOW)}
    assert (amount, currency) == ("30.00", "SEK") and len(bills(room)) == 2, "told, and delivered all the same"

    room.order("P1", "230.00")
    room.go("airbase/purchase_orders")
    room.proposal(2, "80.00", PoReference="P1", Text="Seen")
    room.go(FLOW)
    assert not room.said(FLOW)


@pytest.mark.parametrize("status", ["void", "voided"])
def test_a_bill_that_airbase_voided_is_told_and_does_not_come_back(room: Room, status: str) -> None:
    room.proposal(1, PoReference="P1")
    room.go(FLOW)
    which = bills(room)["0010/1"]["airbase_id"]
    room.box.airbase.change_bill(which, status=status)
    room.look(FLOW)
    ((key, kind, *_),) = room.said(FLOW)
    assert (key, kind) == ("0010/1", "voided_in_the_target")
    ((amount, currency),) = {(one.amount, one.currency) for one in room.ledger.differences.open(FLOW)}
    assert (amount, currency) == ("100.00", "SEK")

    room.proposal(1, "150.00", PoReference="P1")
    room.go(FLOW)
    assert rules_of(room.holds(FLOW)) == {"0010/1": ["was_cancelled_by_a_person"]}
    assert bills(room)["0010/1"]["total_amount"] == "100.00" and len(bills(room)) == 1
    assert [kind for _, kind, *_ in room.said(FLOW)] == ["voided_in_the_target"], "no load closes a difference"


def test_an_invoice_that_ifs_cancels_after_delivery_is_told_with_its_amount(room: Room) -> None:
    room.proposal(1, PoReference="P1")
    room.go(FLOW)
    room.proposal(1, PoReference="P1", ObjState="Cancelled")
    room.go(FLOW)
    ((key, kind, *_),) = room.said(FLOW)
    assert (key, kind) == ("0010/1", "taken_back")
    assert bills(room)["0010/1"]["total_amount"] == "100.00" and len(bills(room)) == 1


def test_a_bill_whose_amount_a_person_edits_is_told_with_both_amounts(room: Room) -> None:
    room.proposal(1, PoReference="P1")
    room.go(FLOW)
    which = bills(room)["0010/1"]["airbase_id"]
    (line,) = bills(room)["0010/1"]["expense_list"]
    room.box.airbase.change_bill(which, expense_list=[{**line, "amount": "90.00"}], total_amount="90.00")
    room.look(FLOW)
    told = {(field, ours, theirs) for _, _, field, ours, theirs in room.said(FLOW)}
    assert told == {("total_amount", "100.00", "90.00"), ("expense_list[1].amount", "100.00", "90.00")}


def test_a_bill_that_a_person_entered_becomes_the_invoice_and_is_not_doubled(room: Room) -> None:
    which = by_hand(room, invoice_number="f-1 ")
    room.proposal(1, PoReference="P1")
    room.go(FLOW)
    ((key, bill),) = bills(room).items()
    assert (key, bill["airbase_id"]) == ("0010/1", which)
    assert bill["purchase_order"]["erp_reference_id"] == "P1"


def test_a_bill_of_the_same_number_and_another_amount_holds_its_invoice_with_both(room: Room) -> None:
    by_hand(room, total_amount="99.00", expense_list=[{"description": "Service", "amount": "99.00", "account": None}])
    room.proposal(1, PoReference="P1")
    room.go(FLOW)
    ((rule, reason),) = room.holds(FLOW)["0010/1"]
    assert rule == "target_accepts_it" and "99.00 SEK" in reason and "100.00 SEK" in reason
    assert len(bills(room)) == 1


def test_a_bill_that_is_in_the_books_as_a_voucher_is_not_sent_a_second_time(room: Room) -> None:
    by_hand(room, erp_reference_id="0010/M/2026/7")
    room.proposal(1, PoReference="P1")
    room.go(FLOW)
    ((_, reason),) = room.holds(FLOW)["0010/1"]
    assert "0010/M/2026/7" in reason and len(bills(room)) == 1


def test_one_invoice_registered_twice_in_the_erp_is_one_bill(room: Room) -> None:
    for number in (1, 2):
        room.proposal(number, PoReference="P1", InvoiceNo="F-1")
    room.go(FLOW)
    assert not bills(room) and set(room.holds(FLOW)) == {"0010/1", "0010/2"}
    assert "0010/1 and 0010/2 are one bill by vendor and number" in str(room.holds(FLOW))

    room.proposal(2, PoReference="P1", InvoiceNo="F-1", ObjState="Cancelled")
    room.go(FLOW)
    assert list(bills(room)) == ["0010/1"]
    room.proposal(3, PoReference="P1", InvoiceNo="F-1")
    room.go(FLOW)
    assert "carries the key 0010/1, not 0010/3" in str(room.holds(FLOW)["0010/3"]) and len(bills(room)) == 1


def test_a_field_that_airbase_takes_and_does_not_keep_is_no_delivery_and_one_it_lacks_is_left_out(room: Room) -> None:
    room.box.airbase.read_only_bills = ("due_date",)
    room.proposal(1, PoReference="P1")
    room.go(FLOW)
    ((_, reason),) = room.holds(FLOW)["0010/1"]
    assert "due_date" in reason and "airbase.bill_fields" in reason

    room.says("airbase", paths=PATHS, bill_fields={"due_date": ""})
    room.go(FLOW)
    assert not room.holds(FLOW) and len(bills(room)) == 1


def test_a_bill_of_ours_that_comes_back_as_a_ledger_entry_is_not_entered_again(room: Room) -> None:
    room.says("airbase", paths=PATHS, types={"bill": "bill"}, payments_into_ifs="true", ap_account="2440")
    room.proposal(1, PoReference="P1")
    room.go(FLOW)
    same = {"invoice_number": "F-1", "vendor": bills(room)["0010/1"]["vendor"]["airbase_id"], "account": "4010"}
    room.box.airbase.add_entry(airbase_id="e-1", type="bill", total_amount="100.00", department=None, **same)
    other = room.box.airbase.add_entry(
        type="bill", total_amount="70.00", department=None, **{**same, "invoice_number": "F-2"}
    )
    room.go(BACK)
    assert list(room.ledger.remote_ids(BACK)) == [other], "the invoice is in the ERP's books already"
    room.go("airbase/payments_acknowledged")
    assert room.box.airbase.ledger_entries["e-1"]["erp_reference_id"] == "0010/1"


def test_a_shape_of_another_tenant_puts_each_field_where_that_has_it() -> None:
    shape = BillShape(own={"invoice_number": "document.number", "state": "custom.erp_state", "purchase_order": ""})
    body: dict[str, Any] = shape.body(_bill(), None)
    assert body["document"] == {"number": "F-1"} and body["custom"] == {"erp_state": "Balanced"}
    assert "purchase_order" not in body and "invoice_number" not in body
    assert shape.identity({"vendor": {"airbase_id": "v"}, "document": {"number": " F-1"}}) == "v/f-1"


def _bill() -> Any:
    from mlc_dagster.systems.airbase.bills.records import Bill

    return Bill(
        key="0010/1",
        company="0010",
        subsidiary="0010",
        supplier_no="S1",
        supplier_id="v",
        invoice_number="F-1",
        order_no="P1",
        purchase_id="o",
        currency="SEK",
        decimals=2,
        state="Balanced",
    )
