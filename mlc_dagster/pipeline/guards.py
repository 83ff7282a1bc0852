"""What a run is about to do, and whether the guards of mlc.yaml allow it. Nothing is written here."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from mlc_dagster.core.flows import Flow
from mlc_dagster.core.outcomes import Ready, State
from mlc_dagster.ledger import Decision, Ledger, Standing
from mlc_dagster.pipeline.batches import JUDGED_AT_ONCE, chunks

RULE = "guards_allow_it"
WORDS = "The run creates, changes and takes back no more than the guards allow, and reads no fewer rows than usual."
FEW = 20
"""Records that the target has of what is sent, below which a share says nothing."""

NAMED = 5  # keys that a sentence names

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
    @property
    def max_backwards(self) -> int | None: ...


@dataclass(frozen=True)
class Intent:
    """What a load of some records would do, by the ledger. What a person released since it was held is not counted."""

    creates: int
    updates: int
    known: int  # records that the target has already, changed or not
    backwards: int = 0  # of the updates: read later than what was delivered, and yet with an older stamp
    stale: int = 0
    named: Mapping[str, Sequence[str]] = field(default_factory=dict)  # guard -> keys that it counts, the first few


class Passed(NamedTuple):
    """A guard that a run passes."""

    guard: str  # max_creates
    limit: str  # as mlc.yaml has it
    why: str
    holds: Callable[[Standing], bool]  # the records that it is about

    @property
    def subject(self) -> str:
        return f"{self.guard} {self.limit}"


def _creates(one: Standing) -> bool:
    return one.state is State.NEW


def _updates(one: Standing) -> bool:
    return one.state is State.CHANGED


def _is_sent(one: Standing) -> bool:
    return one.state in (State.NEW, State.CHANGED, State.IN_DOUBT)


def _backwards(one: Standing) -> bool:
    return one.is_backwards


COUNTED: Mapping[str, Callable[[Standing], bool]] = {
    "max_creates": _creates,
    "max_update_share": _updates,
    "max_backwards": _backwards,
}


def released(ready: Sequence[Ready], decisions: Mapping[str, Decision]) -> frozenset[str]:
    """Those that a person let pass this rule, as they are."""
    held = {one.key: one.fingerprint for one in ready}
    return frozenset(
        key
        for key, each in decisions.items()
        if each.verdict == "released" and RULE in each.rules and each.content == held.get(key)
    )


def intent(flow: Flow, ready: Iterable[Ready], ledger: Ledger, *, also_unchanged: bool = False) -> Intent:
    """Asks the ledger, and nobody else. `also_unchanged`: what is stale would be sent, so it is an update."""
    states: Counter[State] = Counter()
    counted: Counter[str] = Counter()
    named: dict[str, list[str]] = {name: [] for name in COUNTED}
    for chunk in chunks(ready, JUDGED_AT_ONCE):
        passed = released(chunk, ledger.decisions.of(flow.name, [one.key for one in chunk]))
        for key, one in ledger.judge(flow.name, chunk).items():
            states[one.state] += 1
            for name, counts in COUNTED.items() if key not in passed else ():
                if counts(one):
                    counted[name] += 1
                    named[name] += [key][: NAMED - len(named[name])]
    stale = states[State.STALE] if also_unchanged else 0
    known, updates = states.total() - states[State.NEW], counted["max_update_share"] + stale
    return Intent(counted["max_creates"], updates, known, counted["max_backwards"], states[State.STALE], named)


def passed(guards: Guards, found: Intent) -> list[Passed]:
    """The guards that a run passes; none where it may go on."""
    stops = []
    if guards.max_creates is not None and found.creates > guards.max_creates:
        why = f"{found.creates} records would be created, and max_creates is {guards.max_creates}"
        stops.append(Passed("max_creates", str(guards.max_creates), why, _creates))
    if guards.max_update_share is not None and found.known >= FEW:
        share = found.updates / found.known
        if share > guards.max_update_share:
            told = f"{found.updates} of {found.known} records would be changed ({share:.0%})"
            why = f"{told}, and max_update_share is {guards.max_update_share:g}"
            stops.append(Passed("max_update_share", f"{guards.max_update_share:g}", why, _updates))
    if guards.max_backwards is not None and found.backwards > guards.max_backwards:
        stops.append(Passed("max_backwards", str(guards.max_backwards), _gone_back(found, guards), _is_sent))
    return [each._replace(why=each.why + _such_as(found.named.get(each.guard, ()))) for each in stops]


def _gone_back(found: Intent, guards: Guards) -> str:
    told = f"{found.backwards} records differ from what was delivered, and their stamps are older"
    return f"{told}: a backup was restored, or a clock is wrong; max_backwards is {guards.max_backwards}"


def _such_as(keys: Sequence[str]) -> str:
    return f" ({', '.join(keys)}{', ...' if len(keys) == NAMED else ''})" if keys else ""


def broken(guards: Guards, found: Intent) -> str:
    """Why the run must stop; empty where it may go on."""
    return "; ".join(each.why for each in passed(guards, found))


def too_few(guards: Guards, rows: int, others: Sequence[int]) -> str:
    """Why so many rows cannot be all; empty where they can. `others`: of the partitions read before."""
    if guards.min_rows_share is None or len(others) < KNOWN_DAYS:
        return ""
    usual = statistics.median(others)
    if rows >= usual * guards.min_rows_share:
        return ""
    return f"{rows} rows were read where {usual:g} are usual, and min_rows_share is {guards.min_rows_share:g}"


def holds_all(guards: Guards, why: str) -> Passed:
    """Of a run that read too few rows: all that is ready in it."""
    return Passed("min_rows_share", f"{guards.min_rows_share:g}", why, lambda one: True)


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
