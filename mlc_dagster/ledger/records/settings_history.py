"""How mlc.yaml changed, as the starts of runs saw it: digests of its values by their paths, and never a value."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import insert, select

from mlc_dagster.ledger.database import Database, clock
from mlc_dagster.ledger.entries import Run
from mlc_dagster.ledger.tables import settings_seen

FILE = "mlc.yaml"


class SettingsChange(NamedTuple):
    """A run saw it otherwise than the run before."""

    seen_at: datetime
    run_id: str
    run_by: str  # who started that run, which is not who changed the file; empty: not told
    fingerprint: str
    changed: tuple[str, ...]  # "cin7.accounts.4O10 added", "policies.gl_policy changed"


class SettingsHistory:
    """One row for each state of the file, in the order in which runs saw them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def see(self, fingerprint: str, entries: Mapping[str, str], run: Run) -> bool:
        """Whether it is another one than the run before saw. `entries`: path -> digest."""
        if self._last() == fingerprint:
            return False
        row = {"file": FILE, "run_id": run.run_id, "run_by": run.by, "fingerprint": fingerprint}
        with self._database.writing() as connection:
            told = json.dumps(entries, sort_keys=True)
            connection.execute(insert(settings_seen).values(**row, seen_at=clock(connection), entries=told))
        return True

    def _last(self) -> str | None:
        wanted = select(settings_seen.c.fingerprint).where(settings_seen.c.file == FILE)
        with self._database.reading() as connection:
            found: str | None = connection.execute(wanted.order_by(settings_seen.c.id.desc()).limit(1)).scalar()
        return found

    def changes(self, since: datetime) -> list[SettingsChange]:
        """What runs saw from then on, the oldest first."""
        wanted = select(settings_seen).where(settings_seen.c.file == FILE)
        found, before = list[SettingsChange](), dict[str, str]()
        with self._database.reading() as connection:
            for row in connection.execute(wanted.order_by(settings_seen.c.id)):
                now: dict[str, str] = json.loads(row.entries)
                if row.seen_at >= since:
                    changed = tuple(_changed(before, now)) if before else ("seen for the first time",)
                    found.append(SettingsChange(row.seen_at, row.run_id, row.run_by, row.fingerprint, changed))
                before = now
        return found


def _changed(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    return [
        f"{path} {'removed' if path not in now else 'added' if path not in before else 'changed'}"
        for path in sorted({*before, *now})
        if before.get(path) != now.get(path)
    ]
