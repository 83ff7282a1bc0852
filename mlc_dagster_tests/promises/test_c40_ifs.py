"""C40: what accountants do to documents that we entered in the ERP is told by the next look, and nothing comes back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from mlc_dagster.sandbox.procurify.lines import Line
from mlc_dagster_tests.promises.kinds import now
from mlc_dagster_tests.promises.ledgered_room import Room, room_on, rules_of

PAYMENTS, VENDORS = "ifs/vouchers_from_airbase_payments", "ifs/suppliers_from_procurify"
BILLS, ORDERS = "ifs/supplier_invoices_from_procurify", "ifs/posting_proposals_from_procurify"
VOUCHER_SET, INVOICE_SET, PROPOSAL_SET = "VoucherSet", "SupplierInvoiceSet", "PostingProposalHeadSet"
DATED = {"invoice_date": "2026-11-04T00:00:00Z", "due_date": "2026-12-04T00:00:00Z"}


def bill(room: Room, number: int, amount: str, order: int | None = None) -> None:
    line = Line(amount, "4010", "Operations", po=order)
    uuid = f"{number:032x}"
    room.box.procurify.put_bill(
        81, [line], uuid=uuid, last_modified_datetime=now(), invoice_number=f"B-{number}", **DATED
    )


@pytest.fixture
def room(ledger_url: str, tmp_path: Path) -> Iterator[Room]:
    with room_on(ledger_url, tmp_path) as made:
        made.box.procurify.put_vendor(id=81, name="Vendor 1", country="Sweden", currency="SEK", dateModified=now())
        for number in (1, 2):
            made.box.airbase.add_entry(airbase_id=f"pay-{number}", total_amount="12.50", invoice_number=f"I-{number}")
            bill(made, number, "100.00")
            line = Line("500.00", "4010", "Operations")
            made.box.procurify.put_purchase_order(
                81, [line], procurify_PO=1000 + number, last_modified=now(), date=now()
            )
        for flow in (PAYMENTS, VENDORS, BILLS, ORDERS):
            made.go(flow)
        yield made


def row(room: Room, table: str, reference: str) -> dict[str, Any]:
    (found,) = (each for each in room.box.ifs.rows(table) if each["ExternalRef"] == reference)
    return found


def edit(room: Room, table: str, reference: str, **fields: Any) -> str:
    """By an accountant; the document's number."""
    there = row(room, table, reference)
    room.box.ifs.put(table, {**there, **fields})
    return "/".join(str(there[name]) for name in room.box.ifs.sets[table].kind.keys)


@pytest.mark.promise("C40", "what nobody touched in the ERP is in agreement, read with few requests")
@pytest.mark.parametrize("flow, many", [(PAYMENTS, 2), (BILLS, 2), (ORDERS, 2), (VENDORS, 1)])
def test_what_nobody_touched_agrees_at_the_first_look_and_the_second(room: Room, flow: str, many: int) -> None:
    for _ in range(2):
        account = room.look(flow)
        assert (account.checked, account.there, account.unknown) == (many, many, 0), room.said(flow)
        assert not room.said(flow)


REFERENCES = {
    PAYMENTS: (VOUCHER_SET, "airbase-payment-pay-1", "pay-1"),
    BILLS: (INVOICE_SET, f"procurify-bill-{1:032x}", f"{1:032x}"),
    ORDERS: (PROPOSAL_SET, "procurify-po-1001", "1001"),
}


@pytest.mark.promise("C40", "an amount that an accountant edits is told with both values and the difference")
@pytest.mark.parametrize("flow", [BILLS, ORDERS])
def test_a_gross_amount_that_an_accountant_edits_is_told(room: Room, flow: str) -> None:
    table, reference, key = REFERENCES[flow]
    before = row(room, table, reference)["GrossAmount"]
    edit(room, table, reference, GrossAmount=before + 7)
    room.look(flow)
    ((told, kind, field, ours, theirs),) = room.said(flow)
    assert (told, kind, field) == (key, "edited_in_the_target", "GrossAmount")
    assert (Decimal(ours or 0), Decimal(theirs or 0)) == (before, before + 7)
    (difference,) = room.ledger.differences.open(flow)
    assert (Decimal(difference.amount or 0), difference.currency) == (7, "SEK")


@pytest.mark.promise("C40", "rows that are coded anew are no edit; what they come to is")
def test_a_voucher_that_is_coded_anew_is_as_it_was_and_one_of_another_amount_is_told(room: Room) -> None:
    table, reference, _ = REFERENCES[PAYMENTS]
    lines = row(room, table, reference)["VoucherRows"]
    debit = next(line for line in lines if line["DebitAmount"])
    rest = [line for line in lines if line is not debit]
    halves = [{**debit, "RowNo": 10 + n, "DebitAmount": Decimal("6.25"), "CodeB": "CC100"} for n in (1, 2)]
    edit(room, table, reference, VoucherRows=[*rest, *halves])
    room.look(PAYMENTS)
    assert not room.said(PAYMENTS)

    edit(room, table, reference, VoucherRows=[*rest, halves[0]])
    room.look(PAYMENTS)
    assert room.said(PAYMENTS) == [("pay-1", "edited_in_the_target", "Debit", "12.50", "6.25")]


