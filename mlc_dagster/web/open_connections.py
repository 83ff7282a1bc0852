"""Connections of the webhooks' server: who sends slowly, or in great numbers, stands in nobody's way.

uvicorn has no time limit for headers and none for a body, and counts a connection that has sent nothing: a thousand of
them take all its files. Here each has to come to a whole request in time, and where all places are taken, the one that
has kept us waiting longest goes first.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

Tell = Callable[[str, str], None]
"""(what happened, from where)."""

ONE_BY_ONE = ("Invalid HTTP request", "Unsupported upgrade", "No supported WebSocket")
"""What uvicorn would log of each call, anybody's: the tally counts them."""

GOODBYE = 1.0  # seconds in which a refused sender may read its answer
SLOW, CROWDED, FULL, MALFORMED = (
    "connections without a whole request in time were closed",
    "connections without a whole request were closed, for others to be served (web.max_connections)",
    "connections were answered 503: all places are taken (web.max_connections)",
    "requests that are no HTTP were answered 400",
)
_HEADERS = "content-type: application/json\r\ncontent-length: {length}\r\n{more}connection: close\r\n\r\n{body}"
_ANSWER = "HTTP/1.1 {status}\r\n" + _HEADERS
BUSY = ("503 Service Unavailable", "busy; send it again", "retry-after: 30\r\n")


logging.getLogger("uvicorn.error").addFilter(lambda record: not str(record.msg).startswith(ONE_BY_ONE))


@dataclass
class Places:
    """The bounds, and who takes a place: `Connection`s that are still being received, the longest first."""

    most: int
    seconds: float  # for a whole request, headers and body, from its first byte on
    tell: Tell
    receiving: dict[Connection, None] = field(default_factory=dict)
    answering: set[Connection] = field(default_factory=set)
    leaving: set[Connection] = field(default_factory=set)

    def make_room(self) -> bool:
        """Whether one more may come in."""
        if len(self.receiving) + len(self.answering) < self.most:
            return True
        if not self.receiving:
            return False
        next(iter(self.receiving)).give_way()
        return True


class Connection(H11Protocol):
    """One connection: it waits for us, or we for it."""

    def __init__(self, places: Places, **options: Any) -> None:
        super().__init__(**options)
        self._places = places
        self._timer: asyncio.TimerHandle | None = None
        self._refused = False

    @property
    def sender(self) -> str:
        return self.client[0] if self.client else "?"

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if not self._places.make_room():
            self._places.tell(FULL, self.sender)
            self._refuse(*BUSY)
            return
        self._wait()

    def data_received(self, data: bytes) -> None:
        if self._refused:
            return
        super().data_received(data)
        self._take_stock()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._take_stock()

    def send_400_response(self, msg: str) -> None:
        self._places.tell(MALFORMED, self.sender)
        super().send_400_response(msg)

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget()
        self._places.leaving.discard(self)
        super().connection_lost(exc)

    def give_way(self) -> None:
        """To another connection: who sends nothing after its answer is not missed, who sends slowly is told of."""
        if self._rests and self.cycle is not None:
            self._close()
            return
        self._places.tell(CROWDED, self.sender)
        self._refuse(*BUSY)

    def _too_slow(self) -> None:
        if self._rests and self.cycle is not None:
            self._close()
            return
        self._places.tell(SLOW, self.sender)
        self._refuse("408 Request Timeout", "no whole request came in time")

    @property
    def _rests(self) -> bool:
        """Whether nothing of a request has come since the last answer."""
        return self.conn.their_state is h11.IDLE and not self.conn.trailing_data[0]

    def _close(self) -> None:
        self._forget()
        self.transport.close()

    def _refuse(self, status: str, words: str, more: str = "") -> None:
        """Answer and close; what still comes in is thrown away, so that the answer is not lost with the connection."""
        self._forget()
        self._refused = True
        self._unset_keepalive_if_required()
        if self.cycle is not None:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if self.cycle is not None and self.cycle.response_started:
            self.transport.abort()
            return
        body = f'{{"error": "{words}"}}'
        self.flow.resume_reading()
        self.transport.write(_ANSWER.format(status=status, length=len(body), more=more, body=body).encode())
        if len(self._places.leaving) >= self._places.most:
            self.transport.abort()
            return
        self._places.leaving.add(self)
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.loop.call_later(GOODBYE, self.transport.abort)

    def _take_stock(self) -> None:
        """Whose turn it is: ours once the request is whole, else the sender's."""
        if self._refused or self.transport.is_closing():
            return
        whole = self.cycle is not None and not self.cycle.response_complete and not self.cycle.more_body
        if whole:
            self._forget()
            self._places.answering.add(self)
        elif self not in self._places.receiving:
            self._wait()

    def _wait(self) -> None:
        self._forget()
        self._places.receiving[self] = None
        self._timer = self.loop.call_later(self._places.seconds, self._too_slow)

    def _forget(self) -> None:
        self._places.receiving.pop(self, None)
        self._places.answering.discard(self)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
