"""Records that the source does not have any more when they are about to be delivered."""

from __future__ import annotations

from collections.abc import Mapping

from mlc_dagster.ledger.database import Database
from mlc_dagster.ledger.entries import Event, Run
from mlc_dagster.ledger.records import holds
from mlc_dagster.ledger.records.trail import Trail, line

WHY = "looked for by its key before its delivery: the source does not have it any more"


class Gone:
    """A line in the trail of each, and the end of its hold."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def tell(self, flow: str, versions: Mapping[str, str], *, run: Run) -> None:
        """Key -> the version that was prepared."""
        if not versions:
            return
        with self._database.writing() as connection:
            trail = Trail(connection, flow, run)
            trail.add(line(Event.GONE, key, version=version, detail=WHY) for key, version in versions.items())
            holds.close(trail, holds.of_keys(connection, flow, list(versions)), "gone")
