"""Purchases in Cin7: a header, which gets the id, then the lines. Found again by their marker, and never doubled."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from mlc_dagster.core.difference_kinds import CHANGED_AFTER_POSTING
from mlc_dagster.core.errors import MlcError, PastChange, RecordRejected
from mlc_dagster.core.outcomes import EVER, Begun, Disagreement, Draft, Outcome, Saved
from mlc_dagster.core.shown_values import shown_otherwise
from mlc_dagster.systems.cin7.account_rules import AccountRules
from mlc_dagster.systems.cin7.api import Cin7Api, Document, covers, same_id, says
from mlc_dagster.systems.cin7.kept_fields import refuse_losses
from mlc_dagster.systems.cin7.purchases import request_bodies
from mlc_dagster.systems.cin7.purchases.buyers_discounts import (
    OTHER_DISCOUNT,
    compared_beside,
    discounts_given,
    refuse_discounts,
)
from mlc_dagster.systems.cin7.purchases.purchase_lookup import PurchaseLookup, abandoned, read, read_if_there
from mlc_dagster.systems.cin7.purchases.shown_purchase import expected_purchase, shown_purchase
from mlc_dagster.systems.cin7.records import Purchase, PurchaseDocument
from mlc_dagster.systems.shared.cancelled_documents import WasCancelledError, cancelled_words
from mlc_dagster.systems.shared.saving import GoneError

Products = Callable[[], Mapping[str, Document]]

OTHER_TAX = "other_tax"
"""The kind of difference: Cin7 taxes a document as a whole, and comes to other cents than the ERP."""


class PurchaseSender:
    """The two steps that purchases and invoices share, and what Cin7 taught us about line totals on the way."""

    def __init__(
        self,
        api: Cin7Api,
        lookup: PurchaseLookup,
        products: Products,
        account: Callable[[], AccountRules] = AccountRules,
    ) -> None:
        """`account`: what the account says of itself; asked only where something depends on it."""
        self.api, self.lookup, self.products, self.account = api, lookup, products, account
        self._taxed = False

    def known(self, draft: Draft, purchase_id: str | None) -> Document | None:
        """The purchase of a draft: by its id, or by its marker where the draft says since when it may be there.

        One that a person asked for again is another than the one that was voided. Raises GoneError.
        """
        found = read_if_there(self.api, purchase_id) if purchase_id else None
        if found and not abandoned(found) and not (draft.anew and is_voided(found)):
            return found
        if found is None and draft.was_delivered and not draft.anew:
            raise GoneError("Cin7", f"purchase {purchase_id} of {draft.record.marker}")
        looked = replace(draft, look_since=EVER) if draft.anew else draft
        return self.lookup.find(looked) if looked.look_since else None

    def begin(self, document: PurchaseDocument) -> Document:
        """The header of a new purchase: the first step. Sent once."""
        sent = request_bodies.new_header(document)
        made: Document = self.api.write("POST", "/advanced-purchase", sent)
        self.lookup.remember(made, document)
        return made

    def refuse_lost_header(self, document: PurchaseDocument, made: Document) -> None:
        """What Cin7 made otherwise than it was told is voided, not filled with lines. Raises RecordRejected."""
        try:
            refuse_losses(f"the header of {document.marker}", request_bodies.kept_header(document), made)
        except RecordRejected as error:
            raise RecordRejected(f"{error.message}{self.void(made)}") from error

    def void(self, theirs: Document) -> str:
        """Void a purchase that never got its lines. What is left to say where it is not voided: 200 proves nothing."""
        self.api.remove("/advanced-purchase", ID=theirs["ID"], Void="true")
        now = read(self.api, theirs["ID"])
        if is_voided(now):
            return ""
        return f" {now['OrderNumber']} was to be voided, and is {now['Status']}: void it in Cin7 by hand."

    def write_order(self, document: PurchaseDocument, theirs: Document, status: str) -> Document:
        """All lines of the order: the second step. A header whose lines are refused is voided, not left half made."""
        products = self.products() if document.parts() else {}

        def send(taxed: bool) -> Document:
            body = request_bodies.order(document, theirs["ID"], products, status, taxed=taxed)
            answer: Document = self.api.write("POST", "/purchase/order", body, repeatable=status == "DRAFT")
            return answer

        try:
            answer = self.with_tax_tried(document, send)
        except RecordRejected as error:
            if is_empty(theirs) and (left := self.void(theirs)):
                raise RecordRejected(f"{error.message}{left}", status=error.status, body=error.body) from error
            raise
        refuse_losses(f"the lines of {document.marker}", request_bodies.compared_order(document), answer)
        return self.with_our_totals(document, answer)

    def with_tax_tried(self, document: PurchaseDocument, send: Callable[[bool], Document]) -> Document:
        """Whether a line's total holds its tax is not documented: Cin7 names what it expects, and writes nothing."""
        try:
            return send(self._taxed)
        except RecordRejected as error:
            if not document.tax() or "expected value" not in error.message.lower():
                raise
            answer = send(not self._taxed)
            self._taxed = not self._taxed
            return answer

    def with_our_totals(self, document: PurchaseDocument, answer: Document) -> Document:
        """The answer, where its totals are ours. Raises RecordRejected, with both figures."""
        for name, theirs, ours in self.other_totals(document, answer):
            raise RecordRejected(
                f"Cin7 keeps {name} {theirs} for {document.marker}, and IFS says {ours}. Correct it in Cin7."
            )
        return answer

    def other_totals(self, document: PurchaseDocument, answer: Document) -> list[tuple[str, Decimal, Decimal]]:
        """(name, theirs, ours) of the totals that Cin7 keeps otherwise. An account that taxes documents as a whole may
        be off by a cent a line.
        """
        found = list(unlike_totals(document, answer))
        if [name for name, _, _ in found] != ["Tax"]:
            return found
        _, theirs, ours = found[0]
        return [] if abs(theirs - ours) <= self.account().tax_leeway(document) else found

    def has_our_totals(self, document: PurchaseDocument, answer: Document) -> bool:
        return not self.other_totals(document, answer)

    def write_header(self, document: PurchaseDocument, theirs: Document) -> None:
        """What the header says now; twice does no harm. Raises RecordRejected where Cin7 keeps it otherwise, or not the
        addresses that stood there before.
        """
        body = request_bodies.changed_header(document, theirs)
        answer: Document = self.api.write("PUT", "/advanced-purchase", body, repeatable=True)
        compared = {**request_bodies.kept_header(document), **request_bodies.addresses(theirs)}
        refuse_losses(f"the header of {theirs['OrderNumber']}", compared, answer)


