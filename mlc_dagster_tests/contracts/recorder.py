"""What goes over the wire between our clients and the sandbox, kept by a hook around the sandbox's own server."""

from __future__ import annotations

import gzip
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any

from mlc_dagster.sandbox import Sandbox

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


@dataclass(frozen=True)
class Exchange:
    """One request and its answer, as bytes crossed the wire; header names in lower case, the body unpacked."""

    system: str
    method: str
    path: str  # below the system's own folder, percent-encoded: "/crm/objects/2026-09/companies"
    query: str
    asked: dict[str, str]
    sent: bytes
    status: int
    answered: dict[str, str]
    got: bytes


@dataclass
class Recorder:
    """An ASGI application around the sandbox's: it hears what both say. Faults that hang up are not for it."""

    app: Any
    exchanges: list[Exchange] = field(default_factory=list)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        told: list[Message] = []
        heard: list[Message] = []

        async def listen() -> Message:
            heard.append(message := await receive())
            return message

        async def speak(message: Message) -> None:
            told.append(message)
            await send(message)

        await self.app(scope, listen, speak)
        self._keep(scope, heard, told)

    def _keep(self, scope: Message, heard: list[Message], told: list[Message]) -> None:
        system, _, path = scope["raw_path"].decode("ascii").partition("?")[0].lstrip("/").partition("/")
        if system.startswith("_") or not told:
            return
        answered = _headers(told[0]["headers"])
        got = b"".join(message.get("body", b"") for message in told[1:])
        exchange = Exchange(
            system,
            scope["method"],
            f"/{path}",
            scope["query_string"].decode("ascii"),
            _headers(scope["headers"]),
            b"".join(message.get("body", b"") for message in heard),
            told[0]["status"],
            answered,
            gzip.decompress(got) if answered.get("content-encoding") == "gzip" else got,
        )
        self.exchanges.append(exchange)


def recorded(box: Sandbox) -> Recorder:
    """A recorder around a sandbox that was not started yet."""
    recorder = Recorder(box.app)
    box.app = recorder  # type: ignore[assignment]
    return recorder


def _headers(raw: list[tuple[bytes, bytes]]) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in raw}
