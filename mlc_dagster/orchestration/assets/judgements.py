"""A check for each rule of a flow, of all that it holds now; and whether what this run prepared may be loaded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import dagster as dg

from mlc_dagster import pipeline
from mlc_dagster.core.flows import Flow, Problem, Rule
from mlc_dagster.core.inert import inert
from mlc_dagster.ledger.records.stock import OpenStock
from mlc_dagster.orchestration.assets import reports, shown_records, stock_checks
from mlc_dagster.orchestration.assets.taken_back_check import STANDS, WORDS, still_standing
from mlc_dagster.pipeline import Verdict, guards
from mlc_dagster.settings import Settings

MAY_LOAD = "run_may_load"
MAY_LOAD_WORDS = (
    "What this run prepared may be loaded: there is a chart of accounts to validate against, and no guard is passed."
)


def statements(flow: Flow) -> dict[str, str]:
    """Each rule that a record of this flow must meet, in words: one check for each."""

    def words(rule: Rule) -> str:
        return " ".join((rule.__doc__ or rule.__name__).split())

    standing = {STANDS: WORDS} if flow.fate else {}
    rules = {rule.__name__: words(rule) for rule in flow.rules}
    of_rules = {**pipeline.BUILT_IN, **rules, guards.RULE: guards.WORDS}
    return {**of_rules, stock_checks.AT_THE_LOAD: stock_checks.AT_THE_LOAD_WORDS, **standing, MAY_LOAD: MAY_LOAD_WORDS}


def stock_of(flow: Flow) -> list[str]:
    """Those of its checks that tell of what is on hold now."""
    return [name for name in statements(flow) if name not in (STANDS, MAY_LOAD)]


def judgements(
    flow: Flow, verdicts: list[Verdict], stocks: Mapping[str, OpenStock], settings: Settings
) -> Iterator[dg.AssetCheckResult]:
    """A line in the UI for each rule: how many were asked, how many it holds now, of this run which, and why."""
    yield may_load(verdicts)
    if flow.fate:
        yield still_standing(verdicts)
    for rule in stock_of(flow):
        stock = stocks.get(rule, stock_checks.NOTHING)
        held = sum(verdict.held_by[rule] for verdict in verdicts)
        blocked = {verdict.partition: verdict.blocked[rule] for verdict in verdicts if rule in verdict.blocked}
        examples = [example for verdict in verdicts for example in verdict.examples.get(rule, [])]
        yield dg.AssetCheckResult(
            check_name=rule,
            passed=not stock.number and not blocked,
            severity=dg.AssetCheckSeverity.ERROR if blocked else dg.AssetCheckSeverity.WARN,
            description=inert("; ".join(sorted(set(blocked.values())))) or _of_held(rule, stock, examples),
            metadata={
                "asked": sum(verdict.read for verdict in verdicts),
                "held": held,
                **stock_checks.metadata(stock),
                **({"held_records": reports.held_table(examples)} if examples else {}),
                **shown_records.held(flow, examples, settings),
            },
        )


def _of_held(rule: str, stock: OpenStock, examples: Sequence[tuple[str, Problem]]) -> str | None:
    """Of a guard why, which is the same for all that it holds."""
    return stock_checks.in_words(stock, examples[0][1].reason if rule == guards.RULE and examples else "")


def may_load(verdicts: Sequence[Verdict]) -> dg.AssetCheckResult:
    """The one that stops a run: of its own partitions alone."""
    blocked = {f"{rule}: {why}" for verdict in verdicts for rule, why in verdict.blocked.items()}
    return dg.AssetCheckResult(
        check_name=MAY_LOAD,
        passed=not blocked,
        severity=dg.AssetCheckSeverity.ERROR,
        description=inert("; ".join(sorted(blocked))) or None,
        metadata={"ready": sum(verdict.ready for verdict in verdicts)},
    )
