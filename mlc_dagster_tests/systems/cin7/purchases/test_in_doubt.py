"""An attempt has no answer, and the record is corrected in the ERP before the next run: Cin7 has it once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from mlc_dagster.core.errors import TransientError
from mlc_dagster.core.outcomes import Begun, Draft, Outcome, Refused, Saved, Unanswered
from mlc_dagster.sandbox import Sandbox
from mlc_dagster.systems.cin7.mapping import invoice_from_proposal, purchase_from_order, supplier_from_ifs
from mlc_dagster.systems.cin7.records import PURCHASE_INVOICES, PURCHASES, SUPPLIERS, PurchaseDocument
from mlc_dagster_tests.systems.cin7.samples import (
    BOOKS,
    EVER,
    client_on,
    facts,
    order,
    order_line,
    proposal,
    save,
    supplier,
)

Delivered = dict[str, dict[str, str]]
OTHERS = {"Currency": "SEK", "PaymentTerm": "30 days", "TaxRule": "Tax Exempt", "AccountPayable": "800"}


@pytest.fixture
def delivered(box: Sandbox) -> Iterator[Delivered]:
    """Two suppliers, and an order of each."""
    client = client_on(box)
    known: Delivered = {"cin7/suppliers": {}, "cin7/purchases": {}}
    for number, name in (("S100", "Nordic Bolts AB"), ("S200", "Southern Nuts AB")):
        known["cin7/suppliers"][number] = box.cin7.add_supplier(Name=name, **OTHERS)
    for order_no, vendor in (("A1", "S100"), ("A2", "S200")):
        record = purchase_from_order(order(order_no=order_no, vendor_no=vendor), facts(delivered=known))
        *_, done = save(client, PURCHASES, Draft(order_no, record, None, EVER))
        assert isinstance(done, Saved)
        known["cin7/purchases"][order_no] = done.remote_id
    box.forget_calls()
    yield known


def purchase(delivered: Delivered, *lines: Any, **changes: Any) -> PurchaseDocument:
    return purchase_from_order(order(*lines, **changes), facts(BOOKS, delivered=delivered))


def invoice(delivered: Delivered, **changes: Any) -> PurchaseDocument:
    return invoice_from_proposal(proposal(**changes), facts(BOOKS, delivered=delivered))


def lost(box: Sandbox, target: Any, record: Any, path: str) -> None:
    """The write to this path acts, and its answer is lost, as are those to all repeats; the run ends there."""
    box.faults.add(system="cin7", method="POST", path=path, drop="after", times=None)
    with suppress(TransientError):
        outcomes = save(client_on(box, max_attempts=2), target, Draft("k", record, None, EVER))
        assert isinstance(outcomes[-1], Unanswered)
    box.faults.clear()
    box.forget_calls()


def next_run(box: Sandbox, target: Any, record: Any, remote_id: str | None = None) -> list[Outcome]:
    """Of another process, which knows when the attempt was made."""
    since = datetime.now(UTC) - timedelta(seconds=30)
    return save(client_on(box), target, Draft("k", record, remote_id, since))


def under(box: Sandbox, marker: str) -> list[dict[str, Any]]:
    return [each for each in box.cin7.purchases.values() if each["Note"].startswith(f"IFS {marker}")]


def test_a_purchase_in_doubt_is_found_whatever_supplier_and_date_it_has_now(box: Sandbox, delivered: Delivered) -> None:
    lost(box, PURCHASES, purchase(delivered), "/advanced-purchase")
    corrected = purchase(delivered, order_line(), vendor_no="S200", order_date=date(2027, 3, 1), notes="Front door")
    begun, done = next_run(box, PURCHASES, corrected)
    (there,) = under(box, "0010/P1")
    assert isinstance(begun, Begun) and isinstance(done, Saved) and done.remote_id == there["ID"]
    assert there["SupplierID"] == delivered["cin7/suppliers"]["S200"]
    assert len(there["Order"]["Lines"]) == 1 and there["Note"] == "IFS 0010/P1\nFront door"


def test_what_is_found_is_remembered_by_its_id_before_it_is_refused(box: Sandbox, delivered: Delivered) -> None:
    """Else the next run, which takes it for new, would look for it under its new supplier alone."""
    record = purchase(delivered)
    save(client_on(box), PURCHASES, Draft("k", record))
    (there,) = under(box, "0010/P1")
    box.cin7._purchases.find(there["ID"])["Order"]["Status"] = "AUTHORISED"
    corrected = purchase(delivered, vendor_no="S200")
    begun, refused = next_run(box, PURCHASES, corrected)
    assert isinstance(begun, Begun) and begun.remote_id == there["ID"] and isinstance(refused, Refused)
    assert refused.reason == (
        "PO-00003 was made for 0010/P1 and supplier Nordic Bolts AB, and IFS says supplier S200 now. The order is "
        "AUTHORISED in Cin7, where the supplier cannot be changed any more: undo the authorisation there and replay, "
        "or correct the supplier in IFS."
    )


def test_two_purchases_in_doubt_stay_in_doubt(box: Sandbox, delivered: Delivered) -> None:
    for _ in range(2):
        save(client_on(box), PURCHASES, Draft("k", purchase(delivered)))
    (refused,) = next_run(box, PURCHASES, purchase(delivered, vendor_no="S200"))
    assert isinstance(refused, Refused) and refused.in_doubt and "PO-00003 and PO-00004" in refused.reason


def test_the_purchases_that_others_changed_are_read_once_and_only_where_the_likely_ones_are_not_it(
    box: Sandbox, delivered: Delivered
) -> None:
    """Likely: of the supplier and the date that the order has now."""
    lost(box, PURCHASES, purchase(delivered), "/advanced-purchase")
    client, since = client_on(box), datetime.now(UTC) - timedelta(seconds=30)
    some = [purchase(delivered, order_no=f"N{n}", vendor_no="S200") for n in range(4)]
    save(client, PURCHASES, *(Draft(each.marker, each, None, since) for each in some))
    reads = box.calls("cin7")["GET", "/cin7/ExternalApi/v2/advanced-purchase"]
    assert reads == 3, "A1, A2 and the orphan, each once for four orders"
    box.forget_calls()
    save(client_on(box), PURCHASES, Draft("k", purchase(delivered), None, since, as_sent=True))
    reads = box.calls("cin7")["GET", "/cin7/ExternalApi/v2/advanced-purchase"]
    assert reads <= 3, "A1 and the orphan, which is read again as it is now"


def test_an_invoice_in_doubt_on_a_purchase_of_its_own_is_corrected_there(box: Sandbox, delivered: Delivered) -> None:
    lost(box, PURCHASE_INVOICES, invoice(delivered), "/advanced-purchase")
    corrected = invoice(delivered, supplier_id="S200", invoice_no="G-1", invoice_date=date(2027, 3, 1))
    begun, done = next_run(box, PURCHASE_INVOICES, corrected)
    (there,) = under(box, "proposal/0010/7")
    assert isinstance(begun, Begun) and isinstance(done, Saved) and done.remote_id.startswith(there["ID"])
    assert there["SupplierID"] == delivered["cin7/suppliers"]["S200"]
    assert [each["InvoiceNumber"] for each in there["Invoice"]] == ["G-1"]


def test_an_invoice_in_doubt_is_found_under_the_number_that_it_was_sent_with(
    box: Sandbox, delivered: Delivered
) -> None:
    lost(box, PURCHASE_INVOICES, invoice(delivered, po_reference="A1"), "/advanced-purchase/invoice")
    done = next_run(box, PURCHASE_INVOICES, invoice(delivered, po_reference="A1", invoice_no="G-1"))[-1]
    there = box.cin7.purchases[delivered["cin7/purchases"]["A1"]]["Invoice"]
    assert isinstance(done, Saved) and [each["InvoiceNumber"] for each in there] == ["G-1"]


def test_an_invoice_in_doubt_whose_order_was_corrected_is_held_with_both_orders(
    box: Sandbox, delivered: Delivered
) -> None:
    lost(box, PURCHASE_INVOICES, invoice(delivered, po_reference="A1"), "/advanced-purchase/invoice")
    corrected = invoice(delivered, po_reference="A2", supplier_id="S200")
    begun, refused = next_run(box, PURCHASE_INVOICES, corrected)
    assert isinstance(begun, Begun) and isinstance(refused, Refused)
    assert refused.reason == (
        "Invoice F-2026-17 is in Cin7 on PO-00001, as invoice F-2026-17, which is another purchase than that of order "
        "A2. Void it there and replay, or correct the order reference in IFS."
    )
    assert not [each for each in under(box, "0010/A2")[0]["Invoice"] if each["InvoiceNumber"]]
    box.cin7._purchases.void(delivered["cin7/purchases"]["A1"], True)
    done = next_run(box, PURCHASE_INVOICES, corrected, begun.remote_id)[-1]
    assert isinstance(done, Saved) and done.remote_id.startswith(delivered["cin7/purchases"]["A2"])


def test_an_empty_purchase_that_was_made_for_an_invoice_alone_is_voided_when_the_invoice_has_an_order_now(
    box: Sandbox, delivered: Delivered
) -> None:
    lost(box, PURCHASE_INVOICES, invoice(delivered), "/advanced-purchase")
    done = next_run(box, PURCHASE_INVOICES, invoice(delivered, po_reference="A1"))[-1]
    (orphan,) = under(box, "proposal/0010/7")
    assert isinstance(done, Saved) and done.remote_id.startswith(delivered["cin7/purchases"]["A1"])
    assert orphan["Status"] == "VOIDED"


@pytest.mark.parametrize("email", [None, "orders@nordic.example"])
def test_a_supplier_in_doubt_is_found_by_its_key_or_by_our_contact(box: Sandbox, email: str | None) -> None:
    """Where Cin7 has no attribute for the key, the comment of our contact tells it."""
    bare = facts(options={**facts().options, "attribute_set": ""} if email else facts().options)
    lost(box, SUPPLIERS, supplier_from_ifs(supplier(name="Old AB", email=email), bare), "/supplier")
    (done,) = next_run(box, SUPPLIERS, supplier_from_ifs(supplier(name="New AB", email=email), bare))
    assert isinstance(done, Saved) and [each["Name"] for each in box.cin7.suppliers.values()] == ["New AB"]


def test_a_supplier_in_doubt_that_nothing_tells_is_held_and_looked_for_again(box: Sandbox) -> None:
    bare = facts(options={**facts().options, "attribute_set": ""})
    lost(box, SUPPLIERS, supplier_from_ifs(supplier(name="Old AB", email=None), bare), "/supplier")
    (made,) = box.cin7.suppliers
    (refused,) = next_run(box, SUPPLIERS, supplier_from_ifs(supplier(name="New AB", email=None), bare))
    assert isinstance(refused, Refused) and refused.in_doubt
    assert refused.reason == (
        f"Cin7 may have S100 New AB already, as Old AB ({made}), from an attempt that was not answered, and it keeps "
        "no key of IFS. Give the right one the name that it has in IFS, and replay. If none of them is it, create it "
        "in Cin7 under this name."
    )
    assert len(box.cin7.suppliers) == 1
