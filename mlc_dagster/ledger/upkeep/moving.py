"""A ledger goes from one database to another: all of it, proven, and the old one marked. Safe to cut off anywhere.

1. Everything is copied to where nobody takes it for a ledger: a file beside the new one, or tables that are marked.
2. While nobody can write to the old one, both are compared: rows and digest of each table, and both trails walked.
3. In the same transaction the old one is marked as moved. From here on neither is a ledger ...
4. ... until the new one is. Run again, a move that was cut off here copies and compares anew, and ends.
"""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, inspect, select, text

from mlc_dagster.core.errors import MlcError
from mlc_dagster.ledger import marks
from mlc_dagster.ledger.database import Database, clock, parse, place
from mlc_dagster.ledger.opening import HEAD, existing_database, open_database, revision
from mlc_dagster.ledger.postgresql import unbounded
from mlc_dagster.ledger.records.verifying import Verification
from mlc_dagster.ledger.tables import TABLES, leases
from mlc_dagster.ledger.tenants import in_words
from mlc_dagster.ledger.upkeep.backups import into_file
from mlc_dagster.ledger.upkeep.copying import rows_from_server, rows_to_server
from mlc_dagster.ledger.upkeep.digests import Summed, counts, digests

BESIDE = ".moving"  # the end of the name of a file that is being filled
NOTHING = "Nothing was changed."


class MoveRefused(MlcError):
    """The ledger stays where it is."""


@dataclass(frozen=True)
class Moved:
    """What became of it; `tables` are alike on both sides."""

    source: str
    target: str
    tables: dict[str, Summed]
    lines: int  # of the trail, walked on both sides

    @property
    def rows(self) -> int:
        return sum(each.rows for each in self.tables.values())


def plan(url: str, to: str) -> dict[str, int]:
    """Table -> rows that a move would copy. Raises MoveRefused, Misconfigured where it could not begin; writes nothing.

    A target that is not there yet is not made.
    """
    _elsewhere(url, to)
    with closing(_source(url, to)) as source, source.reading() as connection:
        _nobody_writes(connection)
        found = counts(connection)
    with _target_as_it_is(to) as target:
        if target is not None:
            _must_be_empty(target, to)
    return found


def move(url: str, to: str) -> Moved:
    """Copy the ledger of all tenants into an empty one, prove it, and mark the old one. Raises MoveRefused."""
    _elsewhere(url, to)
    with closing(_source(url, to)) as source:
        with source.reading() as connection:
            _nobody_writes(connection)
        with _staged(source, to) as staged:
            with staged.reading() as connection:
                there = digests(connection)
            lines = _walked(staged)
            _prove_and_mark(source, to, there, lines)
            _activate(staged, to)
    return Moved(place(parse(url)), place(parse(to)), there, lines)


def _elsewhere(url: str, to: str) -> None:
    if place(parse(url)) == place(parse(to)):
        words = f"the ledger is in {place(parse(to))} already"
        raise MoveRefused(words, cure=f"Name another database. {NOTHING}")


def _source(url: str, to: str) -> Database:
    """The old one, of all tenants; also where an earlier move to the same place had marked it already."""
    if not _went_there(url, to):
        existing_database(url, None, reads_only=True).close()  # of this release, or refused with its reason
    return Database(parse(url), tenant=None)


def _went_there(url: str, to: str) -> bool:
    try:
        with closing(Database(parse(url), reads_only=True, tenant=None)) as old, old.reading() as connection:
            return revision(connection) == marks.MOVED and marks.went_to(connection)[0] == place(parse(to))
    except MlcError:
        return False  # said better by who opens it


def _nobody_writes(connection: Connection) -> None:
    held = select(leases).where(leases.c.expires_at > clock(connection)).order_by(leases.c.name)
    if (found := connection.execute(held).first()) is not None:
        raise MoveRefused(
            f"somebody writes to the ledger: {found.owner} has {in_words(found.name)}",
            cure=f"Stop Dagster, and wait until its runs have ended. {NOTHING}",
        )


# --- the new one, as long as it is none ---


@contextmanager
def _target_as_it_is(to: str) -> Iterator[Connection | None]:
    """None where there is no file yet."""
    url = parse(to)
    if url.get_backend_name() == "sqlite" and not Path(str(url.database)).is_file():
        yield None
        return
    with closing(Database(url, reads_only=True, tenant=None)) as target, target.reading() as connection:
        yield connection


def _must_be_empty(connection: Connection, to: str) -> None:
    """Raises MoveRefused where it is a ledger in which something is, or another release's."""
    found = revision(connection)
    if found in (None, marks.MOVING):
        return
    where = place(parse(to))
    if refused := marks.refusal(connection, found, where):
        raise refused
    if found != HEAD:
        raise MoveRefused(f"in {where} is a ledger of revision {found}", cure=f"Name an empty database. {NOTHING}")
    if there := {name: rows for name, rows in counts(connection).items() if rows}:
        said = ", ".join(f"{rows:,} {name}" for name, rows in there.items())
        raise MoveRefused(f"the ledger in {where} is not empty: {said}", cure=f"Name an empty database. {NOTHING}")


