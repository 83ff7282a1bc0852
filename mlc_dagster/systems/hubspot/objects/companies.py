"""Companies in HubSpot: found by id, through merges, by our key or by what tells that they are the same; then written.

What people filled in on a company that we did not make stays as it is, and is told where it differs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from mlc_dagster.core.outcomes import ACCEPTED, Disagreement, Draft, Outcome, Refused, Saved
from mlc_dagster.core.shown_values import shown_otherwise
from mlc_dagster.systems.hubspot.api import HubspotApi
from mlc_dagster.systems.hubspot.objects.batch_answers import BatchResult, update, upsert
from mlc_dagster.systems.hubspot.objects.batch_upsert import outcome, saved
from mlc_dagster.systems.hubspot.objects.company_match import MAY_BE, Candidates, CompanyMatch
from mlc_dagster.systems.hubspot.objects.deleted_records import DELETED, deletion, deletion_refused, gone, stays_deleted
from mlc_dagster.systems.hubspot.objects.kept_values import KEPT, MERGED, changes, kept_values
from mlc_dagster.systems.hubspot.objects.known_records import KnownRecord, KnownRecords
from mlc_dagster.systems.hubspot.objects.properties import MATCHED_BY, of_company, of_new_company
from mlc_dagster.systems.hubspot.objects.typed_values import typed
from mlc_dagster.systems.hubspot.portal import Portal
from mlc_dagster.systems.hubspot.records import Company

KIND, TYPE_ID = "companies", "0-2"
CRITERIA = ("vat_no", "domain", "name")


@dataclass
class _PendingCompany:
    """One company on its way: what HubSpot has of it, and what is sent."""

    draft: Draft
    known: KnownRecord
    row: dict[str, str] = field(default_factory=dict)  # empty: nothing is sent
    refused: str = ""
    rule: str = ACCEPTED
    told: list[Disagreement] = field(default_factory=list)

    @property
    def company(self) -> Company:
        company: Company = self.draft.record
        return company


class CompanyWriter:
    """The companies of one portal."""

    kinds = (KIND,)

    def __init__(self, api: HubspotApi, portal: Portal, options: Mapping[str, str]) -> None:
        self._api, self._portal, self._options = api, portal, options
        ties = options.get("match", "key,vat_no").split(",")
        proposes = options.get("propose", "domain,name").split(",")
        self._ties = frozenset(ties)
        self._match = CompanyMatch(api, portal, [each for each in CRITERIA if each in (*ties, *proposes)])

    def save(self, drafts: Sequence[Draft]) -> list[Outcome]:
        """One outcome for each of at most 100 drafts. Raises AccessDenied, Misconfigured, TransientError."""
        pending = self._found(drafts)
        self._tie({trace: each for trace, each in pending.items() if not each.known.remote_id})
        for each in pending.values():
            self._plan(each)
        sent = self._sent(pending)
        return [self._outcome(each, sent, trace) for trace, each in pending.items()]

    def _found(self, drafts: Sequence[Draft]) -> dict[str, _PendingCompany]:
        """By the ledger's id, by our key, or by the id that mlc.yaml names for it."""
        named = {str(place): self._options.get(f"company.{draft.record.key}") for place, draft in enumerate(drafts)}
        ids = {
            str(place): (draft.remote_id or _number(named[str(place)]), draft.record.key)
            for place, draft in enumerate(drafts)
        }
        extras = sorted({each.name for draft in drafts for each in draft.record.extra})
        records = KnownRecords(self._api, KIND, "name", "domain", "ifs_role", MATCHED_BY, *extras)
        found = records.find(ids)
        return {str(place): _PendingCompany(draft, found[str(place)]) for place, draft in enumerate(drafts)}

    # --- companies that nobody tied yet -------------------------------------------------------------------------------

    def _tie(self, absent: Mapping[str, _PendingCompany]) -> None:
        """To the one company that is the same by a criterion that ties; held where it may be several, or only may be.

        What was delivered and is gone, and what mlc.yaml calls new, is nobody's.
        """
        asked = {
            trace: each.company
            for trace, each in absent.items()
            if not each.draft.was_delivered and self._options.get(f"company.{each.company.key}") != "new"
        }
        for trace, candidates in self._match.of(asked).items():
            pending, ids = absent[trace], list(candidates.rows)
            if len(ids) > 1 or candidates.by not in self._ties:
                pending.refused, pending.rule = self._may_be(candidates, pending.company.key), MAY_BE
            elif self._match.take(ids[0]):
                pending.known = KnownRecord(ids[0], {**candidates.rows[ids[0]], MATCHED_BY: candidates.by})

    def _may_be(self, candidates: Candidates, key: str) -> str:
        by = {"vat_no": "VAT number", "domain": "web domain", "name": "name"}[candidates.by]
        found = candidates.told(lambda each: self._portal.link(TYPE_ID, each))
        return (
            f"HubSpot has a company of the same {by}: {found}. Where it is the same one, enter {key} there as IFS "
            f"external key; where it is another one, write `{key}: new` under hubspot.companies in mlc.yaml. Then "
            "replay."
        )

    # --- what is sent -------------------------------------------------------------------------------------------------

    def _plan(self, pending: _PendingCompany) -> None:
        known, company = pending.known, pending.company
        if pending.refused:
            return
        if not known.remote_id:
            self._plan_anew(pending)
        elif known.key and known.key != company.key:
            pending.told.append(Disagreement(MERGED, "", company.key, known.key))
            if not known.was_merged:
                pending.refused = (
                    f"HubSpot's company {known.remote_id} carries the key {known.key}, and the ledger knows it as "
                    f"{company.key}. Enter the right one there as IFS external key."
                )
        else:
            sent = {name: text for name, text in of_company(company).items() if name not in pending.draft.kept}
            pending.row, kept = changes(sent, known, "ifs_role")
            pending.told += kept

    def _plan_anew(self, pending: _PendingCompany) -> None:
        if gone := deletion(pending.draft, pending.known):
            pending.told.append(gone)
            if stays_deleted(self._options):
                pending.refused, pending.rule = deletion_refused(pending.draft, pending.known), DELETED
                return
        pending.row = of_new_company(pending.company, self._options)

    def _sent(self, pending: Mapping[str, _PendingCompany]) -> BatchResult:
        to_send = {trace: each for trace, each in pending.items() if each.row and not each.refused}
        new = {trace: each.row for trace, each in to_send.items() if not each.known.remote_id}
        sent = upsert(self._api, KIND, new)
        there = self._once({trace: each for trace, each in to_send.items() if each.known.remote_id})
        sent.add(update(self._api, KIND, there))
        return sent

    def _once(self, pending: Mapping[str, _PendingCompany]) -> dict[str, tuple[str, dict[str, str]]]:
        """Two of ours that were merged, both keys lost: the first one writes, and the other is told."""
        writers: dict[str, str] = {}  # id -> trace
        for trace, each in pending.items():
            first = pending[writers.setdefault(each.known.remote_id, trace)]
            if first is not each:
                each.row = {}
                each.told.append(Disagreement(MERGED, "", each.company.key, first.company.key))
        return {trace: (remote_id, pending[trace].row) for remote_id, trace in writers.items()}

    def _outcome(self, pending: _PendingCompany, sent: BatchResult, trace: str) -> Outcome:
        if pending.refused:
            return Refused(pending.draft, pending.refused, pending.rule, disagreements=gone(pending.rule, pending.told))
        if not pending.row:  # merged into another one of ours, which writes it
            link = self._portal.link(TYPE_ID, pending.known.remote_id)
            answer: Outcome = saved(pending.draft, pending.known.remote_id, pending.company.name or "", link, new=False)
        else:
            answer = outcome(pending.draft, sent, trace, pending.company.name or "", self._portal, TYPE_ID)
        if isinstance(answer, Saved):
            answered = sent.results.get(trace, {}).get("properties") or {}
            shown = kept_values(pending.told) | shown_otherwise(typed(pending.row), typed(answered))
            return replace(answer, disagreements=tuple(pending.told), looked_for=(KEPT, MERGED, DELETED), shown=shown)
        if isinstance(answer, Refused) and pending.draft.was_delivered and not pending.known.remote_id:
            return replace(answer, reason=f"{answer.reason}. {deletion_refused(pending.draft, pending.known)}")
        return answer


def _number(named: str | None) -> str | None:
    return named if named and named.isdigit() else None
