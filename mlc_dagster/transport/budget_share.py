"""A share of a budget: for looks that may take their time, so that deliveries never wait for them."""

from __future__ import annotations

import math
from dataclasses import dataclass

from mlc_dagster.core.outcomes import Budget
from mlc_dagster.core.pace import KeepsQuota


@dataclass(frozen=True)
class BudgetShare:
    """`outcomes.Budget`: each call takes a slot of its own few first, and then one of the whole."""

    own: Budget  # as many calls as the share has
    whole: Budget

    def take(self, longest: float = math.inf) -> float:
        """Raises TooFar."""
        return self.own.take(longest) + self.whole.take(longest)

    def free_in(self) -> float:
        return max(self.own.free_in(), self.whole.free_in())

    def left(self, late: float) -> None:
        self.own.left(late)
        self.whole.left(late)

    def pause(self, seconds: float) -> None:
        """Who was asked for silence is silent altogether."""
        self.whole.pause(seconds)

    def remains(self, left: int, most: int) -> None:
        """`pace.KeepsQuota`: of the whole."""
        if isinstance(self.whole, KeepsQuota):
            self.whole.remains(left, most)
