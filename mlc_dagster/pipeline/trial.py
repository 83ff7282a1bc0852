"""One record on its way to its target, as far as it goes without a write: what is read, made, judged and would be sent.

Nothing is held, attempted or delivered. The target is asked what a load would ask it before its first write.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from mlc_dagster.core.facts import Facts
from mlc_dagster.core.flows import Flow, Problem
from mlc_dagster.core.outcomes import Begun, Ready, Saved
from mlc_dagster.core.vocabulary import Record, record_key
from mlc_dagster.ledger import Held, Ledger
from mlc_dagster.pipeline.drafts import draft_of
from mlc_dagster.pipeline.judging import AsRead, Look, judge_all, mapped
from mlc_dagster.pipeline.ownership import Ownership
from mlc_dagster.pipeline.plan import WRITES, Before, Does, Step, plan
from mlc_dagster.pipeline.prepare import facts_of
from mlc_dagster.transport.shadow import WouldSend, rehearsal

PREFERRED: tuple[Does, ...] = ("create", "change", "look first", "stale", "held", "nothing")
"""Which of several records shows most of its way."""


@dataclass(frozen=True)
class Trial:
    """How far one record comes."""

    key: str
    partition: str
    row: Record | None  # None: it could not be read; `step.why` says so
    record: Record | None  # as the target would have it; None: it cannot be mapped, or is no matter of the flow
    step: Step
    problems: tuple[Problem, ...] = ()
    ready: Ready | None = None
    request: WouldSend | None = None  # the first write that would leave
    without_a_write: str = ""  # what came of it where nothing had to be written

    @property
    def would_write(self) -> bool:
        return self.request is not None


@dataclass(frozen=True)
class Attempted:
    """What a trial needs of the house. `client`: of the target."""

    flow: Flow
    facts: Facts
    ledger: Ledger
    client: Any
    before: Before
    place: Callable[[Record | None], str]
    """row -> the partition that it belongs to"""

    @property
    def look(self) -> Look | None:
        return partial(self.client.known, self.flow.target) if self.flow.looks_up else None

    def of(self, rows: Iterable[AsRead]) -> Trial | None:
        """The one of these that shows most of its way; None where there are none. Raises as the target's client."""
        tried = [(row, step) for row in rows for step in self._planned(row)]
        if not tried:
            return None
        row, step = min(tried, key=lambda one: _rank(one[1]))
        return self._whole(row, step)

    def _planned(self, row: AsRead) -> Sequence[Step]:
        partition = self.place(row[0])
        return plan(self.flow, [[row]], self.facts, self.ledger, partition, self.before, self.look).steps

    def _whole(self, row: AsRead, step: Step) -> Trial:
        partition = self.place(row[0])
        known = facts_of(self.flow, [row], self.facts, self.ledger)
        ready = next(iter(mapped(self.flow, [row], known, partition)), None)
        record = None if ready is None else ready.record
        key = step.key if row[0] is None else record_key(row[0], self.flow.source.keys)
        trial = Trial(key, partition, row[0], record, step, self._problems(row, known, partition), ready)
        return self._rehearsed(trial) if ready is not None and step.does in WRITES else trial

    def _problems(self, row: AsRead, facts: Facts, partition: str) -> tuple[Problem, ...]:
        decided = partial(self.ledger.decisions.of, self.flow.name)
        [judged] = judge_all(self.flow, [row], facts, partition, self.look, decided)
        missing = tuple(Problem(rule, why) for rule, why in facts.unusable.items())
        return (*judged.problems, *missing) if isinstance(judged, Held) else missing

    def _rehearsed(self, trial: Trial) -> Trial:
        """Up to its first write, which is caught before it leaves."""
        assert trial.ready is not None
        standing = self.ledger.judge(self.flow.name, [trial.ready])[trial.key]
        draft = draft_of(trial.ready, standing, self._agreed, Ownership(self.flow, self.ledger).owner)
        said = ""
        try:
            with rehearsal():
                for outcome in self.client.save(self.flow.target, [replace(draft, title=self.flow.title)]):
                    if not isinstance(outcome, Begun):
                        said = _in_words(outcome)
        except WouldSend as request:
            return replace(trial, request=request)
        return replace(trial, without_a_write=said or "the target was asked, and nothing had to be written")

    def _agreed(self, key: str) -> Any:
        return self.ledger.agreements.of(self.flow.pair, key) if self.flow.pair else None


def _rank(step: Step) -> int:
    return PREFERRED.index(step.does) if step.does in PREFERRED else len(PREFERRED)


def _in_words(outcome: Any) -> str:
    if isinstance(outcome, Saved):
        named = outcome.detail or outcome.remote_id
        return (
            f"it is there already, and equal: {named}" if outcome.action == "adopted" else f"{named} is as it should be"
        )
    return str(outcome.reason)
