"""A check for each rule of a flow: how many records were asked, how many are held by it, which, and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import dagster as dg

from mlc_dagster import pipeline
from mlc_dagster.core.flows import Flow, Problem, Rule
from mlc_dagster.core.inert import inert
from mlc_dagster.orchestration.assets import reports
from mlc_dagster.orchestration.assets.taken_back_check import STANDS, WORDS, still_standing
from mlc_dagster.pipeline import Verdict, guards


def statements(flow: Flow) -> dict[str, str]:
    """Each rule that a record of this flow must meet, in words: one check for each."""

    def words(rule: Rule) -> str:
        return " ".join((rule.__doc__ or rule.__name__).split())

    standing = {STANDS: WORDS} if flow.fate else {}
    rules = {rule.__name__: words(rule) for rule in flow.rules}
    return {**pipeline.BUILT_IN, **rules, guards.RULE: guards.WORDS, **standing}


def judgements(flow: Flow, verdicts: list[Verdict]) -> Iterator[dg.AssetCheckResult]:
    """A line in the UI for each rule: how many were asked, how many held, which, and why."""
    for rule in statements(flow):
        if rule == STANDS:
            yield still_standing(verdicts)
            continue
        held = sum(verdict.held_by[rule] for verdict in verdicts)
        blocked = {verdict.partition: verdict.blocked[rule] for verdict in verdicts if rule in verdict.blocked}
        examples = [example for verdict in verdicts for example in verdict.examples.get(rule, [])]
        yield dg.AssetCheckResult(
            check_name=rule,
            passed=not held and not blocked,
            severity=dg.AssetCheckSeverity.ERROR if blocked else dg.AssetCheckSeverity.WARN,
            description=inert("; ".join(sorted(set(blocked.values())))) or _of_held(rule, held, examples),
            metadata={
                "asked": sum(verdict.read for verdict in verdicts),
                "held": held,
                **({"held_records": reports.held_table(examples)} if examples else {}),
            },
        )


def _of_held(rule: str, held: int, examples: Sequence[tuple[str, Problem]]) -> str | None:
    """How many; of a guard why, which is the same for all that it holds."""
    if not held:
        return None
    why = f": {examples[0][1].reason}" if rule == guards.RULE and examples else ""
    return inert(f"{held} held{why}")