@contextmanager
def _staged(source: Database, to: str) -> Iterator[Database]:
    """The copy, where nobody takes it for a ledger."""
    with _target_as_it_is(to) as target:
        if target is not None:
            _must_be_empty(target, to)
    url = parse(to)
    if url.get_backend_name() == "sqlite":
        with _file_beside(source, Path(f"{url.database}{BESIDE}")) as staged:
            yield staged
    else:
        with closing(_marked_server(to)) as staged:
            _fill_server(source, staged)
            yield staged


@contextmanager
def _file_beside(source: Database, file: Path) -> Iterator[Database]:
    _remove(file)
    try:
        with closing(open_database(f"sqlite:///{file}", None)) as staged:
            if source.is_sqlite:
                _file_to_file(source, file)
            else:
                rows_from_server(source, staged)
            yield staged
    finally:
        _remove(file)


def _file_to_file(source: Database, file: Path) -> None:
    with closing(sqlite3.connect(str(source.url.database))) as old, closing(sqlite3.connect(file)) as new:
        into_file(old, new)


def _marked_server(to: str) -> Database:
    """A server's tables, made where there are none, and marked in a transaction of its own."""
    database = Database(parse(to), tenant=None)
    with database.reading() as connection:
        begun = revision(connection) == marks.MOVING
    if not begun:
        open_database(to, None).close()
        with database.writing() as connection:
            _must_be_empty(connection, to)
            marks.say(connection, marks.MOVING)
    return database


def _fill_server(source: Database, target: Database) -> None:
    """In one transaction: cut off, nothing of it is there. From another server by way of a file."""
    with tempfile.TemporaryDirectory(prefix="mlc-move-") as folder:
        file = str(source.url.database)
        if not source.is_sqlite:
            file = str(Path(folder) / "ledger.db")
            with closing(open_database(f"sqlite:///{file}", None)) as made:
                rows_from_server(source, made)
        with closing(sqlite3.connect(file, isolation_level=None)) as rows, target.writing() as connection:
            rows.execute("BEGIN")  # of one moment
            unbounded(connection)
            rows_to_server(rows, connection)


def _remove(file: Path) -> None:
    for end in ("", "-wal", "-shm", "-journal"):
        Path(f"{file}{end}").unlink(missing_ok=True)


# --- the proof, and the end of it ---


def _walked(database: Database) -> int:
    """Lines of the trail. Raises MoveRefused where one of them is not as it was written."""
    verification = Verification(database)
    for fault in verification:
        words = f"the trail in {place(database.url)} is not sound: {in_words(fault.flow)} line {fault.seq} {fault.what}"
        raise MoveRefused(words, cure=f"`mlc audit verify` tells more. {NOTHING}")
    return verification.lines


def _prove_and_mark(source: Database, to: str, there: dict[str, Summed], lines: int) -> None:
    if _walked(source) != lines:
        raise _differs(["attempts"])
    with source.writing() as connection:  # SQLite lets nobody else write from here on
        if not source.is_sqlite:
            unbounded(connection)
            connection.execute(text(f"LOCK TABLE {', '.join(TABLES.tables)} IN SHARE ROW EXCLUSIVE MODE"))
        _nobody_writes(connection)
        here = digests(connection)
        if wrong := [name for name in here if here[name] != there[name]]:
            raise _differs(wrong)
        if not inspect(connection).has_table(marks.WENT):
            marks.leave_behind(connection, place(parse(to)), clock(connection), list(TABLES.tables))


def _differs(tables: list[str]) -> MoveRefused:
    words = f"the copy is not what the ledger holds now: {', '.join(tables)}"
    return MoveRefused(words, cure="Somebody wrote meanwhile. Stop Dagster, and run it again: it begins anew.")


def _activate(staged: Database, to: str) -> None:
    """From here on it is the ledger."""
    url = parse(to)
    if url.get_backend_name() != "sqlite":
        with staged.writing() as connection:
            marks.say(connection, HEAD)
        return
    with staged.writing() as connection:
        if inspect(connection).has_table(marks.WENT):  # copied with a file that was marked by a move that was cut off
            _unmark(connection)
    staged.close()
    file, target = Path(str(staged.url.database)), Path(str(url.database))
    with closing(sqlite3.connect(file, isolation_level=None)) as new:
        new.execute("PRAGMA journal_mode=DELETE")  # one file, all of it on the disk
        if target.is_file():  # an empty ledger
            with closing(sqlite3.connect(target, isolation_level=None)) as there:
                into_file(new, there)
            return
    os.link(file, target)  # never over a file that came meanwhile


def _unmark(connection: Connection) -> None:
    named = connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'moved_%'"))
    for trigger in named.scalars().all():
        connection.exec_driver_sql(f"DROP TRIGGER {trigger}")
    connection.exec_driver_sql(f"DROP TABLE {marks.WENT}")
    marks.say(connection, HEAD)
