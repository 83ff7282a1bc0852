"""C41: a document under our own reference that a person cancelled is a decision, for an empty ledger too."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from mlc_dagster.pipeline import delivery
from mlc_dagster.rules.waiving import WAS_CANCELLED
from mlc_dagster.sandbox import Sandbox
from mlc_dagster.sandbox.procurify.lines import Line
from mlc_dagster.systems.monday import client
from mlc_dagster_tests.promises.kinds import now
from mlc_dagster_tests.promises.ledgered_room import Room, ledger_lost, room_on, rules_of

PAYMENTS, REQUESTS = "ifs/vouchers_from_airbase_payments", "ifs/vouchers_from_airbase_requests"
BILLS, ORDERS, VENDORS = (
    "ifs/supplier_invoices_from_procurify",
    "ifs/posting_proposals_from_procurify",
    "ifs/suppliers_from_procurify",
)
INVOICES_BOARD = "1800000004"
DATED = {"invoice_date": "2026-11-04T00:00:00Z", "due_date": "2026-12-04T00:00:00Z"}


@pytest.fixture
def room(ledger_url: str, tmp_path: Path) -> Iterator[Room]:
    with room_on(ledger_url, tmp_path) as made:
        yield made


# --- what is delivered, and how a person cancels it ------------------------------------------------------------------


def payment(room: Room) -> None:
    room.box.airbase.add_entry(airbase_id="pay-1", total_amount="12.50", invoice_number="INV-1")


def changed_payment(room: Room) -> None:
    room.box.airbase.change("ledger_entries", "pay-1", total_amount="13.50")


def bill(room: Room) -> None:
    room.box.procurify.put_vendor(id=81, name="Vendor 1", country="Sweden", currency="SEK", dateModified=now())
    line = Line("100.00", "4010", "Operations", tax="25.00")
    room.box.procurify.put_bill(81, [line], uuid="a" * 32, last_modified_datetime=now(), invoice_number="B-1", **DATED)


def order(room: Room) -> None:
    room.box.procurify.put_vendor(id=81, name="Vendor 1", country="Sweden", currency="SEK", dateModified=now())
    line = Line("100.00", "4010", "Operations")
    room.box.procurify.put_purchase_order(81, [line], procurify_PO=1001, last_modified=now(), date=now())


def erp_order(room: Room) -> None:
    room.supplier()
    room.order()


def erp_proposal(room: Room) -> None:
    room.supplier()
    room.proposal()


def cancel(name: str) -> Callable[[Room], str]:
    """In the ERP, by an accountant; the document's number."""

    def done(room: Room) -> str:
        (row,) = room.box.ifs.rows(name)
        room.box.ifs.put(name, {**row, "ObjState": "Cancelled"})
        keys = room.box.ifs.sets[name].kind.keys
        return "/".join(str(row[key]) for key in keys)

    return done


def void_purchase(room: Room) -> str:
    (purchase,) = room.box.cin7.purchases.values()
    room.box.cin7.void_purchase(purchase["ID"])
    return str(purchase["OrderNumber"])


def void_invoice_in_cin7(room: Room) -> str:
    (purchase,) = room.box.cin7.purchases.values()
    (invoice,) = (each for each in purchase["Invoice"] if each["InvoiceNumber"])
    room.box.cin7.void_invoice(purchase["ID"], invoice["TaskID"])
    return str(invoice["InvoiceNumber"])


def void_invoice_in_hubspot(room: Room) -> str:
    ((number, row),) = room.box.hubspot.live("invoices").items()
    row["properties"]["hs_invoice_status"] = "voided"
    return str(number)


def archive_in_hubspot(kind: str) -> Callable[[Room], str]:
    def done(room: Room) -> str:
        (number,) = room.box.hubspot.live(kind)
        with room.box.lock:
            room.box.hubspot.objects.archive(kind, [number])
        return str(number)

    return done


def in_hubspot(kind: str) -> Callable[[Sandbox], int]:
    """Whatever lies in the recycle bin, too."""
    return lambda box: len(box.hubspot.objects.rows[kind])


def cancel_in_airbase(room: Room) -> str:
    (which,) = room.box.airbase.purchase_orders
    room.box.airbase.change_order(which, status="cancelled")
    return str(which)


def put_away_on_monday(state: str) -> Callable[[Room], str]:
    """An item of the invoices, by a person."""

    def done(room: Room) -> str:
        (item,) = (each["id"] for each in room.box.monday.rows(INVOICES_BOARD))
        put_away = room.box.monday.archive_item if state == "archived" else room.box.monday.delete_item
        put_away(item)
        return f"item {item}"

    return done


