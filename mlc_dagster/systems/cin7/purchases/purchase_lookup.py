"""Finds a purchase by the ERP's key, which Cin7 cannot search for: it lists what changed, and reads each candidate."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from mlc_dagster.core.errors import RecordRejected, StillInDoubt
from mlc_dagster.core.outcomes import EVER, Draft
from mlc_dagster.systems.cin7.api import Cin7Api, Document, same_id, says
from mlc_dagster.systems.cin7.records import PurchaseDocument, PurchaseInvoice

FRESH = 60.0  # seconds that the list is taken for the truth, unless a write went unanswered
OVERLAP = timedelta(minutes=15)  # between Cin7's clock and ours
ELSEWHERE = timedelta(days=1)  # Cin7 dates an order in the time zone of its account
SIMPLE = "Simple Purchase"  # we make none
_OF_AN_INVOICE = re.compile(r"IFS (.+?)/[^/\s:]+(?:: .*)?", re.DOTALL)
"""IFS 0010/7/1 is row 1 of proposal 0010/7, with or without the text behind it; orders add their account."""
POSTDATED = timedelta(days=31)  # a document may be dated this far after it was entered in the ERP


class PurchaseLookup:
    """Which purchase carries which marker. Each candidate is read once: markers do not change. For invoices, which come
    later, it is read again when it was changed since.

    A first load looks "from ever": nothing was ever attempted under its key, and a purchase that is there under its
    marker all the same was made no earlier than its document was dated, less a month for those dated ahead; so
    candidates are the purchases of the same supplier since then. What is in doubt may have been corrected in the ERP
    since it was sent: candidates are all purchases that were changed since the attempt, whatever their supplier and
    date.
    """

    def __init__(
        self,
        api: Cin7Api,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._api, self._clock, self._wall = api, clock, wall
        self._rows: dict[str, Document] = {}
        self._from: datetime | None = None  # the list is complete from here
        self._listed_at = wall()
        self._fresh_until = 0.0
        self._markers: dict[str, frozenset[str]] = {}
        self._invoices: dict[str, tuple[str, frozenset[str]]] = {}  # id -> (last updated, keys of proposals)

    def find(self, draft: Draft) -> Document | None:
        """The purchase with the draft's marker, as it is now. Raises StillInDoubt where two carry it."""
        document: PurchaseDocument = draft.record
        found = self._first(draft, lambda row: document.marker in self._markers_of(row, document.slot))
        if draft.anew:
            found = [row for row in found if not says(row.get("Status"), "VOIDED")]
        if len(found) > 1:  # a voided one beside one that stands is over
            found = [row for row in found if not says(row.get("Status"), "VOIDED")] or found[:1]
        if len(found) > 1:
            named = " and ".join(str(row["OrderNumber"]) for row in found)
            raise StillInDoubt(f"Cin7 has two purchases for {document.marker}: {named}. Void one of them.")
        return read(self._api, found[0]["ID"]) if found else None

    def find_invoice(self, draft: Draft) -> tuple[Document, Document] | None:
        """A purchase and the invoice on it that carries the draft's own reference, whatever number it has now."""
        document: PurchaseInvoice = draft.record
        for row in self._first(draft, lambda row: document.reference in self._invoices_of(row, document.slot)):
            theirs = read(self._api, row["ID"])
            if invoice := next(
                (each for each in theirs.get("Invoice") or () if refers(each, document.reference)), None
            ):
                return theirs, invoice
        return None

    def remember(self, purchase: Document, document: PurchaseDocument) -> None:
        """A purchase that we made needs no reading."""
        self._markers[str(purchase["ID"]).casefold()] = frozenset({document.marker})

    def invalidate(self) -> None:
        """A write went unanswered: list anew before the next find."""
        self._fresh_until = 0.0

    def _first(self, draft: Draft, fits: Callable[[Document], bool]) -> list[Document]:
        """The list's rows that fit: of the likeliest, which are read first; where none of them does, of all."""
        since, document = draft.look_since or EVER, draft.record
        earliest = _earliest(document, since)
        self._list((since if draft.may_be_elsewhere else max(since, earliest)) - OVERLAP, since)
        found = [row for row in self._likely(document, earliest) if fits(row)]
        if found or not draft.may_be_elsewhere:
            return found
        return [row for row in self._changed_since(since - OVERLAP) if fits(row)]

    def _list(self, start: datetime, since: datetime) -> None:
        begun, begun_at = self._clock(), self._wall()
        if self._from is not None and start >= self._from:
            if begun < self._fresh_until and self._listed_at > since:
                return
            start = self._listed_at - OVERLAP
        text = start.strftime("%Y-%m-%dT%H:%M:%S.000")
        rows = list(self._api.pages("/purchaseList", "PurchaseList", UpdatedSince=text))
        self._rows.update({str(row["ID"]).casefold(): row for row in rows})
        self._from = start if self._from is None else min(start, self._from)
        self._listed_at, self._fresh_until = begun_at, begun + FRESH

    def _likely(self, document: PurchaseDocument, earliest: datetime) -> Iterator[Document]:
        """Of the supplier that the document names now, and since it is dated now."""
        made_since = (earliest - ELSEWHERE).strftime("%Y-%m-%d")
        for row in self._rows.values():
            ours = same_id(row.get("SupplierID"), document.supplier_id) and row.get("Type") != SIMPLE
            if ours and (row.get("OrderDate") or made_since)[:10] >= made_since:
                yield row

    def _changed_since(self, moment: datetime) -> Iterator[Document]:
        start = moment.strftime("%Y-%m-%dT%H:%M:%S")
        for row in self._rows.values():
            if row.get("Type") != SIMPLE and str(row.get("LastUpdatedDate") or start)[:19] >= start:
                yield row

    def _markers_of(self, row: Document, slot: str) -> frozenset[str]:
        name = str(row["ID"]).casefold()
        if name not in self._markers:
            self._read(row, slot)
        return self._markers[name]

    def _invoices_of(self, row: Document, slot: str) -> frozenset[str]:
        name, changed = str(row["ID"]).casefold(), str(row.get("LastUpdatedDate") or "")
        if name not in self._invoices or self._invoices[name][0] < changed:
            self._read(row, slot)
        return self._invoices[name][1]

    def _read(self, row: Document, slot: str) -> None:
        name, purchase = str(row["ID"]).casefold(), read(self._api, row["ID"])
        self._markers[name] = frozenset() if abandoned(purchase) else frozenset(markers(purchase, slot))
        self._invoices[name] = (str(row.get("LastUpdatedDate") or ""), frozenset(references(purchase)))


