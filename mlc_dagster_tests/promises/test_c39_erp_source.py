"""C39, where the ERP is the source: deleted, cancelled, registered anew, after it was delivered."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from mlc_dagster.core.difference_kinds import CHANGED_AFTER_POSTING, GONE_IN_THE_SOURCE, TAKEN_BACK
from mlc_dagster.core.flows import Problem
from mlc_dagster.ledger import Decision, Run
from mlc_dagster.ledger.records.decisions import DecisionRefused
from mlc_dagster.ledger.records.differences import Found
from mlc_dagster.ledger.tables import deliveries
from mlc_dagster.pipeline.decisions import decided
from mlc_dagster.pipeline.sweep_parts import turn_of
from mlc_dagster.sandbox.monday.seed import BOARDS
from mlc_dagster_tests.promises.kinds import now
from mlc_dagster_tests.promises.later import Room, room_at

pytestmark = pytest.mark.promise(
    "C39", "what the ERP takes back after delivery is a difference, once, until both agree"
)

ORDERS, INVOICES, COMPANIES = "cin7/purchases", "hubspot/invoices", "hubspot/supplier_companies"


@pytest.fixture
def room(ledger_url: str, tmp_path: Path) -> Iterator[Room]:
    """On both databases."""
    with room_at(ledger_url, tmp_path) as made:
        yield made


@pytest.fixture
def small(sqlite_url: str, tmp_path: Path) -> Iterator[Room]:
    """On SQLite alone."""
    with room_at(sqlite_url, tmp_path) as made:
        yield made


@dataclass(frozen=True)
class Kind:
    """A flow, how two records of it are entered, and how the second is deleted."""

    flow: str
    put: Callable[[Room, int], None]
    delete: Callable[[Room, int], None]
    first: tuple[str, ...] = ()
    key: str = "P2"
    amount: str | None = None
    currency: str | None = "SEK"


def _orders(room: Room, number: int) -> None:
    room.order(f"P{number}")


def _without_order(room: Room, number: int) -> None:
    room.delete("PurchaseOrderSet", OrderNo=f"P{number}")


def _without_proposal(room: Room, number: int) -> None:
    room.delete("PostingProposalHeadSet", Company="0010", ProposalId=number)


def delivered(room: Room, many: int = 2) -> Room:
    """So many orders, in Cin7."""
    room.supplier()
    for number in range(1, many + 1):
        room.order(f"P{number}")
    assert room.go("cin7/suppliers", ORDERS).delivered == many
    return room


KINDS = (
    Kind(ORDERS, _orders, _without_order, ("cin7/suppliers",), amount="21"),
    Kind("airbase/purchase_orders", _orders, _without_order, ("airbase/vendors",), amount="21"),
    Kind("monday/purchase_orders", _orders, _without_order, ("monday/suppliers",), amount="21"),
    Kind(
        "cin7/purchase_invoices", Room.proposal, _without_proposal, ("cin7/suppliers", ORDERS), "0010/2", amount="100"
    ),
    Kind(INVOICES, Room.proposal, _without_proposal, (COMPANIES,), "0010/2", amount="100"),
    Kind("monday/invoices", Room.proposal, _without_proposal, ("monday/suppliers",), "0010/2", amount="100"),
    Kind(
        "monday/customer_orders",
        lambda room, number: room.sale(f"P{number}"),
        lambda room, number: room.delete("CustomerOrderSet", OrderNo=f"P{number}"),
        amount="21",
        currency=None,  # its board has no column for it
    ),
    Kind(
        COMPANIES,
        lambda room, number: room.supplier(f"P{number}"),
        lambda room, number: room.delete("SupplierSet", SupplierId=f"P{number}"),
    ),
    Kind(
        "hubspot/customer_companies",
        lambda room, number: room.customer(f"P{number}"),
        lambda room, number: room.delete("CustomerSet", CustomerId=f"P{number}"),
    ),
)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.flow)
def test_what_is_deleted_after_delivery_is_told_once_with_number_amount_and_link(small: Room, kind: Kind) -> None:
    small.supplier()
    for number in (1, 2):
        kind.put(small, number)
    assert small.go(*kind.first, kind.flow).delivered >= 2
    assert small.sweep(kind.flow).gone == 0
    kind.delete(small, 2)
    told = small.sweep(kind.flow)
    assert (told.gone, told.new, told.fault) == (1, 1, "")
    (difference,) = small.ledger.differences.open(kind.flow)
    assert (difference.key, difference.kind, difference.amount) == (kind.key, GONE_IN_THE_SOURCE, kind.amount)
    assert difference.currency == (kind.currency if kind.amount else None) and difference.ours
    again = small.sweep(kind.flow)
    assert (again.gone, again.new) == (1, 0) and len(small.ledger.differences.history(kind.flow, kind.key)) == 1


def test_no_load_closes_it_and_it_closes_when_the_record_is_there_again(room: Room) -> None:
    delivered(room)
    room.delete("PurchaseOrderSet", OrderNo="P2")
    room.sweep(ORDERS)
    for _ in range(2):  # loads that run meanwhile: its neighbour is unchanged, and then changes
        room.go(ORDERS)
        assert set(room.open(ORDERS)) == {"P2"}
        room.order("P1", quantity=3)
    room.order("P2")
    assert set(room.open(ORDERS)) == {"P2"}
    assert room.sweep(ORDERS).back == 1 and room.open(ORDERS) == {}
    (closed,) = room.ledger.differences.history(ORDERS, "P2")
    assert closed.closed_by == "both sides agree"


def test_a_mass_of_them_is_one_error_and_no_difference(room: Room, caplog: pytest.LogCaptureFixture) -> None:
    delivered(room, 30)
    for number in range(5, 31):
        room.delete("PurchaseOrderSet", OrderNo=f"P{number}")
    told = room.sweep(ORDERS)
    assert "26 records" in told.fault and "rights" in told.fault and "verify.gone_at_once" in told.fault
    assert room.open(ORDERS) == {} and [record.levelname for record in caplog.records].count("ERROR") == 1
    raised = room.sweep(ORDERS, gone_at_once=30)
    assert (raised.fault, raised.new) == ("", 26)


def test_an_empty_answer_to_everything_is_an_error_too(small: Room) -> None:
    """IFS answers with nothing and 200 where the service user may not see a company."""
    delivered(small, 3)
    for number in (1, 2, 3):
        small.delete("PurchaseOrderSet", OrderNo=f"P{number}")
    assert small.sweep(ORDERS).fault and small.open(ORDERS) == {}


def test_a_hold_whose_record_is_gone_is_closed_as_gone_and_the_trail_says_so(room: Room) -> None:
    room.supplier()
    room.order("P1")
    room.order("P2", PurchaseOrderLines=[])
    room.go("cin7/suppliers", ORDERS)
    assert set(room.holds(ORDERS)) == {"P2"}
    assert room.sweep(ORDERS).ended == 0
    room.delete("PurchaseOrderSet", OrderNo="P2")
    assert room.sweep(ORDERS).ended == 1 and room.holds(ORDERS) == {} and room.open(ORDERS) == {}
    line = room.ledger.trail(ORDERS, "P2")[-1]
    assert line.event == "closed" and line.detail == "gone: the source does not have it any more"


def test_a_record_that_moved_to_another_day_is_not_gone(small: Room) -> None:
    delivered(small)
    small.order("P2", quantity=4, at=datetime(2026, 1, 5, tzinfo=UTC))  # older than the open window, by its stamp
    assert small.sweep(ORDERS).gone == 0


def test_what_is_older_than_the_window_is_looked_at_in_turn(small: Room) -> None:
    """Every record has its night; with one night in the rotation it is tonight."""
    delivered(small, 4)
    small.delete("PurchaseOrderSet", OrderNo="P3")
    with small.ledger._database.writing() as connection:
        old = update(deliveries).where(deliveries.c.flow == ORDERS).values(version="2026-01-05T09:00:00.000000Z")
        connection.execute(old)
    nights = {turn_of(f"P{number}", 30) for number in range(1, 200)}
    assert nights == set(range(30))
    assert small.sweep(ORDERS, rotation_days=1).gone == 1


def test_a_voucher_that_left_the_hold_table_is_not_gone(small: Room) -> None:
    small.voucher(1)
    small.voucher(2)
    small.go("monday/journal_entries")
    small.delete("VoucherSet", Company="0010", VoucherType="M", AccountingYear=2026, VoucherNo=2)
    told = small.sweep("monday/journal_entries")
    assert (told.unsure, told.moved_on, told.gone) == (1, 0, 0), "no set of posted vouchers is named: nobody can tell"
    assert small.open("monday/journal_entries") == {}


def test_a_night_that_ends_early_goes_on_where_it_stopped(small: Room) -> None:
    delivered(small)
    first = small.sweep(ORDERS, requests=1)
    assert first.put_off and first.parts
    second = small.sweep(ORDERS, requests=1)
    assert not set(first.parts) & set(second.parts)


@pytest.mark.parametrize(
    ("flow", "first"),
    [
        (ORDERS, ("cin7/suppliers",)),
        ("airbase/purchase_orders", ("airbase/vendors",)),
        ("cin7/purchase_invoices", ("cin7/suppliers",)),
    ],  # HubSpot's invoices are voided there, and monday's items show the state
)
def test_a_document_that_is_cancelled_after_delivery_says_something_else_than_one_that_was_never_sent(
    small: Room, flow: str, first: tuple[str, ...]
) -> None:
    put: Any = small.proposal if "invoices" in flow else small.order
    keys: tuple[Any, Any] = (1, 2) if "invoices" in flow else ("P1", "P2")
    small.supplier()
    put(keys[0])
    small.go(*first, flow)
    for key in keys:
        put(key, ObjState="Cancelled")
    small.go(flow)
    there, never = small.ledger.open_holds(flow)
    place = small.ledger.stakes.places(flow, [there.key])[there.key]
    assert there.problems[0].rule == never.problems[0].rule == "is_not_cancelled"
    assert place.number in there.problems[0].reason and "difference stays open" in there.problems[0].reason
    assert never.problems[0].reason.endswith("and the target does not have it: nothing is sent.")
    (difference,) = small.ledger.differences.open(flow)
    assert (difference.key, difference.kind, difference.theirs) == (there.key, TAKEN_BACK, "Cancelled")
    assert (difference.amount, difference.currency) == ("100" if "invoices" in flow else "21", "SEK")


def test_it_stays_open_whatever_loads_run_until_the_erp_has_it_again_or_the_target_not_any_more(room: Room) -> None:
    delivered(room)
    room.order("P2", ObjState="Cancelled")
    for _ in range(2):
        room.go(ORDERS)
        room.sweep(ORDERS)
        assert room.open(ORDERS)["P2"].kind == TAKEN_BACK and len(room.open(ORDERS)) == 1
    room.order("P2")
    room.go(ORDERS)
    assert room.open(ORDERS)["P2"].kind == TAKEN_BACK  # a load closes none
    assert room.sweep(ORDERS).back == 1 and room.open(ORDERS) == {}
    room.order("P2", ObjState="Cancelled")
    room.go(ORDERS)
    room.ledger.differences.see(ORDERS, [Found("P2", "voided_in_the_target")])
    assert room.sweep(ORDERS).back == 1 and room.open(ORDERS) == {}
    room.order("P1", quantity=5)
    room.go(ORDERS)
    assert room.open(ORDERS) == {}  # both have said it


def test_what_a_person_closed_is_not_told_again_until_it_was_delivered_anew(room: Room) -> None:
    delivered(room)
    room.delete("PurchaseOrderSet", OrderNo="P2")
    room.sweep(ORDERS)
    room.ledger.differences.close([room.open(ORDERS)["P2"].id], "ann: it stays in Cin7")
    told = room.sweep(ORDERS)
    assert (told.gone, told.new) == (0, 0) and room.open(ORDERS) == {}


def test_what_was_taken_back_and_then_deleted_is_told_once(small: Room) -> None:
    delivered(small)
    small.order("P2", ObjState="Cancelled")
    small.go(ORDERS)
    small.delete("PurchaseOrderSet", OrderNo="P2")
    small.sweep(ORDERS)
    assert [each.kind for each in small.ledger.differences.open(ORDERS)] == [TAKEN_BACK]


def test_no_release_waives_that_the_erp_cancelled_it(small: Room) -> None:
    small.supplier()
    small.order("P1", ObjState="Cancelled")
    small.go("cin7/suppliers", ORDERS)
    (hold,) = small.ledger.open_holds(ORDERS)
    with pytest.raises(DecisionRefused, match="is_not_cancelled cannot be waived: the books of the two systems"):
        small.ledger.decisions.release(hold, "ann", "send it", Run("cli"))
    assert small.holds(ORDERS) == {"P1": ("is_not_cancelled",)}


def test_a_release_of_an_earlier_version_waives_it_no_more() -> None:
    decision = Decision(ORDERS, "P1", "released", ("is_not_cancelled", "x"), "c1", "ann", "y", datetime.now(UTC))
    problems = (Problem("is_not_cancelled", "cancelled"), Problem("x", "other"))
    assert decided(decision, "", ("c1",), problems) == problems[:1]


ANEW = (
    ("cin7/purchase_invoices", ("cin7/suppliers",)),
    (INVOICES, (COMPANIES,)),
    ("monday/invoices", ("monday/suppliers",)),
)


def _invoices(room: Room, flow: str) -> int:
    """How often the target has F-1, and does not call it void."""
    if flow.startswith("cin7"):
        return sum(i["InvoiceNumber"] == "F-1" for p in room.box.cin7.purchases.values() for i in p["Invoice"])
    if flow.startswith("monday"):
        return sum(row["name"] == "F-1" for row in room.box.monday.rows(BOARDS["invoices"][0]))
    rows = [row["properties"] for row in room.box.hubspot.live("invoices").values()]
    return sum(row["hs_number"] == "F-1" and row.get("hs_invoice_status") != "voided" for row in rows)


@pytest.mark.parametrize(("flow", "first"), ANEW, ids=[flow for flow, _ in ANEW])
def test_an_invoice_that_is_registered_anew_is_held_with_both_keys(
    room: Room, flow: str, first: tuple[str, ...]
) -> None:
    room.supplier()
    room.proposal(1, number="F-1")
    room.go(*first, flow)
    room.delete("PostingProposalHeadSet", Company="0010", ProposalId=1)
    room.proposal(2, number="F-1")
    for _ in range(2):
        room.go(flow)
        assert room.holds(flow) == {"0010/2": ("is_not_registered_anew",)} and _invoices(room, flow) == 1
    (hold,) = room.ledger.open_holds(flow)
    assert "0010/1" in hold.problems[0].reason and "0010/2" in hold.problems[0].reason
    assert room.open(flow)["0010/1"].kind == GONE_IN_THE_SOURCE  # told at once, not in the night
    room.ledger.differences.close([room.open(flow)["0010/1"].id], "ann: voided there by hand")
    assert room.go(flow).created == 1 and room.holds(flow) == {}


@pytest.mark.parametrize(("flow", "first"), ANEW, ids=[flow for flow, _ in ANEW])
def test_a_number_that_the_supplier_used_twice_is_no_invoice_registered_anew(
    small: Room, flow: str, first: tuple[str, ...]
) -> None:
    """Both are in the ERP; whether they are one document is another rule's question."""
    small.supplier()
    small.proposal(1, number="F-1", at=now() - timedelta(days=3))
    small.proposal(3, number="F-3")
    small.go(*first, flow)
    small.proposal(1, number="F-1")
    small.go(flow)
    small.proposal(1, number="F-1", at=now() - timedelta(days=3))  # of another day than what is read now
    small.proposal(2, number="F-1")
    small.go(flow)
    assert all("is_not_registered_anew" not in rules for rules in small.holds(flow).values())
    assert small.open(flow) == {}


