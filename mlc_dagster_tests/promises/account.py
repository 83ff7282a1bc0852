"""What was tried for each promise, how often, and how it ended: collected from the tests that carry the mark.

`@pytest.mark.promise("C5", "a token that lives 2 s", times=20)`: `times` is how often one test tries it. The words of
all promises stand in `words.py`; with MLC_PROMISES=docs/promises.md the account of a test run is written there. With
MLC_PROMISES_BESIDE=1 what this run did not try stays as it stood, with the day on which it was tried: all of them at
once take hours.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import pytest

from mlc_dagster_tests.promises.seeds import DAY, FEW, seeds
from mlc_dagster_tests.promises.words import PROMISES

PLACE = "MLC_PROMISES"
BESIDE = "MLC_PROMISES_BESIDE"
_MARK, _HEAD = "promise", "# What we promise, and what was tried\n"
_LEAD = """
Written by `make promises-all`, and by `make promises-some TESTS=...` for some of them, from the tests that carry the
mark `promise`. Each promise is a fault and a pass rule; "how often" counts every repetition, on SQLite and on
PostgreSQL where both are asked; "when" is the day, and on how many of its seeds each random one was tried: CI tries
{few}, others each day.

| ID | the fault, and the rule | what was tried | how often | outcome | when |
|---|---|---|---|---|---|
"""


@dataclass
class Tried:
    """One thing that was tried for a promise."""

    times: int = 0
    failed: int = 0
    skipped: set[str] = field(default_factory=set)  # why

    @property
    def outcome(self) -> str:
        if self.failed:
            return f"**red**: {self.failed} of {self.times} failed"
        return "; ".join(sorted(self.skipped)) or "green"


class Account:
    """What the reports of one test run say: (ID, words) -> Tried."""

    def __init__(self) -> None:
        self.tried: dict[tuple[str, str], Tried] = defaultdict(Tried)

    def take(self, report: pytest.TestReport) -> None:
        """Reports carry their mark with them, from a worker of xdist as well."""
        said = dict(report.user_properties).get(_MARK)
        if said is None or not (report.when == "call" or report.failed or report.skipped):
            return
        promise, words, times = said
        tried = self.tried[promise, words]
        if report.skipped:
            tried.skipped.add(str(report.longrepr[2]) if isinstance(report.longrepr, tuple) else "skipped")
            return
        tried.times += times if report.when == "call" else 0
        tried.failed += times if report.failed else 0


class Row(NamedTuple):
    """One line of the document, without what stands before it."""

    words: str
    times: str
    outcome: str
    when: str


NEVER = Row("nothing yet", "0", "not tried", "")


def table(tried: Mapping[tuple[str, str], Tried], before: str = "") -> str:
    """The document: the same for the same outcomes, whatever ran first, wherever. `before`: whose other rows stay."""
    when = f"{os.environ[DAY]}, {len(seeds())} seeds"
    rows = {(promise, row.words): row for promise, row in _stood(before)}
    rows |= {(promise, words): Row(words, str(one.times), one.outcome, when) for (promise, words), one in tried.items()}
    lines = [line for promise in PROMISES for line in _lines(promise, rows)]
    return _HEAD + _LEAD.format(few=FEW) + "".join(f"{line}\n" for line in lines)


def _lines(promise: str, rows: Mapping[tuple[str, str], Row]) -> Iterable[str]:
    fault, rule = PROMISES[promise]
    ours = sorted(row for (other, _), row in rows.items() if other == promise)
    for number, row in enumerate(ours or [NEVER]):
        head = "  |  |" if number else f" {promise} | {fault}. *{rule}* |"
        yield f"|{head} {' | '.join(row)} |"


def _stood(document: str) -> Iterable[tuple[str, Row]]:
    """The rows of a document that `table` wrote; a row of nothing is none."""
    promise = ""
    for line in document.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if len(cells) == 6 and (cells[0] in PROMISES or not cells[0]):
            promise = cells[0] or promise
            if (row := Row(*cells[2:])) != NEVER:
                yield promise, row


# --- pytest's hooks, for the conftest of all tests ------------------------------------------------------------------

_account = Account()


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "promise(id, what, times=1): tries a promise of docs/promises.md")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    for mark in item.iter_markers(_MARK):
        promise, words = mark.args
        if promise not in PROMISES:
            raise pytest.UsageError(f"{item.nodeid}: there is no promise {promise}")
        item.user_properties.append((_MARK, (promise, words, mark.kwargs.get("times", 1))))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    _account.take(report)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Only the one that hears of all tests writes: a worker of xdist does not."""
    if (place := os.environ.get(PLACE)) and not hasattr(session.config, "workerinput"):
        before = Path(place).read_text(encoding="utf-8") if os.environ.get(BESIDE) else ""
        Path(place).write_text(table(_account.tried, before), encoding="utf-8")
