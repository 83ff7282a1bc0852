"""Calls a minute and calls a day: the day's are not waited for."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime

from mlc_dagster.core.errors import AccessDenied
from mlc_dagster.core.outcomes import Budget
from mlc_dagster.systems.monday.api import TOMORROW

DAY = 86_400.0
PATIENCE = 60.0  # seconds that a call of the day is waited for


class MinuteAndDay:
    """monday counts calls by the minute, and by the day from 00:00 UTC. Implements outcomes.Budget."""

    def __init__(
        self,
        minute: Budget,
        day: Callable[[str], Budget],
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._minute, self._open, self._wall = minute, day, wall
        self._day: tuple[str, Budget] | None = None

    def take(self, longest: float = math.inf) -> float:
        """Wait for the minute's next slot; the seconds waited. Raises AccessDenied where the day's are used up, TooFar
        where the minute's next slot is too far away.
        """
        day = self._today()
        if day.free_in() > PATIENCE:
            raise AccessDenied("monday: the calls of this day (monday.calls_per_day) are used up", cure=TOMORROW)
        return day.take() + self._minute.take(longest)

    def free_in(self) -> float:
        return max(self._today().free_in(), self._minute.free_in())

    def left(self, late: float) -> None:
        self._minute.left(late)

    def pause(self, seconds: float) -> None:
        self._minute.pause(seconds)

    def _today(self) -> Budget:
        date = self._wall().date().isoformat()
        if self._day is None or self._day[0] != date:
            self._day = (date, self._open(date))
        return self._day[1]
