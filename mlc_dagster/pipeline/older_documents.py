"""Documents from before the cut-over that the target has already: adopted as they are there, and never sent.

They are found by our key, or by their number where the target is asked for the very records. From then on they count
as delivered: what a later look finds is a difference.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, cast

from mlc_dagster.core.facts import Books, Facts
from mlc_dagster.core.flows import Flow
from mlc_dagster.core.logs import logger
from mlc_dagster.core.outcomes import Client, Draft, Ready, Saved
from mlc_dagster.core.targets import FindsOurs
from mlc_dagster.core.vocabulary import record_key
from mlc_dagster.ledger import Ledger, Run
from mlc_dagster.pipeline import stakes
from mlc_dagster.pipeline.judging import AsRead, OutOfScope, is_before_cut_over, mapped

log = logger("mlc_dagster.pipeline")


@dataclass
class OlderDocuments:
    """Of one flow in one run: the target is asked once, and only where a day is loaded for the first time."""

    flow: Flow
    client: Client
    ledger: Ledger
    look: Callable[[Sequence[Any]], Books] | None = None

    def adopt(
        self, rows: Sequence[AsRead], outside: Sequence[OutOfScope], facts: Facts, run: Run, number: int | None
    ) -> list[OutOfScope]:
        """The same, each that is linked with its number in the target. Raises as the target."""
        older = {one.key for one in outside if is_before_cut_over(one.why)}
        if not older or self.ledger.sweeps.loaded(self.flow.name, [run.partition]):
            return list(outside)
        mine = [row for row in rows if row[0] is not None and record_key(row[0], self.flow.source.keys) in older]
        ready = list(mapped(replace(self.flow, cut_over=None), mine, facts, run.partition, number))
        there = {**self._by_number(ready), **self._by_key}
        found = [(one, _adopted(one, there[one.key])) for one in ready if one.key in there]
        if not found:
            return list(outside)
        stakes.remember(self.flow, found, self.ledger)
        target = self.flow.target
        kept = self.ledger.finish(self.flow.name, found, run=run, shares=target.shares, target=target.system)
        linked = {one.key: outcome.remote_id for one, outcome in kept if isinstance(outcome, Saved)}
        log.info("%s: %d documents from before the cut-over are adopted", self.flow.name, len(linked))
        return [_with_number(one, linked) for one in outside]

    @cached_property
    def _by_key(self) -> Mapping[str, str]:
        """Our key -> the one object that carries it; of two that do nothing is said here: both are told as extra."""
        if not hasattr(self.client, "ours_in"):
            return {}
        known = frozenset(self.ledger.remote_ids(self.flow.name).values())
        seen = list(cast(FindsOurs, self.client).ours_in(self.flow, None, known))
        often = Counter(one.key for one in seen)
        return {one.key: one.remote_id for one in seen if often[one.key] == 1 and one.state == "there"}

    def _by_number(self, ready: Sequence[Ready]) -> dict[str, str]:
        """An invoice of that number is it, where the record says so."""
        records: dict[str, Any] = {one.key: one.record for one in ready if hasattr(one.record, "is_the_same_as")}
        if self.look is None or not records:
            return {}
        posted = self.look(list(records.values())).posted
        found = {key: posted.get(record.identity()) for key, record in records.items()}
        return {key: there.number for key, there in found.items() if there and records[key].is_the_same_as(there)}


def _adopted(one: Ready, remote_id: str) -> Saved:
    return Saved(Draft(one.key, one.record), remote_id, "adopted")


def _with_number(one: OutOfScope, linked: Mapping[str, str]) -> OutOfScope:
    return one._replace(why=f"{one.why}, and in the target already: adopted") if one.key in linked else one
