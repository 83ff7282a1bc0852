"""Deliveries that no list of their source shows any more, or not in time, are asked for by their keys."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta

from mlc_dagster.core.facts import Facts
from mlc_dagster.core.flows import Flow
from mlc_dagster.core.vocabulary import record_key
from mlc_dagster.ledger import Ledger
from mlc_dagster.pipeline.batches import JUDGED_AT_ONCE, chunks
from mlc_dagster.pipeline.prepare import AsRead, facts_of
from mlc_dagster.pipeline.taken_back import AT_ONCE, LaterLife

LATEST = 20  # deliveries that each ordinary run asks for
OPEN_DAYS = 45

ByKeys = Callable[[Sequence[str]], Iterable[AsRead]]
"""Keys -> the rows of those that are there."""


def look(
    flow: Flow, by_keys: ByKeys, facts: Facts, ledger: Ledger, keys: Sequence[str], most: int = AT_ONCE
) -> LaterLife:
    """What became of these deliveries. Raises as the source: then nothing is written down."""
    life = LaterLife(flow, ledger, most)
    for some in chunks(keys, JUDGED_AT_ONCE):
        rows = list(by_keys(some))
        records = [record for record, _, _ in rows if record is not None]
        life.see(records, facts_of(flow, [row for row in rows if row[0] is not None], facts, ledger))
        life.miss(set(some) - {key_of(flow, row) for row in rows})
    life.end()
    return life


def key_of(flow: Flow, row: AsRead) -> str:
    """Also of a row that is there and cannot be read: it is neither gone nor as it was."""
    record, _, unreadable = row
    if record is not None:
        return record_key(record, flow.source.keys)
    return str(json.loads(unreadable or "{}").get("key") or "")


def due(flow: Flow, ledger: Ledger, *, days: float = OPEN_DAYS, most: int | None = LATEST) -> list[str]:
    """The deliveries of so many days that are asked for, the latest first; None: all of them."""
    return ledger.posted.latest(flow.name, datetime.now(UTC) - timedelta(days=days), most)
