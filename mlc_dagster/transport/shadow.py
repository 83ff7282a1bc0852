"""What may leave: of a connection in shadow no write, and in a rehearsal the first one is shown in its place.

Questions and sign-in pass.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Protocol

from mlc_dagster.core.errors import MlcError
from mlc_dagster.transport.requests import Content

READS = ("GET", "HEAD")


class Allows(Protocol):
    """Raises where a call must not be sent: its method, path without host and query, JSON, and body as it is sent."""

    def __call__(self, method: str, path: str, body: Any, content: Content | None = None) -> None: ...


_rehearsed: ContextVar[bool] = ContextVar("rehearsed", default=False)


class WriteInShadow(MlcError):
    """A way to a write that does not know of the shadow: a mistake of this program. Nothing was sent."""


@dataclass(eq=False)  # and not frozen: what is raised is given its traceback
class WouldSend(Exception):
    """The write that would have left. No MlcError: those are answers, and a client goes on after some of them."""

    system: str
    method: str
    path: str
    media_type: str
    body: bytes


@contextmanager
def rehearsal() -> Iterator[None]:
    """No write leaves within, nor in threads that are started within: WouldSend is raised in its place."""
    token = _rehearsed.set(True)
    try:
        yield
    finally:
        _rehearsed.reset(token)


def allowed(system: str, mode: str, asks: Callable[[str, Any], bool] = lambda path, body: False) -> Allows:
    """What a client is given. `asks`: whether a POST to this path, with this body, is only a question."""

    def allows(method: str, path: str, body: Any, content: Content | None = None) -> None:
        if method in READS or (method == "POST" and asks(path, body)):
            return
        if _rehearsed.get():
            raise WouldSend(system, method, path, *(content or ("", b"")))
        if mode == "shadow":
            raise WriteInShadow(
                f"{system}: {method} {path[:200]} would write, and {system}.mode is shadow: it was not sent",
                cure="Nothing was written. This is a mistake of mlc_dagster, not of yours: please report it.",
            )

    return allows


everything = allowed("", "live")
"""What a client is given that nobody named."""
