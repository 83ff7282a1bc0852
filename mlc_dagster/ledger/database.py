"""One database, SQLite or PostgreSQL: how it is opened, read, written and asked for the time."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote, unquote

from sqlalchemy import URL, Connection, Engine, Table, create_engine, event, func, make_url, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, DatabaseError, DataError, IntegrityError, InterfaceError, ProgrammingError

from mlc_dagster.core.errors import Misconfigured, MlcError
from mlc_dagster.ledger.lock_messages import for_whom
from mlc_dagster.ledger.postgresql import engine_for
from mlc_dagster.ledger.tenants import Tenant, assign, stored_name

Key = TypeVar("Key")

SETTING = "MLC_DATABASE_URL"
CURE = f"Set {SETTING} to sqlite:///folder/ledger.db or postgresql://user:password@host/database."
ENCODED = "In a user's name or password @ is written %40, : is %3A, / is %2F, # is %23 and ? is %3F."
DIALECTS = ("sqlite", "postgresql")
DRIVERS = {  # as people and hosting providers write them; PostgreSQL is the same, whatever the driver
    "postgresql+psycopg2": ("postgresql", "postgres", "postgresql+psycopg2", "postgresql+psycopg", "postgres+psycopg2"),
    "sqlite": ("sqlite", "sqlite+pysqlite"),
}
BUSY_SECONDS = 30  # how long a writer of SQLite waits for another one
CHUNK = 1000  # keys in one question
CACHE_KIB = 65_536  # at most, for each connection: the inner pages of a ledger of millions of deliveries
SMALL_KIB = 4_096  # the same of a process with many connections that looks at what is open: it has an index
LOG_PAGES = 4_000  # 16 MB: a page that changes in every batch is copied into the file less often


class LedgerUnavailable(MlcError):
    """The database failed while it was in use: disk full, connection lost, locked.

    Nothing of that call was written; only where the connection was lost in the commit itself, all of it may have been.
    The next run goes on from what the ledger says, either way.
    """


class Database:
    """Connections to one database. A commit is on the disk when it returns, but for hasty ones.

    Hasty commits survive a kill of the process, not of the machine: leases and budgets, which end with it.
    """

    def __init__(self, url: URL, *, reads_only: bool = False, tenant: Tenant = "") -> None:
        """`reads_only`: no file is made, and the database itself refuses every write. `tenant`: whose rows are seen."""
        self.url, self.tenant = url, tenant
        self.is_sqlite = url.get_backend_name() == "sqlite"
        self._durable, self._hasty = (_engine(url, hasty=hasty, reads_only=reads_only) for hasty in (False, True))
        for engine in (self._durable, self._hasty):
            assign(engine, tenant)
        # Writers of one process queue here: SQLite's own waiting is polling, up to 100 ms at a time.
        self._turn: AbstractContextManager[Any] = threading.Lock() if self.is_sqlite else nullcontext()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        with self._told(), self._durable.connect() as connection:
            yield connection

    @contextmanager
    def writing(self, *, hasty: bool = False) -> Iterator[Connection]:
        """One transaction: committed at the end, or nothing is written."""
        engine = self._hasty if hasty else self._durable
        with self._told(), self._turn, engine.execution_options(writes=True).begin() as connection:
            yield connection

    def stored(self, name: str) -> str:
        """A name with its tenant, as it stands in the database."""
        return stored_name(name, self._durable.dialect)

    def whole(self) -> Database:
        """The same of all tenants, to be read: names are as they are stored. Close it."""
        return Database(self.url, reads_only=True, tenant=None)

    def spare_memory(self) -> None:
        """Each connection that is opened from now on keeps few pages: for a server, which has many of them."""
        for engine in (self._durable, self._hasty) if self.is_sqlite else ():
            event.listen(engine, "connect", _keep_few_pages)
            engine.dispose()

    def close(self) -> None:
        self._durable.dispose()
        self._hasty.dispose()

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (DatabaseError, InterfaceError) as error:
            if isinstance(error, (IntegrityError, ProgrammingError, DataError)):  # ours, not the database's
                raise
            usual = "Look at the database and its disk, then run again: it goes on from what the ledger says."
            words, cure = for_whom(error, self._durable, BUSY_SECONDS) or (reason(error), usual)
            raise LedgerUnavailable(f"the ledger in {place(self.url)} failed: {words}", cure=cure) from error


def parse(url: str) -> URL:
    """The address of the ledger. Raises Misconfigured; what it says never shows the address, which may hold a password.

    A scheme is written in either case. Every way to say PostgreSQL means psycopg2, as Dagster's own storage does.
    """
    try:
        parsed = make_url(url.strip())
    except (ArgumentError, ValueError):
        raise Misconfigured(f"{SETTING} is not the address of a database", cure=f"{CURE} {ENCODED}") from None
    said = parsed.drivername.lower()
    driver = next((driver for driver, ways in DRIVERS.items() if said in ways), None)
    if driver is None:
        named = repr(parsed.drivername) if parsed.drivername.replace("+", "").isalpha() else "a kind of database"
        raise Misconfigured(f"{SETTING} names {named}, which the ledger cannot be kept in", cure=CURE)
    return _of_file(parsed.set(drivername=driver)) if driver == "sqlite" else _of_server(parsed.set(drivername=driver))


def _of_server(url: URL) -> URL:
    """A socket's folder may stand where a host does, as PostgreSQL's own programs take it: %2Fvar%2Frun%2Fpg."""
    if "@" in (url.host or ""):
        raise Misconfigured(f"{SETTING}: there is more than one @ in it", cure=ENCODED)
    return url.set(host=unquote(url.host)) if url.host else url


def _of_file(url: URL) -> URL:
    if url.host:
        raise Misconfigured(f"{SETTING}: a file is named after three slashes: sqlite:///folder/ledger.db", cure=CURE)
    if not url.database or url.database == ":memory:":
        raise Misconfigured(f"{SETTING} names no file: a ledger in memory forgets what was delivered", cure=CURE)
    return url.set(database=str(Path(url.database).absolute()))


def place(url: URL) -> str:
    """Where the database is, without user and password."""
    if url.get_backend_name() == "sqlite":
        return str(url.database)
    host = url.host or url.query.get("host") or "localhost"
    return f"{host}{f':{url.port}' if url.port else ''}/{url.database}"


def place_of(url: str) -> str:
    """Where a ledger is: a file, or host and database; never user and password. Raises Misconfigured."""
    return place(parse(url))


def reason(error: BaseException) -> str:
    """The database's own words in one line, without the statement."""
    return " ".join(str(getattr(error, "orig", None) or error).split())


