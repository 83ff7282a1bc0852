"""The sandbox without a socket, and a ledger that no disk waits for: so that a machine can take a million steps.

The product is the same to the last line that decides anything: what is left out is the wire below httpx, threads within
one client, the pause between two tries, the counting of a budget that nobody reaches, and the disk.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from typing import Any
from unittest import mock

import httpx
from sqlalchemy import event

from mlc_dagster.ledger import database
from mlc_dagster.sandbox import Sandbox
from mlc_dagster.sandbox.faults import Fault
from mlc_dagster.sandbox.wire import Answer, Call, answer_json
from mlc_dagster.transport import connection_pool, threads
from mlc_dagster.transport.client import ApiClient

URL = "http://127.0.0.1:1"
"""Where nobody listens: a call that went past the sandbox would fail."""


Arrives = Callable[[Call, str], None]
"""(call, "before" or "after" the system acts)"""


def nobody(call: Call, when: str) -> None:
    """Nobody is told."""


class Wire(httpx.BaseTransport):
    """A connection to the sandbox in this process: one call at a time, with the faults that it was told."""

    def __init__(self, box: Callable[[], Sandbox], arrives: Arrives) -> None:
        self._box, self._arrives = box, arrives

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        box, call = self._box(), _call(request)
        trace = request.extensions.get("trace")
        if trace:
            trace("http11.send_request_headers.started", {})
            trace("http11.send_request_body.started", {})
        system = call.path.split("/", 2)[1]
        self._arrives(call, "before")
        box._journal.called(system, call.method, call.path)
        fault = box.faults.take(system, call.method, call.path) or Fault()
        answer = self._answer(box, system, call, fault, request)
        self._arrives(call, "after")
        return _response(answer, request, truncate=fault.truncate)

    def _answer(self, box: Sandbox, system: str, call: Call, fault: Fault, request: httpx.Request) -> Answer:
        if fault.drop == "before":
            raise httpx.ReadError("the connection was closed", request=request)
        given = Answer(fault.status or 500, fault.body.encode(), {"content-type": "text/plain", **fault.headers})
        if fault.status and not fault.acts:
            return given
        with box.lock:
            answered = _of(box, system, call)
        if fault.drop == "after":
            raise httpx.ReadError("the connection was closed", request=request)
        return given if fault.status else answered


def _of(box: Sandbox, system: str, call: Call) -> Answer:
    served = box.systems.get(system)
    return served.answer(call) if served else answer_json(404, {"error": f"{call.path} is not served"})


def _call(request: httpx.Request) -> Call:
    path, _, query = request.url.raw_path.decode("ascii").partition("?")
    headers = {name.lower(): value for name, value in request.headers.items()}
    return Call(request.method, path, query, headers, request.read(), URL)


def _response(answer: Answer, request: httpx.Request, *, truncate: bool) -> httpx.Response:
    content: Any = _Torn(answer.body[: len(answer.body) // 2]) if truncate else httpx.ByteStream(answer.body)
    return httpx.Response(answer.status, headers=answer.headers, stream=content, request=request)


class _Torn(httpx.SyncByteStream):
    """Half of a body, and then nothing more."""

    def __init__(self, half: bytes) -> None:
        self._half = half

    def __iter__(self) -> Iterator[bytes]:
        yield self._half
        raise httpx.RemoteProtocolError("peer closed connection without sending complete message body")


class _AtOnce(Executor):
    """Each call is made where it is submitted: its thread costs more than the call."""

    def __init__(self, *_: Any, **__: Any) -> None:
        super().__init__()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        done: Future[Any] = Future()
        try:
            done.set_result(fn(*args, **kwargs))
        except Exception as error:
            done.set_exception(error)
        return done


def _never(*_: Any) -> None:
    """Nobody waits: what would be over after a pause is over now."""


@contextmanager
def in_process(box: Callable[[], Sandbox], arrives: Arrives) -> Iterator[None]:
    """Every client that is opened meanwhile talks to `box()`. `arrives` is called before and after each call there."""
    opened, wire = connection_pool.opened, Wire(box, arrives)
    with (
        mock.patch.object(connection_pool, "opened", lambda **options: opened(**{**options, "transport": wire})),
        mock.patch.object(threads, "ThreadPoolExecutor", _AtOnce),
        mock.patch.dict(ApiClient.__init__.__kwdefaults__, {"sleep": _never}),
        mock.patch.object(database, "_prepare_sqlite", _without_the_disk(database._prepare_sqlite)),
    ):
        yield


def _without_the_disk(prepare: Callable[[Any, str], None]) -> Callable[[Any, str], None]:
    def prepared(engine: Any, _: str) -> None:
        prepare(engine, "OFF")
        event.listen(engine, "connect", lambda opened, _: opened.execute("PRAGMA journal_mode=MEMORY"))

    return prepared


class Free:
    """`outcomes.Budget` that nobody counts, and that no answer silences."""

    def __init__(self, *_: Any) -> None:
        self.name = "free"

    def take(self, longest: float = 0.0) -> float:
        return 0.0

    def free_in(self) -> float:
        return 0.0

    def left(self, late: float) -> None: ...

    def pause(self, seconds: float) -> None: ...
