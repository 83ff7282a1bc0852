"""Supplier invoices in Cin7: on the purchase of their order, or on one of their own; one for each number, never two."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from typing import Any

from mlc_dagster.core.difference_kinds import CHANGED_AFTER_POSTING
from mlc_dagster.core.errors import MlcError, OwnedByAnother, RecordRejected
from mlc_dagster.core.outcomes import Begun, Draft, Outcome, Saved, refuse_owned
from mlc_dagster.core.shown_values import shown_otherwise
from mlc_dagster.systems.cin7.account_rules import AccountRules
from mlc_dagster.systems.cin7.api import NOWHERE, Document, covers, same_id, says
from mlc_dagster.systems.cin7.kept_fields import refuse_losses
from mlc_dagster.systems.cin7.purchases import request_bodies
from mlc_dagster.systems.cin7.purchases.invoice_rates import OTHER_RATE, known_rate, valued_otherwise
from mlc_dagster.systems.cin7.purchases.invoiced_products import Allocation, allocate
from mlc_dagster.systems.cin7.purchases.purchase_lookup import keys_of, read, refers
from mlc_dagster.systems.cin7.purchases.purchase_writer import (
    OTHER_TAX,
    PurchaseSender,
    is_empty,
    is_voided,
    past_change,
    refuse_other_supplier,
    refuse_voided,
    taxed_otherwise,
    voided_words,
)
from mlc_dagster.systems.cin7.purchases.shown_purchase import expected_invoice, shown_invoice
from mlc_dagster.systems.cin7.records import PurchaseInvoice
from mlc_dagster.systems.shared.cancelled_documents import WasCancelledError
from mlc_dagster.systems.shared.saving import GoneError


class InvoiceWriter:
    """Invoices; their remote id is "purchase id/task id", and the purchase id alone while there is no task yet."""

    def __init__(self, sender: PurchaseSender) -> None:
        self._sender = sender

    def save(self, draft: Draft) -> Iterator[Outcome]:
        """Begun when a purchase of its own has its id, or an earlier attempt is found, then one Saved.

        Raises RecordRejected, OutcomeUnknown.
        """
        document: PurchaseInvoice = draft.record
        try:
            known_id = draft.remote_id or ""
            if draft.may_be_elsewhere and (known_id := self._elsewhere(draft)):
                yield Begun(draft, known_id)
                draft = replace(draft, remote_id=known_id)
            purchase_id, _, task_id = known_id.partition("/")
            if draft.anew:  # whatever stands there as voided
                task_id = ""
            if document.order_no:
                theirs = self._of_the_order(document, purchase_id, task_id)
            else:
                theirs = yield from self._of_its_own(draft, purchase_id)
            yield from self._invoice(draft, theirs, task_id)
        except MlcError:
            self._sender.lookup.invalidate()
            raise

    # --- its purchase -------------------------------------------------------------------------------------------------

    def _elsewhere(self, draft: Draft) -> str:
        """Where an unanswered attempt put it before it was corrected in the ERP: by the key that its lines carry, or by
        the marker of a purchase that was made for it alone. Empty: nowhere.
        """
        if found := self._sender.lookup.find_invoice(draft):
            theirs, invoice = found
            return f"{theirs['ID']}/{invoice['TaskID']}"
        own = self._sender.lookup.find(draft)
        return str(own["ID"]) if own else ""

    def _of_the_order(self, document: PurchaseInvoice, known_id: str, task_id: str) -> Document:
        if known_id and not same_id(known_id, document.purchase_id):
            self._refuse_elsewhere(document, known_id, task_id)
        theirs = read(self._sender.api, document.purchase_id or "")
        _refuse_voided_order(document, theirs)
        _refuse_other_supplier(document, theirs)
        return theirs

    def _refuse_elsewhere(self, document: PurchaseInvoice, known_id: str, task_id: str) -> None:
        """An empty purchase that we made for it alone is voided; anything else is a person's to take back."""
        other = read(self._sender.api, known_id)
        if is_empty(other) and not task_id:
            if left := self._sender.void(other):
                raise RecordRejected(f"Invoice {document.invoice_number} had a purchase of its own.{left}")
            return
        tasks: Sequence[Document] = other.get("Invoice") or ()
        invoice: Document = next((each for each in tasks if same_id(each.get("TaskID"), task_id)), {})
        if is_voided(other) or says(invoice.get("Status"), "VOIDED"):
            return
        named = f", as invoice {invoice['InvoiceNumber']}" if invoice.get("InvoiceNumber") else ""
        raise RecordRejected(
            f"Invoice {document.invoice_number} is in Cin7 on {other['OrderNumber']}{named}, which is another purchase "
            f"than that of order {document.order_no}. Void it there and replay, or correct the order reference in IFS."
        )

    def _of_its_own(self, draft: Draft, known_id: str) -> Generator[Begun, None, Document]:
        """The purchase that is there for this invoice alone; it is made where there is none, and corrected while it is
        open.
        """
        document: PurchaseInvoice = draft.record
        theirs = self._sender.known(draft, known_id or None)
        if theirs is None:
            theirs = self._sender.begin(document)
        if not same_id(known_id, theirs["ID"]):
            yield Begun(draft, theirs["ID"])
        refuse_voided(theirs, document.marker)
        if not same_id(theirs.get("SupplierID"), document.supplier_id):
            refuse_other_supplier(document, theirs)
            self._sender.write_header(document, theirs)
            theirs = read(self._sender.api, theirs["ID"])
        if is_empty(theirs):
            self._sender.write_order(document, theirs, "AUTHORISED")
            theirs = read(self._sender.api, theirs["ID"])
        return theirs

    def _authorise(self, theirs: Document) -> None:
        """Cin7 takes an invoice only for an authorised order."""
        if theirs["Order"]["Status"] in request_bodies.OPEN:
            if is_empty(theirs):
                raise RecordRejected(
                    f"{theirs['OrderNumber']} has no lines in Cin7 yet. Load its order; this invoice follows."
                )
            self._sender.api.write("POST", "/purchase/order", request_bodies.authorised(theirs))

    # --- the invoice --------------------------------------------------------------------------------------------------

    def _invoice(self, draft: Draft, theirs: Document, task_id: str) -> Iterator[Outcome]:
        """What is found and is not as it should be is remembered by its ids before anything can refuse."""
        document: PurchaseInvoice = draft.record
        invoices = theirs.get("Invoice") or []
        there = _there(invoices, document, task_id)
        if not draft.anew:
            _refuse_cancelled(document, theirs, there)
        elif there is not None and says(there.get("Status"), "VOIDED"):
            there = None
        if there is None and task_id and draft.was_delivered and not draft.anew:
            raise GoneError("Cin7", f"invoice {document.invoice_number} of {theirs['OrderNumber']}")
        if there is None:
            rows = allocate(document, theirs, _live(invoices, ""))
            self._authorise(theirs)
            yield self._saved(draft, theirs, self._write(document, rows, theirs, _free_task(invoices)), "created")
            return
        if draft.remote_id is None:
            number = f"{theirs['OrderNumber']}, invoice {there.get('InvoiceNumber')}"
            refuse_owned(draft, f"{theirs['ID']}/{there['TaskID']}", number, "Cin7")
        try:
            rows = allocate(document, theirs, _live(invoices, str(there["TaskID"])))
        except RecordRejected:
            if document.order_no and not task_id:
                yield Begun(draft, f"{theirs['ID']}/{there['TaskID']}")
            raise
        equal = covers(there, request_bodies.compared_invoice(document, rows))
        if (
            equal
            and self._sender.has_our_totals(document, there)
            and (document.status == "DRAFT" or there["Status"] not in request_bodies.OPEN)
        ):
            yield self._saved(draft, theirs, there, "adopted")
            return
        if document.order_no and not task_id:
            yield Begun(draft, f"{theirs['ID']}/{there['TaskID']}")
        self._refuse_closed(document, rows, theirs, there)
        self._authorise(theirs)
        yield self._saved(draft, theirs, self._write(document, rows, theirs, str(there["TaskID"])), "updated")

    def _refuse_closed(self, document: PurchaseInvoice, rows: Allocation, theirs: Document, there: Document) -> None:
        if there["Status"] in request_bodies.OPEN:
            return
        if covers(there, request_bodies.compared_invoice(document, rows)):
            self._sender.with_our_totals(document, there)
        raise past_change(
            document,
            there.get("TotalBeforeTax"),
            f"Invoice {there['InvoiceNumber']} of {theirs['OrderNumber']} is {there['Status']} in Cin7 and differs "
            f"from {document.marker}. Undo the authorisation there and replay, or make the change by hand and release "
            "this hold.",
        )

    def _write(self, document: PurchaseInvoice, rows: Allocation, theirs: Document, task_id: str) -> Document:
        """The invoice as Cin7 keeps it."""
        overwrites = task_id != NOWHERE and document.status == "DRAFT"

        def send(taxed: bool) -> Document:
            body = request_bodies.invoice(document, rows, theirs["ID"], task_id, taxed=taxed)
            answer: Document = self._sender.api.write("POST", "/advanced-purchase/invoice", body, repeatable=overwrites)
            return answer

        made = _there(self._sender.with_tax_tried(document, send).get("Invoices") or [], document, "")
        if made is None:
            raise RecordRejected(
                f"Cin7 took invoice {document.invoice_number} of {theirs['OrderNumber']} and does not show it. "
                "Look there."
            )
        named = f"invoice {document.invoice_number} of {theirs['OrderNumber']}"
        refuse_losses(named, request_bodies.compared_invoice(document, rows), made)
        return self._sender.with_our_totals(document, made)

    def _saved(self, draft: Draft, purchase: Document, invoice: Document, action: Any) -> Saved:
        """With what Cin7 makes of it by itself: its rate, read back, and its tax."""
        document, account = draft.record, AccountRules()
        if (document.currency_rate or document.erp_rate or 1) != 1:  # 1: it is in the base currency
            account = self._sender.account()
        if action != "adopted" and known_rate(document, account):
            purchase = read(self._sender.api, purchase["ID"])
        task_id, number = str(invoice["TaskID"]), document.invoice_number
        return Saved(
            draft,
            f"{purchase['ID']}/{task_id}",
            action,
            detail=f"{purchase['OrderNumber']}, invoice {number}",
            disagreements=(
                *taxed_otherwise(document, invoice),
                *valued_otherwise(document, purchase, task_id, account),
            ),
            looked_for=(OTHER_TAX, OTHER_RATE, CHANGED_AFTER_POSTING),
            shown=shown_otherwise(expected_invoice(document), shown_invoice({}, invoice)),
        )


