"""The sandboxed monday.com: GraphQL with aliases, complexity, limits by minute and day, and Idempotency-Key."""

from __future__ import annotations

import json
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import RLock
from typing import Any
from uuid import uuid4

from graphql import ExecutionResult, FieldNode, GraphQLError, OperationDefinitionNode, execute, parse, validate

from mlc_dagster.sandbox.journal import Journal
from mlc_dagster.sandbox.limits import RollingCounts, whole_seconds
from mlc_dagster.sandbox.monday.boards import Boards
from mlc_dagster.sandbox.monday.oauth import PATH as SIGN_IN
from mlc_dagster.sandbox.monday.oauth import AppTokens
from mlc_dagster.sandbox.monday.partial_answers import Gate, Refusals, Trouble
from mlc_dagster.sandbox.monday.schema import Resolvers
from mlc_dagster.sandbox.monday.traits import Traits
from mlc_dagster.sandbox.wire import Answer, Call, answer_json, decode

PATH = "/monday/v2"
TOKEN = "sandbox-monday-token"  # noqa: S105 - the sandbox's, and known to everybody
VERSION, VERSIONS = "2026-10", ("2026-07", "2026-10", "2027-01")
MOST_POINTS = 5_000_000  # in one request
REMEMBERED = 1800.0  # seconds that an answer to an Idempotency-Key is kept


@dataclass
class Points:
    """The complexity budget of a minute: it is full again a minute after the first request of the last one."""

    limit: int
    window: float
    clock: Callable[[], float] = time.monotonic
    left: int = 0
    until: float = 0.0

    def begin(self) -> None:
        if self.clock() >= self.until:
            self.left, self.until = self.limit, self.clock() + self.window

    @property
    def reset(self) -> int:
        return max(1, round(self.until - self.clock()))


