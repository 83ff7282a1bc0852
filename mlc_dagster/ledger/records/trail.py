"""The trail of each key: lines are added, never changed, never deleted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, or_, select

from mlc_dagster.core.vocabulary import version_of
from mlc_dagster.ledger.bulk import Bulk
from mlc_dagster.ledger.columns import storable, stored_key
from mlc_dagster.ledger.database import DIALECTS, chunks, clock, upsert
from mlc_dagster.ledger.entries import Attempt, Event, Run
from mlc_dagster.ledger.records import chain
from mlc_dagster.ledger.tables import attempts
from mlc_dagster.ledger.tenants import stored_name

NO_KEY = ""
"""Of a line that is about a run, and not about a record."""


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
        if self.run.by and not _is_told(self.connection, self.flow, self.run):
            rows.insert(0, line(Event.STARTED, NO_KEY, detail=self.run.by))
        self._write(rows)

    def tell_start(self) -> None:
        """A line that says who started the run, for this partition too."""
        if not _is_told(self.connection, self.flow, self.run, self.run.partition):
            self._write([line(Event.STARTED, NO_KEY, detail=self.run.by)])

    def _write(self, rows: list[dict[str, Any]]) -> None:
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


def _is_told(connection: Connection, flow: str, run: Run, partition: str | None = None) -> bool:
    """Whether it is told of this run, or of its work on the partition. Two runs at once may both tell it twice."""
    mine = [attempts.c.flow == flow, attempts.c.key == NO_KEY]
    if partition is not None:
        of_run = (attempts.c.run_id == run.run_id, attempts.c.partition == partition)
        return connection.execute(select(attempts.c.id).where(*mine, *of_run).limit(1)).first() is not None
    latest = select(attempts.c.run_id).where(*mine).order_by(attempts.c.id.desc()).limit(1)
    return connection.execute(latest).scalar() == run.run_id


def starts(connection: Connection, flow: str, run_ids: Iterable[str], partitions: Iterable[str]) -> list[Attempt]:
    """The lines that say who started these runs, and who started others on these partitions; oldest first."""
    mine = (attempts.c.flow == flow, attempts.c.key == NO_KEY)
    named = or_(attempts.c.run_id.in_(sorted(run_ids)), attempts.c.partition.in_(sorted(partitions)))
    found = connection.execute(select(*_TOLD).where(*mine, named).order_by(attempts.c.id))
    return [Attempt(**{**row, "event": Event(row["event"])}) for row in found.mappings()]


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
