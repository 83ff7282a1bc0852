"""What is read from a system and taken for the truth for a while: lists without a filter, books, the account itself."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Generic, TypeVar

Value = TypeVar("Value")


class KeptRead(Generic[Value]):
    """One reading, done again when it is older than `seconds`. Its age counts from before the first request."""

    def __init__(self, read: Callable[[], Value], seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        """`seconds`: of the clock, for whoever asks without an age of his own."""
        self._read, self._seconds, self._clock = read, seconds, clock
        self._kept: tuple[float, Value] | None = None

    def value(self, seconds: float | None = None) -> Value:
        """What was read, at most so many seconds ago. Raises as the reading does: then nothing new is kept."""
        if self._kept is None or self._clock() - self._kept[0] > (self._seconds if seconds is None else seconds):
            started = self._clock()
            self._kept = (started, self._read())
        return self._kept[1]

    def forget(self) -> None:
        """The next who asks reads anew."""
        self._kept = None