def on_monday(box: Sandbox) -> int:
    """Whatever is archived, or in the trash, too."""
    return sum(item["board"] == INVOICES_BOARD for item in box.monday.boards.items.values())


def in_ifs(name: str) -> Callable[[Sandbox], int]:
    return lambda box: len(box.ifs.rows(name))


def invoices_in_cin7(box: Sandbox) -> int:
    return sum(bool(each["InvoiceNumber"]) for one in box.cin7.purchases.values() for each in one["Invoice"])


Case = tuple[str, tuple[str, ...], Callable[[Room], None], Callable[[Room], str], Callable[[Sandbox], int]]
CASES: dict[str, Case] = {
    "voucher": (PAYMENTS, (), payment, cancel("VoucherSet"), in_ifs("VoucherSet")),
    "supplier_invoice": (BILLS, (VENDORS,), bill, cancel("SupplierInvoiceSet"), in_ifs("SupplierInvoiceSet")),
    "posting_proposal": (
        ORDERS,
        (VENDORS,),
        order,
        cancel("PostingProposalHeadSet"),
        in_ifs("PostingProposalHeadSet"),
    ),
    "purchase": ("cin7/purchases", ("cin7/suppliers",), erp_order, void_purchase, lambda b: len(b.cin7.purchases)),
    "purchase_invoice": (
        "cin7/purchase_invoices",
        ("cin7/suppliers",),
        erp_proposal,
        void_invoice_in_cin7,
        invoices_in_cin7,
    ),
    "hubspot_invoice": (
        "hubspot/invoices",
        ("hubspot/supplier_companies",),
        erp_proposal,
        void_invoice_in_hubspot,
        lambda box: len(box.hubspot.live("invoices")),
    ),
    "archived_invoice": (
        "hubspot/invoices",
        ("hubspot/supplier_companies",),
        erp_proposal,
        archive_in_hubspot("invoices"),
        in_hubspot("invoices"),
    ),
    "archived_deal": (
        "hubspot/deals",
        ("hubspot/supplier_companies", "hubspot/invoices"),
        erp_proposal,
        archive_in_hubspot("deals"),
        in_hubspot("deals"),
    ),
    "archived_item": (
        "monday/invoices",
        ("monday/suppliers",),
        erp_proposal,
        put_away_on_monday("archived"),
        on_monday,
    ),
    "deleted_item": (
        "monday/invoices",
        ("monday/suppliers",),
        erp_proposal,
        put_away_on_monday("deleted"),
        on_monday,
    ),
    "airbase_order": (
        "airbase/purchase_orders",
        ("airbase/vendors",),
        erp_order,
        cancel_in_airbase,
        lambda box: len(box.airbase.purchase_orders),
    ),
}


@pytest.mark.promise(
    "C41", "what a person cancelled under our own reference is never entered again, not by an empty ledger"
)
@pytest.mark.parametrize("name", CASES)
def test_an_empty_ledger_holds_what_a_person_cancelled_and_names_it(room: Room, tmp_path: Path, name: str) -> None:
    flow, before, fill, end, count = CASES[name]
    fill(room)
    assert room.go(*before, flow)["created"] == 1
    number = end(room)

    with ledger_lost(room, tmp_path) as anew:
        anew.go(*before, flow)
        anew.go(flow)

        assert count(anew.box) == 1, "a second one beside what was cancelled"
        ((rule, reason),) = next(iter(anew.holds(flow).values()))
        assert rule == WAS_CANCELLED and number in reason and "release this hold" in reason


