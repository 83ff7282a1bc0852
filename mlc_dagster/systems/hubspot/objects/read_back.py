"""What HubSpot shows of what was delivered: a batch read for each hundred, line items with their invoices."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from itertools import chain, islice
from typing import Any

from mlc_dagster.core.flows import Flow, Target
from mlc_dagster.core.outcomes import Delivered, Draft, Seen, Shown, Worth
from mlc_dagster.systems.hubspot.api import Document, HubspotApi
from mlc_dagster.systems.hubspot.objects.associations import Associations
from mlc_dagster.systems.hubspot.objects.invoice_status import STATUS
from mlc_dagster.systems.hubspot.objects.known_records import KnownRecord, KnownRecords
from mlc_dagster.systems.hubspot.objects.properties import KEY, numbered, of_company, of_deal, of_invoice, of_line
from mlc_dagster.systems.hubspot.objects.tied_companies import TIED, TiedCompanies
from mlc_dagster.systems.hubspot.objects.typed_values import BILLED, LINES, OF_LINES, of_lines, typed
from mlc_dagster.systems.hubspot.records import BATCH, COMPANIES, DEALS, INVOICES, Invoice
from mlc_dagster.transport.client import in_order

STAGE = ("pipeline", "dealstage")


class ReadBack:
    """Reads of one portal; implements outcomes.ReadsBack."""

    def __init__(self, api: HubspotApi, options: Mapping[str, str], in_flight: int = 10) -> None:
        self._api, self._options, self._in_flight = api, options, in_flight
        self._lines, self._tied = Associations(api, INVOICES.name, LINES), TiedCompanies(api)

    def read_back(self, target: Target, delivered: Sequence[Delivered]) -> Iterator[Seen]:
        """A call for a hundred; more only for what is not there under its id."""
        for seen in in_order(lambda some: self._seen(target, some), _hundreds(delivered), self._in_flight):
            yield from seen

    def expected(self, target: Target, record: Any) -> Shown:
        """Of a deal without its stage, which the portal names; of an invoice with its lines, by their keys."""
        if target.name == COMPANIES.name:
            return typed(of_company(record))
        if target.name == DEALS.name:
            row = {name: text for name, text in of_deal(record, "", "").items() if name not in STAGE}
            return {**typed(row), TIED: record.supplier_id}
        return self._invoice(record)

    def worth(self, target: Target, values: Shown) -> Worth:
        """An invoice is worth what HubSpot adds up; a company nothing."""
        named = {INVOICES.name: (BILLED, "hs_currency"), DEALS.name: ("amount", "deal_currency_code")}
        amount, currency = named.get(target.name, ("", ""))
        found = values.get(amount)
        return Worth(
            str(values.get("ifs_company_code") or ""),
            found if isinstance(found, Decimal) else None,
            str(values.get(currency) or ""),
        )

    def keeping(self, target: Target, draft: Draft, kept: Shown) -> Draft:
        """As outcomes.KeepsAccepted: a batch writes single properties, so that all others can be left alone."""
        return replace(draft, kept=kept)

    def ours_in(self, flow: Flow, since: datetime | None, known: AbstractSet[str]) -> Iterator[Seen]:
        """As outcomes.FindsOurs. What was written moments ago may be missing: the next look finds it."""
        kind, begins = flow.target.name, _MARKS[flow.key[-1]]
        filters: list[Document] = [{"propertyName": KEY, "operator": "HAS_PROPERTY"}]
        if since is not None:
            moment = str(int(since.timestamp() * 1000))
            filters.append({"propertyName": "hs_lastmodifieddate", "operator": "GTE", "value": moment})
        for remote_id, row in self._api.each_of(kind, filters, KEY, *_READ[kind]):
            key = str(row.get(KEY) or "")
            if remote_id not in known and key.startswith(begins):
                yield Seen(key.removeprefix(begins), remote_id, "there", typed(row), detail=key)

    def _invoice(self, invoice: Invoice) -> Shown:
        """The status of a draft is people's, and so is every status where mlc.yaml says so."""
        row = of_invoice(invoice)
        if self._options.get("number") == "with_supplier":
            row["hs_number"] = numbered(invoice)
        if invoice.status != "draft" and self._options.get("status_owner", "ifs") == "ifs":
            row[STATUS] = invoice.status
        lines = [of_line(line, invoice) for line in invoice.items()]
        return {**typed(row), TIED: invoice.supplier_id, BILLED: invoice.stated_gross, **of_lines(lines)}

    # --- what is read -------------------------------------------------------------------------------------------------

    def _seen(self, target: Target, delivered: Sequence[Delivered]) -> list[Seen]:
        known = self._known(target, delivered)
        there = [each.remote_id for each in known if each.remote_id]
        lines = self._lines_of(there) if target.name == INVOICES.name else None
        asked = {
            each.remote_id: self._values(target, one).get(TIED) for one, each in zip(delivered, known, strict=True)
        }
        tied = self._tied.of(target.name, {each: asked[each] for each in there})
        seen = [_as_seen(one, found, lines) for one, found in zip(delivered, known, strict=True)]
        return [
            replace(each, values={**each.values, **tied[found.remote_id]}) if found.remote_id in tied else each
            for each, found in zip(seen, known, strict=True)
        ]

    def _known(self, target: Target, delivered: Sequence[Delivered]) -> list[KnownRecord]:
        """Without our key, where nobody knows it any more, it is looked for by its id alone."""
        values = [self._values(target, one) for one in delivered]
        names = sorted({name for each in values for name in each if "[" not in name} - {KEY, LINES, TIED})
        own = sorted({*names, *_READ[target.name]})
        wanted = {
            str(place): (one.remote_id, str(values[place].get(KEY) or f"?{one.remote_id}"))
            for place, one in enumerate(delivered)
        }
        found = KnownRecords(self._api, target.name, *own).find(wanted)
        return [found[str(place)] for place in range(len(delivered))]

    def _values(self, target: Target, one: Delivered) -> Shown:
        if one.shown is not None:
            return one.shown
        return {} if one.record is None else self.expected(target, one.record)

    def _lines_of(self, invoices: Sequence[str]) -> dict[str, list[Document]]:
        """Invoice -> the properties of its line items."""
        ids = self._lines.of(invoices)
        asked, rows = sorted(set(chain.from_iterable(ids.values()))), dict[str, Document]()
        for start in range(0, len(asked), BATCH):
            rows |= self._api.read(LINES, asked[start : start + BATCH], KEY, *OF_LINES)
        return {invoice: [rows[each] for each in lines if each in rows] for invoice, lines in ids.items()}


