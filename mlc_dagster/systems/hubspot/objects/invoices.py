"""Invoices in HubSpot, up to 100 at a time: the invoice, its lines, company and total, a look back; then its status.

No step adds anything when it is done twice. A new invoice is a draft until all of it is there, and its total is right.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from decimal import Decimal, InvalidOperation

from mlc_dagster.core.outcomes import Disagreement, Draft, Outcome, Refused, Unanswered
from mlc_dagster.core.shown_values import Value
from mlc_dagster.rules.waiving import WAS_CANCELLED
from mlc_dagster.systems.hubspot.api import HubspotApi
from mlc_dagster.systems.hubspot.error_messages import READ_ONLY
from mlc_dagster.systems.hubspot.objects.batch_answers import BatchResult, update, upsert
from mlc_dagster.systems.hubspot.objects.batch_upsert import saved
from mlc_dagster.systems.hubspot.objects.deleted_records import (
    DELETED,
    archived_under,
    archived_words,
    deletion,
    deletion_refused,
    gone,
    stays_deleted,
)
from mlc_dagster.systems.hubspot.objects.invoice_lines import ADDED, LINES, LineWriter
from mlc_dagster.systems.hubspot.objects.invoice_status import OTHER_STATUS, STATUS, other_status, status_to_send
from mlc_dagster.systems.hubspot.objects.known_records import KnownRecords
from mlc_dagster.systems.hubspot.objects.party_companies import COMPANY_IS_THERE, Parties, PartyCompanies
from mlc_dagster.systems.hubspot.objects.pending_invoice import PendingInvoice, alive
from mlc_dagster.systems.hubspot.objects.properties import (
    KEY,
    STATUS_SENT,
    defaults_of,
    given,
    number,
    numbered,
    of_invoice,
)
from mlc_dagster.systems.hubspot.objects.tied_companies import TIED
from mlc_dagster.systems.hubspot.objects.typed_values import typed
from mlc_dagster.systems.hubspot.portal import Portal
from mlc_dagster.systems.shared.cancelled_documents import cancelled_words

KIND, TYPE_ID, VOIDED = "invoices", "0-53", "voided"
BILLED, TAX, DUE, NUMBER = "hs_amount_billed", "hs_tax", "hs_due_date", "hs_number"
OTHER_NUMBER, OTHER_TOTAL = "other_number_in_the_target", "other_total_in_the_target"
TOLD = (DELETED, ADDED, OTHER_STATUS, OTHER_NUMBER, OTHER_TOTAL)
LOOKS, BETWEEN_LOOKS = 3, 0.5  # HubSpot may still be adding up the lines


class InvoiceWriter:
    """The invoices of one portal."""

    kinds = (KIND, LINES)

    def __init__(self, api: HubspotApi, portal: Portal, options: Mapping[str, str]) -> None:
        self._api, self._portal, self._options = api, portal, options
        self._known = KnownRecords(api, KIND)
        self._lines, self._companies = LineWriter(api, options), PartyCompanies(api, KIND)
        self._read_only: set[str] = set()  # what HubSpot was seen to compute itself

    def save(self, drafts: Sequence[Draft]) -> list[Outcome]:
        """One outcome for each of at most 100 drafts. Raises AccessDenied, Misconfigured, TransientError."""
        invoices = [PendingInvoice(draft, str(place)) for place, draft in enumerate(drafts)]
        self._find([pending for pending in invoices if pending.draft.remote_id])
        self._refuse_voided([pending for pending in invoices if not pending.draft.remote_id])
        parties = self._parties(alive(invoices))
        self._heads(alive(invoices))
        self._lines.write(alive(invoices))
        self._on_their_companies(alive(invoices), parties)
        self._totals(alive(invoices))
        self._look_back(alive(invoices))
        self._status(alive(invoices))
        return [self._outcome(pending) for pending in invoices]

    def _find(self, delivered: Sequence[PendingInvoice]) -> None:
        """What HubSpot has of those that it had: by id, through merges, by our key."""
        found = self._known.find({each.trace: (each.draft.remote_id, each.invoice.key) for each in delivered})
        for pending in delivered:
            pending.known = found[pending.trace]
            if gone := deletion(pending.draft, pending.known):
                pending.told.append(gone)
                if stays_deleted(self._options):
                    pending.refused, pending.rule = deletion_refused(pending.draft, pending.known), DELETED
            elif pending.known.key not in ("", pending.invoice.key):
                pending.refused = f"HubSpot's invoice {pending.known.remote_id} carries the key {pending.known.key}."

    def _refuse_voided(self, undelivered: Sequence[PendingInvoice]) -> None:
        """What HubSpot has under our key, and a person voided, is not filled anew: nothing is written to it."""
        wanted = {each.invoice.key.casefold(): each for each in undelivered if each.invoice.status != VOIDED}
        found = self._api.read(KIND, [each.invoice.key for each in wanted.values()], KEY, STATUS, by=KEY)
        self._refuse_archived(wanted, {str(row.get(KEY) or "").casefold() for row in found.values()})
        for remote_id, row in found.items():
            pending = wanted.get(str(row.get(KEY) or "").casefold())
            if pending is not None and row.get(STATUS) == VOIDED:
                shown = f"invoice {remote_id} ({self._portal.link(TYPE_ID, remote_id)})"
                cure = "enter a new one there by hand"
                pending.refused = cancelled_words("HubSpot", shown, VOIDED, pending.invoice.key, cure)
                pending.rule = WAS_CANCELLED

    def _refuse_archived(self, wanted: Mapping[str, PendingInvoice], live: AbstractSet[str]) -> None:
        """What lies in the recycle bin under our key, and was delivered by a ledger that is gone."""
        absent = {each.invoice.key: each for folded, each in wanted.items() if folded not in live}
        if not stays_deleted(self._options):
            return
        for key, remote_id in archived_under(self._api, KIND, list(absent)).items():
            absent[key].refused, absent[key].rule = archived_words("invoice", remote_id, key), WAS_CANCELLED

    # --- the invoice itself -------------------------------------------------------------------------------------------

    def _heads(self, invoices: Sequence[PendingInvoice]) -> None:
        rows = {each.trace: self._row(each) for each in invoices}
        sent = self._written(invoices, rows)
        again = [each for each in invoices if self._gives_in(each, sent, rows)]
        if again:
            more = self._written(again, rows)
            for each in again:
                sent.refused.pop(each.trace, None)
            sent.add(more)
        for pending in invoices:
            row = pending.take(sent, pending.trace)
            pending.remote_id, pending.new = str(row.get("id") or ""), bool(row.get("new"))

    def _row(self, pending: PendingInvoice) -> dict[str, str]:
        row = {name: text for name, text in of_invoice(pending.invoice).items() if name not in pending.draft.kept}
        if self._options.get("number") == "with_supplier" and NUMBER in row:
            row[NUMBER] = numbered(pending.invoice)
        if pending.known.remote_id:
            return row
        return {**defaults_of(KIND, self._options), **given(pending.invoice.defaults), **row}

    def _written(self, invoices: Sequence[PendingInvoice], rows: Mapping[str, Mapping[str, str]]) -> BatchResult:
        new = {each.trace: rows[each.trace] for each in invoices if not each.known.remote_id}
        sent = upsert(self._api, KIND, new)
        there = {each.trace: (each.known.remote_id, rows[each.trace]) for each in invoices if each.known.remote_id}
        sent.add(update(self._api, KIND, there))
        return sent

    def _gives_in(self, pending: PendingInvoice, sent: BatchResult, rows: dict[str, dict[str, str]]) -> bool:
        """Whether it may be sent in another way: a number that is taken, a due date that HubSpot does not want."""
        row, trace = rows[pending.trace], pending.trace
        if sent.names(trace, NUMBER) and row[NUMBER] != (named := numbered(pending.invoice)):
            pending.told.append(Disagreement(OTHER_NUMBER, NUMBER, row[NUMBER], named))
            row[NUMBER] = named
            return True
        if sent.names(trace, DUE):
            pending.held_later = (
                f"HubSpot refuses the due date {pending.invoice.due_date}: {sent.refused[trace]}. The invoice stays a "
                "draft without it; the ERP's date stands in its property IFS due date."
            )
            del row[DUE]
            return True
        return False

    def _parties(self, invoices: Sequence[PendingInvoice]) -> Parties:
        """The company of each. An invoice whose company is gone is not written: it would belong to nobody."""
        parties = self._companies.find({each.trace: each.invoice for each in invoices})
        for pending in invoices:
            if pending.trace in parties.gone:
                pending.refused, pending.rule = parties.gone[pending.trace], COMPANY_IS_THERE
        return parties

    def _on_their_companies(self, invoices: Sequence[PendingInvoice], parties: Parties) -> None:
        mine = [each for each in invoices if TIED not in each.draft.kept]
        ids = {each.trace: each.remote_id for each in mine}
        failed = self._companies.tie(ids, parties, [each.remote_id for each in mine if not each.new])
        for pending in invoices:
            pending.refused = failed.get(pending.trace, "")

    # --- total, look back, status -------------------------------------------------------------------------------------

    def _totals(self, invoices: Sequence[PendingInvoice]) -> None:
        """In a call of their own, when the lines are there. What HubSpot computes itself is left to it."""
        left = list(invoices)
        while left:
            rows = {each.trace: (each.remote_id, row) for each in left if (row := self._total(each))}
            sent = update(self._api, KIND, rows)
            refused = {
                fault.property for trace in sent.faults for fault in sent.faults[trace] if fault.code == READ_ONLY
            }
            left = [each for each in left if sent.names(each.trace, BILLED, TAX) and refused - self._read_only]
            self._read_only |= refused
            for pending in invoices:
                if pending.trace in rows and pending not in left and not sent.names(pending.trace, BILLED, TAX):
                    pending.take(sent, pending.trace, "total: ")

    def _total(self, pending: PendingInvoice) -> dict[str, str]:
        amounts = {BILLED: number(pending.invoice.stated_gross), TAX: number(pending.invoice.stated_vat)}
        left = self._read_only | pending.draft.kept.keys()
        mine = (name for name in amounts if name not in left and self._portal.may_write(KIND, name))
        return {name: amounts[name] for name in mine if amounts[name]}

    def _look_back(self, invoices: Sequence[PendingInvoice]) -> None:
        """HubSpot's total is the ERP's gross amount, or the invoice is held and stays a draft."""
        wrong = list(invoices)
        for look in range(LOOKS):
            if look and wrong:
                self._portal.wait(BETWEEN_LOOKS)
            self._read(wrong)
            wrong = [each for each in wrong if _number(each.theirs.get(BILLED)) != each.total]
        for pending in wrong:
            if not pending.theirs:
                pending.refused = "HubSpot does not show the invoice that it took. Look there."
            elif self._options.get("total_check") == "warn":
                theirs = str(pending.theirs.get(BILLED) or "")
                amount = (pending.gross, theirs, pending.gross, pending.invoice.currency)
                pending.told.append(Disagreement(OTHER_TOTAL, BILLED, *amount))
            else:
                pending.refused = _other_total(pending)

    def _read(self, invoices: Sequence[PendingInvoice]) -> None:
        found = self._api.read(KIND, [each.remote_id for each in invoices], BILLED, STATUS, STATUS_SENT)
        for pending in invoices:
            pending.theirs = found.get(pending.remote_id, {})

    def _status(self, invoices: Sequence[PendingInvoice]) -> None:
        """Only now: HubSpot opens no invoice without lines, and takes nothing back."""
        wanted = {
            each.trace: status
            for each in invoices
            if not each.held_later and (status := status_to_send(each.invoice, each.theirs, self._options))
        }
        for pending in invoices:
            if STATUS in pending.draft.kept:
                continue
            if other := other_status(pending.invoice, pending.theirs, self._options):
                pending.told.append(other)
        going = [each for each in invoices if each.trace in wanted and STATUS not in each.draft.kept]
        rows = {
            each.trace: (each.remote_id, {STATUS: wanted[each.trace], STATUS_SENT: wanted[each.trace]})
            for each in going
        }
        sent = update(self._api, KIND, rows)
        for pending in going:
            pending.take(sent, pending.trace, f"status {wanted[pending.trace]}: ")
        self._read(alive(going))
        for pending in alive(going):
            if pending.theirs.get(STATUS) != wanted[pending.trace]:
                now = pending.theirs.get(STATUS)
                pending.refused = f"HubSpot's status is {now}, and {wanted[pending.trace]} was sent."

    def _outcome(self, pending: PendingInvoice) -> Outcome:
        if pending.unanswered and not pending.refused:
            return Unanswered(pending.draft, pending.unanswered)
        if refused := pending.refused or pending.held_later:
            return Refused(pending.draft, refused, pending.rule, disagreements=gone(pending.rule, pending.told))
        link = self._portal.link(TYPE_ID, pending.remote_id)
        answer = saved(pending.draft, pending.remote_id, pending.invoice.number or "", link, new=pending.new)
        return replace(answer, disagreements=tuple(pending.told), looked_for=TOLD, shown=_shown(pending))


def _shown(pending: PendingInvoice) -> dict[str, Value]:
    """What is told already is agreed: another number, total or status, and how many lines there are."""
    told = {each.field: each.theirs for each in pending.told if each.kind in (OTHER_NUMBER, OTHER_TOTAL, OTHER_STATUS)}
    added = [each.theirs.split(", ") for each in pending.told if each.kind == ADDED and each.theirs]
    more = {LINES: Decimal(len(pending.invoice.items()) + len(added[0]))} if added else {}
    return {**typed(told), **more}


def _other_total(pending: PendingInvoice) -> str:
    is_draft = str(pending.theirs.get(STATUS) or "draft") == "draft"
    return (
        f"HubSpot's total is {_number(pending.theirs.get(BILLED))}, and the gross amount of IFS is "
        f"{pending.invoice.stated_gross}. {'It stays a draft. ' if is_draft else ''}"
        "Look for line items, discounts or taxes that were added in HubSpot, remove them, and replay."
    )


def _number(text: object) -> Decimal | None:
    try:
        return Decimal(str(text))
    except InvalidOperation:
        return None
