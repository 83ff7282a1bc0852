"""How many calls a credential may make in a period, and which of several credentials makes the next one."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial

import httpx

from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.core.logs import logger
from mlc_dagster.core.outcomes import Budget, TooFar
from mlc_dagster.core.pace import moved, next_slot
from mlc_dagster.transport.threads import sleep as wait_for

log = logger(__name__)

QUIETLY = 60.0  # seconds that are waited without a word
PROMPTLY = 0.002  # seconds between a slot and its call: more is told to the budget
NEARLY = 1e-6  # seconds; below it a clock cannot be trusted to move


class LocalBudget:
    """At most `limit` calls in any window of `period_seconds`, for all threads of a process. No limit: only pauses."""

    def __init__(
        self,
        limit: int | None = None,
        period_seconds: float = 60.0,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = wait_for,
    ) -> None:
        if limit is not None and (limit < 1 or period_seconds <= 0):
            raise Misconfigured(f"a budget of {limit} calls in {period_seconds} s: both must be above zero")
        self._limit, self._period = limit, period_seconds
        self._clock, self._sleep = clock, sleep
        self._lock = threading.Lock()
        self._taken: list[float] = []
        self._not_before = 0.0

    def take(self, longest: float = math.inf) -> float:
        """Wait for the next free slot; the seconds waited. Raises TooFar."""
        started = self._clock()
        while delay := self.try_take(longest):
            _tell(delay)
            self._sleep(delay)
        return self._clock() - started

    def try_take(self, longest: float = math.inf) -> float:
        """Take a slot now: 0. Or none is free: the seconds until one may be. Raises TooFar."""
        with self._lock:
            now = self._clock()
            when, taken = self._next(max(now, self._not_before))
            if self._not_before - now > longest:
                raise TooFar(when - now)
            if when - now > NEARLY:
                return when - now
            self._taken = taken
            return 0.0

    def free_in(self) -> float:
        """Seconds until a slot is free; takes none."""
        with self._lock:
            now = self._clock()
            return max(0.0, self._next(max(now, self._not_before))[0] - now)

    def left(self, late: float) -> None:
        """As outcomes.Budget."""
        with self._lock:
            now = self._clock()
            self._taken = moved(self._taken, now - late, now)

    def pause(self, seconds: float) -> None:
        """Nobody takes a slot before `seconds` from now."""
        with self._lock:
            self._not_before = max(self._not_before, self._clock() + seconds)

    def _next(self, now: float) -> tuple[float, list[float]]:
        return (now, []) if self._limit is None else next_slot(self._taken, now, self._limit, self._period)


@dataclass(frozen=True)
class Slot:
    """Leave for one call: as whom, and whom to silence when the server asks for it."""

    waited: float  # seconds
    auth: httpx.Auth | None
    pause: Callable[[float], None]
    credential: str = ""  # "key 2 of 3"; never the key
    left: Callable[[], None] = lambda: None  # to be called when it leaves

    @property
    def cure(self) -> str | None:
        """Of wrong credentials."""
        cure: str | None = getattr(self.auth, "cure", None)
        return f"It was {self.credential}. {cure or ''}".rstrip() if self.credential else cure


@dataclass
class _Key:
    name: str
    auth: httpx.Auth
    budget: Budget
    not_before: float = 0.0
    waiting: int = 0
    taken: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def asked(self) -> Iterator[None]:
        with self.lock:
            self.waiting += 1
        try:
            yield
        finally:
            with self.lock:
                self.waiting -= 1

    def try_take(self, longest: float) -> float:
        """As LocalBudget.try_take. A budget that cannot be asked without waiting is waited for."""
        ask = getattr(self.budget, "try_take", None)
        with self.asked():
            if ask is None:
                self.budget.take(longest)
            return 0.0 if ask is None else float(ask(longest))


class KeyRing:
    """Several credentials of one system share the work: each call goes to the one whose next slot is earliest.

    `keys[i]` signs the calls that `budgets[i]` counts. A 429 silences the key that got it, the others go on.
    """

    def __init__(
        self,
        keys: Sequence[httpx.Auth],
        budgets: Sequence[Budget],
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = wait_for,
    ) -> None:
        if not keys or len(keys) != len(budgets):
            raise Misconfigured(
                f"{len(keys)} keys and {len(budgets)} budgets: one budget for each key, and one key at least"
            )
        pairs = zip(keys, budgets, strict=True)
        self._keys = [_Key(f"key {n} of {len(keys)}", auth, budget) for n, (auth, budget) in enumerate(pairs, 1)]
        self._clock, self._sleep = clock, sleep

    def slot(self, longest: float = math.inf) -> Slot:
        """Wait for the earliest slot of any key. Raises TooFar."""
        started = self._clock()
        while True:
            soonest, silent = math.inf, list[float]()
            for key in self._by_turn():
                try:
                    delay = key.try_take(longest)
                except TooFar as error:
                    silent.append(error.seconds)
                    continue
                if not delay:
                    key.taken += 1
                    left = partial(_left, key.budget, self._clock, self._clock())
                    return Slot(self._clock() - started, key.auth, partial(self._pause, key), key.name, left)
                soonest = min(soonest, delay)
            if len(silent) == len(self._keys):
                raise TooFar(min(silent))
            _tell(soonest)
            self._sleep(soonest)

    def _by_turn(self) -> list[_Key]:
        """Those not paused first; of those the one with the shortest queue, then the one that worked least."""
        now = self._clock()
        return sorted(self._keys, key=lambda key: (max(0.0, key.not_before - now), key.waiting, key.taken))

    def _pause(self, key: _Key, seconds: float) -> None:
        key.not_before = max(key.not_before, self._clock() + seconds)
        key.budget.pause(seconds)


def _tell(seconds: float) -> None:
    """No wait of more than a minute is silent."""
    if seconds > QUIETLY:
        until = datetime.now(UTC) + timedelta(seconds=seconds)
        log.info("waiting until %s UTC for the next call: a system asked to be left alone", f"{until:%H:%M:%S}")


def _left(budget: Budget, clock: Callable[[], float], granted: float) -> None:
    if (late := clock() - granted) > PROMPTLY:
        budget.left(late)


def slots_of(
    budget: Budget | KeyRing | None, auth: httpx.Auth | None, spare: Budget, clock: Callable[[], float]
) -> Callable[[float], Slot]:
    """What ApiClient asks before each attempt; `spare` counts where no budget is given."""
    if isinstance(budget, KeyRing):
        if auth is not None:
            raise Misconfigured("a key ring signs the calls itself: give either auth or a key ring")
        return budget.slot
    one = spare if budget is None else budget

    def slot(longest: float) -> Slot:
        waited = one.take(longest)
        return Slot(waited, auth, one.pause, left=partial(_left, one, clock, clock()))

    return slot
