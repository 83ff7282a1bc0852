"""Why a difference may stand for a while: a person's word with its last day. It stays open, and counts as before."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import select, update

from mlc_dagster.ledger.columns import stored_key
from mlc_dagster.ledger.database import Database
from mlc_dagster.ledger.entries import Event, Run
from mlc_dagster.ledger.records.differences import Difference
from mlc_dagster.ledger.records.trail import Trail, line
from mlc_dagster.ledger.records.ways_back import Said, WordRefused
from mlc_dagster.ledger.tables import differences

BY = Run("review")


class Explanations:
    """Of these differences as they were looked at: one that a look finds with other values is explained no more."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def explain(self, seen: Sequence[Difference], until: date, said: Said) -> None:
        """Up to and with that day. Raises WordRefused where one has changed, or is open no more."""
        told = f"until {until.isoformat()} {said}"
        self._put(seen, {"explained_until": until, "explained": str(said)}, Event.EXPLAINED, told)

    def end(self, seen: Sequence[Difference], said: Said) -> None:
        """At once. Raises WordRefused, likewise."""
        self._put(seen, {"explained_until": None, "explained": None}, Event.EXPLANATION_ENDED, str(said))

    def _put(self, seen: Sequence[Difference], values: dict[str, Any], event: Event, told: str) -> None:
        flow, key = seen[0].flow, seen[0].key
        with self._database.writing() as connection:
            trail = Trail(connection, flow, BY)
            mine = (differences.c.flow == flow, differences.c.key == stored_key(key), differences.c.closed_at.is_(None))
            wanted = select(differences.c.id, differences.c.ours, differences.c.theirs).where(*mine)
            there = {row.id: (row.ours, row.theirs) for row in connection.execute(wanted.with_for_update())}
            if there != {one.id: (one.ours, one.theirs) for one in seen}:
                raise WordRefused(f"{flow} {key}: what differs has changed since it was looked at")
            connection.execute(update(differences).where(*mine).values(values))
            trail.add([line(event, key, detail=told)])
