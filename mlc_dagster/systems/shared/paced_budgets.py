"""A share of a budget, for what may take its time: each call takes a slot of the share first, then one of the whole."""

from __future__ import annotations

import math
from dataclasses import dataclass

from mlc_dagster.core.outcomes import Budget
from mlc_dagster.systems.shared.connections import Budgets


@dataclass(frozen=True)
class Paced:
    """Implements outcomes.Budget. A silence that the server asks for is the whole budget's matter."""

    whole: Budget
    share: Budget

    def take(self, longest: float = math.inf) -> float:
        return self.share.take() + self.whole.take(longest)

    def free_in(self) -> float:
        return max(self.share.free_in(), self.whole.free_in())

    def left(self, late: float) -> None:
        self.whole.left(late)

    def pause(self, seconds: float) -> None:
        self.whole.pause(seconds)


def paced(budgets: Budgets, share: float) -> Budgets:
    """The same budgets, of which no more than this share (above 0, at most 1) is taken."""

    def budget(name: str, calls: int, seconds: float) -> Budget:
        some = calls * share
        part = budgets(f"share of {name}", max(1, int(some)), seconds if some >= 1 else seconds / some)
        return Paced(budgets(name, calls, seconds), part)

    return budget