def unlike_totals(document: PurchaseDocument, answer: Document) -> Iterator[tuple[str, Decimal, Decimal]]:
    """(name, theirs, ours) of the totals that are not equal."""
    for name, ours in (("TotalBeforeTax", document.net()), ("Tax", document.tax())):
        theirs = answer.get(name)
        if theirs is not None and Decimal(theirs) != ours:
            yield name, Decimal(theirs), ours


def taxed_otherwise(document: PurchaseDocument, answer: Document) -> Iterator[Disagreement]:
    """Of what was delivered: the tax that Cin7 makes of the document as a whole, where it is not the ERP's."""
    for name, theirs, ours in unlike_totals(document, answer):
        if name == "Tax":
            yield Disagreement(OTHER_TAX, name, str(ours), str(theirs), str(theirs - ours), document.currency)


class PurchaseWriter:
    """Orders of the ERP as purchases."""

    def __init__(self, sender: PurchaseSender) -> None:
        self._sender = sender

    def save(self, draft: Draft) -> Iterator[Outcome]:
        """Begun when the header has its id, then one Saved. Raises RecordRejected, OutcomeUnknown."""
        try:
            known = self._sender.known(draft, draft.remote_id)
            yield from self._create(draft) if known is None else self._complete(draft, known)
        except MlcError:
            self._sender.lookup.invalidate()
            raise

    def _create(self, draft: Draft) -> Iterator[Outcome]:
        if draft.anew:
            draft = replace(draft, remote_id=None)
        made = self._sender.begin(draft.record)
        yield Begun(draft, made["ID"])
        self._sender.refuse_lost_header(draft.record, made)
        order = self._sender.write_order(draft.record, made, "DRAFT")
        yield _saved(draft, made, "created", order)

    def _complete(self, draft: Draft, theirs: Document) -> Iterator[Outcome]:
        """What is found and is not as it should be is remembered by its id before anything can refuse."""
        document: Purchase = draft.record
        header_is_equal = covers(theirs, request_bodies.compared_header(document))
        order = theirs["Order"]
        order_is_equal = covers(order, compared_beside(document, order))
        discounted = order_is_equal and any(discounts_given(document, order))
        has_our_totals = discounted or self._sender.has_our_totals(document, order)
        is_equal = header_is_equal and order_is_equal and has_our_totals
        if is_equal and not is_voided(theirs):
            yield _saved(draft, theirs, "adopted", order)
            return
        if draft.remote_id is None:
            yield Begun(draft, theirs["ID"])
        refuse_voided(theirs, document.marker)
        refuse_other_supplier(document, theirs)
        if order_is_equal and not discounted:
            self._sender.with_our_totals(document, order)
        elif not order_is_equal:
            _refuse_closed(document, theirs)
            refuse_discounts(document, theirs)
        if not header_is_equal:
            self._sender.write_header(document, theirs)
        if not order_is_equal:
            order = self._sender.write_order(document, theirs, "DRAFT")
        yield _saved(draft, theirs, "created" if is_empty(theirs) else "updated", order)


