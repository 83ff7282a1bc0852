"""The trail of each key: lines are added, never changed, never deleted."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from mlc_dagster.ledger.entries import Attempt, Event, Run
from mlc_dagster.ledger.tables import attempts


def line(
    event: Event, key: str, *, version: str = "", fingerprint: str = "", remote_id: str | None = None, detail: str = ""
) -> dict[str, Any]:
    return {
        "event": event.value,
        "key": key,
        "version": version,
        "fingerprint": fingerprint,
        "remote_id": remote_id,
        "detail": detail,
    }


def write(connection: Connection, flow: str, lines: Iterable[dict[str, Any]], run: Run, at: datetime) -> None:
    """Add lines, in their order."""
    common = {"flow": flow, "run_id": run.run_id, "partition": run.partition, "at": at}
    if rows := [line | common for line in lines]:
        connection.execute(insert(attempts), rows)


def read(connection: Connection, flow: str, key: str) -> list[Attempt]:
    """All that happened to a key, oldest first."""
    found = connection.execute(
        select(attempts).where(attempts.c.flow == flow, attempts.c.key == key).order_by(attempts.c.id)
    )
    return [Attempt(**{**row, "key": key, "event": Event(row["event"])}) for row in found.mappings()]
