"""One writer for a name, across threads, processes and machines."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, select, update

from mlc_dagster.errors import MlcError
from mlc_dagster.ledger.database import Database, LedgerUnavailable, clock, upsert
from mlc_dagster.ledger.tables import leases

POLL_SECONDS = 0.25
log = logging.getLogger(__name__)


class LeaseLost(MlcError):
    """Another writer took over: stop the run. Nothing of the call that found it out was written."""


@dataclass(frozen=True)
class Lease:
    """The right to write for a name. `token` counts up with each owner, so that a late writer is recognised."""

    name: str
    owner: str
    token: int
    seconds: float


@contextmanager
def lease(
    database: Database, name: str, owner: str, *, seconds: float, on_wait: Callable[[str], None] | None
) -> Iterator[Lease]:
    held = _wait_for(database, name, owner, seconds, on_wait)
    stop = threading.Event()
    heart = threading.Thread(target=_beat, args=(database, held, stop), name=f"lease {name}", daemon=True)
    heart.start()
    try:
        yield held
    finally:
        stop.set()
        heart.join()
        _release(database, held)


def confirm(connection: Connection, held: Lease, now: datetime) -> None:
    """Renew, in the transaction that relies on it. Raises LeaseLost where another one took over."""
    if not _renewed(connection, held, now):
        raise LeaseLost(
            f"{held.owner} lost {held.name}: another writer took over after {held.seconds:g} s of silence",
            cure="Nothing was written. Run it again: it goes on where the other one ends.",
        )


def _wait_for(
    database: Database, name: str, owner: str, seconds: float, on_wait: Callable[[str], None] | None
) -> Lease:
    told: str | None = None
    while True:
        with database.writing(hasty=True) as connection:
            token, other = _take(connection, name, owner, seconds)
        if token is not None:
            return Lease(name, owner, token, seconds)
        if on_wait is not None and other != told:
            on_wait(other)
            told = other
        time.sleep(POLL_SECONDS)


def _take(connection: Connection, name: str, owner: str, seconds: float) -> tuple[int | None, str]:
    """The token where the lease is ours now; else None, and who has it."""
    now = clock(connection)
    statement = upsert(connection.dialect.name, leases)
    new = statement.excluded
    take = statement.on_conflict_do_update(
        index_elements=["name"],
        set_={"owner": new.owner, "token": leases.c.token + 1, "expires_at": new.expires_at},
        where=leases.c.expires_at <= now,
    ).returning(leases.c.token)
    ours = {"name": name, "owner": owner, "token": 1, "expires_at": now + timedelta(seconds=seconds)}
    token = connection.execute(take, ours).scalar()
    other = connection.execute(select(leases.c.owner).where(leases.c.name == name)).scalar_one()
    return token, other


def _renewed(connection: Connection, held: Lease, now: datetime) -> bool:
    renew = update(leases).where(leases.c.name == held.name, leases.c.token == held.token)
    return connection.execute(renew.values(expires_at=now + timedelta(seconds=held.seconds))).rowcount == 1


def _beat(database: Database, held: Lease, stop: threading.Event) -> None:
    """Renew at a third of the time: two failures in a row lose nothing. The writer finds a loss in `confirm`."""
    while not stop.wait(held.seconds / 3):
        try:
            with database.writing(hasty=True) as connection:
                if not _renewed(connection, held, clock(connection)):
                    log.warning("lease %s: another writer took over from %s", held.name, held.owner)
                    return
        except LedgerUnavailable as error:
            log.warning("lease %s was not renewed: %s", held.name, error.message)


def _release(database: Database, held: Lease) -> None:
    """Let the next one in at once. Where that fails it expires by itself: the end of a run is not lost over it."""
    try:
        with database.writing(hasty=True) as connection:
            free = update(leases).where(leases.c.name == held.name, leases.c.token == held.token)
            connection.execute(free.values(expires_at=clock(connection)))
    except LedgerUnavailable as error:
        log.warning("lease %s was not released, it expires in %g s: %s", held.name, held.seconds, error.message)