@pytest.mark.promise(
    "C41", "an item that was restored, or made for ever away, is adopted, or made; a board without a log"
)
def test_what_was_put_away_on_monday_and_restored_is_adopted_and_what_nobody_can_see_is_made(
    room: Room, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    flow, before = "monday/invoices", ("monday/suppliers",)
    erp_proposal(room)
    room.go(*before, flow)
    (item,) = (each["id"] for each in room.box.monday.rows(INVOICES_BOARD))
    room.box.monday.archive_item(item)
    with ledger_lost(room, tmp_path) as anew:
        anew.go(*before, flow)
        assert list(rules_of(anew.holds(flow)).values()) == [[WAS_CANCELLED]]
        room.box.monday.restore_item(item)
        assert anew.go(flow).get("adopted") == 1 and not anew.holds(flow) and on_monday(anew.box) == 1
    room.box.monday.archive_item(item)
    (tmp_path / "third").mkdir()
    with ledger_lost(room, tmp_path / "third") as third:
        third.box.monday.resolvers.shows_activity = False
        assert third.go(*before, flow).get("created") == 1
    assert "monday does not show what was archived or deleted of board" in caplog.text


@pytest.mark.promise("C41", "the log of a board is asked once in a run, and only while the ledger is young")
def test_a_ledger_that_began_long_ago_asks_no_board_what_was_put_away(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(client, "put_away_of", lambda api, layout: asked.append(layout.board.id) or {})
    for number in range(1, 6):  # two batches
        room.proposal(number)
    room.supplier()
    room.go("monday/suppliers", "monday/invoices")
    assert sorted(asked) == sorted({*asked}) and INVOICES_BOARD in asked
    asked.clear()
    monkeypatch.setattr(delivery, "YOUNG", timedelta(0))
    room.proposal(6)
    assert room.go("monday/invoices")["created"] == 1 and asked == []


def amend_order(room: Room) -> None:
    line = Line("110.00", "4010", "Operations")
    room.box.procurify.put_purchase_order(81, [line], procurify_PO=1001, last_modified=now(), date=now())


AMENDED: dict[str, Callable[[Room], Any]] = {
    "voucher": changed_payment,
    "posting_proposal": amend_order,
    "purchase": lambda room: room.order(amount="31.00"),
    "purchase_invoice": lambda room: room.proposal(amount="110.00"),
    "airbase_order": lambda room: room.order(amount="31.00"),
}


@pytest.mark.promise("C41", "a changed source does not bring back what a person cancelled")
@pytest.mark.parametrize("name", AMENDED)
def test_a_changed_record_whose_document_a_person_cancelled_is_held(room: Room, name: str) -> None:
    flow, before, fill, end, count = CASES[name]
    fill(room)
    assert room.go(*before, flow)["created"] == 1
    end(room)

    AMENDED[name](room)
    room.go(flow)

    assert count(room.box) == 1
    assert list(rules_of(room.holds(flow)).values()) == [[WAS_CANCELLED]]


@pytest.mark.promise("C41", "what stands beside a cancelled document is adopted: a person entered it anew")
@pytest.mark.parametrize(
    "name, table, key",
    [("voucher", "VoucherSet", "VoucherNo"), ("supplier_invoice", "SupplierInvoiceSet", "InvoiceId")],
)
def test_what_a_person_entered_anew_under_the_same_reference_is_adopted(
    room: Room, tmp_path: Path, name: str, table: str, key: str
) -> None:
    flow, before, fill, end, count = CASES[name]
    fill(room)
    room.go(*before, flow)
    end(room)
    (row,) = room.box.ifs.rows(table)
    number = {key: row[key] + 1}
    lines = {name: [{**line, **number} for line in value] for name, value in row.items() if isinstance(value, list)}
    room.box.ifs.put(table, {**row, **number, **lines, "ObjState": "Open"})

    with ledger_lost(room, tmp_path) as anew:
        done = anew.go(*before, flow)
        assert done.get("adopted") == 1, (done, anew.holds(flow))
        assert count(anew.box) == 2 and not anew.holds(flow)


@pytest.mark.promise("C41", "a proposal that we ended ourselves comes back with its order")
def test_an_order_that_was_cancelled_and_opened_again_has_a_proposal_again(room: Room) -> None:
    order(room)
    room.go(VENDORS, ORDERS)
    room.box.procurify.touch_purchase_order(1001, state=1)
    room.go(ORDERS)
    (row,) = room.box.ifs.rows("PostingProposalHeadSet")
    assert row["ObjState"] == "Cancelled", "by us, since the order was cancelled"

    room.box.procurify.touch_purchase_order(1001, state=5)
    room.go(ORDERS)

    assert not room.holds(ORDERS)
    states = sorted(row["ObjState"] == "Cancelled" for row in room.box.ifs.rows("PostingProposalHeadSet"))
    assert states == [False, True]


@pytest.mark.promise("C41", "an order cancelled on both sides is in agreement")
def test_an_order_that_is_cancelled_on_both_sides_holds_nothing(room: Room) -> None:
    order(room)
    room.go(VENDORS, ORDERS)
    cancel("PostingProposalHeadSet")(room)
    room.box.procurify.touch_purchase_order(1001, state=1)
    room.go(ORDERS)
    assert not room.holds(ORDERS) and len(room.box.ifs.rows("PostingProposalHeadSet")) == 1
