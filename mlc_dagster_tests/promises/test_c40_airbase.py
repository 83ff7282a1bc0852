"""C40: what people do to vendors, orders and entries in Airbase is told by the next look, and nothing comes back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from mlc_dagster_tests.promises.ledgered_room import Room, room_on, rules_of

VENDORS, ORDERS = "airbase/vendors", "airbase/purchase_orders"
PAYMENTS, WORDS = "ifs/vouchers_from_airbase_payments", "airbase/payments_acknowledged"


@pytest.fixture
def room(ledger_url: str, tmp_path: Path) -> Iterator[Room]:
    with room_on(ledger_url, tmp_path) as made:
        for number in ("S1", "S2"):
            made.supplier(number)
        for number in ("P1", "P2"):
            made.order(number)
        made.go(VENDORS, ORDERS)
        yield made


def ids(room: Room, kind: str) -> dict[str, str]:
    """The ERP's key -> Airbase's id."""
    return {row["erp_reference_id"]: row["airbase_id"] for row in getattr(room.box.airbase, kind).values()}


def words_told(room: Room) -> None:
    for number in (1, 2):
        room.box.airbase.add_entry(
            airbase_id=f"pay-{number}", total_amount=f"{number}2.50", invoice_number=f"I-{number}"
        )
    room.go(PAYMENTS)
    room.go(WORDS)


@pytest.mark.promise("C40", "a target that nobody touched is in agreement")
@pytest.mark.parametrize("flow", [VENDORS, ORDERS, WORDS])
def test_what_nobody_touched_agrees_at_the_first_look_and_the_second(room: Room, flow: str) -> None:
    words_told(room)
    for _ in range(2):
        account = room.look(flow)
        assert (account.checked, account.there, account.unknown) == (2, 2, 0), room.said(flow)
    assert not room.said(flow)


@pytest.mark.promise("C40", "an order whose amount was edited by hand is told with the amount")
def test_an_order_that_a_person_edits_is_told_and_its_neighbour_is_not(room: Room) -> None:
    which = ids(room, "purchase_orders")["P1"]
    (line,) = room.box.airbase.purchase_orders[which]["line_items"]
    more = {"quantity": "2", "unit_price": "99.50", "amount": "199.00"}
    room.box.airbase.change_order(which, line_items=[{**line, **more}], total_amount="199.00")
    room.look(ORDERS)
    assert {(key, field, ours, theirs) for key, _, field, ours, theirs in room.said(ORDERS)} == {
        ("P1", "total_amount", "21.00", "199.00"),
        ("P1", "line_items[P1/1/1].amount", "21.00", "199.00"),
        ("P1", "line_items[P1/1/1].unit_price", "10.5", "99.50"),
    }
    (at_stake,) = {(one.amount, one.currency) for one in room.ledger.differences.open(ORDERS) if one.amount}
    assert at_stake == ("178.00", "SEK")


@pytest.mark.promise("C40", "a line that a person adds to an order is told")
def test_a_line_that_a_person_adds_is_told(room: Room) -> None:
    which = ids(room, "purchase_orders")["P1"]
    (line,) = room.box.airbase.purchase_orders[which]["line_items"]
    added = {**line, "erp_reference_id": "", "amount": "1.00", "quantity": "1", "unit_price": "1.00"}
    room.box.airbase.change_order(which, line_items=[line, added], total_amount="22.00")
    room.look(ORDERS)
    assert ("P1", "edited_in_the_target", "line_items", "1", "2") in room.said(ORDERS)


def delete_vendor(room: Room) -> None:
    room.box.airbase.delete("vendors", ids(room, "vendors")["S1"])


def delete_order(room: Room) -> None:
    room.box.airbase.delete("purchase_orders", ids(room, "purchase_orders")["P1"])


def void_order(room: Room) -> None:
    room.box.airbase.change_order(ids(room, "purchase_orders")["P1"], status="voided")


GONE: dict[str, tuple[str, str, Callable[[Room], None], str, str]] = {
    "vendor": (VENDORS, "vendors", delete_vendor, "deleted_in_the_target", "deleted_in_the_target"),
    "order": (ORDERS, "purchase_orders", delete_order, "deleted_in_the_target", "deleted_in_the_target"),
    "voided order": (ORDERS, "purchase_orders", void_order, "voided_in_the_target", "was_cancelled_by_a_person"),
}


@pytest.mark.promise("C40", "what people delete or void in Airbase is told, and does not come back with a change")
@pytest.mark.parametrize("name", GONE)
def test_what_people_end_is_told_and_does_not_come_back(room: Room, name: str) -> None:
    flow, kind, act, told, rule = GONE[name]
    act(room)
    there = ids(room, kind)
    room.look(flow)
    ((key, found, field, *_),) = room.said(flow)
    assert (key, found, field) == ("S1" if flow == VENDORS else "P1", told, "")

    room.supplier("S1", Name="Another AB")
    room.order("P1", amount="31.00")
    room.go(flow)
    assert ids(room, kind) == there
    assert rules_of(room.holds(flow)) == {key: [rule]}
    assert [kind for _, kind, *_ in room.said(flow)] == [told], "no load closes a difference"


@pytest.mark.promise("C40", "a vendor that people make anew under our key is told as merged")
def test_a_vendor_that_stands_under_another_id_is_told_with_it(room: Room) -> None:
    delete_vendor(room)
    anew = room.box.airbase.add_vendor(name="Supplier S1", erp_reference_id="S1")
    room.look(VENDORS)
    assert ("S1", "merged_in_the_target", "", anew) in [
        (k, kind, f, theirs) for k, kind, f, _, theirs in room.said(VENDORS)
    ]


@pytest.mark.promise("C40", "a vendor and an order under a key of the ERP that nobody delivered are told")
def test_what_carries_a_key_that_nobody_delivered_is_extra(room: Room) -> None:
    made = room.box.airbase.add_vendor(name="By hand", erp_reference_id="S9")
    room.look(VENDORS)
    assert [(key, kind, field) for key, kind, field, *_ in room.said(VENDORS)] == [("S9", "extra_in_the_target", made)]


@pytest.mark.promise("C40", "word of a voucher that people take back in Airbase is told")
def test_an_entry_that_is_set_back_in_airbase_is_told(room: Room) -> None:
    words_told(room)
    room.box.airbase.change("ledger_entries", "pay-1", status="sync_ready")
    room.look(WORDS)
    assert room.said(WORDS) == [("pay-1", "edited_in_the_target", "status", "sync_complete", "sync_ready")]


@pytest.mark.promise("C40", "a look costs a page of a list for a hundred vendors, not a call for each")
def test_a_look_at_many_reads_the_list(room: Room) -> None:
    for number in range(3, 33):
        room.supplier(f"S{number}")
    room.go(VENDORS)
    room.box.forget_calls()
    account = room.look(VENDORS)
    assert account.there == 32 and sum(room.box.calls("airbase").values()) <= 4


@pytest.mark.promise("C40", "sums tell by how much a target has more")
def test_the_sums_of_both_sides_are_told_by_currency(room: Room) -> None:
    which = ids(room, "purchase_orders")["P1"]
    (line,) = room.box.airbase.purchase_orders[which]["line_items"]
    more = {"quantity": "1", "unit_price": "121.00", "amount": "121.00"}
    room.box.airbase.change_order(which, line_items=[{**line, **more}], total_amount="121.00")
    account = room.look(ORDERS)
    (sums,) = account.sums.values()
    assert Decimal("100.00") in (sums.theirs - sums.ours, sums.ours - sums.theirs)
