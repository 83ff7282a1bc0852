"""What a load would do with what is ready, where nothing may be written: told, and kept once for each content."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from mlc_dagster.core.flows import Flow
from mlc_dagster.core.outcomes import Ready, State
from mlc_dagster.ledger import Ledger, Run
from mlc_dagster.ledger.records.shadow import Told
from mlc_dagster.pipeline.batches import EXAMPLES, JUDGED_AT_ONCE, chunks
from mlc_dagster.pipeline.plan import WRITES, Before, Step, step_of


@dataclass
class ShadowLoad:
    """The account of one load in shadow. The sum over `does` is `asked`."""

    asked: int = 0
    does: Counter[str] = field(default_factory=Counter)
    told: int = 0  # differences that were not told before
    examples: list[Step] = field(default_factory=list)  # of these, the first few

    @property
    def would_write(self) -> int:
        return sum(number for does, number in self.does.items() if does in WRITES)


def shadow(flow: Flow, ready: Iterable[Ready], ledger: Ledger, run: Run, before: Before) -> ShadowLoad:
    """The same question to the ledger as a load; nothing is sent, and no delivery, attempt or hold is written."""
    found = ShadowLoad()
    for chunk in chunks(ready, JUDGED_AT_ONCE):
        steps = _steps(flow, chunk, ledger, before)
        found.asked += len(chunk)
        found.does.update(step.does for step in steps)
        new = ledger.shadow.tell(flow.name, [_told(step) for step in steps if step.does in WRITES], run)
        found.told += len(new)
        fresh = [step for step in steps if (step.key, step.mark) in new]
        found.examples += fresh[: EXAMPLES - len(found.examples)]
    return found


def _steps(flow: Flow, ready: Sequence[Ready], ledger: Ledger, before: Before) -> list[Step]:
    decisions = ledger.decisions.of(flow.name, [one.key for one in ready])
    away = {key for key, decision in decisions.items() if decision.verdict == "discarded"}
    standings = ledger.judge(flow.name, [one for one in ready if one.key not in away])
    earlier = before([key for key, standing in standings.items() if standing.state in (State.CHANGED, State.STALE)])
    return [
        Step(one.key, "discarded") if one.key in away else step_of(one, standings[one.key], earlier.get(one.key))
        for one in ready
    ]


def _told(step: Step) -> Told:
    return Told(step.key, step.mark, step.does, tuple((each.field, each.before, each.after) for each in step.changes))
