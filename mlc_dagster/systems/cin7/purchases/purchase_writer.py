"""Purchases in Cin7: a header, which gets the id, then the lines. Found again by their marker, and never doubled."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from mlc_dagster.core.errors import MlcError, RecordRejected
from mlc_dagster.core.outcomes import Begun, Draft, Outcome, Saved
from mlc_dagster.systems.cin7.api import Cin7Api, Document, covers, same_id
from mlc_dagster.systems.cin7.purchases import request_bodies as papers
from mlc_dagster.systems.cin7.purchases.purchase_lookup import Look, abandoned, read
from mlc_dagster.systems.cin7.records import Paper, Purchase

Products = Callable[[], Mapping[str, Document]]


class Sender:
    """The two steps that purchases and invoices share, and what Cin7 taught us about line totals on the way."""

    def __init__(self, api: Cin7Api, look: Look, products: Products) -> None:
        self.api, self.look, self.products = api, look, products
        self._taxed = False

    def known(self, draft: Draft, purchase_id: str | None) -> Document | None:
        """The purchase of a draft: by its id, or by its marker where the draft says since when it may be there."""
        if purchase_id and not abandoned(found := read(self.api, purchase_id)):
            return found
        return self.look.find(draft) if draft.look_since else None

    def begin(self, paper: Paper) -> Document:
        """The header of a new purchase: the first step. Sent once."""
        made: Document = self.api.write("POST", "/advanced-purchase", papers.new_header(paper))
        self.look.remember(made, paper)
        return made

    def write_order(self, paper: Paper, theirs: Document, status: str) -> Document:
        """All lines of the order: the second step. A header whose lines are refused is voided, not left half made."""
        products = self.products() if paper.parts() else {}

        def send(taxed: bool) -> Document:
            body = papers.order(paper, theirs["ID"], products, status, taxed=taxed)
            answer: Document = self.api.write("POST", "/purchase/order", body, repeatable=status == "DRAFT")
            return answer

        try:
            answer = self.total_tried(paper, send)
        except RecordRejected:
            if is_empty(theirs):
                self.api.remove("/advanced-purchase", ID=theirs["ID"], Void="true")
            raise
        return self.agreed(paper, answer)

    def total_tried(self, paper: Paper, send: Callable[[bool], Document]) -> Document:
        """Whether a line's total holds its tax is not documented: Cin7 names what it expects, and writes nothing."""
        try:
            return send(self._taxed)
        except RecordRejected as error:
            if not paper.tax() or "expected value" not in error.message.lower():
                raise
            answer = send(not self._taxed)
            self._taxed = not self._taxed
            return answer

    def agreed(self, paper: Paper, answer: Document) -> Document:
        """The answer, where its totals are ours. Raises RecordRejected, with both figures."""
        for name, theirs, ours in other_totals(paper, answer):
            raise RecordRejected(
                f"Cin7 keeps {name} {theirs} for {paper.marker}, and IFS says {ours}. Correct it in Cin7."
            )
        return answer

    def write_header(self, paper: Paper, theirs: Document) -> None:
        """What the header says now; twice does no harm."""
        self.api.write("PUT", "/advanced-purchase", papers.changed_header(paper, theirs), repeatable=True)


def other_totals(paper: Paper, answer: Document) -> Iterator[tuple[str, Any, Decimal]]:
    """(name, theirs, ours) of the totals that Cin7 keeps otherwise."""
    for name, ours in (("TotalBeforeTax", paper.net()), ("Tax", paper.tax())):
        theirs = answer.get(name)
        if theirs is not None and Decimal(theirs) != ours:
            yield name, theirs, ours


def has_our_totals(paper: Paper, answer: Document) -> bool:
    return not any(other_totals(paper, answer))


class Purchases:
    """Orders of the ERP as purchases."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    def save(self, draft: Draft) -> Iterator[Outcome]:
        """Begun when the header has its id, then one Saved. Raises RecordRejected, OutcomeUnknown."""
        try:
            known = self._sender.known(draft, draft.remote_id)
            yield from self._create(draft) if known is None else self._complete(draft, known)
        except MlcError:
            self._sender.look.doubt()
            raise

    def _create(self, draft: Draft) -> Iterator[Outcome]:
        made = self._sender.begin(draft.record)
        yield Begun(draft, made["ID"])
        self._sender.write_order(draft.record, made, "DRAFT")
        yield _saved(draft, made, "created")

    def _complete(self, draft: Draft, theirs: Document) -> Iterator[Outcome]:
        """What is found and is not as it should be is remembered by its id before anything can refuse."""
        paper: Purchase = draft.record
        header_is_equal = covers(theirs, papers.header_says(paper))
        order_is_equal = covers(theirs["Order"], papers.order_says(paper))
        if header_is_equal and order_is_equal and has_our_totals(paper, theirs["Order"]) and not is_voided(theirs):
            yield _saved(draft, theirs, "adopted")
            return
        if draft.remote_id is None:
            yield Begun(draft, theirs["ID"])
        refuse_voided(theirs)
        refuse_other_supplier(paper, theirs)
        if order_is_equal:
            self._sender.agreed(paper, theirs["Order"])
        else:
            _refuse_closed(paper, theirs)
        if not header_is_equal:
            self._sender.write_header(paper, theirs)
        if not order_is_equal:
            self._sender.write_order(paper, theirs, "DRAFT")
        yield _saved(draft, theirs, "created" if is_empty(theirs) else "updated")


def is_empty(purchase: Document) -> bool:
    """A header whose lines never came."""
    stage = purchase.get("Order") or {}
    return stage.get("Status") in papers.OPEN and not stage.get("Lines") and not stage.get("AdditionalCharges")


def is_voided(purchase: Document) -> bool:
    return bool(purchase["Status"] == "VOIDED")


def refuse_voided(purchase: Document) -> None:
    if is_voided(purchase):
        raise RecordRejected(f"{purchase['OrderNumber']} was voided in Cin7. Cancel it in IFS, or discard this hold.")


def refuse_other_supplier(paper: Paper, theirs: Document) -> None:
    """Cin7 changes the supplier of a purchase until its order is authorised."""
    state, number = theirs["Order"]["Status"], theirs["OrderNumber"]
    if state not in papers.OPEN and not same_id(theirs.get("SupplierID"), paper.supplier_id):
        raise RecordRejected(
            f"{number} was made for {paper.marker} and supplier {theirs.get('Supplier')}, and IFS says supplier "
            f"{paper.supplier_no} now. The order is {state} in Cin7, where the supplier cannot be changed any more: "
            "undo the authorisation there and replay, or correct the supplier in IFS."
        )


def _refuse_closed(paper: Purchase, theirs: Document) -> None:
    state, number = theirs["Order"]["Status"], theirs["OrderNumber"]
    if state not in papers.OPEN:
        raise RecordRejected(
            f"{number} is {state} in Cin7 and differs from {paper.marker}: Cin7 takes no changes any more. "
            "Undo the authorisation there and replay, or make the change by hand and discard this hold."
        )
    if bool(theirs.get("IsServiceOnly")) and paper.lines:
        raise RecordRejected(
            f"{number} is a service purchase in Cin7 and cannot hold parts. Void it there, and replay."
        )


def _saved(draft: Draft, purchase: Document, action: Any) -> Saved:
    return Saved(draft, str(purchase["ID"]), action, detail=str(purchase.get("OrderNumber") or ""))
