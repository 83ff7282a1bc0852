"""The sandbox's memory in a file, so that a restart goes on where it stopped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.sandbox.system import System
from mlc_dagster.sandbox.wire import decode, encode
from mlc_dagster.settings import file_modes as private

_VERSION = 2


def save(path: Path, today: date, profiles: Sequence[str], systems: Mapping[str, System]) -> None:
    """Write it whole, then put it in place."""
    content = {
        "version": _VERSION,
        "today": today.isoformat(),
        "profiles": list(profiles),
        "systems": {name: system.remembered() for name, system in systems.items()},
    }
    private.make_folder(path.parent)
    beside = path.with_name(f"{path.name}.new")
    with private.opened(beside) as file:
        file.write(encode(content))
    beside.replace(path)


def read(path: Path) -> dict[str, Any]:
    """What was saved. Raises Misconfigured for another file."""
    try:
        content = decode(path.read_bytes())
    except ValueError as error:
        raise Misconfigured(f"{path} is not a sandbox's state: {error}", cure="Delete it to start afresh.") from None
    if not isinstance(content, dict) or content.get("version") != _VERSION:
        raise Misconfigured(f"{path} is not a sandbox's state of this release", cure="Delete it to start afresh.")
    return content


def restore(content: dict[str, Any], systems: Mapping[str, System]) -> None:
    """Each system goes on with what it had; one that is new since then begins empty."""
    for name, system in systems.items():
        if name in content["systems"]:
            system.recall(content["systems"][name])
