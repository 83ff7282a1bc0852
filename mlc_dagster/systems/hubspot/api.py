"""HubSpot over HTTP: its version, its paths, what its answers mean, and its own word on the rate."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from mlc_dagster.core.errors import AccessDenied, Misconfigured, MlcError, QuotaUsedUp, RecordRejected, TransientError
from mlc_dagster.core.outcomes import Budget
from mlc_dagster.core.pace import KeepsQuota
from mlc_dagster.systems.hubspot.error_messages import reason
from mlc_dagster.transport.client import ApiClient, Throttled, exact_json, snippet
from mlc_dagster.transport.responses import Response, retry_after

VERSION = "2026-09"
"""Of every path. HubSpot issues one each March and September, and serves each for 18 months."""

VERSION_ENDS = date(2028, 3, 31)
"""2026-09 is served until March 2028 (facts/saas-doubts.md, 2.12)."""

BURST_SECONDS = 10.0  # the window that HubSpot counts calls in, where it does not say otherwise
LOCK_SECONDS = 2.0  # how long a 423 lasts
NO_RIGHTS = ("MISSING_SCOPES", "USER_DOES_NOT_HAVE_PERMISSIONS")  # the second: whose app it is, was removed
SETUP = ("PROPERTY_DOESNT_EXIST", "by non-unique")  # refusals of a whole portal, not of a record

PAGE, SEARCHED = 200, 1000
"""Results of one page of a search, and as many as are looked at."""

Document = Mapping[str, Any]
Filters = Sequence[Document]
Found = dict[str, Document]
Searched = tuple[int, Found]


def objects(kind: str, verb: str = "") -> str:
    return f"/crm/objects/{VERSION}/{kind}{verb and '/' + verb}"


def properties(kind: str, verb: str = "") -> str:
    return f"/crm/properties/{VERSION}/{kind}{verb and '/' + verb}"


def associations(source: str, target: str, verb: str) -> str:
    """The generic endpoints: documented for 2026-03, seen live and in the specification of 2026-09."""
    return f"/crm/associations/{VERSION}/{source}/{target}/batch/{verb}"


ACCOUNT = f"/account-info/{VERSION}/details"
DEAL_PIPELINES = f"/crm/pipelines/{VERSION}/deals"
CUSTOM_PROPERTIES = f"/crm/limits/{VERSION}/custom-properties"
ASSOCIATION_LIMITS = f"/crm/limits/{VERSION}/associations/records/from"


def object_schema(kind: str) -> str:
    """What an object type requires: `requiredProperties`."""
    return f"/crm-object-schemas/{VERSION}/schemas/{kind}"


DAILY = "x-hubspot-ratelimit-daily"
RIGHTS = (
    "Add the missing scopes to the service key in HubSpot, Development, Keys. A private app's token loses its rights, "
    "too, when the user who made it is removed from the portal: rotate the token then, or use a service key."
)


def classify(response: Response) -> MlcError | None:
    """The error of an answer, None where the house's own reading is right.

    429 names its policy: a daily one stops the run, the others are waited for. 423 is a lock of two seconds, 477 a move
    to another data centre, with Retry-After. Where one sentence is about the whole portal, no record is to blame.
    """
    status = response.status_code
    if status < 400:
        return None
    body = _parsed(response.content)
    where = f"{response.request.method} {response.request.url.path}"
    said = f"HubSpot answered {status} to {where}: {sentences(body, response)}"
    asked = retry_after(response.headers, time.time())
    if status == 429:
        return _too_many(body, said, asked, response.headers)
    if status in (423, 477):
        return Throttled(said, retry_after=LOCK_SECONDS if asked is None else asked)
    if status == 403 and body.get("category") in NO_RIGHTS:
        return AccessDenied(said, status=status, cure=RIGHTS)
    if status == 404 and body.get("category") != "OBJECT_NOT_FOUND":
        return Misconfigured(said, cure="Check hubspot.base_url in mlc.yaml; it is https://api.hubapi.com.")
    if status in (401, 403, 408) or status >= 500:
        return None
    if any(word in said for word in SETUP):
        return Misconfigured(said, cure="Run `mlc ping`: it names the properties that HubSpot lacks.")
    return RecordRejected(said, status=status, body=body)


def _too_many(body: Document, said: str, asked: float | None, headers: Mapping[str, str]) -> MlcError:
    policy = str(body.get("policyName") or "")
    if policy == "DAILY":
        limit = headers.get(DAILY, "")
        cure = "It is renewed at midnight in the portal's time zone. Run again then: nothing is sent twice."
        return QuotaUsedUp(f"HubSpot's daily limit{limit and f' of {limit} calls'} is used up: {said}", cure=cure)
    if asked is None:
        asked = 1.0 if policy == "SECONDLY" or "secondly" in said.casefold() else _interval(headers)
    return Throttled(said, retry_after=asked)


def _interval(headers: Mapping[str, str]) -> float:
    milliseconds = headers.get("x-hubspot-ratelimit-interval-milliseconds", "")
    return int(milliseconds) / 1000 if milliseconds.isdigit() else BURST_SECONDS


def sentences(body: Document, response: Response) -> str:
    """HubSpot's own sentences and its correlation id, or the start of whatever else it answered."""
    return reason(body) if body.get("message") else snippet(response.content)


