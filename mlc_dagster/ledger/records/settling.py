"""What needs no request: records that are as they were delivered, stale, or superseded. Written where it is news."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, null, update

from mlc_dagster.core.outcomes import Ready, State
from mlc_dagster.ledger.columns import Moment, stored_key
from mlc_dagster.ledger.entries import AsOf, Event, as_of, newest_by_key
from mlc_dagster.ledger.records import holds
from mlc_dagster.ledger.records.judging import rows_of
from mlc_dagster.ledger.records.trail import Trail, line
from mlc_dagster.ledger.tables import deliveries


class Settling:
    """What settling some records would write; nothing where nothing changes, but for a line on what is superseded."""

    def __init__(self, connection: Connection, flow: str, settled: Sequence[tuple[Ready, State]]) -> None:
        same, stale, superseded = (
            newest_by_key(one for one, found in settled if found is state)
            for state in (State.UNCHANGED, State.STALE, State.SUPERSEDED)
        )
        rows = {row.key: row for row in rows_of(connection, flow, [*same, *stale, *superseded])}
        self._superseded = superseded
        self._same, self._stale = (_news(found, rows, is_stale=found is stale) for found in (same, stale))
        good = {key: as_of(one) for key, one in {**same, **stale}.items()}
        self._healed = holds.open_up_to(connection, flow, good)
        overtaken = {key: _delivered(row) for key in superseded if (row := rows.get(stored_key(key))) and row.version}
        self._passed = holds.open_up_to(connection, flow, overtaken)

    def __bool__(self) -> bool:
        return bool(self._same or self._stale or self._healed or self._superseded)

    def write(self, trail: Trail) -> None:
        _confirm(trail.connection, trail.flow, self._same, None)
        _confirm(trail.connection, trail.flow, self._stale, trail.at)
        superseded = self._superseded.items()
        trail.add(line(Event.SUPERSEDED, key, version=ready.version) for key, ready in superseded)
        holds.close(trail, self._healed, "delivered")
        holds.close(trail, self._passed, "superseded")


def _delivered(row: Row[Any]) -> AsOf:
    return AsOf(row.version, row.read_number)


def _news(found: Mapping[str, Ready], rows: Mapping[str, Row[Any]], *, is_stale: bool) -> list[dict[str, Any]]:
    """What is written of those that say more than the ledger has."""
    known = ((key, ready, rows[stored_key(key)]) for key, ready in found.items() if stored_key(key) in rows)
    return [_told(key, ready, row) for key, ready, row in known if _is_news(ready, row, is_stale)]


def _is_news(ready: Ready, row: Row[Any], is_stale: bool) -> bool:
    """Another walk alone is none: of a record that rests, each look has one."""
    if is_stale is (row.stale_since is None):
        return True
    later = not ready.version and (ready.read_number or 0) > (row.read_number or 0)
    other_source = bool(ready.source) and ready.source != row.source_fingerprint
    says_more = ready.version > (row.version or "") or later or other_source
    return says_more and not as_of(ready).is_older(_delivered(row))


def _told(key: str, ready: Ready, row: Row[Any]) -> dict[str, Any]:
    """A state that was read later and has an older stamp leaves the stamp as it is."""
    is_older = as_of(ready).is_older(_delivered(row))
    return {
        "of_key": key,
        "to_version": max(ready.version, row.version or ""),
        "to_number": max((each for each in (row.read_number, ready.read_number) if each is not None), default=None),
        "to_source": row.source_fingerprint if is_older else ready.source or row.source_fingerprint,
    }


def _confirm(connection: Connection, flow: str, told: Sequence[dict[str, Any]], stale: datetime | None) -> None:
    since = null() if stale is None else func.coalesce(deliveries.c.stale_since, bindparam("since", stale, Moment))
    confirmed = (
        update(deliveries)
        .where(deliveries.c.flow == flow, deliveries.c.key == bindparam("of_key"))
        .values(
            version=bindparam("to_version"),
            read_number=bindparam("to_number"),
            source_fingerprint=bindparam("to_source"),
            stale_since=since,
        )
    )
    if told:
        more = {} if stale is None else {"since": stale}
        connection.execute(confirmed, [each | more for each in told])
