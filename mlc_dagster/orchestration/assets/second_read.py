"""How a load looks at its rows in the source once more: by whose client, and when they were read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import dagster as dg

from mlc_dagster.core.arrow_columns import records_of
from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.core.facts import Facts
from mlc_dagster.core.flows import Flow
from mlc_dagster.core.vocabulary import Record, record_key
from mlc_dagster.ledger import Ledger, Run
from mlc_dagster.ledger.records.reads import Read
from mlc_dagster.orchestration.assets.asset_keys import prepared_key
from mlc_dagster.orchestration.assets.charts import facts_for
from mlc_dagster.pipeline.fresh import SecondRead
from mlc_dagster.pipeline.prepare import AsRead, Look
from mlc_dagster.settings import Settings


def second_read(context: dg.AssetExecutionContext, flow: Flow, settings: Settings, run: Run) -> SecondRead:
    """The look of the load of one partition. Nobody is asked before something is to be looked at."""
    ledger = context.resources.ledger.open
    read = read_of_prepared(flow, ledger, run.partition)
    most = timedelta(minutes=settings.policies.prepared_max_age_minutes)

    def ask() -> tuple[Facts, Look | None]:
        client = getattr(context.resources, flow.target.system).client
        return facts_for(flow, settings, context), partial(client.known, flow.target) if flow.looks_up else None

    def is_old() -> bool:
        return read is None or not timedelta(0) <= datetime.now(UTC) - read.began_at < most

    by_keys = partial(rows_by_key, context, flow)
    return SecondRead(flow, ledger, run, by_keys, ask, is_old, read is not None and read.run_id == run.run_id)


def source_number(flow: Flow, ledger: Ledger, partition: str) -> int | None:
    """Of the walk that the stored rows of the source are of; None where that is not known."""
    entries = ledger.stored.of("/".join(flow.source.key), partition)
    return entries[-1].read_number if entries else None


def read_of_prepared(flow: Flow, ledger: Ledger, partition: str) -> Read | None:
    """The walk that what is prepared comes from; None where that is not known."""
    entries = ledger.stored.of("/".join(prepared_key(flow)), partition)
    number = entries[-1].read_number if entries else None
    return None if number is None else ledger.reads.of(number)


def rows_by_key(
    context: dg.AssetExecutionContext,
    flow: Flow,
    keys: Sequence[str],
    since: datetime | None,
    client: Any = None,
) -> Iterator[AsRead]:
    """The rows as they are in the source now. `client`: one that takes its time; else the run's own.

    Raises Misconfigured where the source gives no rows by their keys.
    """
    source: Any = getattr(context.resources, flow.source.system)
    client = client or source.client
    if not hasattr(client, "by_keys"):
        words = f"{flow.name}: its rows were read a while ago, and {flow.source.system} gives none by their keys"
        raise Misconfigured(words, cure=f"Materialize {'/'.join(flow.source.key)} and what is made of it in one run.")
    source.account(context.run.run_id)()  # rows of another account are never taken for this one's
    for batch in client.by_keys(flow.source, keys, since):
        yield from records_of(batch, flow.source.record)


def records_by_key(context: dg.AssetExecutionContext, flow: Flow, keys: Sequence[str]) -> dict[str, Record]:
    """Key -> the record, of those that are in the source now, and can be read."""
    found = (record for record, _, _ in rows_by_key(context, flow, keys, None) if record is not None)
    return {record_key(record, flow.source.keys): record for record in found}
