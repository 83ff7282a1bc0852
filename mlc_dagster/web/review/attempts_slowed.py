"""Sign-in is slowed: so many tries of a person from an address, and of an address alone, in ten minutes."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

WINDOW = 600.0  # seconds
OF_PERSON, OF_ADDRESS = 10, 100
REMEMBERED = 10_000  # of both


class SlowedAttempts:
    """In memory: a restart forgets it, and ends no session."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._tries: dict[tuple[str, str], deque[float]] = {}

    def take(self, name: str, address: str) -> bool:
        """Whether one more is let through; it counts then."""
        with self._lock:
            now = self._clock()
            whose = ((name.casefold()[:100], address), OF_PERSON), (("", address), OF_ADDRESS)
            places = [(self._place(key, now), most) for key, most in whose]
            if any(len(place) >= most for place, most in places):
                return False
            for place, _ in places:
                place.append(now)
            return True

    def forget(self, name: str, address: str) -> None:
        """He has signed in."""
        with self._lock:
            self._tries.pop((name.casefold()[:100], address), None)

    def _place(self, key: tuple[str, str], now: float) -> deque[float]:
        found = self._tries.setdefault(key, deque())
        while found and now - found[0] > WINDOW:
            found.popleft()
        if len(self._tries) > REMEMBERED:
            for old in [each for each, tries in self._tries.items() if not tries or now - tries[-1] > WINDOW]:
                del self._tries[old]
        while len(self._tries) > REMEMBERED:  # the oldest keys go, and those that have been tried most often stay
            del self._tries[min(self._tries, key=lambda each: len(self._tries[each]))]
        return self._tries.setdefault(key, found)
