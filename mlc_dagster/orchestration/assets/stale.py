"""What is stale, as the UI shows it: compared where the mapping changed, told by a check, sent only if asked for."""

from __future__ import annotations

import time
from importlib.metadata import version
from typing import Any

import dagster as dg

from mlc_dagster.core.arrow_columns import records_of
from mlc_dagster.core.commands import offered
from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.core.facts import Facts
from mlc_dagster.core.flows import Flow
from mlc_dagster.core.inert import inert
from mlc_dagster.ledger import Ledger
from mlc_dagster.orchestration.assets import reports
from mlc_dagster.orchestration.assets.guarding import stored
from mlc_dagster.pipeline import comparing, guards

CHECK = "as_it_would_be_made_today"
WORDS = (
    "What was delivered is what would be made of its source today. Where mlc.yaml, an account map, a tax rate or a "
    "release maps otherwise, nothing is sent by itself."
)
RELEASE = version("mlc-dagster")
SECONDS = 30.0  # that a run compares what other days delivered
SHOWN = 50


def compare(flow: Flow, facts: Facts, store: Any, ledger: Ledger) -> None:
    """Where the mapping changed since, look which records of any day would be made otherwise."""
    if facts.unusable or ledger.is_first_load(flow.name):
        return
    began, source = time.monotonic(), flow.source

    def rows(partition: str) -> Any:
        return (records_of(batch, source.record) for batch in store.read(source.key, partition, of=source.record))

    partitions, by = store.partitions(source.key), comparing.mark(facts, RELEASE)
    comparing.compare(flow, facts, ledger, partitions, rows, by, lambda: time.monotonic() - began < SECONDS)


def check(flow: Flow, ledger: Ledger) -> dg.AssetCheckResult:
    """All that the flow has that is stale: how many, which, and what to do."""
    number = ledger.stale.count().get(flow.name, 0)
    some = ledger.stale.of(flow.name, SHOWN)
    listed = reports.table(
        ("record", "of", "since"), [(each.key, each.partition, f"{each.since:%Y-%m-%d %H:%M}") for each in some]
    )
    return dg.AssetCheckResult(
        check_name=CHECK,
        passed=not number,
        severity=dg.AssetCheckSeverity.WARN,
        description=inert(sentence(flow, number, some[0].partition)) if some else None,
        metadata={"stale": number, **({"stale_records": listed} if some else {})},
    )


def sentence(flow: Flow, number: int, partition: str) -> str:
    """How many, and what to do."""
    look = offered("plan", flow=flow.name, partition=partition)
    send = offered("replay", flow=flow.name, partition=partition)
    return (
        f"{number} delivered record(s) would be made otherwise today, though their sources rest: they are stale, and "
        f"not sent. Look: {look}. Send them: {send} --also-unchanged"
    )


def refuse_too_many(context: Any, flow: Flow, limits: guards.Guards) -> None:
    """Raises Misconfigured where a guard does not allow as many changes as somebody asks for; nothing is sent then."""
    store, ledger = context.resources.storage.store, context.resources.ledger.open
    ready = (one for partition in context.partition_keys for one in stored(store, flow, partition))
    if why := guards.broken(limits, guards.intent(flow, ready, ledger, also_unchanged=True)):
        cure = f"Look at them (mlc plan); if they are right, raise guards.{flow.name} in mlc.yaml."
        raise Misconfigured(f"{flow.name}: with what is stale {why}", cure=cure)
