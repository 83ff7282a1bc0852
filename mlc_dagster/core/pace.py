"""When the next call may leave, so that no window of the period ever holds more than the limit. Pure."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Sequence
from typing import Protocol, runtime_checkable

MARGIN = 0.05
"""The share by which a period is stretched: a call that leaves late must not fall into its successor's window."""


def moved(taken: Sequence[float], when: float, to: float) -> list[float]:
    """The slots, where the call that took the one at `when` left only at `to`: no window may count it as earlier."""
    kept = list(taken)
    if kept:
        kept.remove(min(kept, key=lambda slot: abs(slot - when)))
        insort(kept, to)
    return kept


def next_slot(taken: Sequence[float], now: float, limit: int, period: float) -> tuple[float, list[float]]:
    """The time of the next free slot, and the slots taken with it.

    `taken` are the times of earlier slots, ascending, in seconds; of those only the last `limit` matter.
    """
    kept = list(taken[-limit:])
    when = now if len(kept) < limit else max(now, kept[0] + period * (1 + MARGIN))
    when = max(when, kept[-1]) if kept else when
    return when, [*kept[bisect_right(kept, when - period * (1 + MARGIN)) :], when]


@runtime_checkable
class KeepsQuota(Protocol):
    """A budget that remembers how many calls of the day its system says are left."""

    def remains(self, left: int, most: int) -> None: ...
