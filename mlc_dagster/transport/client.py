"""One remote system over HTTP: send, retry what is safe, keep the rate, translate errors."""

from __future__ import annotations

import random as randomness
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from operator import methodcaller
from typing import Any, TypeVar, overload

import httpx

from mlc_dagster.core import write_guard as departures
from mlc_dagster.core.errors import MlcError, OutcomeUnknown, RecordRejected, ThrottledUntil, TransientError
from mlc_dagster.core.outcomes import Budget, TooFar
from mlc_dagster.transport.answer_limits import Bounds, Unbounded
from mlc_dagster.transport.connection_pool import Connections, before_it_leaves, one_client
from mlc_dagster.transport.proof import Proof
from mlc_dagster.transport.rate_limits import KeyRing, LocalBudget, Slot, slots_of
from mlc_dagster.transport.requests import Content, Params, address, body_of, headers_of, origin, shown
from mlc_dagster.transport.responses import (
    UNREADABLE,
    Answer,
    Call,
    Throttled,
    exact_json,
    http_date,
    json_or_nothing,
    lost,
    refusal,
    snippet,
    suspicion,
    timed_out,
    unreadable,
    without,
)
from mlc_dagster.transport.retries import HasTries, Patience, Tries, asks_for_silence
from mlc_dagster.transport.shadow import Allows, everything
from mlc_dagster.transport.threads import in_order
from mlc_dagster.transport.threads import sleep as wait_for

__all__ = [
    "Answer",
    "ApiClient",
    "KeyRing",
    "LocalBudget",
    "Throttled",
    "exact_json",
    "in_order",
    "json_or_nothing",
    "snippet",
]

Value = TypeVar("Value")
Classify = Callable[[httpx.Response], Exception | None]

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
READS = ("GET", "HEAD")


@dataclass
class _Send(HasTries):
    """One request on its way through the retry loop."""

    tries: Tries
    call: Call
    build: Callable[[httpx.Client], httpx.Request]
    decode: Callable[[bytes], Any]
    is_json: bool
    secrets: list[str] = field(default_factory=list)  # what the last attempt was signed with
    guard: departures.Guard | None = None
    suspicion: int = 0  # of the last attempt's answer

    def answered(self, error: Exception | None) -> None:
        if self.guard:
            self.guard.answered(self.call.shown, error, 1 if isinstance(error, OutcomeUnknown) else self.suspicion)