class MondaySandbox:
    """Keeps boards and items; boards are made by a seed or by a test."""

    def __init__(
        self,
        counts: RollingCounts,
        journal: Journal,
        lock: RLock,
        limits: Mapping[str, int],
        minute: float,
        traits: Traits,
    ) -> None:
        self.counts, self._journal, self._lock, self.limits = counts, journal, lock, limits
        self.boards, self.token = Boards(), TOKEN
        self.app = AppTokens(traits.token_seconds, tells_lifetime=traits.tells_lifetime)
        self.resolvers = Resolvers(self.boards, VERSION)
        self._schema = self.resolvers.schema()
        self.points = Points(limits["points_per_minute"], minute)
        self.largest = 0  # points of the dearest request that was served
        self.troubles: list[Trouble] = []  # of the next writes
        self.refusals: Refusals | None = None  # how refused writes are told; None: each with its path, beside values
        self.keys: list[str] = []  # Idempotency-Keys, as they came
        self._trouble: Trouble | None = None  # of this request
        self._today: tuple[str, int] = ("", 0)
        self._answers: OrderedDict[str, tuple[float, bytes, Answer]] = OrderedDict()

    # --- for tests and seeds ---

    def add_board(self, board_id: str, name: str, columns: dict[str, str] | None = None, **more: Any) -> None:
        """A board with columns: title -> type."""
        with self._lock:
            self.boards.add_board(board_id, name, columns, **more)

    def put_away(self, board_id: str, state: str) -> None:
        """As a person would: "archived" or "deleted"; "active" restores it. Raises KeyError."""
        with self._lock:
            self.boards.boards[board_id]["state"] = state

    def rows(self, board_id: str) -> list[dict[str, Any]]:
        """The items of a board: id, name, and each column's value under its title."""
        with self._lock:
            titles = {column["id"]: column["title"] for column in self.boards.board(board_id)["columns"]}
            found = [item for item in self.boards.items.values() if item["board"] == board_id]
            return [
                {"id": item["id"], "name": item["name"], **{titles[c]: v for c, v in item["values"].items()}}
                for item in found
                if item["state"] == "active"
            ]

    def add_item(self, board_id: str, name: str, at: datetime | None = None, **values: str) -> str:
        """An item that a person made, with texts by column title, changed last at that time; its id."""
        with self._lock:
            ids = {column["title"]: column["id"] for column in self.boards.board(board_id)["columns"]}
            content = json.dumps({ids[title.replace("_", " ")]: value for title, value in values.items()})
            item = self.boards.create_item(board_id, name, content, labels=True)
            if at is not None:
                item["created_at"] = item["updated_at"] = at.strftime("%Y-%m-%dT%H:%M:%SZ")
            return str(item["id"])

    def change_item(self, item_id: str, name: str | None = None, **values: Any) -> None:
        """As a person would: another name, other values by column title, as create_item takes them. Raises KeyError."""
        with self._lock:
            board = self.boards.items[item_id]["board"]
            ids = {column["title"]: column["id"] for column in self.boards.board(board)["columns"]}
            given = {ids[title.replace("_", " ")]: value for title, value in values.items()}
            content = json.dumps({**given, **({"name": name} if name else {})})
            self.boards.change_item(board, item_id, content, labels=True)

    def restore_item(self, item_id: str) -> None:
        """As a person would, from the archive or the trash. Raises KeyError."""
        with self._lock:
            self.boards.items[item_id]["state"] = "active"

    def archive_item(self, item_id: str) -> None:
        """As a person would: no list shows it any more. Raises KeyError."""
        with self._lock:
            self.boards.items[item_id]["state"] = "archived"
            self.boards.happened("archive_pulse", self.boards.items[item_id])

    def delete_item(self, item_id: str, *, for_ever: bool = False) -> None:
        """As a person would: into the trash, or out of it. Raises KeyError."""
        with self._lock:
            self.boards.items[item_id]["state"] = "deleted"
            self.boards.happened("delete_pulse", self.boards.items[item_id])
            if for_ever:
                del self.boards.items[item_id]

    def move_item(self, item_id: str, board_id: str) -> None:
        """As a person would, to another board, which has other columns. Raises KeyError."""
        with self._lock:
            self.boards.items[item_id].update(board=self.boards.board(board_id)["id"], values={})

    @property
    def skew_seconds(self) -> float:
        return 0.0

    def state(self) -> dict[str, Any]:
        return {"boards": {board: self.rows(board) for board in self.boards.boards}}

    def remembered(self) -> dict[str, Any]:
        kept = {"boards": self.boards.boards, "items": self.boards.items, "last_id": self.boards.last_id}
        kept |= {"activity": self.boards.activity}
        return {**kept, "account_id": self.resolvers.account_id, "refresh_token": self.app.refresh_token}

    def recall(self, kept: dict[str, Any]) -> None:
        unknown = {"created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z", "url": ""}
        self.boards.boards = kept["boards"]
        self.boards.items = {number: {**unknown, **item} for number, item in kept["items"].items()}
        self.boards.last_id = kept["last_id"]
        self.boards.activity = kept.get("activity", [])
        self.resolvers.account_id = kept.get("account_id", self.resolvers.account_id)
        self.app.refresh_token = kept.get("refresh_token", self.app.refresh_token)

    # --- on the wire ---

    def answer(self, call: Call) -> Answer:
        if call.path == SIGN_IN:
            return self.app.grant(call)
        version = call.headers.get("api-version", VERSION)
        self._trouble = None
        answer = self._admitted(call)
        if self._trouble and self._trouble.kind == "gateway":
            return self._trouble.lost()
        answer.headers["api-version"] = version if version in VERSIONS else VERSION
        answer.headers.update(self._limits_told())
        return answer

    def _limits_told(self) -> dict[str, str]:
        """On every answer, in structured fields: what is allowed in a minute, and what is left of it."""
        count = self.counts.by_credential.get(TOKEN)
        left = max(0, count.limit - len(count.accepted)) if count else self.counts.limit
        points = self.limits["points_per_minute"]
        policy = f'"minuteRate";q={self.counts.limit};w=60, "complexityMinute";q={points};w=60;qu="content-bytes"'
        told = f'"minuteRate";r={left}, "complexityMinute";r={self.points.left};t={self.points.reset}'
        return {"ratelimit-policy": policy, "ratelimit": told, "x-request-id": str(uuid4())}

    def _admitted(self, call: Call) -> Answer:
        if call.path.rstrip("/") != PATH or call.method != "POST":
            return answer_json(404, {"errors": ["POST /v2 is all there is"]})
        token = call.headers.get("authorization", "")
        if token != self.token and not self.app.accepts(token):
            return answer_json(401, {"errors": ["Not Authenticated"]})
        if wait := self.counts.admit(TOKEN):
            return _error(429, "RATE_LIMIT_EXCEEDED", "Minute limit rate exceeded", wait)
        day = datetime.now(UTC).date().isoformat()
        self._today = (day, self._today[1] + 1 if self._today[0] == day else 1)
        if self._today[1] > self.limits["calls_per_day"]:
            return _error(429, "DAILY_LIMIT_EXCEEDED", "Daily limit exceeded")
        return self._remembering(call)

    def _remembering(self, call: Call) -> Answer:
        """The same key again: the first answer again. Only what was executed is remembered."""
        try:
            body = decode(call.body)
            operation, document = _operation(body["query"])
        except (ValueError, KeyError, TypeError, GraphQLError) as error:
            return _error(400, "GRAPHQL_PARSE_FAILED", str(error))
        key = call.headers.get("idempotency-key", "") if operation.operation.value == "mutation" else ""
        self.keys += [key] if key else []
        at, sent, kept = self._answers.get(key, (0.0, b"", Answer(0)))
        if key and kept.status and time.monotonic() - at < REMEMBERED:
            if sent != call.body:
                return _error(409, "IDEMPOTENCY_CONFLICT", "This key was used for another request", 1)
            return Answer(kept.status, kept.body, {**kept.headers, "idempotency-replayed": "true"})
        answer = self._served(call, body, operation, document)
        if key and (answer.status == 200 or self.resolvers.changed):
            self._answers[key] = (time.monotonic(), call.body, Answer(answer.status, answer.body, dict(answer.headers)))
            while len(self._answers) > 1000:
                self._answers.popitem(last=False)
        return answer

    def _served(self, call: Call, body: Any, operation: OperationDefinitionNode, document: Any) -> Answer:
        self.resolvers.changed = []
        if faults := validate(self._schema, document):
            return _error(200, "undefinedField", faults[0].message)
        cost = self._cost(operation, body.get("variables") or {})
        self.points.begin()
        if cost > MOST_POINTS:
            words = f"Query has complexity of {cost}, which exceeds max complexity of {MOST_POINTS}"
            return _error(200, "ComplexityException", words)
        if cost > self.points.left:
            return _error(429, "COMPLEXITY_BUDGET_EXHAUSTED", "Complexity budget exhausted", self.points.reset)
        before, self.points.left = self.points.left, self.points.left - cost
        self.largest = max(self.largest, cost)
        told = {"before": before, "after": self.points.left, "query": cost, "reset_in_x_seconds": self.points.reset}
        self.resolvers.told = told
        content = self._executed(document, body, operation.operation.value)
        if changed := self.resolvers.changed:
            ids = [identity for _, identity in changed]
            self._journal.changed("monday", "POST", f"{PATH}/{changed[0][0]}", ids, ids[0])
        return self.resolvers.gate.answer(content)

    def _executed(self, document: Any, body: Any, kind: str) -> dict[str, Any]:
        """The content of the answer; what is to be undone is undone."""
        gate = self.resolvers.gate = self._gate() if kind == "mutation" else Gate(None, None)
        before = deepcopy(self.remembered()) if self.refusals else {}
        result = execute(self._schema, document, variable_values=body.get("variables"))
        assert isinstance(result, ExecutionResult)  # nothing here is awaited
        content = _content(result)
        if gate.rolls_back(content.get("errors", [])):
            self.recall(before)
            self.resolvers.changed = []
        return content

    def _gate(self) -> Gate:
        self._trouble = next((each for each in self.troubles if each.times > 0), None)
        if self._trouble:
            self._trouble.times -= 1
        return Gate(self._trouble, self.refusals)

    def _cost(self, operation: OperationDefinitionNode, variables: dict[str, Any]) -> int:
        """Writes are dear; reads cost by what they may give."""
        if operation.operation.value != "mutation":
            return 1000
        calls = [
            node
            for node in operation.selection_set.selections
            if isinstance(node, FieldNode) and node.name.value != "complexity"
        ]
        columns = sum(str(value).count('": ') for name, value in variables.items() if name.startswith("v"))
        return 1 + len(calls) * self.limits["points_per_write"] + columns * self.limits["points_per_column"]


def _operation(text: str) -> tuple[OperationDefinitionNode, Any]:
    document = parse(text)
    (operation,) = document.definitions
    if not isinstance(operation, OperationDefinitionNode):
        raise ValueError("one operation is expected")
    return operation, document


def _content(result: ExecutionResult) -> dict[str, Any]:
    content: dict[str, Any] = {"data": result.data, "extensions": {"request_id": str(uuid4())}}
    if result.errors:
        content["errors"] = [dict(error.formatted) for error in result.errors]
    return content


def _error(status: int, code: str, message: str, wait: float | None = None) -> Answer:
    known: dict[str, Any] = {"code": code, "status_code": status}
    headers = {}
    if wait is not None:
        known["retry_in_seconds"] = int(whole_seconds(wait))
        headers["retry_after"] = whole_seconds(wait)
    body = {"data": None, "errors": [{"message": message, "extensions": known}], "account_id": 1}
    return answer_json(status, {**body, "extensions": {"request_id": str(uuid4())}}, **headers)