def clock(connection: Connection) -> datetime:
    """Now, by the clock that all who use the database share: PostgreSQL's own, or that of SQLite's one machine."""
    if connection.dialect.name == "sqlite":
        return datetime.now(UTC)
    now: datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
    return now.astimezone(UTC)


def upsert(dialect: str, table: Table) -> Any:
    """An INSERT of this database's kind, with `on_conflict_do_update`."""
    return (sqlite if dialect == "sqlite" else postgresql).insert(table)


def chunks(keys: Sequence[Key]) -> Iterator[Sequence[Key]]:
    for start in range(0, len(keys), CHUNK):
        yield keys[start : start + CHUNK]


def _engine(url: URL, *, hasty: bool, reads_only: bool) -> Engine:
    # hide_parameters: what is delivered has no place in a traceback.
    if url.get_backend_name() == "sqlite":
        there = {"creator": partial(_existing_file, str(url.database))} if reads_only else {}
        engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS}, hide_parameters=True, **there)
        _prepare_sqlite(engine, "NORMAL" if hasty else "FULL")
        return engine
    return engine_for(url, hasty=hasty, reads_only=reads_only)


def _existing_file(path: str) -> sqlite3.Connection:
    """To be read. SQLite makes its -wal and -shm beside it for as long as it is open; where neither the folder nor the
    file can be written, and nobody writes (there is no -wal), it is read as it lies.
    """
    mode = "mode=rw"
    if not (os.access(path, os.W_OK) and os.access(Path(path).parent, os.W_OK)):
        mode = "mode=ro" if Path(f"{path}-wal").exists() else "mode=ro&immutable=1"
    connection = sqlite3.connect(f"file:{quote(path)}?{mode}", uri=True, timeout=BUSY_SECONDS, check_same_thread=False)
    connection.execute("PRAGMA query_only=ON")
    return connection


def _prepare_sqlite(engine: Engine, synchronous: str) -> None:
    @event.listens_for(engine, "connect")
    def settle(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # the driver would begin by itself, later and with a lock that can fail
        connection.execute(f"PRAGMA synchronous={synchronous}")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute(f"PRAGMA cache_size=-{CACHE_KIB}")
        connection.execute(f"PRAGMA wal_autocheckpoint={LOG_PAGES}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A transaction that reads first and then writes is refused when another one wrote in between.
        writes = connection.get_execution_options().get("writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _keep_few_pages(connection: Any, _: Any) -> None:
    connection.execute(f"PRAGMA cache_size=-{SMALL_KIB}")
