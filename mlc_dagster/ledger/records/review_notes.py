"""What people write down beside a record, to whom they give it, what they decided; and which forms were answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, func, literal_column, select, text, type_coerce, update

from mlc_dagster.ledger.database import Database, clock, upsert
from mlc_dagster.ledger.entries import Attempt, Event, Run
from mlc_dagster.ledger.people_events import BY_PEOPLE_CONDITION
from mlc_dagster.ledger.records.trail import Trail, line
from mlc_dagster.ledger.tables import answered_forms, attempts
from mlc_dagster.ledger.tenants import Scoped, of_tenant

REVIEW = Run("review")
"""Stands in the trail where a run id would."""
KEPT = timedelta(days=14)


class ReviewNotes:
    """Each is a line of the trail, with who said it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, flow: str, key: str, who: str, text: str) -> None:
        self._tell(flow, key, Event.NOTED, f"by {who}: {text}")

    def assigned(self, flow: str, key: str, who: str, to: str) -> None:
        """The item itself is given by `open_items.assign`."""
        self._tell(flow, key, Event.ASSIGNED, f"by {who}: to {to or 'nobody'}")

    def decisions(self, flows: Sequence[str], before: int | None = None, limit: int = 50) -> list[DecidedLine]:
        """What people decided, the newest first; `before`: the id of the last one shown."""
        named = type_coerce(func.coalesce(attempts.c.flow, literal_column("''")), Scoped()).in_(flows)
        wanted = select(attempts).where(named, text(BY_PEOPLE_CONDITION))  # not by the index of flows: it sorts all
        if before is not None:
            wanted = wanted.where(attempts.c.id < before)
        with self._database.reading() as connection:
            rows = connection.execute(wanted.order_by(attempts.c.id.desc()).limit(limit)).mappings()
            return [_line(dict(row)) for row in rows]

    # --- forms ---

    def begin(self, once: str, person: str) -> bool:
        """Whether this form is answered for the first time. What was begun so is ended, or given back."""
        with self._database.writing() as connection:
            now = clock(connection)
            old = (of_tenant(answered_forms.c.once), answered_forms.c.at < now - KEPT)
            connection.execute(delete(answered_forms).where(*old))
            new = upsert(connection.dialect.name, answered_forms).on_conflict_do_nothing()
            row = {"once": once, "person": person, "at": now, "outcome": None}
            return connection.execute(new, row).rowcount > 0

    def end(self, once: str, outcome: str) -> None:
        with self._database.writing() as connection:
            mine = answered_forms.c.once == once
            connection.execute(update(answered_forms).where(mine).values(outcome=outcome))

    def give_back(self, once: str) -> None:
        """It came to nothing, and may be sent again."""
        with self._database.writing() as connection:
            mine = (answered_forms.c.once == once, answered_forms.c.outcome.is_(None))
            connection.execute(delete(answered_forms).where(*mine))

    def outcome(self, once: str) -> str | None:
        """What came of a form; None: it is under way, or there is none."""
        with self._database.reading() as connection:
            wanted = select(answered_forms.c.outcome).where(answered_forms.c.once == once)
            found: str | None = connection.execute(wanted).scalar()
            return found

    def _tell(self, flow: str, key: str, event: Event, detail: str) -> None:
        with self._database.writing() as connection:
            Trail(connection, flow, REVIEW).add([line(event, key, detail=detail)])


@dataclass(frozen=True)
class DecidedLine(Attempt):
    """A line of the trail, and its place in the chain of its flow."""

    seq: int | None = None  # the number of the line in its chain; None: an earlier release wrote it, without one
    hash: str | None = None  # of the line and of those before it


def _line(row: dict[str, Any]) -> DecidedLine:
    return DecidedLine(**{**row, "event": Event(row["event"])})
