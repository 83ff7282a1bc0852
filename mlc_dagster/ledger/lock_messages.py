"""What a writer says that waited in vain: for whom, and what a person can do about it."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from mlc_dagster.ledger import postgresql
from mlc_dagster.ledger.tables import TABLES

ONE_WRITER = 120
"""The byte of SQLite's -shm file that its one writer has locked."""
LOCKS = Path("/proc/locks")
FROZEN = "It may be suspended, or at a long transaction by hand: let it go on, or end it."
LOST = (
    "Is the server up, or was this process suspended for more than {} s? Then the server ended what it was at."
    " Run again: it goes on from what the ledger says."
)
DAMAGED = "`mlc ledger check` says what is damaged; `mlc ledger restore` puts a backup in its place: docs/keeping.md."
THEN = "Nothing was written here; then run again."


def for_whom(error: DBAPIError, engine: Engine, seconds: float) -> tuple[str, str] | None:
    """Words and cure, where it was another one's lock that was waited for, or the server gave this one up."""
    if engine.dialect.name == "sqlite":
        if "malformed" in str(error.orig) or "not a database" in str(error.orig):
            return " ".join(str(error.orig).split()), DAMAGED
        return _of_file(str(engine.url.database), seconds) if "database is locked" in str(error.orig) else None
    if error.connection_invalidated:
        return " ".join(str(error.orig).split()), LOST.format(postgresql.IDLE_SECONDS)
    return _of_server(engine) if postgresql.waited_in_vain(error) else None


def _of_file(path: str, seconds: float) -> tuple[str, str]:
    pid = _writer(f"{path}-shm")
    who = f"process {pid} ({_command(pid)})" if pid else "another process"
    look = FROZEN if pid else f"Which one: fuser {path}. {FROZEN}"
    return f"database is locked: {who} has kept its write lock for {seconds:g} s", f"{look} {THEN}"


def _of_server(engine: Engine) -> tuple[str, str]:
    try:
        with engine.connect() as connection:
            who = postgresql.holder(connection, list(TABLES.tables))
    except DBAPIError:
        who = ""
    said = f"that {who} holds" if who else "that another session held"
    words = f"waited {postgresql.LOCK_SECONDS} s for a lock {said}"
    return words, f"{FROZEN} On the server: SELECT pg_terminate_backend(its number). {THEN}"


def _writer(shared: str) -> int | None:
    """The process that has the lock, as Linux knows it; None where that is not told."""
    try:
        inode = Path(shared).stat().st_ino
        lines = LOCKS.read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    for line in lines:
        words = line.split()
        if "->" in words or len(words) < 8 or words[3] != "WRITE":
            continue
        pid, place, first, last = int(words[4]), words[5], words[6], words[7]
        if place.endswith(f":{inode}") and int(first) <= ONE_WRITER and (last == "EOF" or int(last) >= ONE_WRITER):
            return pid if pid > 0 else None
    return None


def _command(pid: int) -> str:
    """Its program, without its arguments, which may hold what is nobody's business."""
    try:
        return Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip()
    except OSError:
        return "of which no more is known"