def _there(invoices: Sequence[Document], document: PurchaseInvoice, task_id: str) -> Document | None:
    """The invoice by its task, by the ERP's key on its lines, or by its number: a supplier gives a number once, and may
    have to correct it.
    """
    for invoice in invoices:
        if same_id(invoice.get("TaskID"), task_id) and invoice.get("InvoiceNumber"):
            return invoice
    wanted = (document.invoice_number or "").strip().casefold()
    live = [invoice for invoice in invoices if not says(invoice.get("Status"), "VOIDED")]
    ours = (invoice for invoice in live if refers(invoice, document.reference))
    numbered = [each for each in live if str(each.get("InvoiceNumber") or "").strip().casefold() == wanted]
    return next(ours, None) or _without_another_key(document, numbered)


def _refuse_cancelled(document: PurchaseInvoice, theirs: Document, there: Document | None) -> None:
    """Raises WasCancelledError where the invoice itself, or the only one that carries its key, is voided."""
    invoices = [there] if there else theirs.get("Invoice") or ()
    for invoice in invoices:
        ours = there is not None or document.reference in keys_of(invoice, voided=True)
        if ours and says(invoice.get("Status"), "VOIDED"):
            shown = f"invoice {invoice['InvoiceNumber']} of {theirs['OrderNumber']}"
            raise WasCancelledError(voided_words(shown, document.reference))


