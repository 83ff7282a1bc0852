"""The trail of each key: lines are added, never changed, never deleted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, select

from mlc_dagster.core.vocabulary import version_of
from mlc_dagster.ledger.bulk import Bulk
from mlc_dagster.ledger.columns import storable, stored_key
from mlc_dagster.ledger.database import DIALECTS, chunks, clock, upsert
from mlc_dagster.ledger.entries import Attempt, Event, Run
from mlc_dagster.ledger.records import chain
from mlc_dagster.ledger.tables import attempts
from mlc_dagster.ledger.tenants import stored_name


def line(
    event: Event, key: str, *, version: str = "", fingerprint: str = "", remote_id: str | None = None, detail: str = ""
) -> dict[str, Any]:
    """A line as it is stored, and hashed."""
    return {
        "event": event.value,
        "key": stored_key(key),
        "version": version,
        "fingerprint": fingerprint,
        "remote_id": None if remote_id is None else storable(remote_id),
        "detail": storable(detail),
    }


class Trail:
    """One flow's trail in one transaction, and who writes and when.

    Nobody else adds to it from here on until the transaction ends. Open it before any row of the flow is touched: two
    writers of a flow then wait for each other here, and cannot block each other further on.
    """

    def __init__(self, connection: Connection, flow: str, run: Run) -> None:
        self.connection, self.flow, self.run = connection, flow, run
        self._head = chain.locked(connection, flow)
        self.at = clock(connection)

    def add(self, lines: Iterable[dict[str, Any]]) -> None:
        """Add lines, in their order."""
        rows = list(lines)
        if not rows:
            return
        text = version_of(self.at)
        run_id, partition = self.run.run_id, storable(self.run.partition)
        flow = stored_name(self.flow, self.connection.dialect)
        self._head = chain.chained(self._head, (flow, text, run_id, partition), rows)
        common = {"flow": self.flow, "at": self.at, "run_id": run_id, "partition": partition}
        _ADDED.write(self.connection, common, map(itemgetter(*_ADDED.own), rows))
        chain.move(self.connection, self.flow, self._head)


_ADDED = Bulk(
    {name: upsert(name, attempts).inline() for name in DIALECTS},
    alike=chain.COMMON,
    own=(*chain.OWN, "seq", "hash"),
)
_TOLD = [each for each in attempts.c if each.name not in ("seq", "hash")]


def read(connection: Connection, flow: str, key: str) -> list[Attempt]:
    """All that happened to a key, oldest first."""
    found = connection.execute(
        select(*_TOLD).where(attempts.c.flow == flow, attempts.c.key == key).order_by(attempts.c.id)
    )
    return [Attempt(**{**row, "key": key, "event": Event(row["event"])}) for row in found.mappings()]


def sent_since(connection: Connection, flow: str, since: Mapping[str, datetime | None]) -> dict[str, set[str]]:
    """Key -> fingerprints of the contents that were sent from its moment on."""
    found: dict[str, set[str]] = defaultdict(set)
    for chunk in chunks(list(since)):
        wanted = select(attempts.c.key, attempts.c.at, attempts.c.fingerprint).where(
            attempts.c.flow == flow, attempts.c.key.in_(chunk), attempts.c.event == Event.SENT
        )
        for row in connection.execute(wanted):
            start = since[row.key]
            if start is None or row.at >= start:
                found[row.key].add(row.fingerprint)
    return found
