"""A backup becomes the ledger again. What was delivered since is looked up in the target by its key, and adopted."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Connection, case, delete, distinct, func, insert, select, update

from mlc_dagster.core.commands import offered
from mlc_dagster.core.errors import Misconfigured, MlcError
from mlc_dagster.ledger.coordination.leases import LEFT
from mlc_dagster.ledger.database import Database, clock, parse, place
from mlc_dagster.ledger.entries import Event
from mlc_dagster.ledger.opening import open_database
from mlc_dagster.ledger.tables import attempts, budgets, chains, leases, pauses, stored
from mlc_dagster.ledger.tenants import in_words
from mlc_dagster.ledger.upkeep.backups import Manifest, into_file, unpacked
from mlc_dagster.ledger.upkeep.copying import rows_to_server

DELIVERED = (Event.CREATED, Event.UPDATED, Event.ADOPTED)
DECIDED = (Event.RELEASED, Event.DISCARDED, Event.DECISION_TAKEN_BACK)
OF_NO_RECORD = (Event.READ, Event.STARTED, Event.AGREED)
"""Lines about walks, runs and pairs: the records that moved have lines of their own."""
BY = "mlc ledger restore"


class RestoreRefused(MlcError):
    """Something would be lost that a person has not spoken of, or somebody writes now: nothing was changed."""


class Newer(NamedTuple):
    """What the ledger that is there has, and the backup has not: records that moved since, by what happened."""

    records: int
    delivered: int
    decided: int


@dataclass(frozen=True)
class Restored:
    """What became of it."""

    manifest: Manifest
    given_up: Newer
    lifted: list[str]  # connections that were paused in the backup, and are not now


def restore(file: Path, url: str, giving_up: int | None = None) -> Restored:
    """Put a backup in the place of the ledger at an address, for all its tenants; where there is none, one is made.

    `giving_up`: the number of records that moved since, as a person said it. Raises BackupRefused, RestoreRefused.
    """
    with unpacked(file) as (manifest, tables), closing(_opened(url)) as there:
        backup = Database(parse(f"sqlite:///{tables}"), tenant=None)
        with closing(backup):
            _nobody_writes(there)
            newer = _newer(there, backup)
            if newer.records != (giving_up or 0):
                raise _given_up(there, newer, manifest, file, giving_up)
            lifted = _as_of_now(backup, there)
        _install(tables, there)
    return Restored(manifest, newer, lifted)


def _opened(url: str) -> Database:
    try:
        return open_database(url, None)
    except Misconfigured as error:
        cure = "Is it damaged? Move it away, with what has its name and -wal or -shm, and restore again."
        raise Misconfigured(error.message, cure=cure) from None


def _nobody_writes(there: Database) -> None:
    with there.reading() as connection:
        held = select(leases).where(leases.c.expires_at > clock(connection)).order_by(leases.c.name)
        found = connection.execute(held).first()
    if found is not None:
        words = f"somebody writes to the ledger in {place(there.url)}: {found.owner} has {in_words(found.name)}"
        cure = "Stop Dagster, and wait until its runs have ended. Nothing was changed."
        raise RestoreRefused(words, cure=cure)


def _given_up(there: Database, newer: Newer, manifest: Manifest, file: Path, said: int | None) -> RestoreRefused:
    what = f"{newer.records} record(s) moved since ({newer.delivered} delivered, {newer.decided} decided by a person)"
    if said is not None:
        what = f"{said} were named, and {what}"
    words = f"the ledger in {place(there.url)} knows more than the backup of {manifest.taken_at:%Y-%m-%d %H:%M} UTC"
    again = offered("ledger restore", str(file), giving_up=str(newer.records))
    cure = (
        f"To go back all the same: {again}. What was delivered is looked up in the target and adopted;"
        " decisions and holds of that time are lost. Before: mlc ledger backup FILE"
    )
    return RestoreRefused(f"{words}: {what}", cure=cure)


def _newer(there: Database, backup: Database) -> Newer:
    """By the chains: what the backup ends with is a line of the ledger, or it is another ledger's."""
    with backup.reading() as old, there.reading() as new:
        ends = {row.flow: (row.seq, row.hash) for row in old.execute(select(chains))}
        found = [_of_flow(new, old, row.flow, (row.seq, row.hash), ends) for row in new.execute(select(chains)).all()]
    return Newer(*map(sum, zip(*found, strict=True))) if found else Newer(0, 0, 0)


def _of_flow(
    new: Connection, old: Connection, flow: str, head: tuple[int, str], ends: dict[str, tuple[int, str]]
) -> Newer:
    end = ends.get(flow, (0, ""))
    if head == end or _has(old, flow, head):
        return Newer(0, 0, 0)
    after = end[0] if _has(new, flow, end) else 0

    def keys(*events: Event) -> object:
        return func.count(distinct(case((attempts.c.event.in_(events), attempts.c.key))))

    wanted = select(func.count(distinct(attempts.c.key)), keys(*DELIVERED), keys(*DECIDED))  # type: ignore[call-overload]
    mine = (attempts.c.flow == flow, attempts.c.seq > after, attempts.c.event.not_in(OF_NO_RECORD))
    return Newer(*new.execute(wanted.where(*mine)).one())


def _has(connection: Connection, flow: str, line: tuple[int, str]) -> bool:
    seq, digest = line
    mine = (attempts.c.flow == flow, attempts.c.seq == seq, attempts.c.hash == digest)
    return not seq or connection.execute(select(attempts.c.id).where(*mine).limit(1)).first() is not None


def _as_of_now(backup: Database, there: Database) -> list[str]:
    """What was alive then is not now: leases, budgets, pauses. What is so now stays: pauses, and the stored rows."""
    with there.reading() as connection:
        files = [dict(row._mapping) for row in connection.execute(select(stored))]
        standing = [
            dict(row._mapping) for row in connection.execute(select(pauses).where(pauses.c.lifted_at.is_(None)))
        ]
        writers = [dict(row._mapping) for row in connection.execute(select(leases))]
    with backup.writing() as connection:
        now = clock(connection)
        _leases_of_now(connection, writers)
        connection.execute(delete(budgets))
        stood = connection.execute(select(pauses.c.connection).where(pauses.c.lifted_at.is_(None))).scalars().all()
        why = "it stood when the backup was taken"
        lift = update(pauses).where(pauses.c.lifted_at.is_(None))
        connection.execute(lift.values(lifted_at=now, lifted_by=BY, lifted_because=why))
        for pause in standing:
            connection.execute(insert(pauses), {name: value for name, value in pause.items() if name != "id"})
        if files:
            connection.execute(delete(stored))
            connection.execute(insert(stored), files)
    return sorted(in_words(each) for each in set(stood) - {pause["connection"] for pause in standing})


def _leases_of_now(connection: Connection, writers: list[dict[str, Any]]) -> None:
    """A writer of before is recognised as late; the next one waits for what it may have under way, where nobody knows.

    Tokens go on from this second: however many writers there were since the backup, none of theirs comes again.
    """
    connection.execute(update(leases).values(expires_at=LEFT))
    for writer in writers:
        connection.execute(delete(leases).where(leases.c.name == writer["name"]))
        connection.execute(insert(leases), writer)
    connection.execute(update(leases).values(token=func.max(leases.c.token, int(time.time()))))


def _install(tables: Path, there: Database) -> None:
    with closing(sqlite3.connect(tables)) as source:
        if there.is_sqlite:
            with closing(sqlite3.connect(str(there.url.database), isolation_level=None)) as target:
                into_file(source, target)
        else:
            with there.writing() as connection:
                rows_to_server(source, connection)
