"""What a person says of a delivered record and its target: each is one transaction with its line in the trail."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import Connection, delete, null, select, update

from mlc_dagster.core.difference_kinds import (
    DELETED_IN_THE_TARGET,
    EDITED_IN_THE_TARGET,
    SOMEONE_INSISTS,
    TARGET_SIDE,
    VOIDED_IN_THE_TARGET,
)
from mlc_dagster.core.errors import MlcError
from mlc_dagster.ledger.columns import stored_key
from mlc_dagster.ledger.database import Database, clock
from mlc_dagster.ledger.entries import NEVER_AGAIN, Event, Run
from mlc_dagster.ledger.records import looks
from mlc_dagster.ledger.records.differences import Difference, Differences, close_of_key
from mlc_dagster.ledger.records.looks import Remembered
from mlc_dagster.ledger.records.trail import Trail, line
from mlc_dagster.ledger.tables import deliveries, shown

_SEEN = (EDITED_IN_THE_TARGET, SOMEONE_INSISTS)
_STATES = {DELETED_IN_THE_TARGET: "deleted", VOIDED_IN_THE_TARGET: "voided"}
"""Kind of difference -> the state in which the target has it."""


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
            return close_of_key(trail, key, TARGET_SIDE, f"accepted {said}")

    def accept_as_seen(self, flow: str, key: str, said: Said, run: Run) -> int:
        """What the last look found is agreed, and what else differs is closed by this word; how many that closes.

        Nobody asks the target: should it have changed once more, the next look finds that anew. Raises WordRefused
        where nothing is known of the target as a whole.
        """
        found = Differences(self._database).open(flow, key)
        seen = [one for one in found if one.kind in _SEEN or one.kind in _STATES]
        closed = 0
        if seen:
            closed = self.accept(flow, key, self._agreed(flow, key, seen), "as it was seen last", said, run)
        others = [one.id for one in found if one not in seen]
        return closed + (Differences(self._database).close(others, f"accepted {said}", run) if others else 0)

    def _agreed(self, flow: str, key: str, seen: Sequence[Difference]) -> Remembered:
        looks_ = looks.Looks(self._database).of(flow, [key])
        if not looks_ or not looks_[0].is_whole:
            words = f"{flow} {key}: it is not known what the target has of it as a whole"
            raise WordRefused(words, cure="Wait for the nightly look, or: mlc reconcile.")
        look = looks_[0]
        values, accepted = dict(look.shown or {}), dict(look.accepted)
        for one in seen:
            if one.kind in _STATES:
                return Remembered({**values, looks.STATE: _STATES[one.kind]}, accepted, look.restored)
            ours = values.get(one.field, one.ours)
            theirs = Decimal(one.theirs) if isinstance(ours, Decimal) and one.theirs else one.theirs
            values[one.field], accepted[one.field] = theirs, (ours, theirs)
        return Remembered(values, accepted, look.restored)

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
            return close_of_key(trail, key, TARGET_SIDE, f"relinked {said}")

    def forget(self, flow: str, key: str, said: Said, run: Run) -> int:
        """What is in the target is none of ours; how many differences that closes. The next load finds it new."""
        with self._writing(flow, run, said) as trail:
            remote_id = _delivered(trail.connection, flow, key)
            mine = (deliveries.c.flow == flow, deliveries.c.key == stored_key(key))
            trail.connection.execute(delete(deliveries).where(*mine))
            _forget_what_was_shown(trail.connection, flow, key)
            trail.add([line(Event.FORGOTTEN, key, remote_id=remote_id, detail=str(said))])
            return close_of_key(trail, key, TARGET_SIDE, f"forgotten {said}")

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