class ApiClient:
    """One remote system over HTTP, for up to 32 threads at once.

    `classify` reads an answer before anyone else, of any status, and returns the error to raise, or None. With a
    `retry_after`, or as `Throttled`, a TransientError silences the credential for that long. A write is sent again
    only where `proof`, patterns of the system's own words, recognises the body; else its outcome is unknown.
    Messages are built from `snippet(response.content)`. `allows` is asked of each call before it is made.
    `timeout_weighs`: failures that a call which timed out counts for, where asking again for as much is no use.
    """

    def __init__(
        self,
        system: str,
        base_url: str,
        *,
        auth: httpx.Auth | None = None,
        budget: Budget | KeyRing | None = None,
        timeout: float = 60.0,
        bounds: Bounds | None = None,
        classify: Classify | None = None,
        proof: Sequence[str] | None = (),
        headers: Mapping[str, str] | None = None,
        transport: httpx.BaseTransport | None = None,
        allows: Allows = everything,
        max_attempts: int = 8,
        timeout_weighs: int = 1,
        max_seconds: float = 300.0,
        max_wait: float = 120.0,
        connections: int = 16,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = wait_for,
        random: Callable[[], float] = randomness.random,
    ) -> None:
        self.system, self.base_url, self.auth = system, base_url.rstrip("/"), auth
        self.timeout = timeout  # seconds: what was sent may be under way for so long
        self.requests = self.retries = 0
        self.throttled_seconds = 0.0  # summed over threads
        self.skew_seconds: float | None = None  # server's Date header minus our clock, latest answer; whole seconds
        self._origin = origin(system, self.base_url)
        self._classify, self._proof, self._allows = classify, Proof(proof), allows
        self._unknown = 0  # outcomes in a row
        self._timeout_weighs = timeout_weighs
        self._clock, self._wall = clock, wall
        self._patience = Patience(max_attempts, max_seconds, max_wait, clock, sleep, random)
        self._slot = slots_of(budget, auth, LocalBudget(clock=clock, sleep=sleep), clock)
        self._lock = threading.Lock()
        opened = partial(one_client, self.base_url, timeout, dict(headers or {}), transport)
        self._bounds = bounds or Bounds()
        self._connections = Connections(opened, self._bounds, connections)

    @overload
    def request(
        self,
        method: str,
        path: str,
        *,
        params: Params | None = None,
        json: Any = None,
        content: Content | None = None,
        headers: Mapping[str, str] | None = None,
        repeatable: bool | None = None,
        only_asks: bool = False,
        decode: None = None,
    ) -> Answer[Any]: ...

    @overload
    def request(
        self,
        method: str,
        path: str,
        *,
        params: Params | None = None,
        json: Any = None,
        content: Content | None = None,
        headers: Mapping[str, str] | None = None,
        repeatable: bool | None = None,
        only_asks: bool = False,
        decode: Callable[[bytes], Value],
    ) -> Answer[Value]: ...

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Params | None = None,
        json: Any = None,
        content: Content | None = None,
        headers: Mapping[str, str] | None = None,
        repeatable: bool | None = None,
        only_asks: bool = False,
        decode: Callable[[bytes], Any] | None = None,
    ) -> Answer[Any]:
        """The 2xx answer, read whole; every other end is an error.

        `path` is appended to the base URL as it is, so it is percent-encoded already; an absolute URL must be of the
        same origin. `params` are encoded here (a None is left out); `json` may hold Decimal, datetime and Record;
        `content` is a body that is not JSON, with its media type.
        `repeatable` says that a second call does no harm: GET and HEAD unless told; `only_asks` that a POST holds
        questions alone, so that it is repeatable and no write. `decode` makes the value from the
        body inside the retry loop: where it raises ValueError or the like, the page is asked for again.

        Raises TransientError, OutcomeUnknown (a write without a trustworthy answer), StaleRecord (412), RecordRejected,
        AccessDenied, Misconfigured, ThrottledUntil (the system's credential is to be silent for more than `max_wait`).
        """
        asks = only_asks or method in READS
        safe = asks if repeatable is None else repeatable
        call = Call(self.system, method, shown(path), safe, self.base_url)
        url, given = address(call, self._origin, path, params), content or body_of(call, json)
        read = decode or (exact_json if method == "GET" else json_or_nothing)
        own = headers_of(call, headers, given)
        self._allows("GET" if asks else method, call.path, json, given)
        build = methodcaller("build_request", method, url, content=given and given[1], headers=own)
        send = _Send(Tries(), call, build, read, decode is None)
        send.guard = None if asks else departures.guard()
        try:
            answer = self._patience.retry(self._attempt, send)
        except (RecordRejected, OutcomeUnknown) as error:
            send.answered(error)
            raise
        send.answered(None)
        return answer

    def breathe(self, times: int) -> None:
        """Wait before a row that others have in hand is written again; longer each time."""
        self._patience.breathe(times)

    def close(self) -> None:
        self._connections.close()

    def __enter__(self) -> ApiClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"ApiClient({self.system!r}, {self.base_url!r})"

    # --- one attempt --------------------------------------------------------------------------------------------------

    def _attempt(self, send: _Send) -> Answer[Any]:
        slot = self._leave()
        with self._lock:
            self.requests += 1
            self.retries += send.tries.begin(self._clock())
            self.throttled_seconds += slot.waited
        try:
            answer = self._answer(send, self._exchange(send, slot), slot)
        except TransientError as error:
            send.tries.count(error, self._timeout_weighs if timed_out(error) else 1)
            if asks_for_silence(error):
                slot.pause(self._patience.silence(error, send.tries))
            raise
        except OutcomeUnknown as error:
            self._unknown += 1
            slot.pause(self._patience.quiet(error, self._unknown))
            raise
        self._unknown = 0
        return answer

    def _leave(self) -> Slot:
        """Raises ThrottledUntil where nobody is asked that soon: neither this call nor another one is made."""
        try:
            return self._slot(self._patience.longest)
        except TooFar as error:
            raise ThrottledUntil(self.system, error.seconds) from None

    def _exchange(self, send: _Send, slot: Slot) -> httpx.Response:
        with self._connections.one() as client:
            request = send.build(client)
            unsigned = set(request.headers)
            request.extensions["trace"] = partial(before_it_leaves, send.guard, send.call.shown, slot.left)
            try:
                response = client.send(request, auth=slot.auth)
            except httpx.LocalProtocolError as error:
                raise self._lost(send, request, error) from None  # its text quotes headers
            except httpx.RequestError as error:
                raise self._lost(send, request, error) from error
        response.stream = httpx.ByteStream(b"")  # else body and stream hold each other until the garbage is collected
        if when := http_date(response.headers.get("date", "")):
            self.skew_seconds = when - self._wall()
        words = (text.split()[-1] for name, text in request.headers.items() if name not in unsigned and text.strip())
        send.secrets = [word for word in words if len(word) >= 8]
        is_batch = "multipart" in response.headers.get("content-type", "")  # its parts may be refusals
        return response if response.is_success and not is_batch else without(send.secrets, response)

    def _lost(self, send: _Send, request: httpx.Request, error: httpx.RequestError) -> MlcError:
        if error.request is request:
            return lost(send.call, error)
        where = error.request.url  # the sign-in: nothing was asked of the system itself yet
        host = f"{where.scheme}://{where.netloc.decode('ascii')}"
        return lost(Call(self.system, error.request.method, where.path, True, host, "token_url"), error)

    def _answer(self, send: _Send, response: httpx.Response, slot: Slot) -> Answer[Any]:
        said = self._classify(response) if self._classify else None
        if error := said or refusal(send.call, response, now=self._wall(), cure=slot.cure):
            send.suspicion = suspicion(send.call.method, response)
            raise self._proof.judge(send.call, response, error)
        content = response.content.removeprefix(BYTE_ORDER_MARK)
        try:
            self._bounds.refuse_dense(content)
            value = send.decode(content)
        except Unbounded as error:
            raise lost(send.call, error) from error
        except UNREADABLE as error:
            raise unreadable(send.call, without(send.secrets, response), error) from error
        return Answer(response.status_code, response.headers, content, str(response.url), value, send.is_json)
