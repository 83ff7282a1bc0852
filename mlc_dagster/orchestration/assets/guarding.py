"""A run that passes a guard stops before its first write: nothing is ready, all is held, and the check says why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from mlc_dagster import pipeline
from mlc_dagster.core.arrow_columns import read_ready, ready_schema
from mlc_dagster.core.flows import Flow
from mlc_dagster.core.outcomes import Ready
from mlc_dagster.ledger import Ledger, Run
from mlc_dagster.orchestration.assets.asset_keys import prepared_key
from mlc_dagster.pipeline import Verdict, guards


def stored(store: Any, flow: Flow, partition: str, *, needed: bool = False) -> Iterator[Ready]:
    """What a partition has ready. Raises RowsRefused; also where it was never prepared and is `needed`."""
    for batch in store.read(prepared_key(flow), partition, needed=needed, of=flow.target.record):
        yield from read_ready(batch, flow.target.record)


def guard(
    flow: Flow, limits: guards.Guards, verdicts: Sequence[Verdict], store: Any, ledger: Ledger, run_id: str
) -> None:
    """Judge the run as a whole; where a guard is passed, hold all that is ready in it."""
    names = [verdict.partition for verdict in verdicts]
    ready = (one for name in names for one in stored(store, flow, name))
    why = guards.broken(limits, guards.intent(flow, ready, ledger)) or _too_few(flow, limits, names, ledger)
    if why:
        for verdict in verdicts:
            block(flow, verdict, guards.RULE, guards.cure(flow, why), store, ledger, run_id)


def _too_few(flow: Flow, limits: guards.Guards, names: Sequence[str], ledger: Ledger) -> str:
    """The running day is not over, so it may have few rows."""
    today = datetime.now(UTC).date().isoformat()
    others = guards.usual_rows(flow, ledger, names)
    read = guards.rows_read(flow, ledger, (name for name in names if name != today))
    found = ((name, guards.too_few(limits, rows, others)) for name, rows in read.items())
    return next((f"{name}: {why}" for name, why in found if why), "")


def block(flow: Flow, verdict: Verdict, rule: str, reason: str, store: Any, ledger: Ledger, run_id: str) -> None:
    """Hold what is ready in a partition, and leave nothing that a load could send."""
    run = Run(run_id, verdict.partition)
    held = pipeline.hold_all(flow, stored(store, flow, verdict.partition), rule, reason, ledger, run)
    verdict.held += held
    verdict.superseded += verdict.ready - held
    verdict.ready, verdict.blocked[rule] = 0, reason
    store.write(prepared_key(flow), verdict.partition, ready_schema(flow.target.record), ())
