"""What a person says of a delivered record and its target: each is one transaction with its line in the trail."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from sqlalchemy import Connection, delete, null, select, update

from mlc_dagster.core.difference_kinds import TARGET_SIDE
from mlc_dagster.core.errors import MlcError
from mlc_dagster.ledger.columns import stored_key
from mlc_dagster.ledger.database import Database, clock
from mlc_dagster.ledger.entries import NEVER_AGAIN, Event, Run
from mlc_dagster.ledger.records import looks
from mlc_dagster.ledger.records.looks import Remembered
from mlc_dagster.ledger.records.trail import Trail, line
from mlc_dagster.ledger.tables import deliveries, differences, shown


class WordRefused(MlcError):
    """What a person said was not written: nothing has changed."""


class Said(NamedTuple):
    """By whom, and why."""

    who: str
    reason: str

    def __str__(self) -> str:
        return f"by {self.who}: {self.reason}"


class LedgerWaysBack:
    """Raises WordRefused where it is not said by whom and why, or where nothing was delivered under the key."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def asked_again(self, flow: str, key: str, what: str, said: Said, run: Run) -> None:
        """It is to be sent once more; what was accepted of it counts no more. `what`: restore, recreate."""
        with self._writing(flow, run, said) as trail:
            remote_id = _delivered(trail.connection, flow, key)
            mine = (shown.c.flow == flow, shown.c.key == stored_key(key))
            trail.connection.execute(update(shown).where(*mine).values(accepted=null()))
            trail.add([line(Event.ASKED_AGAIN, key, remote_id=remote_id, detail=f"{what} {said}")])

    def accept(self, flow: str, key: str, agreed: Remembered, what: str, said: Said, run: Run) -> int:
        """What is agreed from now on; how many differences that closes. `what`: in words, for the trail."""
        with self._writing(flow, run, said) as trail:
            remote_id = _delivered(trail.connection, flow, key)
            looks.put(trail.connection, flow, key, agreed, clock(trail.connection))
            trail.add([line(Event.ACCEPTED, key, remote_id=remote_id, detail=f"{said} ({what})")])
            return _close(trail.connection, flow, key, f"accepted {said}")

    def relink(self, flow: str, key: str, remote_id: str, agreed: Remembered | None, said: Said, run: Run) -> int:
        """It is this record of the target from now on; how many differences that closes. `agreed`: what is taken as it
        is there; None: it is compared with what was sent, at the next look.
        """
        with self._writing(flow, run, said) as trail:
            before = _delivered(trail.connection, flow, key)
            mine = (deliveries.c.flow == flow, deliveries.c.key == stored_key(key))
            new = {"remote_id": remote_id, "link": null(), "verified_at": null()}
            trail.connection.execute(update(deliveries).where(*mine).values(new))
            _forget_what_was_shown(trail.connection, flow, key)
            if agreed:
                looks.put(trail.connection, flow, key, agreed, clock(trail.connection))
            trail.add([line(Event.RELINKED, key, remote_id=remote_id, detail=f"{said} (it was {before})")])
            return _close(trail.connection, flow, key, f"relinked {said}")

    def forget(self, flow: str, key: str, said: Said, run: Run) -> int:
        """What is in the target is none of ours; how many differences that closes. The next load finds it new."""
        with self._writing(flow, run, said) as trail:
            remote_id = _delivered(trail.connection, flow, key)
            mine = (deliveries.c.flow == flow, deliveries.c.key == stored_key(key))
            trail.connection.execute(delete(deliveries).where(*mine))
            _forget_what_was_shown(trail.connection, flow, key)
            trail.add([line(Event.FORGOTTEN, key, remote_id=remote_id, detail=str(said))])
            return _close(trail.connection, flow, key, f"forgotten {said}")

    def owners(self, flow: str, remote_id: str) -> list[str]:
        """The keys of a flow that are delivered as this record of the target."""
        wanted = select(deliveries.c.key).where(
            deliveries.c.flow == flow,
            deliveries.c.remote_id == remote_id,
            deliveries.c.fingerprint.is_not(None),
            deliveries.c.version.is_distinct_from(NEVER_AGAIN),
        )
        with self._database.reading() as connection:
            return [row.key for row in connection.execute(wanted.order_by(deliveries.c.key))]

    @contextmanager
    def _writing(self, flow: str, run: Run, said: Said) -> Iterator[Trail]:
        if not said.who.strip() or not said.reason.strip():
            lacking = "why" if said.who.strip() else "by whom"
            raise WordRefused(f"it is not said {lacking}: nothing has changed", cure="The trail keeps who, and why.")
        with self._database.writing() as connection:
            yield Trail(connection, flow, run)


def _delivered(connection: Connection, flow: str, key: str) -> str:
    """Its id in the target. Raises WordRefused where there is none, or an attempt is still without an answer."""
    wanted = select(deliveries.c.remote_id, deliveries.c.fingerprint, deliveries.c.open_since)
    row = connection.execute(wanted.where(deliveries.c.flow == flow, deliveries.c.key == stored_key(key))).first()
    if row is None or row.remote_id is None or row.fingerprint is None:
        raise WordRefused(f"{flow} delivered nothing under {key!r}: nothing has changed")
    if row.open_since is not None:
        words = f"{flow} {key}: an attempt from {row.open_since:%Y-%m-%d %H:%M} is without an answer"
        raise WordRefused(words, cure="Load its day first: it is looked for there.")
    return str(row.remote_id)


def _forget_what_was_shown(connection: Connection, flow: str, key: str) -> None:
    connection.execute(delete(shown).where(shown.c.flow == flow, shown.c.key == stored_key(key)))


def _close(connection: Connection, flow: str, key: str, by: str) -> int:
    mine = (differences.c.flow == flow, differences.c.key == stored_key(key), differences.c.closed_at.is_(None))
    of_the_target = differences.c.kind.in_(TARGET_SIDE)
    closed = update(differences).where(*mine, of_the_target).values(closed_at=clock(connection), closed_by=by)
    return int(connection.execute(closed).rowcount)
