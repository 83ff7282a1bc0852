"""The sandboxed HubSpot: version 2026-09 of its CRM API, with batches, 207 answers, limits and refusals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from threading import RLock
from typing import Any

from mlc_dagster.sandbox.hubspot import associations, limits
from mlc_dagster.sandbox.hubspot.answers import (
    account_answer,
    batch,
    body_of,
    copied,
    correlation,
    error_answer,
    input_error,
    inputs_of,
    refused_answer,
)
from mlc_dagster.sandbox.hubspot.merging import merge
from mlc_dagster.sandbox.hubspot.objects import KINDS, InvalidError, Objects, Row
from mlc_dagster.sandbox.hubspot.pipelines import PIPELINES
from mlc_dagster.sandbox.hubspot.portal_properties import PortalProperties
from mlc_dagster.sandbox.hubspot.search import search
from mlc_dagster.sandbox.hubspot.traits import Traits
from mlc_dagster.sandbox.journal import Journal
from mlc_dagster.sandbox.limits import RollingCounts, whole_seconds
from mlc_dagster.sandbox.wire import Answer, Call, answer_json, decode, query_of

TOKEN = "pat-na1-sandbox"  # noqa: S105 - known to everybody
VERSION = "2026-09"


class HubspotSandbox:
    """Keeps objects and associations. `whole_refusals`: one bad input refuses its batch, as without trace ids,
    with this status: 400 or 409.
    """

    def __init__(
        self,
        counts: RollingCounts,
        journal: Journal,
        lock: RLock,
        daily: int = 625_000,
        traits: Traits | None = None,
    ) -> None:
        self.counts, self.journal, self._lock, self.daily = counts, journal, lock, daily
        self.used = 0
        self.token, self.may_ask_account = TOKEN, True  # whether the token has the scope for account-info
        self.whole_refusals: int | None = None
        self.account: Row = {
            "portalId": 147_000_001,
            "accountType": "SANDBOX",
            "timeZone": "Europe/Stockholm",
            "companyCurrency": "SEK",
            "additionalCurrencies": ["EUR", "JPY", "KWD"],
            "uiDomain": "app.hubspot.com",
            "utcOffset": "+01:00",
            "utcOffsetMilliseconds": 3_600_000,
            "dataHostingLocation": "na1",
        }
        self.pipelines: list[Row] = PIPELINES
        self.objects = self._empty()
        self.objects.traits = traits or self.objects.traits
        self._custom = PortalProperties(self)
        self.property_limit = 1000  # of an object type
        self.near_association_limits: dict[str, bool] = {}  # object type -> whether records are at it
        self._index: dict[str, dict[str, Row]] = {}  # kind -> what a lagging search knows
        self._verbs: dict[tuple[str, str], Callable[[str, Row], Answer]] = {
            ("POST", "upsert"): self._upsert,
            ("POST", "update"): self._update,
            ("POST", "create"): self._create,
            ("POST", "archive"): self._archive,
        }

    def _empty(self) -> Objects:
        stages = {each["id"]: {stage["id"] for stage in each["stages"]} for each in self.pipelines}
        return Objects({self.account["companyCurrency"], *self.account["additionalCurrencies"]}, stages)

    # --- for tests and the demo ---
    @property
    def skew_seconds(self) -> float:
        return 0.0

    def live(self, kind: str) -> dict[str, Row]:
        """Id -> object, without archived ones."""
        with self._lock:
            return {each: dict(row) for each, row in self.objects.live(kind).items()}

    def of(self, source: str, target: str, remote_id: str) -> list[str]:
        """The ids that an object is associated with."""
        with self._lock:
            return list(self.objects.of(source, target, remote_id))

    def add_currency(self, code: str) -> None:
        with self._lock:
            self.account["additionalCurrencies"] = [*self.account["additionalCurrencies"], code]
            self.objects.currencies.add(code)

    @property
    def traits(self) -> Traits:
        """In what this portal differs from others."""
        return self.objects.traits

    def becomes(self, **traits: Any) -> None:
        """From now on the portal has these traits."""
        with self._lock:
            self.objects.traits = replace(self.objects.traits, **traits)

    def merge(self, kind: str, primary: str, secondary: str) -> str:
        """As a user does; the id of the new record."""
        with self._lock:
            return merge(self.objects, kind, primary, secondary)

    def reindex(self) -> None:
        """From now on a search that lags knows what is there."""
        with self._lock:
            self._index = {
                kind: {each: decode(copied(row)) for each, row in self.objects.live(kind).items()} for kind in KINDS
            }

    def state(self) -> dict[str, Any]:
        """Objects that are not archived, by kind, and associations."""
        rows = {kind: list(self.objects.live(kind).values()) for kind in KINDS}
        links = {
            path: {each: self.objects.of(path.split("/")[0], path.split("/")[1], each) for each in ends}
            for path, ends in self.objects.links.items()
        }
        return {**rows, "associations": links}

    def remembered(self) -> dict[str, Any]:
        names = ("properties", "groups", "rows", "links", "required", "last_id", "merged")
        return {"account": self.account, **{name: getattr(self.objects, name) for name in names}}

    def recall(self, kept: dict[str, Any]) -> None:
        with self._lock:
            self.account = kept["account"]
            self.objects.currencies = self._empty().currencies
            for name, value in kept.items():
                if name != "account":
                    setattr(self.objects, name, value)

    # --- on the wire ---
    def answer(self, call: Call) -> Answer:
        if call.headers.get("authorization") != f"Bearer {self.token}":
            text = "Authentication credentials not found or invalid."
            return error_answer(401, text, "INVALID_AUTHENTICATION")
        if self.used >= self.daily:
            return self._too_many("DAILY", "You have reached your daily limit.")
        if wait := self.counts.admit(TOKEN):
            answer = self._too_many("TEN_SECONDLY_ROLLING", "You have reached your ten_secondly_rolling limit.")
            answer.headers["x-sandbox-wait"] = whole_seconds(wait)
            return answer
        self.used += 1
        try:
            answer = self._served(call)
        except InvalidError as refused:
            answer = refused_answer(refused)
        answer.headers.update(self._rate())
        return answer

    def _rate(self) -> dict[str, str]:
        count = self.counts.by_credential[TOKEN]
        return {
            "x-hubspot-ratelimit-max": str(count.limit),
            "x-hubspot-ratelimit-remaining": str(max(0, count.limit - len(count.accepted))),
            "x-hubspot-ratelimit-interval-milliseconds": str(int(count.window * 1000)),
            "x-hubspot-ratelimit-daily": str(self.daily),
            "x-hubspot-ratelimit-daily-remaining": str(self.daily - self.used),
        }

    def _too_many(self, policy: str, text: str) -> Answer:
        body = {"status": "error", "message": text, "errorType": "RATE_LIMIT", "policyName": policy}
        content = {**body, "correlationId": correlation(), "requestId": correlation()}
        daily = {"x-hubspot-ratelimit-daily": str(self.daily)}
        interval = {"x-hubspot-ratelimit-interval-milliseconds": str(int(self.counts.window * 1000))}
        answer = answer_json(429, content)
        answer.headers.update(daily if policy == "DAILY" else interval)
        return answer

    def _served(self, call: Call) -> Answer:
        words = call.path.strip("/").split("/")[1:]
        body = body_of(call)
        match (call.method, *words):
            case ("GET", "account-info", version, "details") if version == VERSION:
                return account_answer(self.account, self.may_ask_account)
            case ("GET", "crm", "pipelines", version, "deals") if version == VERSION:
                return answer_json(200, {"results": self.pipelines})
            case ("GET", "crm", "limits", version, *rest) | ("GET", "crm-object-schemas", version, *rest):
                return limits.answer(self.objects, self.near_association_limits, self.property_limit, rest)
            case (method, "crm", "properties", version, kind, *rest) if version == VERSION and kind in KINDS:
                return self._custom.answer(method, kind, rest, body)
            case (method, "crm", "objects", version, kind, "batch", verb) if version == VERSION and kind in KINDS:
                if (method, verb) == ("POST", "read"):
                    return self._read(kind, body, query_of(call.query).get("archived") == "true")
                if found := self._verbs.get((method, verb)):
                    return self._logged(call, body, verb, found(kind, body))
            case ("POST", "crm", "objects", version, kind, "search") if version == VERSION and kind in KINDS:
                rows = self._index.get(kind, {}) if self.traits.search_lags else self.objects.live(kind)
                return answer_json(200, search(rows, self.objects.properties[kind], body, len(call.body)))
            case ("POST", "crm", "associations", version, source, target, "batch", *verb) if version == VERSION:
                return self._logged(call, body, verb[0], associations.answer(self.objects, source, target, verb, body))
        return answer_json(404, {"status": "error", "message": f"Unable to infer object type from: {call.path}"})

    def _logged(self, call: Call, body: Row, verb: str, answer: Answer) -> Answer:
        """In the journal, where it changed something."""
        if verb != "read" and answer.status < 300:
            self.journal.changed("hubspot", call.method, call.path, body, "")
        return answer

    # --- objects ---

    def _upsert(self, kind: str, body: Row) -> Answer:
        def one(each: Row) -> Row:
            by = each.get("idProperty")
            known = self.objects.find(kind, each["id"], by)
            if known is None and not by:
                raise InvalidError(f"No {kind} with id {each['id']}", "", "OBJECT_NOT_FOUND", ids=[each["id"]])
            row = self.objects.write(kind, {**({by: each["id"]} if by else {}), **each["properties"]}, known)
            told = {name: value for name, value in row["properties"].items() if value is not None}
            return {**row, "properties": told, "new": known is None}

        return self._each(inputs_of(body), one)

    def _update(self, kind: str, body: Row) -> Answer:
        def one(each: Row) -> Row:
            known = self.objects.find(kind, each["id"], each.get("idProperty"))
            if known is None:
                raise InvalidError(f"No {kind} with id {each['id']}", "", "OBJECT_NOT_FOUND", ids=[each["id"]])
            return self.objects.write(kind, each["properties"], known)

        return self._each(inputs_of(body), one)

    def _create(self, kind: str, body: Row) -> Answer:
        inputs = [{**each, "id": str(place)} for place, each in enumerate(inputs_of(body))]
        return self._each(inputs, lambda each: self.objects.write(kind, each["properties"], None), status=201)

    def _each(self, inputs: list[Row], one: Callable[[Row], Row], status: int = 200) -> Answer:
        """With a trace id of its own for each input the good ones are written; else one bad input refuses all."""
        ids = [str(each["id"]).casefold() for each in inputs]
        if doubled := sorted({each for each in ids if ids.count(each) > 1}):
            raise InvalidError(f"Duplicate IDs found in batch input: {doubled}. IDs must be unique", ids=doubled)
        traces = {each.get("objectWriteTraceId") for each in inputs}
        apart = not self.whole_refusals and None not in traces and len(traces) == len(inputs)
        if not apart:
            self._refuse_whole(inputs, one)
        results, errors = [], []
        for each in inputs:
            trace = each.get("objectWriteTraceId")
            try:
                results.append({**one(each), "objectWriteTraceId": trace})
            except InvalidError as refused:
                errors.append(input_error(refused, trace))
        return batch(status, list(reversed(results)), errors)  # never in the order of the inputs

    def _refuse_whole(self, inputs: list[Row], one: Callable[[Row], Row]) -> None:
        """Try all, and undo: nothing is written where one is refused."""
        before = decode(copied(self.remembered()))
        try:
            for each in inputs:
                one(each)
        except InvalidError as refused:
            refused.status = self.whole_refusals or refused.status
            raise
        finally:
            self.recall(before)

    def _read(self, kind: str, body: Row, archived: bool = False) -> Answer:
        found, errors = [], []
        for each in inputs_of(body):
            row = (
                self._of_the_bin(kind, each["id"], body.get("idProperty"))
                if archived
                else self._known(kind, each["id"], body.get("idProperty"))
            )
            if row is None:
                errors.append(input_error(InvalidError("Not found", "", "OBJECT_NOT_FOUND", ids=[each["id"]]), None))
            else:
                values = {name: row["properties"].get(name) for name in body.get("properties") or ()}
                if "hs_amount_billed" in values and self.objects.still_lags(row):
                    values["hs_amount_billed"] = "0"
                found.append({**row, "properties": values})
        return batch(200, found, errors)

    def _known(self, kind: str, value: str, by: str | None) -> Row | None:
        if not by and not self.traits.merged_ids_lead_on:
            return self.objects.live(kind).get(value)
        return self.objects.find(kind, value, by)

    def _of_the_bin(self, kind: str, value: str, by: str | None) -> Row | None:
        gone = [row for row in self.objects.rows[kind].values() if row["archived"]]
        wanted = [row for row in gone if str(row["properties"].get(by) if by else row["id"]).lower() == value.lower()]
        return wanted[-1] if wanted else None

    def _archive(self, kind: str, body: Row) -> Answer:
        self.objects.archive(kind, [each["id"] for each in inputs_of(body)])
        return Answer(204)
