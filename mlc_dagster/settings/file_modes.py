"""Files and folders of our state: their owner's alone, whatever the umask, unless MLC_STATE_MODE lets the group in."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path
from typing import IO

from mlc_dagster.core.errors import Misconfigured

SETTING = "MLC_STATE_MODE"
MODES = {"0600": 0o600, "0640": 0o640, "0660": 0o660}
"""Of files; a folder may be entered by who may read it."""


def file_mode() -> int:
    """Raises Misconfigured where the setting would let everybody in, or its owner out."""
    said = os.environ.get(SETTING, "").strip() or "0600"
    mode = MODES.get(said if said.startswith("0") else f"0{said}")
    if mode is None:
        raise Misconfigured(
            f"{SETTING} is {said[:20]!r}; expected {', '.join(MODES)}",
            cure="0600: its owner alone. 0640: its group may read. 0660: its group may write, for a team's ledger.",
        )
    return mode


def folder_mode() -> int:
    mode = file_mode()
    return mode | (mode & 0o444) >> 2


def keep_private() -> None:
    """What this process and those it starts make from now on is no wider than the setting says."""
    os.umask(0o777 & ~folder_mode())


def make_folder(path: Path) -> None:
    """With those above it; one that is there already stays as it is: it may hold more than our state."""
    missing = [each for each in (path, *path.parents) if not each.exists()]
    for each in reversed(missing):
        with contextlib.suppress(FileExistsError):
            each.mkdir(0o700)
            each.chmod(folder_mode())
    if not path.is_dir():
        path.mkdir(exist_ok=True)  # raises what stands in the way


def make_file(path: Path) -> None:
    """An empty one where there is none; one that is there is made as private as the setting says."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, file_mode())
    except FileExistsError:
        if path.is_file():
            tighten(path)
        return
    with os.fdopen(descriptor, "wb"):
        os.fchmod(descriptor, file_mode())


def opened(path: Path) -> IO[bytes]:
    """A file to be written anew."""
    make_file(path)
    return path.open("wb")


def write_text(path: Path, text: str) -> None:
    with opened(path) as file:
        file.write(text.encode())


def tighten(path: Path) -> bool:
    """Take away what the setting does not give; whether there was something, and it is ours to take."""
    try:
        if not (wide := _too_wide(path)):
            return False
        path.chmod(stat.S_IMODE(path.stat().st_mode) & ~wide)
    except OSError:  # not there, or another's
        return False
    return True


def is_open(path: Path) -> bool:
    """Whether others may read or write it, as far as the folders above it let them come."""
    try:
        above = path.resolve().parents
        return bool(_too_wide(path)) and all(each.stat().st_mode & 0o011 for each in above)
    except OSError:
        return False


def shown_mode(path: Path) -> str:
    return f"{stat.S_IMODE(path.stat().st_mode):04o}"


def _too_wide(path: Path) -> int:
    """The bits that the setting does not give."""
    allowed = folder_mode() if path.is_dir() else file_mode()
    return stat.S_IMODE(path.stat().st_mode) & 0o077 & ~allowed
