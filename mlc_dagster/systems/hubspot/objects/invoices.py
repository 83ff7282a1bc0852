"""Invoices in HubSpot, up to 100 at a time: the invoice, its lines and its company, then its status; then a look back.

No step adds anything when it is done twice. A new invoice is a draft until all of it is there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from mlc_dagster.core.outcomes import Draft, Outcome, Refused, Unanswered
from mlc_dagster.systems.hubspot.api import Document, HubspotApi, objects
from mlc_dagster.systems.hubspot.objects.associations import Associations
from mlc_dagster.systems.hubspot.objects.batch_answers import BatchResult, update, upsert
from mlc_dagster.systems.hubspot.objects.batch_upsert import saved
from mlc_dagster.systems.hubspot.objects.properties import KEY, number, of_invoice, of_line
from mlc_dagster.systems.hubspot.portal import Portal
from mlc_dagster.systems.hubspot.records import BATCH, Invoice, Line

KIND, LINES, TYPE_ID = "invoices", "line_items", "0-53"
UNANSWERED = "HubSpot's answer did not name it"


@dataclass
class _PendingInvoice:
    """One invoice on its way."""

    draft: Draft
    trace: str
    remote_id: str = ""
    new: bool = False
    refused: str = ""
    unanswered: str = ""

    @property
    def invoice(self) -> Invoice:
        invoice: Invoice = self.draft.record
        return invoice

    @property
    def alive(self) -> bool:
        return not (self.refused or self.unanswered)

    def take(self, sent: BatchResult, trace: str, what: str = "") -> Document:
        """The result of a step; where there is none, this invoice goes no further."""
        if trace in sent.results:
            return sent.results[trace]
        if trace in sent.refused:
            self.refused = self.refused or f"{what}{sent.refused[trace]}"
        else:
            self.unanswered = f"{what}{UNANSWERED}"
        return {}


class InvoiceWriter:
    """The invoices of one portal."""

    kinds = (KIND, LINES)

    def __init__(self, api: HubspotApi, portal: Portal) -> None:
        self._api, self._portal = api, portal
        self._lines = Associations(api, KIND, LINES)
        self._belongs = Associations(api, LINES, KIND)
        self._companies = Associations(api, KIND, "companies")

    def save(self, drafts: Sequence[Draft]) -> list[Outcome]:
        """One outcome for each of at most 100 drafts. Raises AccessDenied, Misconfigured, TransientError."""
        invoices = [_PendingInvoice(draft, str(place)) for place, draft in enumerate(drafts)]
        self._heads(invoices)
        self._items(_alive(invoices))
        self._of_the_company(_alive(invoices))
        self._status(_alive(invoices))
        self._verify_totals(_alive(invoices))
        return [self._outcome(pending) for pending in invoices]

    def _heads(self, invoices: Sequence[_PendingInvoice]) -> None:
        sent = upsert(self._api, KIND, {each.trace: of_invoice(each.invoice) for each in invoices})
        for pending in invoices:
            row = pending.take(sent, pending.trace)
            pending.remote_id, pending.new = str(row.get("id") or ""), bool(row.get("new"))

    # --- lines --------------------------------------------------------------------------------------------------------

    def _items(self, invoices: Sequence[_PendingInvoice]) -> None:
        """Lines by their own keys, then onto their invoice; those that it has and should not have are archived."""
        there = self._lines.of([pending.remote_id for pending in invoices if not pending.new])
        rows = {trace: of_line(line, pending.invoice) for pending, line, trace in _each_line(invoices)}
        sent = upsert(self._api, LINES, rows)
        ids: dict[str, str] = {}
        for pending, line, trace in _each_line(invoices):
            ids[trace] = str(pending.take(sent, trace, f"{line.where}: ").get("id") or "")
        self._attach(invoices, ids, there)
        self._archive(_alive(invoices), set(ids.values()), there)

    def _attach(
        self, invoices: Sequence[_PendingInvoice], ids: Mapping[str, str], there: Mapping[str, Sequence[str]]
    ) -> None:
        pairs = {
            trace: (ids[trace], pending.remote_id)
            for pending, _, trace in _each_line(_alive(invoices))
            if ids[trace] not in there.get(pending.remote_id, ())
        }
        failed = self._belongs.make(pairs)
        for pending, line, trace in _each_line(invoices):
            if trace in failed:
                pending.refused = f"{line.where}: {failed[trace]}"

    def _archive(self, invoices: Sequence[_PendingInvoice], ours: set[str], there: Mapping[str, Sequence[str]]) -> None:
        """Only lines that carry a key of ours: what people added stays, and the look back tells that it is too much."""
        left = [each for pending in invoices for each in there.get(pending.remote_id, ()) if each not in ours]
        for some in _hundreds(left):
            known = self._api.read(LINES, some, KEY)
            vanished = [each for each, row in known.items() if str(row.get(KEY) or "").startswith("LINE/")]
            if vanished:
                body = {"inputs": [{"id": each} for each in vanished]}
                self._api.post(objects(LINES, "batch/archive"), body)

    # --- company, status, look back -----------------------------------------------------------------------------------

    def _of_the_company(self, invoices: Sequence[_PendingInvoice]) -> None:
        """On the company of its supplier, and on no other of the ERP's."""
        there = self._companies.of([pending.remote_id for pending in invoices if not pending.new])
        wanted = {each.trace: (each.remote_id, each.invoice.supplier_id or "") for each in invoices}
        failed = self._companies.replace(wanted, there)
        for pending in invoices:
            pending.refused = failed.get(pending.trace, "")

    def _status(self, invoices: Sequence[_PendingInvoice]) -> None:
        """Only now: HubSpot opens no invoice without lines."""
        rows = {
            each.trace: (
                each.remote_id,
                {"hs_invoice_status": each.invoice.status, "hs_amount_billed": number(each.invoice.stated_gross)},
            )
            for each in invoices
        }
        sent = update(self._api, KIND, rows)
        for pending in invoices:
            pending.take(sent, pending.trace, f"status {pending.invoice.status}: ")

    def _verify_totals(self, invoices: Sequence[_PendingInvoice]) -> None:
        """HubSpot's total is the ERP's gross amount, or the invoice is held."""
        if not invoices:
            return
        ids = [pending.remote_id for pending in invoices]
        found = self._api.read(KIND, ids, "hs_amount_billed", "hs_invoice_status")
        for pending in invoices:
            pending.refused = _difference(pending.invoice, found.get(pending.remote_id))

    def _outcome(self, pending: _PendingInvoice) -> Outcome:
        if pending.unanswered and not pending.refused:
            return Unanswered(pending.draft, pending.unanswered)
        if pending.refused:
            return Refused(pending.draft, pending.refused)
        link = self._portal.link(TYPE_ID, pending.remote_id)
        return saved(pending.draft, pending.remote_id, pending.invoice.number or "", link, new=pending.new)


def _difference(invoice: Invoice, theirs: Document | None) -> str:
    if theirs is None:
        return "HubSpot does not show the invoice that it took. Look there."
    total, status = _number(theirs.get("hs_amount_billed")), theirs.get("hs_invoice_status")
    if total != invoice.stated_gross:
        return (
            f"HubSpot's total is {total}, and the gross amount of IFS is {invoice.stated_gross}. "
            "Look for line items, discounts or taxes that were added in HubSpot, remove them, and replay."
        )
    return "" if status == invoice.status else f"HubSpot's status is {status}, and {invoice.status} was sent."


def _number(text: object) -> Decimal | None:
    try:
        return Decimal(str(text))
    except InvalidOperation:
        return None


def _alive(invoices: Iterable[_PendingInvoice]) -> list[_PendingInvoice]:
    return [pending for pending in invoices if pending.alive]


def _each_line(invoices: Iterable[_PendingInvoice]) -> Iterator[tuple[_PendingInvoice, Line, str]]:
    for pending in invoices:
        for place, line in enumerate(pending.invoice.items()):
            yield pending, line, f"{pending.trace}.{place}"


def _hundreds(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), BATCH):
        yield ids[start : start + BATCH]
