"""A backup: one file that holds the whole ledger of one moment, whichever database it is kept in.

It is a zip of two: the tables as an SQLite database, and a manifest with the digest of that.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
import tempfile
import time
import zipfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from mlc_dagster.core.errors import MlcError
from mlc_dagster.ledger.database import Database, place
from mlc_dagster.ledger.opening import HEAD, open_database
from mlc_dagster.ledger.tables import TABLES
from mlc_dagster.ledger.upkeep.copying import SECONDS_TO_WAIT, rows_from_server

FORMAT = 1
TABLES_FILE, MANIFEST_FILE = "ledger.db", "manifest.json"


class BackupRefused(MlcError):
    """A backup is not whole, or is none, or its place is taken: nothing was changed."""


class Manifest(msgspec.Struct, frozen=True):
    """What a backup says of itself."""

    format: int
    taken_at: datetime
    place: str  # of the ledger: a file, or host and database
    revision: str
    sha256: str  # of the SQLite database in it
    rows: dict[str, int]  # table -> how many


def back_up(database: Database, file: Path) -> Manifest:
    """Write the ledger as it is now, of all its tenants, to a new file, while runs go on.

    Raises BackupRefused, OSError.
    """
    if file.exists():
        raise BackupRefused(f"{file} is there already: it is left as it is", cure="Name another file.")
    if not file.absolute().parent.is_dir():
        raise BackupRefused(f"there is no folder {file.parent} for {file.name}", cure="Make it, or name another file.")
    with tempfile.TemporaryDirectory(dir=file.absolute().parent, prefix=f".{file.name}.") as folder:
        copy = Path(folder) / TABLES_FILE
        taken_at = datetime.now(UTC)
        _copy(database, copy)
        manifest = Manifest(FORMAT, taken_at, place(database.url), HEAD, _digest(copy), _counted(copy))
        packed = Path(folder) / "packed"
        _pack(copy, manifest, packed)
        os.link(packed, file)  # never over a file that came meanwhile
    return manifest


@contextmanager
def unpacked(file: Path) -> Iterator[tuple[Manifest, Path]]:
    """A backup's manifest, and its tables as a database of this release; gone in the end. Raises BackupRefused."""
    if not file.is_file():
        raise BackupRefused(f"there is no file {file}", cure="Name a file that `mlc ledger backup` wrote.")
    with tempfile.TemporaryDirectory(prefix="mlc-restore-") as folder:
        tables = Path(folder) / TABLES_FILE
        try:
            manifest = _unpack(file, tables)
        # NotImplementedError is zipfile's own, for a packing that it does not know
        except (zipfile.BadZipFile, KeyError, EOFError, OSError, msgspec.DecodeError, NotImplementedError) as error:
            raise _damaged(file, error) from error
        except Exception as error:  # zlib has an error of its own
            if type(error).__module__ != "zlib":
                raise
            raise _damaged(file, error) from error
        if _digest(tables) != manifest.sha256:
            raise _damaged(file, "its tables are not those that its manifest tells of")
        with closing(sqlite3.connect(tables)) as connection:
            if (said := connection.execute("PRAGMA quick_check").fetchone()[0]) != "ok":
                raise _damaged(file, said)
        open_database(f"sqlite:///{tables}").close()  # brings an older one up to date
        yield manifest, tables


def into_file(source: sqlite3.Connection, target: sqlite3.Connection) -> None:
    """By SQLite's own way, in one step: of one moment, and seen by others as a whole or not at all.

    Raises sqlite3.OperationalError where another process keeps the target locked.
    """
    until = time.monotonic() + SECONDS_TO_WAIT

    def waited(_: int, remaining: int, pages: int) -> None:
        if remaining and time.monotonic() > until:
            raise sqlite3.OperationalError(f"database is locked: {remaining} of {pages} pages were not copied")

    source.backup(target, pages=-1, progress=waited)


def _copy(database: Database, file: Path) -> None:
    if not database.is_sqlite:
        with closing(database.whole()) as whole, closing(open_database(f"sqlite:///{file}", None)) as made:
            rows_from_server(whole, made)
    else:
        with database.reading() as connection, closing(sqlite3.connect(file)) as target:
            raw = connection.connection.dbapi_connection
            assert isinstance(raw, sqlite3.Connection)
            into_file(raw, target)
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")  # one file, and nothing beside it


def _counted(file: Path) -> dict[str, int]:
    with closing(sqlite3.connect(file)) as connection:
        return {
            name: connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]  # noqa: S608 - our own names
            for name in TABLES.tables
        }


def _pack(copy: Path, manifest: Manifest, file: Path) -> None:
    descriptor = os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)  # it tells of all that was delivered
    with os.fdopen(descriptor, "wb") as out:
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed:
            packed.writestr(MANIFEST_FILE, msgspec.json.format(msgspec.json.encode(manifest)))
            packed.write(copy, TABLES_FILE)
        out.flush()
        os.fsync(out.fileno())


def _unpack(file: Path, tables: Path) -> Manifest:
    with zipfile.ZipFile(file) as packed:
        manifest = msgspec.json.decode(packed.read(MANIFEST_FILE), type=Manifest)
        if manifest.format != FORMAT:
            words = f"{file} is a backup of format {manifest.format}; this release knows {FORMAT}"
            raise BackupRefused(words, cure="Restore it with the release that wrote it, or a newer one.")
        with packed.open(TABLES_FILE) as source, tables.open("wb") as target:
            shutil.copyfileobj(source, target)
    return manifest


def _damaged(file: Path, why: object) -> BackupRefused:
    words = " ".join(str(why).split())[:200]
    return BackupRefused(f"{file} is no whole backup of a ledger: {words}", cure="Nothing was changed. Take another.")


def _digest(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
