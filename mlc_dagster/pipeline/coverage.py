"""What is not mapped yet, over real records: each cause with how many records it would hold, and what they come to.

As a load would judge them on the day they go live: what the same walk delivers first counts as delivered. Nothing is
held, attempted or written.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import partial
from typing import NamedTuple

from mlc_dagster.core.facts import Facts
from mlc_dagster.core.flows import Flow, Problem
from mlc_dagster.core.outcomes import Ready
from mlc_dagster.core.stakes import stake_of
from mlc_dagster.core.vocabulary import Record, record_key
from mlc_dagster.ledger import Held, Ledger
from mlc_dagster.pipeline.judging import AsRead, Look, OutOfScope, judge_all
from mlc_dagster.pipeline.plan import with_suppliers, with_what_comes
from mlc_dagster.pipeline.prepare import facts_of


class Cause(NamedTuple):
    """What is missing, and where: the unit in which somebody puts it right."""

    rule: str
    company: str
    missing: str  # the account, the term, the supplier; empty: the reason says it


@dataclass
class Gap:
    """The records that one cause would hold."""

    records: int = 0
    flows: Counter[str] = field(default_factory=Counter)
    amounts: dict[str, Decimal] = field(default_factory=dict)  # currency -> sum, never over currencies
    example: str = ""  # a key
    reason: str = ""

    def add(self, flow: str, key: str, problem: Problem, amount: str | None, currency: str | None) -> None:
        self.records += 1
        self.flows[flow] += 1
        if not self.example:
            self.example, self.reason = key, problem.reason
        if amount is not None:
            code = currency or ""
            self.amounts[code] = self.amounts.get(code, Decimal(0)) + Decimal(amount)


@dataclass
class Coverage:
    """Of all flows that were walked. The sum over `outcomes` is `read`."""

    read: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)  # ready, held, out of scope, discarded
    gaps: dict[Cause, Gap] = field(default_factory=dict)
    coming: dict[str, dict[str, str]] = field(default_factory=dict)  # flow -> key -> currency, of what would be there

    @property
    def worst_first(self) -> list[tuple[Cause, Gap]]:
        """By the records that each holds, then by its largest sum."""
        return sorted(self.gaps.items(), key=lambda one: (-one[1].records, -max(one[1].amounts.values(), default=0)))

    def walk(self, flow: Flow, rows: Sequence[AsRead], facts: Facts, ledger: Ledger, look: Look | None) -> None:
        """Judge the records of a flow; those that it needs are walked before. Raises as the target's client."""
        ours = facts_of(flow, rows, facts, ledger)
        there, _, currencies = with_what_comes(flow, rows, ours.delivered, self.coming)
        known = replace(ours, delivered=there, books=with_suppliers(facts.books, currencies))
        seen = None if look is None else lambda records: with_suppliers(look(records), currencies)
        by_key = {record_key(row[0], flow.source.keys): row[0] for row in rows if row[0] is not None}
        for one in judge_all(flow, rows, known, "", seen, partial(ledger.decisions.of, flow.name)):
            self.read += 1
            if isinstance(one, Held):
                self.outcomes["held"] += 1
                self._held(flow, one, by_key.get(one.key))
            elif isinstance(one, Ready):
                self.outcomes["ready"] += 1
                currency = str(getattr(one.record, "currency", "") or "")
                self.coming.setdefault(flow.name, {})[one.key] = currency
            else:
                self.outcomes["out of scope" if isinstance(one, OutOfScope) else "discarded"] += 1

    def _held(self, flow: Flow, one: Held, record: Record | None) -> None:
        stake, company = stake_of(record), str(getattr(record, "company", "") or "")
        for problem in one.problems:
            cause = Cause(problem.rule, company, problem.subject)
            self.gaps.setdefault(cause, Gap()).add(flow.name, one.key, problem, stake.amount, stake.currency)


Read = Callable[[Flow], Iterable[AsRead]]


def coverage(
    flows: Sequence[Flow],
    read: Read,
    facts: Callable[[Flow, Sequence[AsRead]], Facts],
    ledger: Ledger,
    look: Callable[[Flow], Look | None],
    walked: Callable[[Flow, Mapping[str, int]], None] = lambda flow, found: None,
) -> Coverage:
    """All flows, each behind those that it needs. `walked` is told of each when it is done: what became of how many."""
    found = Coverage()
    for flow in flows:
        before, rows = Counter(found.outcomes), list(read(flow))
        found.walk(flow, rows, facts(flow, rows), ledger, look(flow))
        walked(flow, found.outcomes - before)
    return found
