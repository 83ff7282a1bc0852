"""What is asked as the last thing before the bytes of a write leave: may the one who sends it still write?

The load sets a guard around what its client sends; the transport asks it between the connection and the first byte, and
once more, by the clock alone, between the headers and the body. Who is suspended in between finds out here.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol


class Guard(Protocol):
    """Raises where the write must stay here. `call` says in words what would leave: "POST /purchase/order"."""

    def before_headers(self, call: str) -> None:
        """May ask the ledger; its last statement is a look at the clock."""

    def before_body(self, call: str) -> None:
        """Looks at the clock alone: the server does not act on headers without their body."""

    def answered(self, call: str, error: Exception | None, suspicion: int) -> None:
        """What came of it. `suspicion`, 0 to 4: how much a refusal speaks against the address or the rights, and not
        against the record; where it is so for write after write, this raises what stops the run.
        """


_guard: ContextVar[Guard | None] = ContextVar("departures", default=None)


@contextmanager
def guarded_by(guard: Guard) -> Iterator[None]:
    """Every write that leaves within is asked for; in threads that are started within, too."""
    token = _guard.set(guard)
    try:
        yield
    finally:
        _guard.reset(token)


def guard() -> Guard | None:
    """Who is asked here; None outside of a load."""
    return _guard.get()
