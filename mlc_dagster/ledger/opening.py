"""Opening a ledger: its folder is made, its schema brought up to date, and what stands in the way is said plainly."""

from __future__ import annotations

import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util.exc import CommandError
from sqlalchemy import URL, Connection, inspect, text
from sqlalchemy.exc import DBAPIError

from mlc_dagster.errors import Misconfigured
from mlc_dagster.ledger.database import BUSY_SECONDS, CURE, SETTING, Database, LedgerUnavailable, parse, place, reason

HEAD = "0005"  # the newest revision in migrations/versions
VERSION_TABLE = "ledger_version"  # not alembic_version: Dagster may keep its own in the same database
_ADVISORY_LOCK = 0x6D6C63_6C6564  # "mlc" "led": any number that nobody else locks in this database
_alembic = threading.Lock()  # alembic keeps the migration in progress in module globals


def open_database(url: str) -> Database:
    """The database at an address, migrated. Raises Misconfigured when it cannot be reached, written or understood."""
    database = Database(parse(url))
    try:
        if database.is_sqlite:
            _prepare_file(str(database.url.database))
        _check_writable(database)
        migrate(database)
    except (LedgerUnavailable, DBAPIError, sqlite3.Error, OSError) as error:
        database.close()
        raise _misconfigured(database.url, reason(error.__cause__ or error)) from None
    return database


def migrate(database: Database) -> None:
    """Bring the schema up to date; of several openings at once, one does it and the others wait."""
    with database.reading() as connection:
        if _revision(connection) == HEAD:
            return
    with _alembic, database.writing() as connection:
        if not database.is_sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _ADVISORY_LOCK})
        _upgrade(connection, place(database.url))


def alembic_config(connection: Connection | None = None) -> Config:
    """The migrations of the package, without an alembic.ini."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    config.attributes["version_table"] = VERSION_TABLE
    return config


def _upgrade(connection: Connection, where: str) -> None:
    found = _revision(connection)
    try:
        command.upgrade(alembic_config(connection), "head")
    except CommandError as error:
        raise Misconfigured(
            f"the ledger in {where} is at revision {found!r}; this release knows revisions up to {HEAD!r}",
            cure="A newer release of mlc-dagster has written it. Install that release, or another ledger.",
        ) from error


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    found = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()  # noqa: S608 - a constant
    return None if found is None else str(found)


def _prepare_file(path: str) -> None:
    """Make the folder, and switch the file to WAL: readers and the writer do not wait for each other."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + BUSY_SECONDS
    with closing(sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)) as connection:
        while not _switched_to_wal(connection):
            if time.monotonic() > deadline:
                raise OSError("SQLite cannot switch to WAL; a network share is no place for it, and PostgreSQL is")
            time.sleep(0.05)


def _switched_to_wal(connection: sqlite3.Connection) -> bool:
    """SQLite does not wait for others when it switches: it refuses at once."""
    try:
        return bool(connection.execute("PRAGMA journal_mode=WAL").fetchone()[0] == "wal")
    except sqlite3.OperationalError as error:
        if "locked" not in str(error):
            raise
        return False


def _check_writable(database: Database) -> None:
    with database.writing() as connection:  # SQLite refuses here when file or folder is read-only
        if not database.is_sqlite and connection.execute(text("SHOW transaction_read_only")).scalar() == "on":
            raise _misconfigured(database.url, "it is read-only")


def _misconfigured(url: URL, why: str) -> Misconfigured:
    return Misconfigured(f"{SETTING}: no ledger can be kept in {place(url)}: {why}", cure=CURE)