def is_empty(purchase: Document) -> bool:
    """A header whose lines never came."""
    stage = purchase.get("Order") or {}
    return stage.get("Status") in request_bodies.OPEN and not stage.get("Lines") and not stage.get("AdditionalCharges")


def is_voided(purchase: Document) -> bool:
    return says(purchase["Status"], "VOIDED")


def past_change(document: PurchaseDocument, theirs: object, words: str) -> PastChange:
    """What Cin7 does not take any more, by the totals before tax."""
    ours, kept = document.net(), Decimal(str(theirs or 0))
    by = {"amount": f"{ours - kept:f}", "currency": document.currency}
    return PastChange(words, ours=f"{ours:f}", theirs=f"{kept:f}", **by)


def refuse_voided(purchase: Document, marker: str) -> None:
    """Raises WasCancelledError where the purchase that stands for the marker is voided."""
    if is_voided(purchase):
        raise WasCancelledError(voided_words(f"purchase {purchase['OrderNumber']}", marker))


def voided_words(document: str, marker: str) -> str:
    return cancelled_words("Cin7", document, "voided", marker, "undo the voiding in Cin7")


def refuse_other_supplier(document: PurchaseDocument, theirs: Document) -> None:
    """Cin7 changes the supplier of a purchase until its order is authorised."""
    state, number = theirs["Order"]["Status"], theirs["OrderNumber"]
    if state not in request_bodies.OPEN and not same_id(theirs.get("SupplierID"), document.supplier_id):
        raise RecordRejected(
            f"{number} was made for {document.marker} and supplier {theirs.get('Supplier')}, and IFS says supplier "
            f"{document.supplier_no} now. The order is {state} in Cin7, where the supplier cannot be changed any more: "
            "undo the authorisation there and replay, or correct the supplier in IFS."
        )


def _refuse_closed(document: Purchase, theirs: Document) -> None:
    state, number = theirs["Order"]["Status"], theirs["OrderNumber"]
    if state not in request_bodies.OPEN:
        raise past_change(
            document,
            theirs["Order"].get("TotalBeforeTax"),
            f"{number} is {state} in Cin7 and differs from {document.marker}: Cin7 takes no changes any more. "
            "Undo the authorisation there and replay, or make the change by hand and release this hold.",
        )
    if bool(theirs.get("IsServiceOnly")) and document.lines:
        raise RecordRejected(
            f"{number} is a service purchase in Cin7 and cannot hold parts. Void it there, and replay."
        )


def _saved(draft: Draft, purchase: Document, action: Any, order: Document) -> Saved:
    """With what differs by Cin7's own doing: a buyer's discount, or else the tax."""
    told = tuple(discounts_given(draft.record, order)) or tuple(taxed_otherwise(draft.record, order))
    number, kinds = str(purchase.get("OrderNumber") or ""), (OTHER_TAX, OTHER_DISCOUNT, CHANGED_AFTER_POSTING)
    shown = shown_otherwise(expected_purchase(draft.record), shown_purchase({}, order))
    return Saved(draft, str(purchase["ID"]), action, number, disagreements=told, looked_for=kinds, shown=shown)
