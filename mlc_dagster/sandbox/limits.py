"""Rate limits: a rolling count for each credential, and the highest count that was ever seen."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


class Limits:
    """Calls that each credential may make: `Limits(cin7_calls_per_minute=600)`; all others as in reality.

    `window_seconds`: how long a minute of the limits lasts.
    """

    def __init__(self, window_seconds: float = 60.0, **calls: int) -> None:
        self.window_seconds, self._calls = window_seconds, calls

    def of(self, system: str, usual: Mapping[str, int]) -> dict[str, int]:
        """The limits of one system. `usual`: name -> calls, as the real one has it."""
        return {name: self._calls.get(f"{system}_{name}", calls) for name, calls in usual.items()}

    def strange(self, usual: Mapping[str, Mapping[str, int]]) -> set[str]:
        """Those that no system has. `usual`: system -> its limits."""
        return self._calls.keys() - {f"{system}_{name}" for system, limits in usual.items() for name in limits}


@dataclass
class RollingCount:
    """The calls of one credential. Refused calls do not use up the budget, but they do count for `peak`."""

    limit: int
    window: float
    clock: Callable[[], float] = time.monotonic
    accepted: deque[float] = field(default_factory=deque)
    attempts: deque[float] = field(default_factory=deque)
    peak: int = 0
    refused: int = 0

    def admit(self) -> float:
        """0 when the call is within the limit, else the seconds until one will be."""
        now = self.clock()
        self._forget(now - self.window)
        self.attempts.append(now)
        self.peak = max(self.peak, len(self.attempts))
        if len(self.accepted) < self.limit:
            self.accepted.append(now)
            return 0.0
        self.refused += 1
        return max(self.accepted[0] + self.window - now, 0.001) if self.accepted else self.window

    def _forget(self, before: float) -> None:
        for calls in (self.accepted, self.attempts):
            while calls and calls[0] <= before:
                calls.popleft()


@dataclass
class RollingCounts:
    """One rolling count for each credential."""

    limit: int
    window: float
    by_credential: dict[str, RollingCount] = field(default_factory=dict)

    def admit(self, credential: str) -> float:
        count = self.by_credential.setdefault(credential, RollingCount(self.limit, self.window))
        return count.admit()

    def peaks(self) -> dict[str, int]:
        """Credential -> the most calls it ever made within one window, refused ones included."""
        return {credential: count.peak for credential, count in self.by_credential.items()}


def whole_seconds(seconds: float) -> str:
    return str(max(1, math.ceil(seconds)))
