"""What loads in shadow would have done: each difference once for its content, for people to read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func, select

from mlc_dagster.ledger.columns import stored_key
from mlc_dagster.ledger.database import Database, clock, upsert
from mlc_dagster.ledger.entries import Run
from mlc_dagster.ledger.tables import shadowed
from mlc_dagster.ledger.tenants import of_tenant

Changes = tuple[tuple[str, str | None, str | None], ...]
"""(field, before, after)"""


class Told(NamedTuple):
    """A difference."""

    key: str
    mark: str  # differs when the record, or what the ledger says of it, differs
    does: str  # create, change, look first
    changes: Changes


class ToldEntry(NamedTuple):
    """A difference as it stands in the ledger."""

    flow: str
    key: str
    does: str
    changes: Changes
    partition: str
    run_id: str
    at: datetime


class Shadow:
    """Appended to; nothing that decides what is delivered looks at it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def tell(self, flow: str, found: Sequence[Told], run: Run) -> frozenset[tuple[str, str]]:
        """Keep what was not told before; (key, mark) of that."""
        if not found:
            return frozenset()
        new: set[tuple[str, str]] = set()
        with self._database.writing() as connection:
            common = {"flow": flow, "partition": run.partition, "run_id": run.run_id, "at": clock(connection)}
            statement = upsert(connection.dialect.name, shadowed).on_conflict_do_nothing()
            for one in found:
                mark = hashlib.blake2b(one.mark.encode(errors="backslashreplace"), digest_size=16).hexdigest()
                row = {"key": one.key, "mark": mark, "does": one.does, "changes": json.dumps(one.changes)}
                if connection.execute(statement.returning(shadowed.c.id), {**common, **row}).first():
                    new.add((one.key, one.mark))
        return frozenset(new)

    def read(self, flow: str | None = None, key: str | None = None, limit: int | None = 50) -> list[ToldEntry]:
        """The newest so many, the newest last; of a flow, or of a key."""
        wanted = select(shadowed).order_by(shadowed.c.id.desc()).limit(limit)
        wanted = wanted.where(of_tenant(shadowed.c.flow, walked=True) if flow is None else shadowed.c.flow == flow)
        if key is not None:
            wanted = wanted.where(shadowed.c.key == stored_key(key))
        with self._database.reading() as connection:
            rows = connection.execute(wanted).all()
        return [
            ToldEntry(row.flow, row.key, row.does, _changes(row.changes), row.partition, row.run_id, row.at)
            for row in reversed(rows)
        ]

    def count(self) -> dict[tuple[str, str], int]:
        """(flow, what would be done) -> differences told."""
        kind = (shadowed.c.flow, shadowed.c.does)
        wanted = select(*kind, func.count()).where(of_tenant(shadowed.c.flow)).group_by(*kind)
        with self._database.reading() as connection:
            return {(flow, does): number for flow, does, number in connection.execute(wanted)}


def _changes(text: str) -> Changes:
    return tuple((name, before, after) for name, before, after in json.loads(text))
