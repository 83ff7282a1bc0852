"""Companies that people keep in HubSpot already: which of them may be a supplier or customer of the ERP.

Companies made by the API are not deduplicated by HubSpot (facts/saas-doubts.md, 2.9), so it is looked before one is
created: by VAT number, domain, name. A search lags, so it only proposes; a batch read decides. What carries a key of
ours is another record of the ERP, and no candidate.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from mlc_dagster.core.duplicates import folded
from mlc_dagster.systems.hubspot.api import Document, HubspotApi
from mlc_dagster.systems.hubspot.objects.properties import KEY, NOT_OURS
from mlc_dagster.systems.hubspot.portal import Portal
from mlc_dagster.systems.hubspot.records import BATCH, Company

KIND = "companies"
MAY_BE = "may_be_this_company"
"""The rule under which a record is held that could be a company of somebody's."""

BODY = 2200
"""Characters of values in one search: HubSpot takes a body of 3,000."""

SHORTEST_VAT = 5
"""Letters and digits of a VAT number that is taken for one: "N/A" and "0" are none."""

LONGEST_NAME = 255
"""Characters: what is longer is searched by nobody, and does not fit into a search."""


@dataclass(frozen=True)
class Candidates:
    """Companies of HubSpot that may be one record of the ERP."""

    by: str  # "vat_no", "domain", "name"
    rows: Mapping[str, Document]  # id -> properties

    def told(self, link: Callable[[str], str]) -> str:
        """Each by name and number, with its address where the portal tells it."""
        rows = list(self.rows.items())
        named = [f"{row.get('name') or 'without a name'} ({link(each) or each})" for each, row in rows[:5]]
        return ", ".join(named) + (f" and {len(rows) - 5} more" if len(rows) > 5 else "")


class CompanyMatch:
    """Looks for the companies of one portal. `criteria`: what is compared, in this order."""

    def __init__(self, api: HubspotApi, portal: Portal, criteria: Sequence[str]) -> None:
        self._api, self._portal, self._criteria = api, portal, criteria
        self._lock = threading.Lock()
        self._taken: set[str] = set()  # by this client: HubSpot's index may not know it yet

    def of(self, companies: Mapping[str, Company]) -> dict[str, Candidates]:
        """Trace -> the candidates by the first criterion that has any. Nothing of a company that nobody keeps."""
        found: dict[str, Candidates] = {}
        if not companies or not self._portal.has_strangers():
            return found
        for criterion in self._criteria:
            left = {trace: company for trace, company in companies.items() if trace not in found}
            found |= self._by(criterion, {trace: values(criterion, company) for trace, company in left.items()})
        return found

    def take(self, remote_id: str) -> bool:
        """Whether it is still free: two records of the ERP never become one company."""
        with self._lock:
            free = remote_id not in self._taken
            self._taken.add(remote_id)
            return free

    def _by(self, criterion: str, wanted: Mapping[str, Sequence[str]]) -> dict[str, Candidates]:
        properties = self._portal.vat_properties() if criterion == "vat_no" else (criterion,)
        asked = sorted({value for each in wanted.values() for value in each})
        if not asked or not properties:
            return {}
        ids = self._searched(properties, asked)
        rows: dict[str, Document] = {}
        for start in range(0, len(ids), BATCH):
            rows |= self._api.read(KIND, ids[start : start + BATCH], KEY, "name", "domain", *properties)
        strangers = {each: row for each, row in rows.items() if not row.get(KEY) and each not in self._taken}
        found: dict[str, Candidates] = {}
        for trace, each in wanted.items():
            alike = {i: row for i, row in strangers.items() if _is_like(criterion, each, row, properties)}
            if alike:
                found[trace] = Candidates(criterion, alike)
        return found

    def _searched(self, properties: Sequence[str], asked: Sequence[str]) -> list[str]:
        """Values of IN are in lower case (facts/hubspot.md, 4.3)."""
        found: set[str] = set()
        for some in _within(asked, BODY // len(properties)):
            groups = [[{"propertyName": name, "operator": "IN", "values": some}, NOT_OURS] for name in properties]
            found |= self._api.search(KIND, groups, KEY)[1].keys()
        return sorted(found)


def values(criterion: str, company: Company) -> list[str]:
    """What a company is searched by, in the forms that people write it in; empty where it tells nothing."""
    if criterion == "vat_no":
        number = _alphanumeric(company.vat_no)
        if len(number) < SHORTEST_VAT or len(set(number)) == 1:
            return []
        country = company.country.casefold()
        whole = number if number.startswith(country) else f"{country}{number}"
        return sorted({company.vat_no.strip().casefold(), number, whole})
    text = ((company.domain if criterion == "domain" else company.name) or "").strip().casefold()
    return [text] if text and len(text) <= LONGEST_NAME else []


def _is_like(criterion: str, wanted: Sequence[str], row: Document, properties: Sequence[str]) -> bool:
    theirs = [str(row.get(name) or "") for name in properties]
    if criterion == "vat_no":
        known = {_alphanumeric(each) for each in wanted}
        return any(_alphanumeric(each) in known for each in theirs if each)
    known = {folded(each) for each in wanted}
    return any(folded(each) in known for each in theirs if each)


def _alphanumeric(text: str) -> str:
    return "".join(letter for letter in text.casefold() if letter.isalnum())


def _within(asked: Sequence[str], characters: int) -> Iterator[list[str]]:
    """As many values as fit: 100 at most, and so many characters of JSON."""
    some: list[str] = []
    size = 0
    for value in asked:
        own = len(value.encode()) + 4
        if some and (size + own > characters or len(some) == BATCH):
            yield some
            some, size = [], 0
        some.append(value)
        size += own
    if some:
        yield some
