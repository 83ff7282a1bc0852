"""monday.com's GraphQL over HTTP: one document a request, what its errors mean, and what it says of its budget.

Errors come in several shapes: a list with extensions, a list of plain sentences, or one error_code for the request;
with status 200 as well as 4xx, and beside the data of the aliases that did work.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from mlc_dagster.errors import AccessDenied, Misconfigured, MlcError, RecordRejected
from mlc_dagster.outcomes import Budget
from mlc_dagster.systems.answers import retry_after
from mlc_dagster.systems.http import ApiClient, Throttled, exact_json, snippet

PATH = "/v2"
A_WHILE = 10.0  # seconds, where monday asks to wait and does not say how long
CURE = "Check MONDAY_TOKEN: in monday, your picture, Developers, API token."
TOMORROW = "It starts anew at 00:00 UTC. A larger plan, or fewer boards, needs fewer calls a day."

BUSY = frozenset(
    {
        *("COMPLEXITY_BUDGET_EXHAUSTED", "ComplexityException", "RATE_LIMIT_EXCEEDED", "Rate Limit Exceeded"),
        *("maxConcurrencyExceeded", "IP_RATE_LIMIT_EXCEEDED", "FIELD_LIMIT_EXCEEDED", "MutationCallsExceeded"),
        *("RateLimitedException", "API_TEMPORARILY_BLOCKED", "IDEMPOTENCY_CONFLICT", "ResourceLocked"),
    }
)
"""Nothing was done: ask again after a while."""

DENIED = frozenset(
    {
        *("NOT_AUTHENTICATED", "Unauthorized", "UserUnauthorizedException", "USER_ACCESS_DENIED"),
        "missingRequiredPermissions",
    }
)
OUR_FAULT = frozenset(
    {
        *("undefinedField", "GRAPHQL_VALIDATION_FAILED", "GRAPHQL_PARSE_FAILED", "JsonParseException"),
        *("InvalidVersionException", "InvalidBoardIdException"),
    }
)
UNSURE = frozenset(("INTERNAL_SERVER_ERROR", "Internal Server Error"))

_TOO_COMPLEX = re.compile(r"complexity.*(exceed|max|too)", re.IGNORECASE | re.DOTALL)
_RESET = re.compile(r"reset in (\d+) seconds", re.IGNORECASE)


class TooComplexError(RecordRejected):
    """One request asks for more than 5,000,000 points: nothing of it was done."""


@dataclass(frozen=True)
class Fault:
    """One error of an answer, whatever shape it came in."""

    code: str
    message: str
    alias: str = ""  # the first word of its path
    wait: float | None = None  # seconds that monday asks for


@dataclass(frozen=True)
class Reply:
    """What a document got: the value of each alias, and the faults of those that have none."""

    values: Mapping[str, Any]
    faults: Sequence[Fault] = ()
    replayed: bool = False  # an earlier answer to the same Idempotency-Key

    def fault_of(self, alias: str) -> Fault:
        """Why an alias has no value: its own error; else the request's."""
        general = [fault for fault in self.faults if not fault.alias]
        own = [fault for fault in self.faults if fault.alias == alias]
        return next(iter(own or general), Fault("", "monday gave neither a value nor a reason"))


def faults_of(body: Any) -> Iterator[Fault]:
    """The errors of a parsed answer."""
    if not isinstance(body, Mapping):
        return
    if code := body.get("error_code"):
        yield Fault(str(code), str(body.get("error_message") or code), wait=_seconds(body))
    listed = body.get("errors")
    for error in listed if isinstance(listed, list) else []:
        if isinstance(error, Mapping):
            yield _fault(error, body)
        else:
            yield Fault("Unauthorized" if "authent" in str(error).lower() else "", str(error))


def _fault(error: Mapping[str, Any], body: Mapping[str, Any]) -> Fault:
    known = error.get("extensions") or {}
    path = error.get("path") or [""]
    detail = known.get("error_data")
    words = str(error.get("message") or known.get("code") or "refused")
    text = f"{words} ({snippet(str(detail).encode())})" if detail else words
    wait = _seconds(known) or _seconds(error) or _seconds(body.get("extensions") or {}) or _told(words)
    return Fault(str(known.get("code") or ""), text, str(path[0]), wait)


def _seconds(place: Mapping[str, Any]) -> float | None:
    """retry_in_seconds; ingest alone gives milliseconds."""
    if (seconds := place.get("retry_in_seconds")) is not None:
        return float(seconds)
    return float(place["retryAfterMs"]) / 1000 if place.get("retryAfterMs") else None


def _told(words: str) -> float | None:
    found = _RESET.search(words)
    return float(found[1]) if found else None


def classifier(version: str) -> Callable[[httpx.Response], MlcError | None]:
    """Reads an answer before anyone else: what stops the run, what waits, what is too large; and the API's version."""

    def classify(response: httpx.Response) -> MlcError | None:
        told = response.headers.get("api-version", "" if response.is_success else version)
        if told != version:
            return Misconfigured(
                f"monday answered by API version {told or 'unknown'}, and {version} was asked for",
                cure="Set monday.api_version in mlc.yaml to one that monday serves.",
            )
        body = _parsed(response.content)
        faults = list(faults_of(body))
        worked = isinstance(body, Mapping) and _has_values(body.get("data"))
        return None if worked else _whole_request(faults, response)

    return classify


