"""What the ledger says of ready records: new, changed, unchanged, stale, superseded, in doubt. By index, in bulk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, select

from mlc_dagster.core.outcomes import Ready, State
from mlc_dagster.core.source_fingerprints import compares
from mlc_dagster.ledger.columns import stored_key
from mlc_dagster.ledger.database import chunks
from mlc_dagster.ledger.entries import AsOf, Standing, as_of, has_older_stamp
from mlc_dagster.ledger.records.trail import sent_since
from mlc_dagster.ledger.tables import deliveries

_JUDGED = tuple(
    deliveries.c[name]
    for name in (
        "key",
        "remote_id",
        "fingerprint",
        "version",
        "read_number",
        "open_since",
        "open_remote_id",
        "open_version",
        "open_read_number",
        "source_fingerprint",
        "delivered_at",
        "stale_since",
    )
)


def lookup(flow: str, keys: Sequence[str]) -> Select[Any]:
    """The rows of some keys, by the primary key's index."""
    return select(*_JUDGED).where(deliveries.c.flow == flow, deliveries.c.key.in_(keys))


def rows_of(connection: Connection, flow: str, keys: Sequence[str]) -> Iterator[Row[Any]]:
    for chunk in chunks(keys):
        yield from connection.execute(lookup(flow, chunk))


def judge(connection: Connection, flow: str, ready: Sequence[Ready]) -> dict[str, Standing]:
    known = {row.key: row for row in rows_of(connection, flow, [each.key for each in ready])}
    sent = sent_since(connection, flow, {key: row.open_since for key, row in known.items() if row.open_since})
    found: dict[str, Standing] = {}
    for each in ready:
        key = stored_key(each.key)
        found[each.key] = _standing(each, known.get(key), as_sent=sent.get(key) == {each.fingerprint})
    return found


def _standing(ready: Ready, row: Row[Any] | None, *, as_sent: bool) -> Standing:
    if row is None:
        return Standing(State.NEW)
    state = _state(ready, row, as_sent=as_sent)
    return Standing(
        state,
        row.open_remote_id or row.remote_id,
        row.open_since,
        row.version,
        row.source_fingerprint,
        delivered_at=row.delivered_at,
        as_sent=as_sent and state is State.IN_DOUBT,
        is_backwards=state is State.CHANGED and has_older_stamp(ready.version, row.version),
    )


def _state(ready: Ready, row: Row[Any], *, as_sent: bool) -> State:
    if row.fingerprint == ready.fingerprint and row.version == ready.version != "" and row.open_since is None:
        return State.UNCHANGED  # as most are
    # An attempt without an answer may have reached the target: what is older than it must not follow it there. The very
    # same content, read earlier, is what was attempted.
    mine, delivered = as_of(ready), AsOf(row.version, row.read_number)
    as_sent = as_sent and not has_older_stamp(ready.version, row.open_version)
    if (mine.is_older(AsOf(row.open_version, row.open_read_number)) and not as_sent) or (
        mine.is_older(delivered)
        and (row.fingerprint != ready.fingerprint or has_older_stamp(ready.version, row.version))
    ):
        return State.SUPERSEDED
    if row.open_since is not None:
        return State.IN_DOUBT
    if row.fingerprint is None:  # refused so far; with an id the target has a part of it
        return State.CHANGED if row.remote_id else State.NEW
    if row.fingerprint == ready.fingerprint:
        return State.UNCHANGED
    return State.STALE if _is_the_same_source(ready, row) else State.CHANGED


def _is_the_same_source(ready: Ready, row: Row[Any]) -> bool:
    """By its content. Where that was not kept, or is of other fields: by its stamp, where the source gives one.

    Of what an older release prepared nothing is known, and the mapping that made it is that release's own.
    """
    if compares(row.source_fingerprint, ready.source):
        return bool(row.source_fingerprint == ready.source)
    return bool(ready.source and ready.version) and ready.version == row.version
