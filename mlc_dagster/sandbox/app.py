"""The sandbox over HTTP: faults first, then the system that the path names; control endpoints under /_sandbox."""

from __future__ import annotations

import asyncio
import gzip
import socket
import struct
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from threading import RLock
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive, Scope, Send

from mlc_dagster.sandbox.control import Control
from mlc_dagster.sandbox.faults import Fault, Faults
from mlc_dagster.sandbox.journal import Journal
from mlc_dagster.sandbox.system import System
from mlc_dagster.sandbox.wire import Answer, Call, answer_json

_WORTH_PACKING = 2000  # bytes


class SandboxApp:
    """The ASGI application."""

    def __init__(self, systems: Mapping[str, System], faults: Faults, journal: Journal, lock: RLock) -> None:
        self._systems, self._faults, self._journal, self._lock = systems, faults, journal, lock
        self._control = Control(systems, faults, journal, lock)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        try:
            call = _call(request, await request.body())
        except ClientDisconnect:  # headers whose body never came ask for nothing
            return
        system = call.path.split("/", 2)[1]
        if system in self._systems:
            await self._serve(system, call, receive, send)
        elif system == "_sandbox":
            await _send(send, call, self._control.answer(call), self._dated(system))
        else:
            where = f"Paths start with {', '.join(f'/{name}' for name in self._systems)} or /_sandbox."
            await _send(
                send, call, answer_json(404, {"error": f"{call.path} is not served. {where}"}), self._dated(system)
            )

    async def _serve(self, system: str, call: Call, receive: Receive, send: Send) -> None:
        self._journal.called(system, call.method, call.path)
        fault = self._faults.take(system, call.method, call.path) or Fault()
        done = self._answer(system, call) if fault.acts else None
        if fault.delay:
            await asyncio.sleep(fault.delay)
        if fault.drop == "before":
            await _hang_up(receive, send, reset=fault.reset)
            return
        answer = self._faulty(fault) if fault.status else done or self._answer(system, call)
        if fault.drop == "after":
            await _hang_up(receive, send, reset=fault.reset)
        else:
            await _send(send, call, answer, self._dated(system), truncate=fault.truncate)
            if fault.truncate:
                await _hang_up(receive, send)

    def _answer(self, system: str, call: Call) -> Answer:
        with self._lock:
            return self._systems[system].answer(call)

    def _faulty(self, fault: Fault) -> Answer:
        return Answer(fault.status or 500, fault.body.encode(), {"content-type": "text/plain", **fault.headers})

    def _dated(self, system: str) -> dict[str, str]:
        skew = self._systems[system].skew_seconds if system in self._systems else 0
        return {"date": format_datetime(datetime.now(UTC) + timedelta(seconds=skew), usegmt=True)}


def _call(request: Request, body: bytes) -> Call:
    scope = request.scope
    path = scope["raw_path"].decode("ascii", "replace").partition("?")[0]
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    origin = f"{request.url.scheme}://{headers.get('host', '127.0.0.1')}"
    return Call(request.method, path, scope["query_string"].decode("ascii", "replace"), headers, body, origin)


async def _send(send: Send, call: Call, answer: Answer, also: dict[str, str], *, truncate: bool = False) -> None:
    body, headers = answer.body, {**also, **{name.lower(): value for name, value in answer.headers.items()}}
    if len(body) > _WORTH_PACKING and "gzip" in call.headers.get("accept-encoding", ""):
        body = gzip.compress(body, compresslevel=1, mtime=0)
        headers["content-encoding"] = "gzip"
    if answer.status not in (204, 304):
        headers["content-length"] = str(len(body))
    raw: list[Any] = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": raw})
    if truncate:
        await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
    else:
        await send({"type": "http.response.body", "body": body})


async def _hang_up(receive: Receive, send: Send, *, reset: bool = False) -> None:
    """Close the connection without another word. uvicorn's `send` is a method of the request, which holds it."""
    transport = send.__self__.transport  # type: ignore[attr-defined]
    if reset:
        at_once = struct.pack("ii", 1, 0)
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
    transport.close()
    while (await receive())["type"] != "http.disconnect":
        pass
