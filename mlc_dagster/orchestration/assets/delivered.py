"""The records that were delivered last, for those who say what would change: from where they were prepared."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

from mlc_dagster.core.arrow_columns import read_ready, ready_batch, ready_schema
from mlc_dagster.core.flows import Flow
from mlc_dagster.core.logs import logger
from mlc_dagster.core.outcomes import Ready
from mlc_dagster.core.vocabulary import Record
from mlc_dagster.ledger import Ledger
from mlc_dagster.orchestration.assets.guarding import stored
from mlc_dagster.orchestration.storage.refused_rows import RowsRefused
from mlc_dagster.pipeline.sent_records import sent_records

log = logger("mlc_dagster.storage")


def last_delivered(flow: Flow, store: Any, ledger: Ledger, keys: Sequence[str]) -> dict[str, Record]:
    """Key -> the record, where it is still kept."""
    return {key: one.record for key, one in sent_last(flow, store, ledger, keys).items()}


def sent_last(flow: Flow, store: Any, ledger: Ledger, keys: Sequence[str]) -> dict[str, Ready]:
    """Key -> what was delivered, as it was ready then: as the ledger keeps it, else as it is stored still."""
    found = sent_records(flow, ledger, keys)
    from_where = ledger.history.delivered_from(flow.name, [key for key in keys if key not in found])
    stored_still = {
        one.key: one
        for partition in {place for place, _ in from_where.values()}
        for one in chain(_readable(stored(store, flow, partition)), _kept(store, flow, partition))
        if from_where.get(one.key) == (partition, one.fingerprint)
    }
    return {**stored_still, **found}


def keep(flow: Flow, store: Any, ledger: Ledger, partition: str) -> None:
    """Before a partition is prepared anew in shadow: what was delivered from it stays readable, and comparable."""
    rows = [*_kept(store, flow, partition), *_readable(stored(store, flow, partition))]
    last = ledger.history.delivered_from(flow.name, [one.key for one in rows])
    found = {one.key: one for one in rows if last.get(one.key) == (partition, one.fingerprint)}
    if found:
        record = flow.target.record
        store.write(_key(flow), partition, ready_schema(record), [ready_batch(list(found.values()), record)])


def _key(flow: Flow) -> tuple[str, ...]:
    return (*flow.key[:-1], f"{flow.key[-1]}_delivered_before_shadow")


def _kept(store: Any, flow: Flow, partition: str) -> Iterator[Ready]:
    rows = (one for batch in store.read(_key(flow), partition) for one in read_ready(batch, flow.target.record))
    yield from _readable(rows)


def _readable(rows: Iterator[Ready]) -> Iterator[Ready]:
    """What it is compared with may be gone: that says less, and nothing wrong."""
    try:
        yield from rows
    except RowsRefused as error:
        log.warning("not compared with what was delivered: %s", error.message)