_READ = {
    COMPANIES.name: ("name", "ifs_number"),
    INVOICES.name: (BILLED, STATUS, "hs_currency", "hs_number", "ifs_company_code"),
    DEALS.name: (*STAGE, "dealname", "amount", "closedate", "deal_currency_code", "ifs_company_code"),
}
"""What is read of each, whoever knows what was sent."""


_MARKS = {
    "supplier_companies": "SUPPLIER/",
    "customer_companies": "CUSTOMER/",
    "invoices": "INVOICE/",
    "customer_invoices": "CUSTOMER_INVOICE/",
    "deals": "DEAL/",
}
"""What our key begins with in the records of each flow: see mapping."""


def _as_seen(one: Delivered, known: KnownRecord, lines: Mapping[str, list[Document]] | None) -> Seen:
    if not known.remote_id:
        detail = f"archived as {known.archived_id}" if known.archived_id else ""
        return Seen(one.key, one.remote_id, "deleted", detail=detail)
    values = typed({name: value for name, value in known.properties.items() if name in _compared(known)})
    if lines is not None:
        values |= of_lines(lines.get(known.remote_id, ()))
    if known.remote_id != one.remote_id:
        return Seen(one.key, one.remote_id, "merged", values, known.remote_id)
    is_voided = values.get(STATUS) == "voided" and (one.shown or {}).get(STATUS) != "voided"
    return Seen(one.key, one.remote_id, "voided" if is_voided and _was_not(one) else "there", values)


def _compared(known: KnownRecord) -> Iterable[str]:
    return (name for name in known.properties if not name.startswith("hs_merged") and name not in ("hs_object_id",))


def _was_not(one: Delivered) -> bool:
    """Whether we did not void it ourselves."""
    return getattr(one.record, "status", None) != "voided"


def _hundreds(delivered: Sequence[Delivered]) -> Iterator[Sequence[Delivered]]:
    source = iter(delivered)
    while batch := list(islice(source, BATCH)):
        yield batch
