"""That the demo is at work: how far it is, in which run, and how long it will take."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import Protocol, Self

from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from mlc_dagster.core.terminal import Terminal

EVERY = 2.0
"""Seconds between two lines, at the least."""
WORDS = 60


class Shown(Protocol):
    """What the runs tell of themselves."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None: ...

    def run(self, words: str) -> None:
        """Another run began: "run 3 of 11"."""

    def step(self, words: str) -> None:
        """A partition is done."""


class Bar:
    """On a terminal."""

    def __init__(self, out: Terminal, title: str, total: int | None) -> None:
        columns = (
            TextColumn("{task.description:<12}"),
            BarColumn(24),
            TextColumn("{task.fields[run]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("[dim]{task.fields[last]}"),
        )
        self._progress = Progress(*columns, console=out)
        self._task = self._progress.add_task(title, total=total, last="", run="")

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, kind: object, error: object, at: object) -> None:
        self._progress.stop()

    def run(self, words: str) -> None:
        self._progress.update(self._task, run=words)

    def step(self, words: str) -> None:
        self._progress.update(self._task, advance=1, last=words[:WORDS])


class Lines:
    """Where nobody sees a bar move: a log, another program."""

    def __init__(
        self, out: Terminal, title: str, total: int | None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._out, self._title, self._total, self._clock = out, title, total, clock
        self._began = self._told = clock()
        self._steps, self._run = 0, ""

    def __enter__(self) -> Self:
        self._out.print(f"{self._title} begins", highlight=False)
        return self

    def __exit__(self, kind: object, error: object, at: object) -> None:
        self._out.print(f"{self._title} took {self._clock() - self._began:.0f} s", highlight=False)

    def run(self, words: str) -> None:
        self._run = words

    def step(self, words: str) -> None:
        self._steps += 1
        now = self._clock()
        if now - self._told >= EVERY:
            self._told = now
            far = f"{self._steps} of {self._total} days" if self._total else f"{self._steps} days"
            parts = [self._run, far, self._left(now)]
            self._out.print(f"  {', '.join(filter(None, parts))}: {words[:WORDS]}", highlight=False, markup=False)

    def _left(self, now: float) -> str:
        if not self._total or self._steps >= self._total:
            return ""
        seconds = (now - self._began) / self._steps * (self._total - self._steps)
        return f"some {seconds:.0f} s left"
