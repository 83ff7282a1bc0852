"""What a step leaves on the work list: of one that fails all that its run would have delivered; else what is over."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

import dagster as dg

from mlc_dagster.core.errors import MlcError, ThrottledUntil
from mlc_dagster.core.flows import Flow
from mlc_dagster.core.logs import logger
from mlc_dagster.ledger import THROTTLED, Ledger
from mlc_dagster.orchestration.assets.asset_keys import read_of
from mlc_dagster.pipeline import Verdict, guards
from mlc_dagster.pipeline.failing import blocked, failure_of, guarded

log = logger("mlc_dagster.due")

Places = Callable[[], Iterable[tuple[str, str]]]
"""(flow, partition) of all that fails with the step: asked when it does."""


def in_this_run(context: dg.AssetExecutionContext, flows: Iterable[str]) -> list[str]:
    """Those of the flows, by name, that this run would have loaded: of others it has read nothing."""
    chosen = context.job_def.asset_layer.selected_asset_keys
    return [name for name in flows if dg.AssetKey(name.split("/")) in chosen]


def every(context: dg.AssetExecutionContext, names: Iterable[str]) -> list[tuple[str, str]]:
    """These names on every partition of the run."""
    return [(name, partition) for partition in context.partition_keys for name in names]


@contextmanager
def noted(
    context: dg.AssetExecutionContext, connection: str, whose: str, places: Places, *, prepared: bool = False
) -> Iterator[None]:
    """A step that fails here is due again: at the server's time where it asks to be left alone, else after a while, or
    when a person has done something. `prepared`: what is ready need not be prepared anew.
    """
    ledger, run_id = context.resources.ledger.open, context.run.run_id
    try:
        yield
    except ThrottledUntil as error:
        with _kept_from_hiding(error):
            why, seconds = f"{error.system} asks to be left alone", error.left()
            ledger.work.put_off(places(), error.system, THROTTLED, why, run_id, seconds=seconds, prepared=prepared)
        raise
    except Exception as error:
        with _kept_from_hiding(error):
            failure = failure_of(error, connection, whose, run_id)
            ledger.work.fail(places(), failure, prepared=prepared)
        raise


@contextmanager
def _kept_from_hiding(error: Exception) -> Iterator[None]:
    """The ledger may be what has failed: the sensor on failed runs writes it down when that is back."""
    try:
        yield
    except MlcError as second:
        log.warning("that this is due again could not be written down (%s) after: %s", second.message, error)


# --- what ends well, or is stopped by a check ---------------------------------------------------------------------


def due_again(
    flow: Flow,
    verdicts: Sequence[Verdict],
    places: Iterable[tuple[str, str]],
    began: datetime,
    ledger: Ledger,
    run: str,
) -> None:
    """A run that a check stops is due, or needs a person; else its partitions are prepared, as of when that began."""
    stopped = {rule: why for verdict in verdicts for rule, why in verdict.blocked.items()}
    if not stopped:
        for verdict in verdicts:
            ledger.work.prepared(flow.name, verdict.partition, began, read_of(flow.source))
        return
    system, (rule, why) = flow.target.system, next(iter(stopped.items()))
    if guards.RULE in stopped:
        ledger.work.fail(places, guarded(flow.name, system, stopped[guards.RULE], run))
    else:
        ledger.work.fail(places, blocked(flow.name, rule, system, why, run))


def ended(
    flow: Flow, partition: str, prepared_at: datetime | None, ledger: Ledger, run_id: str, *, answered: bool
) -> None:
    """A load came to its end: it is due no more, if it was prepared after it was asked for. Where its target
    `answered`, what waits for that goes on.
    """
    ledger.loads.ended(flow.name, partition, run_id)
    if prepared_at is not None:
        ledger.work.done(flow.name, partition, prepared_at)
    if answered:
        ledger.work.answered(flow.target.system, flow.name)
