"""The demo's own folder: it has a mark, and what has none is never touched. Only what a demo lays out is removed."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import IO

from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.settings import file_modes as private

MARK = "made-by-mlc-demo.json"
PARTS = ("home", "storage")
"""The folders that a demo makes in its own."""
MADE = (
    *("mlc.yaml", "ledger.db", "ledger.db-wal", "ledger.db-shm", "sandbox.state", "sandbox.state.new", "sandbox.log"),
    *("storage/?*/?*/?*.parquet", "storage/?*/?*/.?*.parquet.?*"),
    *("home/dagster.yaml", "home/history/?*.db*", "home/schedules/?*.db*", "home/storage/?*/compute_logs/?*"),
    *("home/logs/event.log*", "home/.logs_queue/?*", "home/.telemetry/?*", "home/.nux/?*"),
)
"""What a demo and Dagster lay out in it, as patterns; a star stands for any number of folders too."""
NAMED = 4  # things that a refusal names


@dataclass(frozen=True)
class Mark:
    """Which demo a folder is of."""

    folder: str
    at: datetime
    process: int

    @property
    def words(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} UTC"


def absolute(folder: Path) -> Path:
    """As it is named, from the root; a link at its end stays one."""
    return Path(os.path.abspath(folder))  # noqa: PTH100 - resolve() would follow the link that is to be refused


def is_demo(folder: Path) -> bool:
    """Whether a demo has made it."""
    try:
        _read(folder)
    except Misconfigured:
        return False
    return True


@contextmanager
def replaced(folder: Path, named_elsewhere: Mapping[str, Path]) -> Iterator[Mark | None]:
    """The folder is emptied of the demo before, marked, and this process's alone; the mark of the one before, if any.

    `named_elsewhere`: setting -> a path that it names, which must not lie in the folder. Raises Misconfigured.
    """
    _refuse_foreign(folder)
    _refuse_overlap(folder, named_elsewhere)
    place = absolute(folder)
    try:
        private.make_folder(place)
        private.tighten(place)  # it is a demo's alone, or empty
        file = _opened(place / MARK)
    except OSError as error:
        raise Misconfigured(f"cannot make the demo's folder {folder}: {error.strerror}") from error
    with file:
        _lock(file, folder)
        before = _read(folder) if (place / MARK).stat().st_size else None
        _refuse_foreign(folder)  # once more: another demo may have ended since
        _clear(place)
        _write(file, Mark(str(place), datetime.now(UTC), os.getpid()))
        yield before


@contextmanager
def kept(folder: Path) -> Iterator[None]:
    """The folder as it is, for this process alone. Raises Misconfigured where it is no demo's, or one is at work."""
    _refuse_foreign(folder)
    _read(folder)
    with _opened(absolute(folder) / MARK) as file:
        _lock(file, folder)
        yield


def strangers(folder: Path) -> list[str]:
    """What lies there and is not of a demo's making: relative paths."""
    return sorted(path for path in _files(absolute(folder)) if not _is_made(path))


def _refuse_foreign(folder: Path) -> None:
    """Raises Misconfigured where the folder is not the demo's alone. Reads, and no more."""
    place = absolute(folder)
    if place.is_symlink():
        raise _refusal(folder, f"{folder} is a symbolic link to {place.readlink()}; no demo makes one")
    if place.exists() and not place.is_dir():
        raise _refusal(folder, f"{folder} is a file, and the demo needs a folder of its own")
    if not place.exists() or not any(place.iterdir()):
        return
    if not (place / MARK).is_file() or (place / MARK).is_symlink():
        names = sorted(path.name for path in place.iterdir())
        more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
        raise _refusal(
            folder, f"{folder} holds {', '.join(names[:NAMED])}{more}, and no mark of a demo: it may be real"
        )
    if (place / MARK).stat().st_size:
        _read(folder)
    if odd := _odd(place):
        raise _refusal(folder, f"{folder}/{odd}; no demo makes such a thing")


