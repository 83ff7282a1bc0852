"""HubSpot over HTTP: its version, its paths, what its answers mean, and its own word on the rate."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mlc_dagster.core.errors import AccessDenied, Misconfigured, MlcError, QuotaUsedUp, RecordRejected
from mlc_dagster.core.outcomes import Budget
from mlc_dagster.transport.client import ApiClient, Throttled, exact_json, snippet
from mlc_dagster.transport.responses import Response, retry_after

VERSION = "2026-09"
"""Of every path. HubSpot issues one each March and September, and serves each for 18 months."""

BURST_SECONDS = 10.0  # the window that HubSpot counts calls in, where it does not say otherwise
LOCK_SECONDS = 2.0  # how long a 423 lasts
SETUP = ("PROPERTY_DOESNT_EXIST", "by non-unique")  # refusals of a whole portal, not of a record

Document = Mapping[str, Any]


def objects(kind: str, verb: str = "") -> str:
    return f"/crm/objects/{VERSION}/{kind}{verb and '/' + verb}"


def properties(kind: str, verb: str = "") -> str:
    return f"/crm/properties/{VERSION}/{kind}{verb and '/' + verb}"


def associations(source: str, target: str, verb: str) -> str:
    """The generic endpoints: documented for 2026-03, seen live and in the specification of 2026-09."""
    return f"/crm/associations/{VERSION}/{source}/{target}/batch/{verb}"


ACCOUNT = f"/account-info/{VERSION}/details"
DEAL_PIPELINES = f"/crm/pipelines/{VERSION}/deals"


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
    if status == 403 and body.get("category") == "MISSING_SCOPES":
        cure = "Add them to the service key or private app in HubSpot, Development, Keys."
        return AccessDenied(said, status=status, cure=cure)
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
        limit = headers.get("x-hubspot-ratelimit-daily", "")
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


def reason(error: Document) -> str:
    """One error in HubSpot's words: of an answer, or of one input of a batch."""
    details = [str(detail.get("message")) for detail in error.get("errors") or () if detail.get("message")]
    parts = [str(error.get("message") or ""), *details]
    scopes = (error.get("context") or {}).get("requiredGranularScopes")
    needed = [f"needed: {', '.join(map(str, scopes))}"] if isinstance(scopes, list) else []
    correlation = [f"correlation id {error['correlationId']}"] if error.get("correlationId") else []
    kept = [part for place, part in enumerate(parts) if part and part not in parts[:place]]
    return "; ".join([*kept, *needed, *correlation])[:1000]


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

    def get(self, path: str, **params: Any) -> Any:
        """The parsed answer. Raises as ApiClient.request."""
        return self._request("GET", path, params=params)

    def post(self, path: str, body: Document) -> Any:
        """The parsed answer; TransientError where none came, after several tries."""
        return self._request("POST", path, json=body, repeatable=True)

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

    def read(self, kind: str, ids: Sequence[str], *names: str) -> dict[str, Document]:
        """Id -> properties, of those that are there. At most 100 ids."""
        inputs = [{"id": each} for each in ids]
        body = {"properties": list(names), "propertiesWithHistory": [], "inputs": inputs}
        answer = self.post(objects(kind, "batch/read"), body)
        return {str(row["id"]): row.get("properties") or {} for row in answer.get("results") or ()}

    def _request(self, method: str, path: str, **call: Any) -> Any:
        answer = self.api.request(method, path, **call)
        self._listen(answer.headers)
        return answer.json() or {}

    def _listen(self, headers: Mapping[str, str]) -> None:
        most = headers.get("x-hubspot-ratelimit-max", "")
        spent = headers.get("x-hubspot-ratelimit-remaining", "") == "0"
        if self._budget and spent and most.isdigit() and int(most) < self._calls:
            self._budget.pause(_interval(headers))
