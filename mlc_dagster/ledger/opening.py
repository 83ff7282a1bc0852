"""Opening a ledger: its folder is made, its schema brought up to date, and what stands in the way is said plainly."""

from __future__ import annotations

import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import URL, Connection, inspect, text
from sqlalchemy.exc import DBAPIError

from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.core.logs import logger
from mlc_dagster.ledger import marks
from mlc_dagster.ledger.database import BUSY_SECONDS, CURE, SETTING, Database, LedgerUnavailable, parse, place, reason
from mlc_dagster.ledger.marks import VERSION_TABLE as VERSION_TABLE
from mlc_dagster.ledger.postgresql import unbounded
from mlc_dagster.ledger.tenants import Tenant
from mlc_dagster.settings import file_modes as private

if TYPE_CHECKING:
    from alembic.config import Config  # here and below only where it is needed: a reader migrates nothing

HEAD = "0011"  # the newest revision in migrations/versions
RUNS_MAKE_IT = "The first run makes a ledger; a command that tells of records never does."
NO_FILE = f"Go to the folder where mlc runs, or set {SETTING} (unset: .mlc/ledger.db in this folder). {RUNS_MAKE_IT}"
NO_TABLES = f"{SETTING} names another database, or nothing ran yet. {RUNS_MAKE_IT}"
NO_ACCESS = f"Is the database there, and may you read it? {SETTING} names it."
_ADVISORY_LOCK = 0x6D6C63_6C6564  # "mlc" "led": any number that nobody else locks in this database
log = logger(__name__)
_alembic = threading.Lock()  # alembic keeps the migration in progress in module globals


def open_database(url: str, tenant: Tenant = "") -> Database:
    """The database at an address, migrated. Raises Misconfigured when it cannot be reached, written or understood."""
    database = Database(parse(url), tenant=tenant)
    try:
        if database.is_sqlite:
            _prepare_file(str(database.url.database))
        _check_writable(database)
        migrate(database)
    except (LedgerUnavailable, DBAPIError, sqlite3.Error, OSError) as error:
        database.close()
        raise _misconfigured(database.url, reason(error.__cause__ or error)) from None
    return database


def existing_database(url: str, tenant: Tenant = "", *, reads_only: bool) -> Database:
    """The database at an address where a ledger is already; nothing is made, no folder, no file, no table.

    To be read it is not migrated either: one of another revision is told. Raises Misconfigured.
    """
    parsed = parse(url)
    where = place(parsed)
    if parsed.get_backend_name() == "sqlite" and not Path(where).is_file():
        raise Misconfigured(f"there is no ledger at {where}{_why_no_file(Path(where))}", cure=NO_FILE)
    database = Database(parsed, reads_only=True, tenant=tenant)
    try:
        _check_revision(database, where, reads_only)
    except (LedgerUnavailable, DBAPIError, sqlite3.Error, OSError) as error:
        why = reason(error.__cause__ or error)
        raise Misconfigured(f"no ledger can be read in {where}: {why}", cure=NO_ACCESS) from None
    finally:
        if not reads_only:
            database.close()
    return database if reads_only else open_database(url, tenant)


def _why_no_file(path: Path) -> str:
    if path.is_dir():
        return ": it is a folder"
    return "" if path.parent.is_dir() else f": there is no folder {path.parent}"


def _check_revision(database: Database, where: str, reads_only: bool) -> None:
    """Raises Misconfigured where there are no tables of a ledger, or those of another release."""
    with database.reading() as connection:
        found = revision(connection)
        refused = marks.refusal(connection, found, where)
    if refused is not None:
        raise refused
    if found is None:
        raise Misconfigured(f"there is no ledger in {where}: the database has no table {VERSION_TABLE}", cure=NO_TABLES)
    if found == HEAD or (not reads_only and found in _known_revisions()):
        return
    if found in _known_revisions():
        raise Misconfigured(
            f"the ledger in {where} is at revision {found}, and this release reads revision {HEAD}",
            cure="Who reads changes nothing. Bring it up to date: mlc ledger migrate; or the next run does it.",
        )
    raise _too_new(where, found)


def _known_revisions() -> frozenset[str]:
    from alembic.script import ScriptDirectory

    return frozenset(each.revision for each in ScriptDirectory.from_config(alembic_config()).walk_revisions())


def _too_new(where: str, found: str | None) -> Misconfigured:
    return Misconfigured(
        f"the ledger in {where} is at revision {found!r}; this release knows revisions up to {HEAD!r}",
        cure="A newer release of mlc-dagster has written it. Install that release, or another ledger.",
    )


def migrate(database: Database) -> None:
    """Bring the schema up to date; of several openings at once, one does it and the others wait."""
    with database.reading() as connection:
        if revision(connection) == HEAD:
            return
    with _alembic, database.writing() as connection:
        if not database.is_sqlite:
            unbounded(connection)
            connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _ADVISORY_LOCK})
        _upgrade(connection, place(database.url))


def alembic_config(connection: Connection | None = None) -> Config:
    """The migrations of the package, without an alembic.ini."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    config.attributes["version_table"] = VERSION_TABLE
    return config


def _upgrade(connection: Connection, where: str) -> None:
    from alembic import command
    from alembic.util.exc import CommandError

    found = revision(connection)
    if refused := marks.refusal(connection, found, where):
        raise refused
    try:
        command.upgrade(alembic_config(connection), "head")
    except CommandError as error:
        raise _too_new(where, found) from error


def revision(connection: Connection) -> str | None:
    """What its version table says; None where there is none."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    found = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()  # noqa: S608 - a constant
    return None if found is None else str(found)


def _prepare_file(path: str) -> None:
    """Make the folder, and switch the file to WAL: readers and the writer do not wait for each other."""
    make_private(Path(path))
    deadline = time.monotonic() + BUSY_SECONDS
    with closing(sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)) as connection:
        while not _switched_to_wal(connection):
            if time.monotonic() > deadline:
                raise OSError("SQLite cannot switch to WAL; a network share is no place for it, and PostgreSQL is")
            time.sleep(0.05)


def make_private(path: Path) -> None:
    """SQLite gives its -wal and -shm the rights of the file; those of an earlier release are as open as it was."""
    private.make_folder(path.parent)
    before = private.shown_mode(path) if path.is_file() else ""
    private.make_file(path)
    for beside in (Path(f"{path}-wal"), Path(f"{path}-shm")):
        private.tighten(beside)
    if before and before != private.shown_mode(path):
        log.warning("%s was open to other users (%s): it is its owner's now, as %s says", path, before, private.SETTING)


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