@pytest.mark.promise("C40", "a document that an accountant cancels is told with its number, and is not entered again")
@pytest.mark.parametrize("flow", [PAYMENTS, BILLS, ORDERS])
def test_a_cancelled_document_is_told_and_its_neighbour_is_not(room: Room, flow: str) -> None:
    table, reference, key = REFERENCES[flow]
    number = edit(room, table, reference, ObjState="Cancelled")
    many = len(room.box.ifs.rows(table))
    account = room.look(flow)
    ((told, kind, field, ours, _),) = room.said(flow)
    assert (told, kind, field) == (key, "voided_in_the_target", "") and ours == number
    assert account.missing == 1 and account.there == 1
    room.go(flow)
    assert len(room.box.ifs.rows(table)) == many
    assert [kind for _, kind, *_ in room.said(flow)] == ["voided_in_the_target"]


@pytest.mark.promise("C40", "a document that is gone from the ERP is told, and does not come back with a change")
@pytest.mark.parametrize("flow", [BILLS, ORDERS])
def test_a_deleted_document_is_told_and_does_not_come_back(room: Room, flow: str) -> None:
    table, reference, key = REFERENCES[flow]
    there = row(room, table, reference)
    room.box.ifs.delete(table, **{name: there[name] for name in room.box.ifs.sets[table].kind.keys})
    room.look(flow)
    assert [(told, kind) for told, kind, *_ in room.said(flow)] == [(key, "deleted_in_the_target")]

    bill(room, 1, "130.00")
    line = Line("530.00", "4010", "Operations")
    room.box.procurify.put_purchase_order(81, [line], procurify_PO=1001, last_modified=now(), date=now())
    room.go(flow)
    assert [each["ExternalRef"] for each in room.box.ifs.rows(table)].count(reference) == 0
    assert list(rules_of(room.holds(flow))) == [key]


@pytest.mark.promise("C40", "a voucher that left the hold table for the ledger is there")
def test_a_voucher_that_is_not_in_the_hold_table_any_more_is_no_difference(room: Room) -> None:
    table, reference, _ = REFERENCES[PAYMENTS]
    there = row(room, table, reference)
    room.box.ifs.delete(table, **{name: there[name] for name in room.box.ifs.sets[table].kind.keys})
    account = room.look(PAYMENTS)
    assert account.there == 2 and account.agrees and account.sums and not room.said(PAYMENTS)


@pytest.mark.promise("C40", "a document that was entered anew under our reference is told with its number")
@pytest.mark.parametrize("flow, name", [(PAYMENTS, "VoucherNo"), (BILLS, "InvoiceId")])
def test_what_was_entered_anew_beside_a_cancelled_one_is_told_as_moved(room: Room, flow: str, name: str) -> None:
    table, reference, key = REFERENCES[flow]
    there = row(room, table, reference)
    edit(room, table, reference, ObjState="Cancelled")
    number = {name: 7777}
    lines = {each: [{**line, **number} for line in value] for each, value in there.items() if isinstance(value, list)}
    room.box.ifs.put(table, {**there, **lines, **number})
    room.look(flow)
    ((told, kind, _, _, theirs),) = room.said(flow)
    assert (told, kind) == (key, "moved_in_the_target") and str(theirs).endswith("/7777")


@pytest.mark.promise("C40", "a second document under our reference that nobody delivered is told")
@pytest.mark.parametrize("flow, name", [(PAYMENTS, "VoucherNo"), (BILLS, "InvoiceId"), (ORDERS, "ProposalId")])
def test_a_second_document_under_our_reference_is_extra(room: Room, flow: str, name: str) -> None:
    table, reference, key = REFERENCES[flow]
    there = row(room, table, reference)
    number = {name: 7777}
    lines = {each: [{**line, **number} for line in value] for each, value in there.items() if isinstance(value, list)}
    room.box.ifs.put(table, {**there, **lines, **number})
    account = room.look(flow)
    assert account.extra == 1
    assert [(told, kind) for told, kind, *_ in room.said(flow)] == [(key, "extra_in_the_target")]


def billed_in_part(room: Room) -> None:
    bill(room, 3, "200.00", order=1001)


def billed_whole(room: Room) -> None:
    bill(room, 3, "500.00", order=1001)


@pytest.mark.promise("C40", "what bills took of an order's proposal is our own doing, and no edit")
@pytest.mark.parametrize("happened", [billed_in_part, billed_whole])
def test_a_proposal_that_a_bill_reduced_or_ended_is_in_agreement(room: Room, happened: Callable[[Room], None]) -> None:
    room.look(ORDERS)
    happened(room)
    room.go(BILLS)
    for _ in range(2):
        account = room.look(ORDERS)
        assert account.agrees and account.sums and not account.unlike_sums and not room.said(ORDERS)


@pytest.mark.promise("C40", "a supplier edited or deleted in the ERP is told")
def test_a_supplier_that_is_edited_or_gone_is_told(room: Room) -> None:
    (supplier,) = room.box.ifs.rows("SupplierSet")
    room.box.ifs.put("SupplierSet", {**supplier, "Name": "Vendor One AB"})
    room.look(VENDORS)
    assert room.said(VENDORS) == [("81", "edited_in_the_target", "Name", "Vendor 1", "Vendor One AB")]
    room.box.ifs.delete("SupplierSet", SupplierId=supplier["SupplierId"])
    room.look(VENDORS)
    assert [kind for _, kind, *_ in room.said(VENDORS)].count("deleted_in_the_target") == 1
