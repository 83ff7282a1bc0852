"""Companies and deals in HubSpot: a batch of upserts, and for deals what they belong to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mlc_dagster.core.outcomes import Draft, Outcome, Refused, Saved, Unanswered
from mlc_dagster.systems.hubspot.api import HubspotApi
from mlc_dagster.systems.hubspot.objects.associations import Associations
from mlc_dagster.systems.hubspot.objects.batch_answers import BatchResult, upsert
from mlc_dagster.systems.hubspot.objects.properties import of_company, of_deal
from mlc_dagster.systems.hubspot.portal import Portal


class CompanyWriter:
    """The companies of one portal: one call for a batch."""

    kinds = ("companies",)

    def __init__(self, api: HubspotApi, portal: Portal) -> None:
        self._api, self._portal = api, portal

    def save(self, drafts: Sequence[Draft]) -> list[Outcome]:
        """One outcome for each of at most 100 drafts. Raises AccessDenied, Misconfigured, TransientError."""
        rows = {str(place): of_company(draft.record) for place, draft in enumerate(drafts)}
        sent = upsert(self._api, "companies", rows)
        return [
            outcome(draft, sent, str(place), draft.record.name or "", self._portal, "0-2")
            for place, draft in enumerate(drafts)
        ]


class DealWriter:
    """The deals of one portal, each on the company and the invoice that it comes from."""

    kinds = ("deals",)

    def __init__(self, api: HubspotApi, portal: Portal) -> None:
        self._api, self._portal = api, portal
        self._associations = {
            "companies": Associations(api, "deals", "companies"),
            "invoices": Associations(api, "deals", "invoices"),
        }

    def save(self, drafts: Sequence[Draft]) -> list[Outcome]:
        """As Companies.save."""
        pipeline, stage = self._portal.stage()
        rows = {str(place): of_deal(draft.record, pipeline, stage) for place, draft in enumerate(drafts)}
        sent = upsert(self._api, "deals", rows)
        ends = {str(place): draft.record for place, draft in enumerate(drafts) if str(place) in sent.results}
        self._associate(sent, "companies", {trace: deal.supplier_id or "" for trace, deal in ends.items()})
        self._associate(sent, "invoices", {trace: deal.invoice_id or "" for trace, deal in ends.items()})
        return [
            outcome(draft, sent, str(place), draft.record.name, self._portal, "0-3")
            for place, draft in enumerate(drafts)
        ]

    def _associate(self, sent: BatchResult, kind: str, wanted: Mapping[str, str]) -> None:
        """To that one and no other of this kind; what cannot be tied is refused."""
        associations = self._associations[kind]
        ids = {trace: str(sent.results[trace]["id"]) for trace in wanted if trace in sent.results}
        there = associations.of([ids[trace] for trace in ids if not sent.results[trace].get("new")])
        pairs = {trace: (ids[trace], wanted[trace]) for trace in ids}
        for trace, why in associations.replace(pairs, there).items():
            sent.refused[trace] = f"{kind}: {why}"
            del sent.results[trace]


def outcome(draft: Draft, sent: BatchResult, trace: str, detail: str, portal: Portal, type_id: str) -> Outcome:
    """What became of a draft. One that HubSpot's answer does not name is looked up: its key finds it."""
    if trace in sent.refused:
        return Refused(draft, sent.refused[trace])
    if trace not in sent.results:
        return Unanswered(draft, "HubSpot's answer did not name it")
    row = sent.results[trace]
    remote_id = str(row["id"])
    return saved(draft, remote_id, detail, portal.link(type_id, remote_id), new=bool(row.get("new")))


def saved(draft: Draft, remote_id: str, detail: str, link: str, *, new: bool) -> Saved:
    """Adopted: it was there under our key, and the ledger did not know."""
    if new:
        return Saved(draft, remote_id, "created", detail, link)
    return Saved(draft, remote_id, "updated" if draft.remote_id else "adopted", detail, link)
