"""Deliveries that no list of their source shows any more, or not in time, are asked for by their keys."""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from mlc_dagster.core.facts import Facts
from mlc_dagster.core.flows import Flow
from mlc_dagster.core.vocabulary import record_key
from mlc_dagster.ledger import Ledger, Run
from mlc_dagster.ledger.records.differences import A_LOOK
from mlc_dagster.pipeline.batches import JUDGED_AT_ONCE, chunks
from mlc_dagster.pipeline.fresh import ByKeys
from mlc_dagster.pipeline.prepare import AsRead, facts_of
from mlc_dagster.pipeline.taken_back import AT_ONCE, LaterLife

LATEST = 20  # deliveries that each ordinary run asks for


def look(
    flow: Flow,
    by_keys: ByKeys,
    facts: Facts,
    ledger: Ledger,
    keys: Sequence[str],
    most: int = AT_ONCE,
    run: Run = A_LOOK,
) -> LaterLife:
    """What became of these deliveries. Raises as the source: then nothing is written down."""
    life = LaterLife(flow, ledger, most)
    for some in chunks(keys, JUDGED_AT_ONCE):
        rows = list(by_keys(some, None))
        records = [record for record, _, _ in rows if record is not None]
        life.see(records, facts_of(flow, [row for row in rows if row[0] is not None], facts, ledger))
        life.miss(set(some) - {key_of(flow, row) for row in rows})
    life.end(run)
    return life


def key_of(flow: Flow, row: AsRead) -> str:
    """Also of a row that is there and cannot be read: it is neither gone nor as it was."""
    record, _, unreadable = row
    if record is not None:
        return record_key(record, flow.source.keys)
    return str(json.loads(unreadable or "{}").get("key") or "")


def latest(flow: Flow, ledger: Ledger, days: float, most: int = LATEST) -> list[str]:
    """The deliveries of so many days that each run asks for, the latest first."""
    return ledger.posted.since(flow.name, datetime.now(UTC) - timedelta(days=days), most)


def of_the_night(flow: Flow, ledger: Ledger, days: float, rotation_days: int, today: date | None = None) -> list[str]:
    """All deliveries of so many days, and of the older ones those whose turn it is."""
    now = datetime.now(UTC)
    since, turn = now - timedelta(days=days), (today or now.date()).toordinal() % rotation_days
    older = (key for key in ledger.posted.before(flow.name, since) if _turn(key, rotation_days) == turn)
    return [*ledger.posted.since(flow.name, since), *older]


def _turn(key: str, turns: int) -> int:
    """The same each night, and as many keys in each."""
    return zlib.crc32(key.encode("utf-8", "surrogatepass")) % turns
