"""Invoices in HubSpot, up to 100 at a time: the invoice, its lines and its company, then its status; then a look back.

No step adds anything when it is done twice. A new invoice is a draft until all of it is there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from mlc_dagster.core.outcomes import Draft, Outcome, Refused, Unanswered
from mlc_dagster.systems.hubspot.api import Document, HubspotApi, objects
from mlc_dagster.systems.hubspot.objects.associations import Links
from mlc_dagster.systems.hubspot.objects.batch_answers import Sent, update, upsert
from mlc_dagster.systems.hubspot.objects.batch_upsert import saved
from mlc_dagster.systems.hubspot.objects.properties import KEY, number, of_invoice, of_line
from mlc_dagster.systems.hubspot.portal import Portal
from mlc_dagster.systems.hubspot.records import BATCH, Invoice, Line

KIND, LINES, TYPE_ID = "invoices", "line_items", "0-53"
UNANSWERED = "HubSpot's answer did not name it"


@dataclass
class _Mirror:
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

    def take(self, sent: Sent, trace: str, what: str = "") -> Document:
        """The result of a step; where there is none, this invoice goes no further."""
        if trace in sent.results:
            return sent.results[trace]
        if trace in sent.refused:
            self.refused = self.refused or f"{what}{sent.refused[trace]}"
        else:
            self.unanswered = f"{what}{UNANSWERED}"
        return {}


class Invoices:
    """The invoices of one portal."""

    kinds = (KIND, LINES)

    def __init__(self, api: HubspotApi, portal: Portal) -> None:
        self._api, self._portal = api, portal
        self._lines = Links(api, KIND, LINES)
        self._belongs = Links(api, LINES, KIND)
        self._companies = Links(api, KIND, "companies")

    def save(self, drafts: Sequence[Draft]) -> list[Outcome]:
        """One outcome for each of at most 100 drafts. Raises AccessDenied, Misconfigured, TransientError."""
        mirrors = [_Mirror(draft, str(place)) for place, draft in enumerate(drafts)]
        self._heads(mirrors)
        self._items(_alive(mirrors))
        self._of_the_company(_alive(mirrors))
        self._status(_alive(mirrors))
        self._look_back(_alive(mirrors))
        return [self._outcome(mirror) for mirror in mirrors]

    def _heads(self, mirrors: Sequence[_Mirror]) -> None:
        sent = upsert(self._api, KIND, {each.trace: of_invoice(each.invoice) for each in mirrors})
        for mirror in mirrors:
            row = mirror.take(sent, mirror.trace)
            mirror.remote_id, mirror.new = str(row.get("id") or ""), bool(row.get("new"))

    # --- lines --------------------------------------------------------------------------------------------------------

    def _items(self, mirrors: Sequence[_Mirror]) -> None:
        """Lines by their own keys, then onto their invoice; those that it has and should not have are archived."""
        there = self._lines.of([mirror.remote_id for mirror in mirrors if not mirror.new])
        rows = {trace: of_line(line, mirror.invoice) for mirror, line, trace in _each_line(mirrors)}
        sent = upsert(self._api, LINES, rows)
        ids: dict[str, str] = {}
        for mirror, line, trace in _each_line(mirrors):
            ids[trace] = str(mirror.take(sent, trace, f"{line.where}: ").get("id") or "")
        self._attach(mirrors, ids, there)
        self._archive(_alive(mirrors), set(ids.values()), there)

    def _attach(self, mirrors: Sequence[_Mirror], ids: Mapping[str, str], there: Mapping[str, Sequence[str]]) -> None:
        pairs = {
            trace: (ids[trace], mirror.remote_id)
            for mirror, _, trace in _each_line(_alive(mirrors))
            if ids[trace] not in there.get(mirror.remote_id, ())
        }
        failed = self._belongs.make(pairs)
        for mirror, line, trace in _each_line(mirrors):
            if trace in failed:
                mirror.refused = f"{line.where}: {failed[trace]}"

    def _archive(self, mirrors: Sequence[_Mirror], ours: set[str], there: Mapping[str, Sequence[str]]) -> None:
        """Only lines that carry a key of ours: what people added stays, and the look back tells that it is too much."""
        left = [each for mirror in mirrors for each in there.get(mirror.remote_id, ()) if each not in ours]
        for some in _hundreds(left):
            known = self._api.read(LINES, some, KEY)
            vanished = [each for each, row in known.items() if str(row.get(KEY) or "").startswith("LINE/")]
            if vanished:
                body = {"inputs": [{"id": each} for each in vanished]}
                self._api.post(objects(LINES, "batch/archive"), body)

    # --- company, status, look back -----------------------------------------------------------------------------------

    def _of_the_company(self, mirrors: Sequence[_Mirror]) -> None:
        """On the company of its supplier, and on no other of the ERP's."""
        there = self._companies.of([mirror.remote_id for mirror in mirrors if not mirror.new])
        wanted = {each.trace: (each.remote_id, each.invoice.supplier_id or "") for each in mirrors}
        failed = self._companies.replace(wanted, there)
        for mirror in mirrors:
            mirror.refused = failed.get(mirror.trace, "")

    def _status(self, mirrors: Sequence[_Mirror]) -> None:
        """Only now: HubSpot opens no invoice without lines."""
        rows = {
            each.trace: (
                each.remote_id,
                {"hs_invoice_status": each.invoice.status, "hs_amount_billed": number(each.invoice.stated_gross)},
            )
            for each in mirrors
        }
        sent = update(self._api, KIND, rows)
        for mirror in mirrors:
            mirror.take(sent, mirror.trace, f"status {mirror.invoice.status}: ")

    def _look_back(self, mirrors: Sequence[_Mirror]) -> None:
        """HubSpot's total is the ERP's gross amount, or the invoice is held."""
        if not mirrors:
            return
        ids = [mirror.remote_id for mirror in mirrors]
        found = self._api.read(KIND, ids, "hs_amount_billed", "hs_invoice_status")
        for mirror in mirrors:
            mirror.refused = _difference(mirror.invoice, found.get(mirror.remote_id))

    def _outcome(self, mirror: _Mirror) -> Outcome:
        if mirror.unanswered and not mirror.refused:
            return Unanswered(mirror.draft, mirror.unanswered)
        if mirror.refused:
            return Refused(mirror.draft, mirror.refused)
        link = self._portal.link(TYPE_ID, mirror.remote_id)
        return saved(mirror.draft, mirror.remote_id, mirror.invoice.number or "", link, new=mirror.new)


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


def _alive(mirrors: Iterable[_Mirror]) -> list[_Mirror]:
    return [mirror for mirror in mirrors if mirror.alive]


def _each_line(mirrors: Iterable[_Mirror]) -> Iterator[tuple[_Mirror, Line, str]]:
    for mirror in mirrors:
        for place, line in enumerate(mirror.invoice.items()):
            yield mirror, line, f"{mirror.trace}.{place}"


def _hundreds(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), BATCH):
        yield ids[start : start + BATCH]
