"""Purchases and invoices in Cin7 are read back: the list tells which were touched since the last look, and those that
were, or were never looked at, are read by their id.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence

from mlc_dagster.core.flows import Target
from mlc_dagster.core.outcomes import Delivered, Seen, Shown
from mlc_dagster.systems.cin7.api import Cin7Api, Document, says
from mlc_dagster.systems.cin7.purchases.purchase_lookup import read_if_there
from mlc_dagster.systems.cin7.purchases.shown_purchase import STAMP, invoice_of, shown_invoice, shown_purchase
from mlc_dagster.systems.cin7.records import PURCHASE_INVOICES

FRESH = 600.0  # seconds that the list, and what was read by id, is taken for the truth: as long as one look


class PurchasesReadBack:
    """The purchases of one account. What one flow's look has read is not read again for the other's."""

    def __init__(self, api: Cin7Api, clock: Callable[[], float] = time.monotonic) -> None:
        self._api, self._clock = api, clock
        self._listed: tuple[float, str, dict[str, str]] | None = None

    def read_back(self, target: Target, delivered: Sequence[Delivered]) -> Iterator[Seen]:
        """As outcomes.ReadsBack: first those that the list shows as they were."""
        stamps = {one.key: str(one.shown[STAMP]) for one in delivered if one.shown and one.shown.get(STAMP)}
        touched = self._touched(min(stamps.values())) if stamps else {}
        left = []
        for one in delivered:
            if one.shown is not None and one.key in stamps and touched.get(_purchase_id(one)) == stamps[one.key]:
                yield Seen(one.key, one.remote_id, "there", one.shown)
            else:
                left.append(one)
        yield from self._by_id(target, left)

    def _touched(self, since: str) -> Mapping[str, str]:
        """Id -> when it was touched last, of all that were since then: each that was looked at is among them."""
        if self._listed is None or self._listed[1] > since or self._clock() - self._listed[0] > FRESH:
            began = self._clock()
            rows = self._api.pages("/purchaseList", "PurchaseList", UpdatedSince=since[:19])
            found = {str(row["ID"]).casefold(): str(row.get("LastUpdatedDate") or "") for row in rows}
            self._listed = (began, since, found)
        return self._listed[2]

    def _by_id(self, target: Target, delivered: Sequence[Delivered]) -> Iterator[Seen]:
        """Invoices of one purchase with one call."""
        last: tuple[str, Document | None] = ("", None)
        for one in sorted(delivered, key=_purchase_id):
            if last[0] != _purchase_id(one):
                last = (_purchase_id(one), read_if_there(self._api, _purchase_id(one)))
            yield _seen_invoice(one, last[1]) if target.name == PURCHASE_INVOICES.name else _seen(one, last[1])


def _purchase_id(one: Delivered) -> str:
    return one.remote_id.partition("/")[0].casefold()


def _seen(one: Delivered, purchase: Document | None) -> Seen:
    if purchase is None:
        return Seen(one.key, one.remote_id, "deleted")
    return _as_it_is(one, purchase, shown_purchase(purchase), is_voided=says(purchase.get("Status"), "VOIDED"))


def _seen_invoice(one: Delivered, purchase: Document | None) -> Seen:
    """One that was overwritten is gone; a purchase that was voided has taken its invoices along."""
    invoice = invoice_of(purchase, one.remote_id.partition("/")[2]) if purchase else None
    if purchase is None or invoice is None or not invoice.get("InvoiceNumber"):
        return Seen(one.key, one.remote_id, "deleted")
    is_voided = says(purchase.get("Status"), "VOIDED") or says(invoice.get("Status"), "VOIDED")
    return _as_it_is(one, purchase, shown_invoice(purchase, invoice), is_voided=is_voided)


def seen_unknown(target: Target, marker: str, purchase: Document) -> Seen:
    """Of one that carries our marker, and that nobody delivered; of an invoice's own purchase its first invoice."""
    number, key = str(purchase.get("OrderNumber") or ""), marker.partition("/")[2] or marker
    if target.name != PURCHASE_INVOICES.name:
        return Seen(key, str(purchase["ID"]), "there", shown_purchase(purchase), detail=number)
    invoices: Sequence[Document] = purchase.get("Invoice") or ()
    if not (invoice := next((each for each in invoices if each.get("InvoiceNumber")), None)):
        return Seen(key, str(purchase["ID"]), "there", detail=number)
    remote_id = f"{purchase['ID']}/{invoice.get('TaskID')}"
    return Seen(key, remote_id, "there", shown_invoice(purchase, invoice), detail=number)


def _as_it_is(one: Delivered, purchase: Document, values: Shown, *, is_voided: bool) -> Seen:
    number = str(purchase.get("OrderNumber") or "")
    if is_voided:
        return Seen(one.key, one.remote_id, "voided", values, detail=f"{number}, voided")
    return Seen(one.key, one.remote_id, "there", values, detail=number)