def test_where_the_target_shows_the_state_a_cancelled_invoice_is_settled(small: Room) -> None:
    """HubSpot voids it; so the one that is registered anew is the only one."""
    small.supplier()
    small.proposal(1, number="F-1")
    small.go(COMPANIES, INVOICES)
    small.proposal(1, number="F-1", ObjState="Cancelled")
    small.proposal(2, number="F-1")
    small.go(INVOICES)
    assert small.holds(INVOICES) == {} and _invoices(small, INVOICES) == 1


def test_where_the_target_keeps_a_cancelled_invoice_the_new_one_is_held(small: Room) -> None:
    flow = "cin7/purchase_invoices"
    small.supplier()
    small.proposal(1, number="F-1")
    small.go("cin7/suppliers", flow)
    small.proposal(1, number="F-1", ObjState="Cancelled")
    small.proposal(2, number="F-1")
    small.go(flow)
    assert small.holds(flow) == {"0010/1": ("is_not_cancelled",), "0010/2": ("is_not_registered_anew",)}
    assert _invoices(small, flow) == 1


def test_an_order_that_changes_after_cin7_authorised_it_is_told_until_both_agree(room: Room) -> None:
    delivered(room)
    purchase = next(each for each in room.box.cin7.purchases.values() if each["Order"]["Total"] == 21)
    purchase["Order"]["Status"] = "AUTHORISED"
    room.order("P1", quantity=4)
    room.go(ORDERS)
    assert room.holds(ORDERS) == {"P1": ("not_changed_after_posting",)}
    difference = room.open(ORDERS)["P1"]
    assert (difference.kind, difference.ours, difference.theirs) == (CHANGED_AFTER_POSTING, "42.00", "21.00")
    assert (Decimal(difference.amount or 0), difference.currency) == (21, "SEK")
    room.order("P2", quantity=3)
    room.go(ORDERS)
    assert set(room.open(ORDERS)) == {"P1"}
    room.order("P1")  # the ERP goes back to what was delivered
    room.go(ORDERS)
    room.sweep(ORDERS)
    assert room.open(ORDERS) == {}


def test_an_invoice_that_changes_after_cin7_authorised_it_is_told(small: Room) -> None:
    flow = "cin7/purchase_invoices"
    small.supplier()
    small.proposal(1)
    small.go("cin7/suppliers", flow)
    (purchase,) = small.box.cin7.purchases.values()
    (invoice,) = purchase["Invoice"]
    invoice["Status"] = "AUTHORISED"
    small.proposal(1, net="120.00")
    small.go(flow)
    assert small.holds(flow) == {"0010/1": ("not_changed_after_posting",)}
    difference = small.open(flow)["0010/1"]
    assert (difference.kind, difference.ours, difference.theirs) == (CHANGED_AFTER_POSTING, "120.00", "100.00")
