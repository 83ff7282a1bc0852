"""Deals that people keep under another name: on the same company, of the same amount. They are proposed, never tied."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import NamedTuple

from mlc_dagster.systems.hubspot.api import Document, HubspotApi
from mlc_dagster.systems.hubspot.objects.associations import Associations
from mlc_dagster.systems.hubspot.objects.deal_match import AT_ONCE, KIND
from mlc_dagster.systems.hubspot.objects.properties import KEY, NOT_OURS, number
from mlc_dagster.systems.hubspot.records import BATCH, Deal

AMOUNT, CURRENCY = "amount", "deal_currency_code"


class Wanted(NamedTuple):
    """What tells a deal, beside its name."""

    company_id: str
    amount: str
    currency: str

    @classmethod
    def of(cls, deal: Deal, company_id: str) -> Wanted:
        return cls(company_id, number(deal.stated_gross), deal.currency or "")


class DealProposals:
    """Of one portal. A search proposes, a batch read decides, and the association tells whose it is."""

    def __init__(self, api: HubspotApi) -> None:
        self._api, self._companies = api, Associations(api, KIND, "companies")

    def of(self, wanted: Mapping[str, Wanted]) -> dict[str, list[str]]:
        """Trace -> ids of the deals without a key of ours on the same company, of the same amount and currency."""
        rows = self._read(sorted({each.amount for each in wanted.values() if each.amount}))
        tied = self._companies.of(sorted(rows)) if rows else {}
        found = {
            trace: [each for each, row in rows.items() if one.company_id in tied[each] and _is_alike(one, row)]
            for trace, one in wanted.items()
        }
        return {trace: each for trace, each in found.items() if each}

    def _read(self, amounts: Sequence[str]) -> dict[str, Document]:
        ids: set[str] = set()
        for start in range(0, len(amounts), AT_ONCE):
            some = {"propertyName": AMOUNT, "operator": "IN", "values": list(amounts[start : start + AT_ONCE])}
            ids |= self._api.search(KIND, [[some, NOT_OURS]], KEY)[1].keys()
        rows, asked = dict[str, Document](), sorted(ids)
        for start in range(0, len(asked), BATCH):
            rows |= self._api.read(KIND, asked[start : start + BATCH], KEY, AMOUNT, CURRENCY)
        return {each: row for each, row in rows.items() if not row.get(KEY)}


def _is_alike(wanted: Wanted, row: Document) -> bool:
    """A deal that says no currency is in the portal's own, which may be this one."""
    try:
        same = Decimal(str(row.get(AMOUNT) or "")) == Decimal(wanted.amount)
    except InvalidOperation:
        return False
    return same and row.get(CURRENCY) in (None, "", wanted.currency)