def _parsed(content: bytes) -> dict[str, Any]:
    try:
        found = exact_json(content)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


class HubspotApi:
    """Gets and posts. Every write that we make may be made twice: it goes by a unique key or by an id.

    `calls` is what mlc.yaml allows in ten seconds. Where HubSpot's headers tell of fewer, all wait when it has no more.
    """

    def __init__(self, api: ApiClient, budget: Budget | None = None, calls: int = 0) -> None:
        self.api, self._budget, self._calls = api, budget, calls
        self._hundredth = -1  # of the day's calls, that was remembered last
        self._searching = threading.Lock()  # HubSpot takes five searches in a second, of a whole account

    def get(self, path: str, **params: Any) -> Any:
        """The parsed answer. Raises as ApiClient.request."""
        return self._request("GET", path, params=params)

    def post(self, path: str, body: Document, **params: Any) -> Any:
        """The parsed answer; TransientError where none came, after several tries."""
        return self._request("POST", path, json=body, params=params, repeatable=True)

    def pages(self, path: str, **params: Any) -> Iterator[Document]:
        """Every result of a list; stops where a cursor comes back."""
        seen: set[str] = set()
        after: str | None = None
        while True:
            answer = self.get(path, after=after, **params)
            yield from answer.get("results") or ()
            after = ((answer.get("paging") or {}).get("next") or {}).get("after")
            if not after or after in seen:
                return
            seen.add(after)

    def read(self, kind: str, ids: Sequence[str], *names: str, by: str = "", archived: bool = False) -> Found:
        """Id -> properties, of those that are there. At most 100 ids, or values of the unique property `by`.

        One that was merged is answered under its new id. `archived`: of the recycle bin instead.
        """
        if not ids:
            return {}
        inputs = [{"id": each} for each in ids]
        body = {"properties": list(names), "propertiesWithHistory": [], "inputs": inputs}
        more = {"archived": "true"} if archived else {}
        answer = self.post(objects(kind, "batch/read"), {**body, "idProperty": by} if by else body, **more)
        untold = [each for each in answer.get("errors") or () if each.get("category") != "OBJECT_NOT_FOUND"]
        if untold:  # it may be there: nothing is concluded, least of all that it may be made
            raise TransientError(f"HubSpot does not tell whether {kind} are there: {reason(untold[0])}")
        return {str(row["id"]): row.get("properties") or {} for row in answer.get("results") or ()}

    def search(self, kind: str, groups: Sequence[Filters], *names: str, most: int = SEARCHED) -> Searched:
        """Records that meet all filters of one of the groups, at most `most`: (how many there are, id -> properties).

        What was written a few moments ago may be missing, and a value may be an old one (facts/hubspot.md, 4.3):
        a search proposes, a batch read decides.
        """
        asked = [{"filters": list(filters)} for filters in groups]
        found: dict[str, Document] = {}
        body = {"filterGroups": asked, "properties": list(names), "sorts": [], "limit": min(PAGE, most)}
        after = "0"
        while after:
            with self._searching:
                answer = self.post(objects(kind, "search"), {**body, "after": after})
            found |= {str(row["id"]): row.get("properties") or {} for row in answer.get("results") or ()}
            after = str(((answer.get("paging") or {}).get("next") or {}).get("after") or "")
            if len(found) >= most:
                break
        return int(answer.get("total") or 0), found

    def each_of(self, kind: str, filters: Filters, *names: str) -> Iterator[tuple[str, Document]]:
        """(id, properties) of all that meet every filter, by id: one search goes no further than 10,000."""
        last = "0"
        while True:
            beyond = {"propertyName": "hs_object_id", "operator": "GT", "value": last}
            by_id = [{"propertyName": "hs_object_id", "direction": "ASCENDING"}]
            body = {"filterGroups": [{"filters": [*filters, beyond]}], "properties": list(names), "sorts": by_id}
            with self._searching:
                answer = self.post(objects(kind, "search"), {**body, "limit": PAGE, "after": "0"})
            rows = answer.get("results") or ()
            yield from ((str(row["id"]), row.get("properties") or {}) for row in rows)
            if len(rows) < PAGE:
                return
            last = str(max(int(row["id"]) for row in rows))

    def _request(self, method: str, path: str, **call: Any) -> Any:
        answer = self.api.request(method, path, **call)
        self._listen(answer.headers)
        return answer.json() or {}

    def _listen(self, headers: Mapping[str, str]) -> None:
        most = headers.get("x-hubspot-ratelimit-max", "")
        spent = headers.get("x-hubspot-ratelimit-remaining", "") == "0"
        if self._budget and spent and most.isdigit() and int(most) < self._calls:
            self._budget.pause(_interval(headers))
        self._remember(headers.get("x-hubspot-ratelimit-daily-remaining", ""), headers.get(DAILY, ""))

    def _remember(self, left: str, most: str) -> None:
        """What is left of the day's calls, each time that a hundredth of them is used; OAuth tokens are not told."""
        if not (isinstance(self._budget, KeepsQuota) and left.isdigit() and most.isdigit() and int(most)):
            return
        hundredth = 100 * int(left) // int(most)
        if hundredth != self._hundredth:
            self._hundredth = hundredth
            self._budget.remains(int(left), int(most))
