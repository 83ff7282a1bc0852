"""monday.com's GraphQL over HTTP: one document a request, and what monday says of its complexity budget."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from mlc_dagster.core.errors import Misconfigured, RecordRejected
from mlc_dagster.core.outcomes import Budget
from mlc_dagster.systems.monday.graphql.replies import Reply, is_replay, reply_of
from mlc_dagster.systems.monday.graphql.responses import (
    CURE,
    KEY_HEADER,
    TOMORROW,
    PartialAnswerError,
    TooComplexError,
    classifier,
)
from mlc_dagster.transport.client import ApiClient

__all__ = ["CURE", "TOMORROW", "ComplexityBudget", "MondayApi", "TooComplexError", "classifier"]

PATH = "/v2"
LONGEST_SILENCE = 120.0  # seconds: a server that asks for an hour is asked again after this


@dataclass
class ComplexityBudget:
    """What monday last said of the complexity budget, and what one write costs: learned from its answers."""

    a_minute: int
    a_write: int = 30_000  # until the first answer
    left: int | None = None
    anew_at: float = 0.0  # on the monotonic clock

    MOST = 5_000_000  # in one request
    WRITES = 20  # in one request: the most that monday recommends, and what its own clients send

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
    points: ComplexityBudget
    budget: Budget
    clock: Callable[[], float] = time.monotonic

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

    def write(self, document: str, variables: Mapping[str, Any], writes: int, key: str) -> Reply:
        """The values of a mutation, alias by alias, and the faults of the others; whoever calls next keeps the silence
        that these ask for. `key`: the Idempotency-Key of what must not be done twice; empty: twice does no harm.

        Waits first where monday's own count of points says so. Raises as ApiClient.request, TooComplexError,
        RefusedWholeError.
        """
        if wait := self.points.wait_for(writes, self.clock()):
            self.budget.pause(wait)  # the next call waits for it, and counts the seconds
        try:
            reply = self._post(document, variables, {KEY_HEADER: key} if key else {}, repeatable=not key)
        except PartialAnswerError as error:
            self.be_silent(error.wait)
            reply = error.reply
        if not reply.replayed:
            self.points.learn(reply.values.get("complexity"), writes, self.clock())
        return reply

    def be_silent(self, seconds: float) -> None:
        """The next call, whoever makes it, waits for so long."""
        if seconds > 0:
            self.budget.pause(min(seconds, LONGEST_SILENCE))

    def _post(
        self, document: str, variables: Mapping[str, Any], headers: Mapping[str, str], *, repeatable: bool
    ) -> Reply:
        sent = {"query": document, "variables": dict(variables)}
        answer = self.api.request("POST", PATH, json=sent, headers=headers, repeatable=repeatable)
        return reply_of(answer.json(), replayed=is_replay(answer.headers))
