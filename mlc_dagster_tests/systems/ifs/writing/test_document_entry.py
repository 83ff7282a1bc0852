"""Documents enter the ERP's books once in effect, whole, and are never changed behind an accountant's back."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from mlc_dagster.core.flows import Target
from mlc_dagster.core.outcomes import Begun, Refused, Saved, Unanswered
from mlc_dagster.sandbox import Sandbox
from mlc_dagster.systems.ifs.entry_records import ENTRIES, INVOICES, PROPOSALS, PayableLine
from mlc_dagster_tests.systems.ifs.conftest import TEN, client_of
from mlc_dagster_tests.systems.ifs.writing.samples import draft, entry, invoice, live, proposal, put_books, save


@pytest.fixture
def box(box: Sandbox) -> Sandbox:
    put_books(box)
    return box


KINDS = [
    pytest.param(INVOICES, invoice(), "SupplierInvoiceSet", id="invoice"),
    pytest.param(PROPOSALS, proposal(), "PostingProposalHeadSet", id="proposal"),
    pytest.param(ENTRIES, entry(), "VoucherSet", id="voucher"),
]


@pytest.mark.parametrize("target, record, name", KINDS)
def test_a_new_document_is_entered_whole_under_its_reference(
    box: Sandbox, target: Target, record: Any, name: str
) -> None:
    (outcome,) = save(box, target, draft(record))
    assert isinstance(outcome, Saved) and outcome.action == "created"
    (row,) = box.ifs.rows(name)
    lines = next(value for value in row.values() if isinstance(value, list))
    assert (row["ExternalRef"], row["Company"], len(lines)) == (record.external_ref, "0010", len(record.lines))
    assert outcome.remote_id.startswith("0010/")


@pytest.mark.parametrize("target, record, name", KINDS)
def test_a_lost_answer_is_found_again_and_nothing_is_entered_twice(
    box: Sandbox, target: Target, record: Any, name: str
) -> None:
    box.faults.add(system="ifs", method="POST", path="$batch", drop="after")
    (lost,) = save(box, target, draft(record))
    assert isinstance(lost, Unanswered) and len(box.ifs.rows(name)) == 1, "the server did act"

    (found,) = save(box, target, draft(record))

    assert isinstance(found, Saved) and found.action == "adopted"
    assert len(box.ifs.rows(name)) == 1


@pytest.mark.parametrize("target, record, name", [KINDS[0], KINDS[2]])
def test_a_record_that_changed_after_it_was_entered_is_held_for_review(
    box: Sandbox, target: Target, record: Any, name: str
) -> None:
    (first,) = save(box, target, draft(record))
    assert isinstance(first, Saved)
    before = box.ifs.rows(name)
    changed = msgspec.structs.replace(record, text="another text")

    (again,) = save(box, target, draft(changed, first.remote_id, delivered=True))

    assert isinstance(again, Refused) and again.rule == "not_changed_after_posting"
    assert first.remote_id in again.reason and "release this hold" in again.reason
    assert box.ifs.rows(name) == before


def test_an_invoice_of_another_amount_under_our_reference_says_both_amounts(box: Sandbox) -> None:
    save(box, INVOICES, draft(invoice()))
    line = PayableLine(amount=Decimal("101"), account="4010")
    other = invoice(net_amount=Decimal(101), gross_amount=Decimal(126), lines=(line,))
    (outcome,) = save(box, INVOICES, draft(other))
    assert isinstance(outcome, Refused)
    assert "gross amount is 125 there and 126 here" in outcome.reason


def test_the_same_invoice_entered_by_hand_is_adopted_and_another_one_is_not_touched(box: Sandbox) -> None:
    by_hand = {
        "Company": "0010", "InvoiceId": 7, "InvoiceNo": "INV-1", "SupplierId": "S1", "CurrencyCode": "SEK",
        "GrossAmount": Decimal("125"), "ObjState": "Preliminary",
    }  # fmt: skip
    box.ifs.put("SupplierInvoiceSet", by_hand, TEN)
    (outcome,) = save(box, INVOICES, draft(invoice()))
    assert isinstance(outcome, Saved) and (outcome.action, outcome.remote_id) == ("adopted", "0010/7")

    box.ifs.put("SupplierInvoiceSet", {**by_hand, "GrossAmount": Decimal("999")}, TEN)
    (refused,) = save(box, INVOICES, draft(invoice()))
    assert isinstance(refused, Refused) and "999" in refused.reason
    assert len(box.ifs.rows("SupplierInvoiceSet")) == 1


def test_a_bill_takes_the_place_of_the_proposal_of_its_order(box: Sandbox) -> None:
    save(box, PROPOSALS, draft(proposal()))
    bill = invoice(orders=("7",), proposals=("procurify-po-7",))
    outcomes = save(box, INVOICES, draft(bill))
    assert [type(each) for each in outcomes] == [Begun, Saved]
    assert live(box, "PostingProposalHeadSet") == [] and len(live(box, "SupplierInvoiceSet")) == 1


def test_a_bill_that_broke_off_before_its_proposal_was_cancelled_is_completed_by_the_next_load(box: Sandbox) -> None:
    save(box, PROPOSALS, draft(proposal()))
    bill = invoice(orders=("7",), proposals=("procurify-po-7",))
    box.faults.add(system="ifs", method="POST", path="PostingProposalHead_Cancel", status=400, body="no", times=None)
    begun, refused = save(box, INVOICES, draft(bill))
    assert isinstance(begun, Begun) and isinstance(refused, Refused)
    box.faults.clear()

    again = save(box, INVOICES, draft(bill, begun.remote_id))

    assert isinstance(again[-1], Saved) and again[-1].action == "adopted"
    assert live(box, "PostingProposalHeadSet") == [] and len(box.ifs.rows("SupplierInvoiceSet")) == 1


def test_a_changed_order_gets_a_new_proposal_in_place_of_the_old(box: Sandbox) -> None:
    (first,) = save(box, PROPOSALS, draft(proposal()))
    assert isinstance(first, Saved)
    begun, second = save(box, PROPOSALS, draft(proposal(amount="700.00"), first.remote_id, delivered=True))
    assert isinstance(begun, Begun) and begun.remote_id != first.remote_id
    assert isinstance(second, Saved) and second.action == "updated" and second.remote_id != first.remote_id
    assert [row["GrossAmount"] for row in live(box, "PostingProposalHeadSet")] == [Decimal("700.00")]


def test_where_the_new_proposal_is_refused_the_old_one_stays(box: Sandbox) -> None:
    (first,) = save(box, PROPOSALS, draft(proposal()))
    assert isinstance(first, Saved)
    bad = proposal(amount="700.00", lines=(PayableLine(amount=Decimal("700.00"), account="9999"),))
    (second,) = save(box, PROPOSALS, draft(bad, first.remote_id, delivered=True))
    assert isinstance(second, Refused) and "9999" in second.reason
    assert [row["GrossAmount"] for row in live(box, "PostingProposalHeadSet")] == [Decimal("500.00")]


def test_a_cancelled_order_cancels_its_proposal(box: Sandbox) -> None:
    (first,) = save(box, PROPOSALS, draft(proposal()))
    assert isinstance(first, Saved)
    (gone,) = save(box, PROPOSALS, draft(proposal(is_cancelled=True), first.remote_id, delivered=True))
    assert isinstance(gone, Saved) and live(box, "PostingProposalHeadSet") == []


def test_two_documents_under_one_reference_are_a_matter_for_a_person(box: Sandbox) -> None:
    for number in (7, 8):
        row = {"Company": "0010", "InvoiceId": number, "ExternalRef": "procurify-bill-1", "ObjState": "Preliminary"}
        box.ifs.put("SupplierInvoiceSet", row, TEN)
    first, second = save(box, INVOICES, draft(invoice()), draft(invoice("INV-2", "procurify-bill-2")))
    assert isinstance(first, Refused) and "0010/7 and 0010/8" in first.reason
    assert isinstance(second, Saved), "the others go on"


def test_what_the_books_know_of_records_is_asked_in_few_requests(box: Sandbox) -> None:
    box.ifs.put("SupplierSet", {"SupplierId": "S2", "Name": "Closed", "Blocked": True}, TEN)
    save(box, INVOICES, draft(invoice()))
    box.forget_calls()
    asked = [invoice(f"INV-{n}", f"procurify-bill-{n}", supplier_id=f"S{n % 3}") for n in range(300)]
    books = client_of(box).known(INVOICES, asked)
    assert set(books.suppliers) == {"S1", "S2"} and books.suppliers["S2"].blocked
    assert books.posted["0010", "S1", "INV-1"].external_ref == "procurify-bill-1"
    assert sum(count for (method, path), count in box.calls("ifs").items() if "Set" in path) <= 8


def test_an_outcome_is_compared_by_what_was_sent_not_by_its_ledger(box: Sandbox) -> None:
    one = draft(invoice())
    assert replace(one, agreed=lambda key: {"name": key}) == one


def test_an_invoice_in_doubt_whose_number_and_supplier_were_corrected_is_found_by_its_reference(box: Sandbox) -> None:
    """Both numbers are told, and nothing is entered beside it."""
    box.ifs.put("SupplierSet", {"SupplierId": "S2", "Name": "Southern Nuts", "CurrencyCode": "SEK"}, TEN)
    box.faults.add(system="ifs", path="$batch", drop="after")
    (lost,) = save(box, INVOICES, draft(invoice()))
    assert isinstance(lost, Unanswered)
    corrected = replace(draft(invoice("INV-2", supplier_id="S2")), look_since=datetime.now(UTC))
    (outcome,) = save(box, INVOICES, corrected)
    assert isinstance(outcome, Refused) and len(live(box, "SupplierInvoiceSet")) == 1
    assert "its supplier id is S1 there and S2 here; its invoice no is INV-1 there and INV-2 here" in outcome.reason


def test_a_voucher_that_left_the_hold_table_is_not_called_taken_back_and_not_entered_again(box: Sandbox) -> None:
    put_books(box)
    (made,) = save(box, ENTRIES, draft(entry()))
    assert isinstance(made, Saved)
    (left,) = box.ifs.rows("VoucherSet")
    keys = {name: left[name] for name in ("Company", "VoucherType", "AccountingYear", "VoucherNo")}
    box.ifs.delete("VoucherSet", **keys)  # "Update General Ledger" moved it
    changed = draft(entry(amount="20.10"), made.remote_id, delivered=True)
    (held,) = save(box, ENTRIES, changed)
    assert isinstance(held, Refused) and "has left the hold table for the general ledger" in held.reason
    assert not box.ifs.rows("VoucherSet")
