"""What is told of a ledger as a whole, and whether it is sound."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, func, select, text
from sqlalchemy.exc import DBAPIError

from mlc_dagster.ledger.database import Database, LedgerUnavailable, place, reason
from mlc_dagster.ledger.opening import HEAD, VERSION_TABLE
from mlc_dagster.ledger.records.verifying import Fault, Verification
from mlc_dagster.ledger.tables import TABLES, attempts
from mlc_dagster.ledger.tenants import in_words
from mlc_dagster.ledger.upkeep.backups import Manifest, back_up

NAMED = 10  # faults of a kind that are told
GUARDS = {"sqlite": {"attempts_no_update", "attempts_no_delete"}, "postgresql": {"attempts_no_change"}}
"""Triggers that refuse a change of the trail."""


@dataclass(frozen=True)
class About:
    """Which database it is, and what is in it. No user and no password."""

    kind: str
    place: str
    revision: str
    bytes: int
    last_line_at: datetime | None  # of the trail
    rows: dict[str, int]  # table -> how many, of all who keep this ledger


@dataclass(frozen=True)
class Look:
    """One thing that was looked at. No fault: it is sound."""

    what: str
    told: str  # "12,345 lines of 6 flows"
    faults: tuple[str, ...] = ()


class Keeping:
    """Reads only, but for the one file of a backup."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def backup(self, file: Path) -> Manifest:
        """The whole ledger of this moment in one new file, while runs go on. Raises BackupRefused."""
        return back_up(self._database, file)

    def spare_memory(self) -> None:
        """As `Database.spare_memory`."""
        self._database.spare_memory()

    def about(self) -> About:
        with self._database.reading() as connection:
            rows = {
                name: connection.execute(select(func.count()).select_from(table)).scalar_one()
                for name, table in TABLES.tables.items()
            }
            last = connection.execute(select(attempts.c.at).order_by(attempts.c.id.desc()).limit(1)).scalar()
            kind = "SQLite" if self._database.is_sqlite else "PostgreSQL"
            return About(kind, place(self._database.url), HEAD, self._size(connection), last, rows)

    def looks(self) -> Iterator[Look]:
        """The file, the tables, the trail; each as soon as it was looked at."""
        if self._database.is_sqlite:
            yield self._file()
        for what, look in {"tables": self._tables, "trail": self._trail}.items():
            try:
                yield look()
            except LedgerUnavailable as error:
                yield Look(what, "it cannot be read to its end", (error.message,))

    def _size(self, connection: Connection) -> int:
        if self._database.is_sqlite:
            path = str(self._database.url.database)
            files = (Path(f"{path}{end}") for end in ("", "-wal"))
            return sum(file.stat().st_size for file in files if file.exists())
        wanted = text(
            "SELECT sum(pg_total_relation_size(to_regclass(each))) FROM unnest(CAST(:names AS text[])) AS each"
        )
        return int(connection.execute(wanted, {"names": list(TABLES.tables)}).scalar() or 0)

    def _file(self) -> Look:
        with self._database.reading() as connection:
            try:
                said = [str(row[0]) for row in connection.exec_driver_sql(f"PRAGMA integrity_check({NAMED})")]
                said += [
                    f"{row[0]}: a row refers to none" for row in connection.exec_driver_sql("PRAGMA foreign_key_check")
                ]
            except DBAPIError as error:
                said = [reason(error)]
        return Look("file", "SQLite's own check of its pages and indexes", tuple(each for each in said if each != "ok"))

    def _tables(self) -> Look:
        from alembic.autogenerate import compare_metadata
        from alembic.runtime.migration import MigrationContext

        with self._database.reading() as connection:
            asked = {"version_table": VERSION_TABLE, "compare_type": False, "include_name": _is_ours}
            asked["include_object"] = _is_of(connection.dialect.name)
            context = MigrationContext.configure(connection, opts=asked)
            faults = [_difference(each) for each in compare_metadata(context, TABLES)]
            missing = GUARDS[connection.dialect.name] - _triggers(connection)
            faults += [f"trigger {name} is gone: the trail can be changed unnoticed" for name in sorted(missing)]
        return Look("tables", f"{len(TABLES.tables)} tables of revision {HEAD}", tuple(faults))

    def _trail(self) -> Look:
        faults, more = list[str](), 0
        with closing(self._database.whole()) as whole:
            verification = Verification(whole)
            for fault in verification:
                more += 1
                if more <= NAMED:
                    faults.append(_words(fault))
        if more > NAMED:
            faults.append(f"{more - NAMED:,} more: mlc audit verify")
        return Look("trail", f"{verification.lines:,} lines of {len(verification.heads)} flows", tuple(faults))


def _is_ours(name: str | None, kind: str, parents: object) -> bool:
    """Another program may have tables in the same database."""
    return kind != "table" or name in TABLES.tables


def _is_of(dialect: str) -> Callable[..., bool]:
    """Whether a thing of ours is made on this database: an index may be one of SQLite alone."""
    return lambda item, *_: getattr(item, "info", {}).get("only", dialect) == dialect


def _triggers(connection: Connection) -> set[str]:
    said = {
        "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
        "postgresql": "SELECT tgname FROM pg_trigger WHERE tgrelid = to_regclass('attempts') AND tgenabled <> 'D'",
    }
    return set(connection.execute(text(said[connection.dialect.name])).scalars())


def _difference(found: object) -> str:
    """`('remove_index', Index(...))` in words: a person looks for the name."""
    if isinstance(found, list):  # changes of one column
        found = found[0]
    assert isinstance(found, tuple)
    kind, named = (
        str(found[0]).replace("_", " "),
        [getattr(each, "name", each) for each in found[1:] if each is not None],
    )
    how = {"add": "is missing", "remove": "is none of ours"}.get(kind.split()[0], "differs")
    return f"{kind.split()[-1]} {' '.join(str(each) for each in named)} {how}"


def _words(fault: Fault) -> str:
    flow = in_words(fault.flow)
    where = f"{flow}: line {fault.seq}" if fault.seq else f"{flow}: a line without a place"
    return f"{where} {fault.what}{f', of {fault.key}' if fault.key else ''}"
