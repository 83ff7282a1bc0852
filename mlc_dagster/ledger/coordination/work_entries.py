"""What stands on the work list, and what a run that failed leaves there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

State = Literal["due", "waiting", "needs_person"]

THROTTLED, SLICE, PAUSED = "throttled", "slice", "paused"
"""Why something is due that did not fail: the system asks to be left alone; it gave way; a person said stop."""
UNREACHABLE, REFUSED, SETTINGS, GUARD, LOST = "unreachable", "refused", "settings", "guard", "lost"
"""Why a run failed: no answer; the sign-in or a right; what mlc.yaml says; a guard was passed; its worker is gone."""

FIRST_SECONDS, LONGEST_SECONDS = 60.0, 6 * 3600.0
"""How long what failed once waits, and the longest: it doubles with each run that fails at it."""


def cause_of(whose: str, word: str) -> str:
    """cin7:refused, cin7/purchases:guard: alike for all that one remedy cures, and easily written in a terminal."""
    return f"{whose}:{word}"


def backing_off(attempts: int) -> float:
    """Seconds until what failed so often in a row is tried again."""
    return float(min(LONGEST_SECONDS, FIRST_SECONDS * 2 ** min(attempts - 1, 20)))


@dataclass(frozen=True)
class Failure:
    """Why a run did not load something to its end."""

    cause: str
    connection: str  # the one that it met it at
    why: str  # in words
    run_id: str
    patience: int | None = None  # so many runs in a row that fail by it need a person; None: it is tried for ever
    seconds: float | None = None  # until it may be tried again; None: the longer, the more often it failed

    def after(self, attempts: int) -> tuple[State, float]:
        """What follows from so many failures in a row, and the seconds until then."""
        if self.patience is not None and attempts >= self.patience:
            return "needs_person", 0.0
        return "waiting", backing_off(attempts) if self.seconds is None else self.seconds


@dataclass(frozen=True)
class Task:
    """A day, or a company, that a flow is to deliver; or that is to be read: `flow` is then "read ifs/supplier_set"."""

    flow: str
    partition: str
    state: State
    asked_at: datetime
    due_at: datetime  # not asked for before that
    why: str
    cause: str  # alike for all that one remedy cures; empty: it did not fail
    attempts: int  # runs that failed at it in a row
    connection: str = ""  # whose pause, silence or refusal it waits for
    run_id: str = ""  # the run that left it
    since: datetime | None = None  # from when on it stands here by this cause
    written_at: datetime | None = None  # when `due_at` was set: a time further ahead than it was meant to be is none
    prepared_at: datetime | None = None  # when the prepare of what is stored as ready began

    @property
    def failed(self) -> bool:
        return self.attempts > 0