def _whole_request(faults: Sequence[Fault], response: httpx.Response) -> MlcError | None:
    """The error of a request of which nothing was done."""
    codes, words = {fault.code for fault in faults}, "; ".join(fault.message for fault in faults)
    said = f"monday answered {response.status_code}: {words or snippet(response.content)}"
    if "DAILY_LIMIT_EXCEEDED" in codes:
        return AccessDenied(said, cure=TOMORROW)
    asked = [*(fault.wait for fault in faults), retry_after(response.headers, time.time())]
    waits = [seconds for seconds in asked if seconds is not None]
    if not waits and response.status_code != 429 and _TOO_COMPLEX.search(words):
        return TooComplexError(said, status=response.status_code)
    if codes & BUSY or response.status_code in (409, 423, 429):
        return Throttled(said, retry_after=max(waits, default=A_WHILE))
    if codes & DENIED:
        return AccessDenied(said, cure=CURE)
    if codes & OUR_FAULT:
        return Misconfigured(said, cure="Check monday.boards and monday.api_version in mlc.yaml.")
    return None


def _has_values(values: Any) -> bool:
    return isinstance(values, Mapping) and any(value for name, value in values.items() if name != "complexity")


def _parsed(content: bytes) -> Any:
    try:
        return exact_json(content)
    except ValueError:
        return None


@dataclass
class Points:
    """What monday last said of the complexity budget, and what one write costs: learned from its answers."""

    a_minute: int
    a_write: int = 30_000  # until the first answer
    left: int | None = None
    anew_at: float = 0.0  # on the monotonic clock

    MOST = 5_000_000  # in one request
    WRITES = 25  # in one request: monday gives up after 60 seconds, and a create takes up to one

    def writes_at_once(self) -> int:
        """How many writes one request may hold; at least one."""
        return max(1, min(self.WRITES, min(self.MOST, self.a_minute) // max(self.a_write, 1)))

    def wait_for(self, writes: int, now: float) -> float:
        """Seconds until the budget has room for a request."""
        if self.left is None or now >= self.anew_at or writes * self.a_write <= self.left:
            return 0.0
        return self.anew_at - now

    def learn(self, told: Mapping[str, Any] | None, writes: int, now: float) -> None:
        """From `complexity {query after reset_in_x_seconds}` of an answer; `writes` 0: a read."""
        if not told:
            return
        self.left, self.anew_at = int(told["after"]), now + float(told["reset_in_x_seconds"])
        if writes:
            self.a_write = -(-int(told["query"]) // writes)

    def refused(self, writes: int) -> None:
        """A request of so many writes was above the limit."""
        self.a_write = max(self.a_write, self.MOST // writes + 1)


@dataclass
class MondayApi:
    """Sends documents."""

    api: ApiClient
    points: Points
    budget: Budget
    clock: Callable[[], float] = time.monotonic
    headers: Mapping[str, str] = field(default_factory=dict)

    def read(self, document: str, **variables: Any) -> Mapping[str, Any]:
        """The values of a query. Raises as ApiClient.request, and Misconfigured where monday refuses a part of it."""
        try:
            reply = self._post(document, variables, {}, repeatable=True)
        except RecordRejected as error:
            raise Misconfigured(f"monday refuses to read: {error.message}") from error
        self.points.learn(reply.values.get("complexity"), 0, self.clock())
        if faults := [fault for fault in reply.faults if fault.alias != "complexity"]:
            raise Misconfigured(f"monday refuses to read: {faults[0].message}", cure=CURE)
        return reply.values

    def write(self, document: str, variables: Mapping[str, Any], writes: int, key: str, *, again: bool) -> Reply:
        """The values of a mutation, alias by alias. `key` is its Idempotency-Key; `again`: a second call does no harm.

        Waits first where monday's own count of points says so. Raises as ApiClient.request, TooComplexError.
        """
        if wait := self.points.wait_for(writes, self.clock()):
            self.budget.pause(wait)  # the next call waits for it, and counts the seconds
        reply = self._post(document, variables, {"Idempotency-Key": key}, repeatable=again)
        if not reply.replayed:
            self.points.learn(reply.values.get("complexity"), writes, self.clock())
        return reply

    def _post(
        self, document: str, variables: Mapping[str, Any], headers: Mapping[str, str], *, repeatable: bool
    ) -> Reply:
        sent = {"query": document, "variables": dict(variables)}
        try:
            answer = self.api.request("POST", PATH, json=sent, headers=headers, repeatable=repeatable)
        except RecordRejected as error:
            if isinstance(error, TooComplexError) or not isinstance(error.body, Mapping):
                raise
            return _reply(error.body, replayed=False)
        replayed = answer.headers.get("idempotency-replayed", "").lower() == "true"
        return _reply(answer.json(), replayed=replayed)


def _reply(body: Any, *, replayed: bool) -> Reply:
    found = body if isinstance(body, Mapping) else {}
    values = found.get("data")
    return Reply(values if isinstance(values, Mapping) else {}, tuple(faults_of(found)), replayed)