def _refuse_voided_order(document: PurchaseInvoice, theirs: Document) -> None:
    if is_voided(theirs):
        raise RecordRejected(
            f"{theirs['OrderNumber']}, of order {document.order_no}, was voided in Cin7. Undo that there, or correct "
            "the order reference in IFS; or discard this hold."
        )


def _without_another_key(document: PurchaseInvoice, numbered: Sequence[Document]) -> Document | None:
    """The one that a person entered, or that lost its key. Raises OwnedByAnother where the number is so: a small
    supplier begins anew each year, and what stands there was delivered for another posting proposal.
    """
    theirs = [each for each in numbered if keys_of(each)]
    if theirs and len(theirs) == len(numbered):
        others = ", ".join(sorted({key for each in theirs for key in keys_of(each)}))
        raise OwnedByAnother(
            f"Invoice {document.invoice_number} stands in Cin7 already, for {others} of IFS and not for "
            f"{document.reference}. Correct the number of one of them in IFS; or void the one in Cin7 and replay."
        )
    return next((each for each in numbered if not keys_of(each)), None)


def _live(invoices: Sequence[Document], ours: str) -> list[Document]:
    """The other invoices of a purchase that stand."""
    others = (each for each in invoices if not same_id(each.get("TaskID"), ours))
    return [each for each in others if not says(each.get("Status"), "VOIDED")]


def _free_task(invoices: Sequence[Document]) -> str:
    """The first invoice task that holds nothing; the zero id makes a new one."""
    for invoice in invoices:
        empty = not (invoice.get("Lines") or invoice.get("AdditionalCharges") or invoice.get("InvoiceNumber"))
        if invoice.get("Status") in request_bodies.OPEN and empty:
            return str(invoice["TaskID"])
    return NOWHERE


def _refuse_other_supplier(document: PurchaseInvoice, theirs: Document) -> None:
    if not same_id(theirs.get("SupplierID"), document.supplier_id):
        raise RecordRejected(
            f"{theirs['OrderNumber']} is of supplier {theirs.get('Supplier')} in Cin7, and the invoice of "
            f"{document.supplier_no}. Correct the supplier or the order reference in IFS."
        )
