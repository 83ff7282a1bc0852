"""What other systems told us by webhook: each event once, kept before it is answered, handed to a run by a sensor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, func, select, text, update

from mlc_dagster.ledger.columns import storable
from mlc_dagster.ledger.database import Database, clock, upsert
from mlc_dagster.ledger.tables import inbox
from mlc_dagster.ledger.tenants import of_tenant

_ADVISORY_LOCK = 0x6D6C6369  # "mlci": any number that nobody else locks together with a source's name


@dataclass(frozen=True)
class InboxEvent:
    """An event as it stands in the ledger. `subject`: id of the record it is about, "" where it was not told."""

    id: int
    source: str
    event_id: str
    kind: str
    subject: str
    body: str  # as it came
    received_at: datetime
    taken_at: datetime | None  # None: no run was asked for yet
    run_key: str | None

    def says(self, body: str) -> bool:
        """Whether the event came with this body."""
        return self.body == storable(body)


@dataclass(frozen=True)
class Batch:
    """All that waits of one source: up to which id, how many, and the event ids of the newest."""

    up_to_id: int
    count: int
    event_ids: tuple[str, ...]  # the newest first


class Inbox:
    """Events by (source, event id). A later one has a higher id, and is seen later: `take` never skips one."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def store(self, source: str, event_id: str, kind: str, subject: str, body: str) -> bool:
        """Keep an event; it is on the disk on return. False where that event id was there: nothing is changed then."""
        with self._database.writing() as connection:
            _in_order(connection, source)
            row = {"source": source, "event_id": event_id, "kind": kind, "subject": subject, "body": body}
            statement = upsert(connection.dialect.name, inbox).values(**row, received_at=clock(connection))
            new = statement.on_conflict_do_nothing(index_elements=["source", "event_id"]).returning(inbox.c.id)
            return connection.execute(new).first() is not None

    def read(self, source: str, event_id: str) -> InboxEvent | None:
        """One event; None where it never came."""
        found = self._events(select(inbox).where(inbox.c.source == source, inbox.c.event_id == event_id))
        return found[0] if found else None

    def waiting(self, source: str, limit: int | None = 1000) -> list[InboxEvent]:
        """Those that no run was asked for yet, the oldest first."""
        return self._events(select(inbox).where(*_waits(source)).order_by(inbox.c.id).limit(limit))

    def batch(self, source: str, named: int = 20) -> Batch | None:
        """All that waits, without the bodies; None where nothing does. At most `named` event ids are told."""
        newest = select(inbox.c.id, inbox.c.event_id).where(*_waits(source)).order_by(inbox.c.id.desc()).limit(named)
        with self._database.reading() as connection:
            rows = connection.execute(newest).all()
            if not rows:
                return None
            older = select(func.count()).select_from(inbox).where(*_waits(source), inbox.c.id <= rows[0].id)
            count = connection.execute(older).scalar_one()
        return Batch(rows[0].id, count, tuple(row.event_id for row in rows))

    def take(self, source: str, up_to_id: int, run_key: str) -> int:
        """Mark what waits, up to that id, as handed to a run; how many that were."""
        with self._database.writing() as connection:
            taken = update(inbox).where(*_waits(source), inbox.c.id <= up_to_id)
            return int(connection.execute(taken.values(taken_at=clock(connection), run_key=run_key)).rowcount)

    def count(self, source: str | None = None, *, waiting: bool = False) -> int:
        """How many events came, of a source or of all; or how many of them wait."""
        wanted = select(func.count()).select_from(inbox).where(of_tenant(inbox.c.source))
        if source is not None:
            wanted = wanted.where(inbox.c.source == source)
        if waiting:
            wanted = wanted.where(inbox.c.taken_at.is_(None))
        with self._database.reading() as connection:
            return int(connection.execute(wanted).scalar_one())

    def of_subject(self, source: str, subject: str) -> list[InboxEvent]:
        """All that was ever told of a record, the oldest first."""
        wanted = select(inbox).where(inbox.c.source == source, inbox.c.subject == subject)
        return self._events(wanted.order_by(inbox.c.id))

    def _events(self, wanted: Select[Any]) -> list[InboxEvent]:
        with self._database.reading() as connection:
            return [InboxEvent(**row) for row in connection.execute(wanted).mappings()]


def _waits(source: str) -> Sequence[Any]:
    return inbox.c.source == source, inbox.c.taken_at.is_(None)


def _in_order(connection: Connection, source: str) -> None:
    """PostgreSQL would show id 6 before id 5 where 5 commits later; SQLite has one writer anyway."""
    if connection.dialect.name != "sqlite":
        lock = text("SELECT pg_advisory_xact_lock(:number, hashtext(:source))")
        connection.execute(lock, {"number": _ADVISORY_LOCK, "source": source})
