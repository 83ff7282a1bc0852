"""The trail of each key: lines are added, never changed, never deleted."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, insert, select

from mlc_dagster.ledger import chain
from mlc_dagster.ledger.columns import storable, stored_key
from mlc_dagster.ledger.database import clock
from mlc_dagster.ledger.entries import Attempt, Event, Run
from mlc_dagster.ledger.tables import attempts


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
        common = {
            "flow": self.flow,
            "run_id": self.run.run_id,
            "partition": storable(self.run.partition),
            "at": self.at,
        }
        rows = [line | common for line in lines]
        if not rows:
            return
        for row, head in zip(rows, chain.chained(self._head, self.flow, rows), strict=True):
            row["seq"], row["hash"] = head.seq, head.hash
            self._head = head
        self.connection.execute(insert(attempts), rows)
        chain.move(self.connection, self.flow, self._head)


_TOLD = [column for column in attempts.c if column.name not in ("seq", "hash")]


def read(connection: Connection, flow: str, key: str) -> list[Attempt]:
    """All that happened to a key, oldest first."""
    found = connection.execute(
        select(*_TOLD).where(attempts.c.flow == flow, attempts.c.key == key).order_by(attempts.c.id)
    )
    return [Attempt(**{**row, "key": key, "event": Event(row["event"])}) for row in found.mappings()]
