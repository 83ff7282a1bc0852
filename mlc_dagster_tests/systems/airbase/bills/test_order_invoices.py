"""Where Airbase takes no bills: what is invoiced stands on the order, line by line, with its sum."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from mlc_dagster_tests.promises.ledgered_room import Room, rules_of
from mlc_dagster_tests.systems.airbase.bills.conftest import PATHS

FLOW = "airbase/order_invoices"
FIELDS = {"invoices": "invoices", "amount": "invoiced_amount", "state": "invoice_state"}


@pytest.fixture
def told(room: Room) -> Room:
    room.says("airbase", paths={**PATHS, "bills": "", "bills_bulk": ""}, order_invoices=FIELDS)
    return room


def order(room: Room, number: str = "P1") -> dict[str, Any]:
    return next(row for row in room.box.airbase.purchase_orders.values() if row["erp_reference_id"] == number)


def shown(room: Room, number: str = "P1") -> tuple[str, str, list[str]]:
    row = order(room, number)
    return row["invoiced_amount"], row["invoice_state"], row["invoices"].splitlines()


def test_two_invoices_of_an_order_make_its_sum_to_the_cent_and_the_second_pass_writes_nothing(told: Room) -> None:
    told.proposal(1, "100.10", PoReference="P1", VatAmount=Decimal("25.03"), GrossAmount=Decimal("125.13"))
    told.proposal(2, "50.05", PoReference="P1", ObjState="Posted")
    assert told.go(FLOW)["created"] == 2
    lines = ["0010/1 F-1: 125.13 SEK, net 100.10, Balanced", "0010/2 F-2: 50.05 SEK, net 50.05, Posted"]
    assert shown(told) == ("150.15", "Balanced, Posted", lines)
    writes = len(told.box.journal("airbase"))
    assert told.go(FLOW)["unchanged"] == 2 and len(told.box.journal("airbase")) == writes
    assert told.look(FLOW).there == 2 and not told.said(FLOW)


def test_the_order_keeps_what_is_invoiced_when_the_order_itself_is_sent_again(told: Room) -> None:
    told.proposal(1, PoReference="P1")
    told.go(FLOW)
    told.order("P1", "210.00")
    told.go("airbase/purchase_orders")
    assert order(told)["total_amount"] == "210.00" and shown(told)[0] == "100.00"


def test_a_cancelled_invoice_stays_in_sight_and_counts_for_nothing(told: Room) -> None:
    for number in (1, 2):
        told.proposal(number, PoReference="P1")
    told.go(FLOW)
    told.proposal(1, PoReference="P1", ObjState="Cancelled")
    told.go(FLOW)
    amount, state, lines = shown(told)
    assert (amount, state) == ("100.00", "Cancelled, Balanced")
    assert lines[0] == "0010/1 F-1: not counted: 100.00 SEK, net 100.00, Cancelled"


def test_an_invoice_larger_than_its_order_is_told(told: Room) -> None:
    told.proposal(1, "300.00", PoReference="P1")
    told.go(FLOW)
    assert told.said(FLOW) == [("0010/1", "invoiced_more_than_ordered", "total_amount", "300.00", "200.00")]


def test_an_invoice_without_an_order_is_no_matter_of_it_and_one_that_names_another_waits(told: Room) -> None:
    told.proposal(1)
    told.proposal(2, PoReference="P9")
    told.go(FLOW)
    assert rules_of(told.holds(FLOW)) == {"0010/2": ["order_is_delivered"]}


def test_an_invoice_that_names_another_order_by_now_leaves_the_first_one(told: Room) -> None:
    told.order("P2", "500.00")
    told.go("airbase/purchase_orders")
    told.proposal(1, PoReference="P1")
    told.go(FLOW)
    told.proposal(1, PoReference="P2")
    told.go(FLOW)
    assert shown(told) == ("0", "", []) and shown(told, "P2")[0] == "100.00"


def test_what_a_person_wrote_into_the_field_is_not_written_over(told: Room) -> None:
    which = order(told)["airbase_id"]
    told.box.airbase.change_order(which, invoices="call Ann before paying")
    told.proposal(1, PoReference="P1")
    told.go(FLOW)
    ((_, reason),) = told.holds(FLOW)["0010/1"]
    assert "call Ann" in reason and "airbase.order_invoices" in reason
    assert order(told)["invoices"] == "call Ann before paying"


def test_a_line_that_a_person_takes_away_or_edits_is_told_and_does_not_come_back(told: Room) -> None:
    for number in (1, 2):
        told.proposal(number, PoReference="P1")
    told.go(FLOW)
    which, lines = order(told)["airbase_id"], shown(told)[2]
    told.box.airbase.change_order(which, invoices=lines[1].replace("100.00", "90.00"))
    told.look(FLOW)
    kinds = {(key, kind) for key, kind, *_ in told.said(FLOW)}
    assert kinds == {("0010/1", "deleted_in_the_target"), ("0010/2", "edited_in_the_target")}
    told.proposal(1, "110.00", PoReference="P1")
    told.go(FLOW)
    assert rules_of(told.holds(FLOW)) == {"0010/1": ["deleted_in_the_target"]} and len(shown(told)[2]) == 1


def test_orders_that_do_not_keep_the_field_are_no_delivery(told: Room) -> None:
    told.box.airbase.read_only_orders = ("invoices",)
    told.proposal(1, PoReference="P1")
    told.go(FLOW)
    ((_, reason),) = told.holds(FLOW)["0010/1"]
    assert "did not keep invoices" in reason


def test_an_invoice_in_another_currency_than_its_order_makes_no_sum(told: Room) -> None:
    told.proposal(1, PoReference="P1", CurrencyCode="EUR", CurrencyRate=Decimal(11))
    told.go(FLOW)
    ((_, reason),) = told.holds(FLOW)["0010/1"]
    assert "SEK" in reason and "EUR" in reason


def test_both_ways_are_off_until_they_are_given_and_never_on_at_once(told: Room) -> None:
    def off(**said: Any) -> set[str]:
        told.says("airbase", **said)
        found = told.settings.connections["airbase"].switched_off  # type: ignore[attr-defined]
        return {name for name in ("airbase/supplier_invoices", FLOW) if name in found}

    none = {**PATHS, "bills": ""}
    assert off(paths=none, order_invoices=None) == {"airbase/supplier_invoices", FLOW}
    assert off(paths=none, order_invoices=FIELDS) == {"airbase/supplier_invoices"}
    assert off(paths=PATHS, order_invoices=FIELDS) == {FLOW}
