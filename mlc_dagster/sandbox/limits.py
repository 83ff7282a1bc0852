"""Rate limits: a rolling count for each credential, and the highest count that was ever seen."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class Limits:
    """Calls that each credential may make in any `window_seconds`. The real systems count by the minute."""

    cin7_calls_per_minute: int = 60
    ifs_requests_per_minute: int = 1000
    monday_calls_per_minute: int = 1000
    monday_calls_per_day: int = 10_000
    monday_points_per_minute: int = 10_000_000  # of a personal token
    monday_points_per_write: int = 30_000
    monday_points_per_column: int = 0
    window_seconds: float = 60.0
    airbase_requests_per_minute: int = 500
    hubspot_calls_per_10_seconds: int = 190  # in a sixth of the window
    hubspot_calls_per_day: int = 625_000
    procurify_requests_per_second: int = 2  # in a sixtieth of the window

    def with_monday(self, times: int) -> Limits:
        """monday's three limits, so many times."""
        return replace(
            self,
            monday_calls_per_minute=self.monday_calls_per_minute * times,
            monday_calls_per_day=self.monday_calls_per_day * times,
            monday_points_per_minute=self.monday_points_per_minute * times,
        )


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
