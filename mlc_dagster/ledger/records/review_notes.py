"""What people write down beside a record, to whom they give it, what they decided; and which forms were answered."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import delete, select, update

from mlc_dagster.ledger.database import Database, clock, upsert
from mlc_dagster.ledger.entries import Attempt, Event, Run
from mlc_dagster.ledger.records.trail import Trail, line
from mlc_dagster.ledger.tables import answered_forms, attempts
from mlc_dagster.ledger.tenants import of_tenant

REVIEW = Run("review")
"""Stands in the trail where a run id would."""
BY_PEOPLE = (
    Event.RELEASED,
    Event.RELEASED_ONCE,
    Event.DISCARDED,
    Event.DECISION_TAKEN_BACK,
    Event.ACCEPTED,
    Event.ASKED_AGAIN,
    Event.RELINKED,
    Event.FORGOTTEN,
    Event.ABSENT,
    Event.PROPOSED,
    Event.REFUSED_BY_PERSON,
)
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

    def decisions(self, flows: Sequence[str], before: int | None = None, limit: int = 50) -> list[Attempt]:
        """What people decided, the newest first; `before`: the id of the last one shown."""
        wanted = select(attempts).where(attempts.c.flow.in_(flows), attempts.c.event.in_(BY_PEOPLE))
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


def _line(row: dict[str, object]) -> Attempt:
    told = {name: value for name, value in row.items() if name not in ("seq", "hash")}
    return Attempt(**{**told, "event": Event(str(row["event"]))})  # type: ignore[arg-type]
