"""What of our state other users of this machine may read: told by `mlc check`, with the command that closes it."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.ledger.database import parse
from mlc_dagster.settings import Environment
from mlc_dagster.settings.file_modes import SETTING, file_mode, is_open, shown_mode

USUAL_HOME = Path(".mlc/home")


def open_to_others(environment: Environment) -> str:
    """A sentence with its cure; empty where nothing is open."""
    found = [path for path in _state(environment) if is_open(path)]
    if not found:
        return ""
    named = ", ".join(f"{_short(path)} ({shown_mode(path)})" for path in found)
    who, bits = ("users of this machine", "go") if file_mode() == 0o600 else ("users beside its group", "o")
    close = shlex.join(["chmod", "-R", f"{bits}-rwx", *map(_short, found)])
    team = f" Where a team shares it: {SETTING}=0640 or 0660." if bits == "go" else ""
    return f"other {who} may read {named}\n  Close it: {close}.{team}"


def _state(environment: Environment) -> Iterator[Path]:
    """What holds records or secrets, as far as it is a file or folder here."""
    yield Path(".env")
    with suppress(Misconfigured):
        if (url := parse(environment.database_url)).get_backend_name() == "sqlite":
            yield from (Path(f"{url.database}{beside}") for beside in ("", "-wal", "-shm"))
    if "://" not in environment.storage:
        yield Path(environment.storage)
    yield Path(os.environ.get("DAGSTER_HOME") or USUAL_HOME)


def _short(path: Path) -> str:
    here = f"{Path.cwd()}/"
    return str(path).removeprefix(here)
