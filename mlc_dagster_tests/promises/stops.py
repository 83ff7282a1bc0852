"""Writers that are suspended at a chosen moment, cut off from their ledger, or ahead of everybody's clock."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from mlc_dagster.ledger import Ledger
from mlc_dagster.ledger.coordination import leases
from mlc_dagster.pipeline.load_guard import LoadGuard
from mlc_dagster_tests.promises import journey
from mlc_dagster_tests.promises.victims import Child

MOMENTS: dict[str, tuple[Any, str, bool]] = {
    "before the attempt is written": (Ledger, "begin", False),
    "after the attempt is written": (Ledger, "begin", True),
    "before the lease is asked": (LoadGuard, "before_headers", False),
    "between the question and the headers": (LoadGuard, "before_headers", True),
    "between headers and body": (LoadGuard, "before_body", False),
    "when the answer is there": (LoadGuard, "answered", True),
    "before the answers are written": (Ledger, "finish", False),
}
"""Moment -> the method at which the writer stops, before or after it."""

WINDOW = (LoadGuard, "before_body", True)
"""Between the last check and the first byte of the body: the only moment that nothing can be done about."""


def travel_and_stop(url: str, database: str, storage: str, flow: str, run_id: str, moment: str, nth: int) -> Any:
    """A run of a flow that suspends itself at the `nth` time that the moment comes; its account, if it has one."""
    stop_at(*(WINDOW if moment == "window" else MOMENTS[moment]), nth)
    return journey.travel(url, database, storage, flow, run_id, alone=False)


def travel_ahead(url: str, database: str, storage: str, flow: str, run_id: str) -> Any:
    """A run on a host whose clock is a day ahead: every lease of others seems to have ended."""
    right = leases.clock
    leases.clock = lambda connection: right(connection) + timedelta(days=1)  # type: ignore[assignment]
    return journey.travel(url, database, storage, flow, run_id, alone=False)


def stop_at(owner: Any, name: str, after: bool, nth: int) -> None:
    """Not while its lease is being renewed: who is suspended in that moment keeps the ledger locked for all."""
    method, seen, renew, quiet = getattr(owner, name), 0, leases._renew, threading.Lock()

    def renewing(*words: Any) -> bool:
        with quiet:
            return renew(*words)

    def stopping(*words: Any, **named: Any) -> Any:
        nonlocal seen
        seen += 1
        found = method(*words, **named) if after else None
        if seen == nth:
            with quiet:
                os.kill(os.getpid(), signal.SIGSTOP)
        return found if after else method(*words, **named)

    leases._renew = renewing  # type: ignore[assignment]
    setattr(owner, name, stopping)


def has_stopped(child: Child) -> bool:
    """True once it is suspended, False where it ended before that moment came."""
    deadline = time.monotonic() + 60
    while child.is_running:
        assert time.monotonic() < deadline, child.said
        if Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T":
            return True
        time.sleep(0.005)
    return False


def measured_window(url: str, database: str, storage: str, flow: str, run_id: str) -> list[float]:
    """Seconds between the last check and the socket's own write, for each write of a run."""
    from httpcore._backends.sync import SyncStream

    checked, windows = [0.0], []
    _after(LoadGuard, "before_body", lambda: checked.__setitem__(0, time.perf_counter()))
    write = SyncStream.write

    def writing(self: Any, buffer: bytes, timeout: float | None = None) -> None:
        if checked[0]:
            windows.append(time.perf_counter() - checked[0])
            checked[0] = 0.0
        write(self, buffer, timeout)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SyncStream, "write", writing)
        journey.travel(url, database, storage, flow, run_id)
    return windows


def _after(owner: Any, name: str, also: Callable[[], None]) -> None:
    method = getattr(owner, name)

    def both(*words: Any, **named: Any) -> Any:
        found = method(*words, **named)
        also()
        return found

    setattr(owner, name, both)
