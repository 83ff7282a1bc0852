"""What breaks: calls and answers that are lost, processes that are killed, people who work in the middle of a load."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import update

from mlc_dagster.ledger import Ledger
from mlc_dagster.ledger.tables import leases
from mlc_dagster.sandbox.wire import Call

BROKEN: dict[str, dict[str, Any]] = {
    "the answer is lost": {"drop": "after"},
    "the call is lost": {"drop": "before"},
    "a gateway says 503": {"status": 503, "body": "<html>bad gateway</html>"},
    "it acts, and says 503": {"status": 503, "acts": True, "body": "{}"},
    "it acts, and says 500": {"status": 500, "acts": True, "body": ""},
    "half an answer": {"truncate": True},
    "too much": {"status": 429, "headers": {"Retry-After": "0"}},
    "nobody may": {"status": 401, "body": "{}"},
    "an outage": {"status": 503, "times": 40, "body": ""},
}
OVER_ANOTHER = ("PATCH", "PUT", "DELETE")
TURNS = 0.001
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
METHODS: dict[str, tuple[str, ...]] = {
    "ifs": ("POST", "PATCH", "POST", "GET"),
    "cin7": ("POST", "PUT", "POST", "GET"),
    "hubspot": ("POST", "PATCH", "POST", "GET", "DELETE"),
    "airbase": ("POST", "PATCH", "POST", "GET"),
    "monday": ("POST",),
    "procurify": ("POST", "PATCH", "POST", "PUT", "GET"),
}
"""What each of the systems is asked by: a fault that no call can meet breaks nothing, and most is made by POST."""


class Killed(BaseException):
    """kill -9: nothing that stands below may answer it, and nothing is written down any more."""


@dataclass
class Accidents:
    """What happens at the next calls that write, or at the next lines of the ledger."""

    ledger: Ledger
    at_call: tuple[int, str] | None = None  # the killed one's: how many more, before or after the system acts
    at_line: int | None = None
    meanwhile: tuple[int, Callable[[], object]] | None = None
    is_dead: bool = False
    wrong: list[str] = field(default_factory=list)  # writes that might be over somebody's own

    def __post_init__(self) -> None:
        self._writing = self.ledger._database.writing
        self.ledger._database.writing = self._line  # type: ignore[method-assign]

    def end(self) -> None:
        """The ledger is as it was: the next world has it."""
        self.ledger._database.writing = self._writing  # type: ignore[method-assign]

    def clear(self) -> None:
        self.at_call = self.at_line = self.meanwhile = None

    def arrives(self, call: Call, when: str) -> None:
        if threading.current_thread() is not threading.main_thread():
            time.sleep(TURNS)  # one of two runs at once: the other goes on meanwhile
            return
        if self.is_dead:
            raise Killed
        if call.method in ("GET", "HEAD") or "token" in call.path:
            return
        if call.method in OVER_ANOTHER and call.path.startswith("/ifs") and not call.headers.get("if-match", "*")[1:]:
            self.wrong.append(f"{call.method} {call.path}: a row of the ERP is changed whatever stands there by now")
        if self.meanwhile and when == "before":
            left, deed = self.meanwhile
            self.meanwhile = (left - 1, deed) if left else None
            if not left:
                deed()
        if self.at_call and self.at_call[1] == when:
            left, _ = self.at_call
            self.at_call = (left - 1, when) if left else None
            if not left:
                self._die()

    @contextmanager
    def _line(self, *, hasty: bool = False) -> Iterator[Any]:
        if self.is_dead:
            raise Killed
        if self.at_line is not None and threading.current_thread() is threading.main_thread():
            self.at_line -= 1
            if self.at_line < 0:
                self._die()
        with self._writing(hasty=hasty) as connection:
            yield connection

    def _die(self) -> None:
        self.clear()
        self.is_dead = True
        raise Killed

    @contextmanager
    def survived(self) -> Iterator[None]:
        """A process of its own: where it is killed, its leases run out, and the next one begins."""
        try:
            yield
        except Killed:
            self.is_dead = False
            with self._writing() as connection:
                connection.execute(update(leases).values(expires_at=LONG_AGO))
