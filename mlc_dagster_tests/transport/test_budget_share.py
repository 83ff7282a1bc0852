"""A share of a budget: few calls of its own, each of which is one of the whole."""

from __future__ import annotations

import math
from itertools import count

import pytest

from mlc_dagster.core.outcomes import TooFar
from mlc_dagster.transport.budget_share import BudgetShare
from mlc_dagster.transport.rate_limits import LocalBudget


class Clock:
    """Nobody waits: who sleeps moves it."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def budgets(clock: Clock) -> tuple[LocalBudget, BudgetShare]:
    whole = LocalBudget(20, 60.0, clock=clock, sleep=clock.sleep)
    return whole, BudgetShare(LocalBudget(2, 60.0, clock=clock, sleep=clock.sleep), whole)


def test_a_share_waits_for_slots_of_its_own_and_leaves_the_rest_to_others() -> None:
    clock = Clock()
    whole, share = budgets(clock)
    assert [share.take() for _ in range(2)] == [0.0, 0.0]
    assert share.free_in() > 59 and whole.free_in() == 0
    for _ in range(18):
        assert whole.take() == 0.0
    assert whole.free_in() > 59  # the share's two calls are two of the twenty
    assert share.take() > 59


def test_a_silence_that_was_asked_of_the_share_is_everybodys() -> None:
    clock = Clock()
    whole, share = budgets(clock)
    share.pause(30)
    assert whole.free_in() == 30
    with pytest.raises(TooFar):
        share.take(longest=5)
    assert share.take(math.inf) == 30


def test_no_window_ever_holds_more_calls_than_the_share_has() -> None:
    clock = Clock()
    _, share = budgets(clock)
    times = []
    for _ in zip(range(9), count(), strict=False):
        share.take()
        times.append(clock())
    assert all(sum(at <= other < at + 60 for other in times) <= 2 for at in times)
