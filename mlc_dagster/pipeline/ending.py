"""A run that is told to end ends after the batch in flight: what was sent is answered, and the answer is remembered."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

GRACE_SECONDS = 15.0
"""Half of what an orchestrator gives between SIGTERM and SIGKILL; then the batch is left in doubt, and looked up."""

_WORDS = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def after_this(grace: float = GRACE_SECONDS) -> Iterator[None]:
    """SIGTERM and SIGINT do what they did before, but at the end of this block, or of `grace` seconds.

    A second signal does it at once. Threads other than the main one never see signals.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    told: list[int] = []
    before = {number: signal.getsignal(number) for number in (*_WORDS, signal.SIGALRM)}

    def note(number: int, frame: FrameType | None) -> None:
        told.append(number)
        if len(told) > 1:
            obey(number)
        signal.setitimer(signal.ITIMER_REAL, grace)

    def obey(number: int) -> None:
        """As though nobody had been in between."""
        signal.setitimer(signal.ITIMER_REAL, 0)
        for each, handler in before.items():
            signal.signal(each, handler)
        told.clear()
        os.kill(os.getpid(), number)

    for number in _WORDS:
        signal.signal(number, note)
    signal.signal(signal.SIGALRM, lambda number, frame: obey(told[0]))
    try:
        yield
    finally:
        if told:
            obey(told[0])
        else:
            for number, handler in before.items():
                signal.signal(number, handler)
