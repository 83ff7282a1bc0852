"""Deals in HubSpot: found or made, then on their company and their invoice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from mlc_dagster.core.outcomes import ACCEPTED, Disagreement, Draft, Outcome, Refused, Saved
from mlc_dagster.rules.waiving import WAS_CANCELLED
from mlc_dagster.systems.hubspot.api import HubspotApi
from mlc_dagster.systems.hubspot.objects.associations import Associations
from mlc_dagster.systems.hubspot.objects.batch_answers import BatchResult, update, upsert
from mlc_dagster.systems.hubspot.objects.batch_upsert import outcome
from mlc_dagster.systems.hubspot.objects.deal_match import MAY_BE_DEAL, DealMatch
from mlc_dagster.systems.hubspot.objects.deal_proposals import DealProposals, Wanted
from mlc_dagster.systems.hubspot.objects.deleted_records import (
    DELETED,
    archived_under,
    archived_words,
    deletion,
    deletion_refused,
    gone,
    stays_deleted,
)
from mlc_dagster.systems.hubspot.objects.kept_values import KEPT, changes, kept_values
from mlc_dagster.systems.hubspot.objects.known_records import KnownRecord, KnownRecords
from mlc_dagster.systems.hubspot.objects.party_companies import COMPANY_IS_THERE, Parties, PartyCompanies
from mlc_dagster.systems.hubspot.objects.properties import MATCHED_BY, defaults_of, given, of_deal
from mlc_dagster.systems.hubspot.objects.tied_companies import TIED
from mlc_dagster.systems.hubspot.portal import Portal
from mlc_dagster.systems.hubspot.records import Deal

KIND, TYPE_ID = "deals", "0-3"
READ = (
    "dealname",
    "pipeline",
    "dealstage",
    "amount",
    "closedate",
    "deal_currency_code",
    "ifs_company_code",
    MATCHED_BY,
)


@dataclass
class _PendingDeal:
    """One deal on its way."""

    draft: Draft
    known: KnownRecord
    refused: str = ""
    rule: str = ACCEPTED
    told: list[Disagreement] = field(default_factory=list)

    @property
    def deal(self) -> Deal:
        deal: Deal = self.draft.record
        return deal


class DealWriter:
    """The deals of one portal, each on the company and the invoice that it comes from."""

    kinds = (KIND,)

    def __init__(self, api: HubspotApi, portal: Portal, options: Mapping[str, str]) -> None:
        self._api, self._portal, self._options = api, portal, options
        self._known = KnownRecords(api, KIND, *READ)
        self._match = DealMatch(api, options.get("deal_key", ""), READ)
        self._proposals = DealProposals(api)
        self._companies, self._invoices = PartyCompanies(api, KIND), Associations(api, KIND, "invoices")

    def save(self, drafts: Sequence[Draft]) -> list[Outcome]:
        """As CompanyWriter.save."""
        stage = self._portal.stage()
        deals = self._found(drafts)
        self._tie({trace: each for trace, each in deals.items() if not each.known.remote_id})
        for each in deals.values():
            self._judge(each)
        self._refuse_archived(deals.values())
        parties = self._parties({trace: each for trace, each in deals.items() if not each.refused})
        self._hold_proposed(deals, parties)
        sent = self._sent({trace: each for trace, each in deals.items() if not each.refused}, *stage)
        self._on_their_companies(deals, parties, sent)
        self._on_their_invoices(deals, sent)
        return [self._outcome(each, sent, trace) for trace, each in deals.items()]

    def _found(self, drafts: Sequence[Draft]) -> dict[str, _PendingDeal]:
        found = self._known.find({str(n): (draft.remote_id, draft.record.key) for n, draft in enumerate(drafts)})
        return {str(n): _PendingDeal(draft, found[str(n)]) for n, draft in enumerate(drafts)}

    def _tie(self, absent: Mapping[str, _PendingDeal]) -> None:
        """To the one deal that carries the value; held where several do."""
        asked = {trace: each.deal.tie for trace, each in absent.items() if each.deal.tie}
        for trace, found in self._match.of(asked).items():
            if len(found) == 1:
                absent[trace].known = found[0]
                continue
            links = ", ".join(self._portal.link(TYPE_ID, each.remote_id) or each.remote_id for each in found)
            absent[trace].refused, absent[trace].rule = (
                f"{len(found)} deals in HubSpot say {asked[trace]} in {self._options['deal_key']}: {links}. Enter "
                f"{absent[trace].deal.key} in the right one as IFS external key, and replay.",
                MAY_BE_DEAL,
            )

    def _hold_proposed(self, deals: Mapping[str, _PendingDeal], parties: Parties) -> None:
        """A new deal, where the company has one of its amount that people made: which of both it is they say."""
        if self._options.get("propose_deals") != "true":
            return
        apart = self._options.get("other_deals", "").split(",")
        new = {trace: each for trace, each in deals.items() if not (each.refused or each.known.remote_id)}
        wanted = {
            trace: Wanted.of(each.deal, parties.ids[trace])
            for trace, each in new.items()
            if each.deal.key not in apart and trace in parties.ids
        }
        for trace, found in self._proposals.of(wanted).items():
            links, key = ", ".join(self._portal.link(TYPE_ID, each) or each for each in found), deals[trace].deal.key
            deals[trace].refused, deals[trace].rule = (
                f"The company has a deal of {wanted[trace].amount} {wanted[trace].currency} already: {links}. If it is "
                f"this one, enter {key} there as IFS external key, and replay; if not, add {key} to "
                "hubspot.other_deals in mlc.yaml.",
                MAY_BE_DEAL,
            )

    def _judge(self, pending: _PendingDeal) -> None:
        if gone := deletion(pending.draft, pending.known):
            pending.told.append(gone)
            if stays_deleted(self._options):
                pending.refused, pending.rule = deletion_refused(pending.draft, pending.known), DELETED
        elif pending.known.key not in ("", pending.deal.key):
            pending.refused = f"HubSpot's deal {pending.known.remote_id} carries the key {pending.known.key}."

    def _refuse_archived(self, deals: Iterable[_PendingDeal]) -> None:
        """What lies in the recycle bin under our key, and was delivered by a ledger that is gone."""
        new = {each.deal.key: each for each in deals if not each.known.remote_id and not each.draft.was_delivered}
        asked = [key for key, each in new.items() if not each.refused and stays_deleted(self._options)]
        for key, remote_id in archived_under(self._api, KIND, asked).items():
            new[key].refused, new[key].rule = archived_words("deal", remote_id, key), WAS_CANCELLED

    def _sent(self, deals: Mapping[str, _PendingDeal], pipeline: str, stage: str) -> BatchResult:
        new, there = dict[str, dict[str, str]](), dict[str, tuple[str, dict[str, str]]]()
        for trace, each in deals.items():
            row = of_deal(each.deal, pipeline, stage)
            if each.known.remote_id:
                row = {name: text for name, text in row.items() if name not in each.draft.kept}
                row, kept = changes(row, each.known, "ifs_company_code")
                each.told += kept
                there[trace] = (each.known.remote_id, row)
            else:
                new[trace] = {**defaults_of(KIND, self._options), **given(each.deal.defaults), **row}
        sent = upsert(self._api, KIND, new)
        sent.add(update(self._api, KIND, there))
        return sent

    # --- what they belong to ------------------------------------------------------------------------------------------

    def _parties(self, deals: Mapping[str, _PendingDeal]) -> Parties:
        """The company of each. A deal whose company is gone is not written: it would belong to nobody."""
        parties = self._companies.find({trace: each.deal for trace, each in deals.items()})
        for trace, why in parties.gone.items():
            deals[trace].refused, deals[trace].rule = why, COMPANY_IS_THERE
        return parties

    def _on_their_companies(self, deals: Mapping[str, _PendingDeal], parties: Parties, sent: BatchResult) -> None:
        ids = {trace: str(row["id"]) for trace, row in sent.results.items() if TIED not in deals[trace].draft.kept}
        there = [each for each in _there_already(sent) if each in ids.values()]
        for trace, why in self._companies.tie(ids, parties, there).items():
            deals[trace].refused = f"companies: {why}"

    def _on_their_invoices(self, deals: Mapping[str, _PendingDeal], sent: BatchResult) -> None:
        there = self._invoices.of(_there_already(sent))
        wanted = {trace: (str(row["id"]), deals[trace].deal.invoice_id or "") for trace, row in sent.results.items()}
        for trace, why in self._invoices.replace(wanted, there).items():
            deals[trace].refused = deals[trace].refused or f"invoices: {why}"

    def _outcome(self, pending: _PendingDeal, sent: BatchResult, trace: str) -> Outcome:
        if pending.refused:
            return Refused(pending.draft, pending.refused, pending.rule, disagreements=gone(pending.rule, pending.told))
        answer = outcome(pending.draft, sent, trace, pending.deal.name, self._portal, TYPE_ID)
        if isinstance(answer, Saved):
            shown = kept_values(pending.told)
            return replace(answer, disagreements=tuple(pending.told), looked_for=(KEPT, DELETED), shown=shown)
        return answer


def _there_already(sent: BatchResult) -> list[str]:
    return [str(row["id"]) for row in sent.results.values() if not row.get("new")]