def _refusal(folder: Path, message: str) -> Misconfigured:
    return Misconfigured(
        message,
        cure="Nothing was touched. Give a folder that is empty or not there yet: `mlc demo --folder NAME`. Where all of"
        f" {folder} may go, remove it yourself.",
    )


def _refuse_overlap(folder: Path, named_elsewhere: Mapping[str, Path]) -> None:
    """Raises Misconfigured where the real settings have something in the demo's folder, or would put it there."""
    ours = Path(os.path.realpath(folder))
    for setting, path in named_elsewhere.items():
        if Path(os.path.realpath(path)).is_relative_to(ours):
            raise Misconfigured(
                f"{setting} is {path}, which lies in {folder}: the demo would work among what may be real",
                cure=f"Nothing was touched. Give another folder: `mlc demo --folder NAME`; or change {setting}.",
            )


def _odd(place: Path) -> str:
    """What could lead the demo out of its folder: a link, or another kind of thing where it writes; empty: nothing."""
    if (place / ".env").exists():
        return ".env is there: its settings would be taken for the demo's"
    for name in (*PARTS, *(made for made in MADE if "/" not in made)):
        path = place / name
        if path.is_symlink():
            return f"{name} is a symbolic link to {path.readlink()}"
        if path.exists() and path.is_dir() != (name in PARTS):
            return f"{name} is a {'folder' if path.is_dir() else 'file'}"
    for part in PARTS:
        for root, folders, files in os.walk(place / part):
            for name in (*folders, *files):
                if (path := Path(root, name)).is_symlink():
                    return f"{path.relative_to(place)} is a symbolic link to {path.readlink()}"
    return ""


def _read(folder: Path) -> Mark:
    """Raises Misconfigured for what is no mark of a demo in this very folder."""
    place, path = absolute(folder), folder / MARK
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        mark = Mark(found["folder"], datetime.fromisoformat(found["at"]), int(found["process"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _refusal(folder, f"{path} is not the mark of a demo: {error}") from None
    if mark.folder != str(place):
        raise _refusal(folder, f"{path} is the mark of the demo in {mark.folder}: the folder is a copy, or was moved")
    return mark


def _opened(path: Path) -> IO[str]:
    """The mark, which is the lock too: it is written in place. A link is not followed."""
    return os.fdopen(
        os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, private.file_mode()),
        "r+",
        encoding="utf-8",
    )


def _lock(file: IO[str], folder: Path) -> None:
    """Until the file is closed, or the process is gone. Raises Misconfigured where another process has it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise Misconfigured(
            f"a demo, or the UI of one, is at work in {folder}",
            cure="Nothing was touched. Let it end, or give this one a folder of its own: `mlc demo --folder NAME`.",
        ) from None


def _write(file: IO[str], mark: Mark) -> None:
    words = {"made_by": "mlc demo", "at": mark.at.isoformat(), "folder": mark.folder, "process": mark.process}
    file.seek(0)
    file.truncate()
    file.write(json.dumps(words, indent=2) + "\n")
    file.flush()


def _files(place: Path) -> Iterator[str]:
    """Relative paths of what is not a folder; links are not followed."""
    for root, folders, files in os.walk(place):
        links = [name for name in folders if Path(root, name).is_symlink()]
        yield from (str(Path(root, name).relative_to(place)) for name in (*files, *links))


def _is_made(path: str) -> bool:
    return path == MARK or any(fnmatchcase(path, pattern) for pattern in MADE)


def _clear(place: Path) -> None:
    """Remove what the demo before has laid out, and nothing else. The mark stays: it is the lock."""
    for path in list(_files(place)):
        if path != MARK and _is_made(path):
            (place / path).unlink(missing_ok=True)
    for part in PARTS:
        for root, _, _ in os.walk(place / part, topdown=False):
            with suppress(OSError):  # what a person put there stays
                Path(root).rmdir()
