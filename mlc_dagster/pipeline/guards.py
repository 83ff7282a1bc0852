"""What a run is about to do, and whether the guards of mlc.yaml allow it. Nothing is written here."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from mlc_dagster.core.flows import Flow
from mlc_dagster.core.outcomes import Ready, State
from mlc_dagster.ledger import Ledger
from mlc_dagster.pipeline.batches import JUDGED_AT_ONCE, chunks

RULE = "guards_allow_it"
WORDS = "The run creates and changes no more than the guards of mlc.yaml allow, and reads no fewer rows than usual."
FEW = 20
"""Records that the target has of what is sent, below which a share says nothing."""

KNOWN_DAYS = 3
"""Partitions that must have been read before, for rows to be usual."""


class Guards(Protocol):
    """`guards.<flow>` of mlc.yaml; what is None is not guarded."""

    @property
    def max_creates(self) -> int | None: ...
    @property
    def max_update_share(self) -> float | None: ...
    @property
    def min_rows_share(self) -> float | None: ...


@dataclass(frozen=True)
class Intent:
    """What a load of some records would do, by the ledger."""

    creates: int
    updates: int
    known: int  # records that the target has already, changed or not


def intent(flow: Flow, ready: Iterable[Ready], ledger: Ledger) -> Intent:
    """Asks the ledger, and nobody else."""
    states: Counter[State] = Counter()
    for chunk in chunks(ready, JUDGED_AT_ONCE):
        states.update(standing.state for standing in ledger.judge(flow.name, chunk).values())
    creates = states[State.NEW]
    return Intent(creates, states[State.CHANGED], states.total() - creates)


def broken(guards: Guards, found: Intent) -> str:
    """Why the run must stop; empty where it may go on."""
    if guards.max_creates is not None and found.creates > guards.max_creates:
        return f"{found.creates} records would be created, and max_creates is {guards.max_creates}"
    if guards.max_update_share is not None and found.known >= FEW:
        share = found.updates / found.known
        if share > guards.max_update_share:
            told = f"{found.updates} of {found.known} records would be changed ({share:.0%})"
            return f"{told}, and max_update_share is {guards.max_update_share:g}"
    return ""


def too_few(guards: Guards, rows: int, others: Sequence[int]) -> str:
    """Why so many rows cannot be all; empty where they can. `others`: of the partitions read before."""
    if guards.min_rows_share is None or len(others) < KNOWN_DAYS:
        return ""
    usual = statistics.median(others)
    if rows >= usual * guards.min_rows_share:
        return ""
    return f"{rows} rows were read where {usual:g} are usual, and min_rows_share is {guards.min_rows_share:g}"


def usual_rows(flow: Flow, ledger: Ledger, without: Iterable[str]) -> list[int]:
    """Rows of the partitions that were read last, the latest read of each; those of this run are left out."""
    latest: dict[str, int] = {}
    for entry in ledger.pulls("/".join(flow.source.key), limit=200):
        latest.setdefault(entry.pull.partition, entry.pull.rows)
    skipped = set(without)
    return [rows for partition, rows in latest.items() if partition not in skipped]


def cure(flow: Flow, why: str) -> str:
    """The reason of the holds and of the check, with what to do."""
    return f"{why}. Look at the records (mlc plan); if they are right, raise guards.{flow.name} in mlc.yaml and replay."


def rows_read(flow: Flow, ledger: Ledger, partitions: Iterable[str]) -> Mapping[str, int]:
    """Partition -> rows of its latest read."""
    pulls = {part: ledger.last_pull("/".join(flow.source.key), part) for part in partitions}
    return {part: entry.pull.rows for part, entry in pulls.items() if entry is not None}
