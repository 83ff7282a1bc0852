"""On which company an invoice or a deal stands, beside the one that it was put on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mlc_dagster.core.outcomes import Shown
from mlc_dagster.core.shown_values import Value
from mlc_dagster.systems.hubspot.api import HubspotApi
from mlc_dagster.systems.hubspot.objects.associations import Associations
from mlc_dagster.systems.hubspot.objects.known_records import KnownRecords
from mlc_dagster.systems.hubspot.records import DEALS, INVOICES

TIED = "company"
"""What it is called among the values of a record: HubSpot's id of the company. No property."""
_APART = "; "


class TiedCompanies:
    """Of one portal: a call for all of a batch, and one more for companies on which something should stand."""

    def __init__(self, api: HubspotApi) -> None:
        self._ties = {kind: Associations(api, kind, "companies") for kind in (INVOICES.name, DEALS.name)}
        self._companies = KnownRecords(api, "companies")

    def of(self, kind: str, wanted: Mapping[str, Value]) -> dict[str, Shown]:
        """Id of a record -> {"company": the wanted one where it stands there, also among others that people added}.

        `wanted`: id of a record -> the company that it was put on; None: not known. A company that is merged leads to
        another; of one that is gone nothing is told here, since it is told with the company itself.
        """
        if kind not in self._ties or not wanted:
            return {}
        found = self._ties[kind].of(list(wanted))
        lost = {each for record, company in wanted.items() for each in _ids(company) if each not in found[record]}
        leads = {each: known.remote_id for each, known in self._companies.by_id(lost).items()} if lost else {}
        return {each: {TIED: _tied(wanted[each], there, leads)} for each, there in found.items()}


def _tied(wanted: Value, there: Sequence[str], leads: Mapping[str, str]) -> Value:
    left = [each for each in _ids(wanted) if each not in there]
    if wanted and not any(each in leads and leads[each] not in there for each in left):
        return wanted
    return _APART.join(sorted(there)) or None


def _ids(company: Value) -> list[str]:
    return str(company).split(_APART) if company else []