def read(api: Cin7Api, purchase_id: str) -> Document:
    purchase: Document = api.get("/advanced-purchase", ID=purchase_id)
    return purchase


def read_if_there(api: Cin7Api, purchase_id: str) -> Document | None:
    """None: Cin7 has none of this id, which it says with 404, or in a sentence."""
    try:
        found = read(api, purchase_id)
    except RecordRejected as error:
        if error.status == 404 or "not found" in error.message.casefold():
            return None
        raise
    return found if found.get("ID") else None


def abandoned(purchase: Document) -> bool:
    """Voided before it had lines: we did that, when Cin7 refused the lines. It never was the order."""
    stage: Any = purchase.get("Order") or {}
    return says(purchase.get("Status"), "VOIDED") and not stage.get("Lines") and not stage.get("AdditionalCharges")


def markers(purchase: Document, slot: str) -> Iterator[str]:
    """The marker in its attribute, or behind "IFS " on the first line of the note."""
    if marker := (purchase.get("AdditionalAttributes") or {}).get(slot):
        yield marker
    first = str(purchase.get("Note") or "").partition("\n")[0].strip()
    if first.startswith("IFS "):
        yield first.removeprefix("IFS ")


def written_marks(purchase: Document) -> Iterator[str]:
    """What stands in any attribute, or behind "IFS " on the first line of the note."""
    for slot in purchase.get("AdditionalAttributes") or {}:
        yield from markers(purchase, slot)


def references(purchase: Document) -> Iterator[str]:
    """The ERP's keys of the invoices on a purchase."""
    for invoice in purchase.get("Invoice") or ():
        yield from keys_of(invoice)


def keys_of(invoice: Document, *, voided: bool = False) -> list[str]:
    """The ERP's keys of posting proposals on the rows of an invoice that stands; `voided`: or does not any more."""
    if not voided and says(invoice.get("Status"), "VOIDED"):
        return []
    charges = [each.get("Reference") for each in invoice.get("AdditionalCharges") or ()]
    marks = [*charges, *(each.get("Comment") for each in invoice.get("Lines") or ())]
    return [found[1] for mark in marks if (found := _OF_AN_INVOICE.fullmatch(str(mark or "").strip()))]


def refers(invoice: Document, reference: str) -> bool:
    """Whether an invoice in Cin7 carries the ERP's key of a posting proposal on one of its lines."""
    return reference in keys_of(invoice)


def _earliest(document: PurchaseDocument, since: datetime) -> datetime:
    """When the purchase can have been made at the earliest; a document without a sensible date tells nothing."""
    dated = document.dated
    if dated is None or dated.year < since.year:
        return since
    return datetime(dated.year, dated.month, dated.day, tzinfo=UTC) - POSTDATED
