"""The sandbox's memory in a file, so that a restart goes on where it stopped."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from mlc_dagster.errors import Misconfigured
from mlc_dagster.sandbox.cin7 import Cin7Sandbox
from mlc_dagster.sandbox.ifs import IfsSandbox
from mlc_dagster.sandbox.wire import decode, encode

_VERSION = 1


def save(path: Path, today: date, ifs: IfsSandbox, cin7: Cin7Sandbox) -> None:
    """Write it whole, then put it in place."""
    content = {
        "version": _VERSION,
        "today": today.isoformat(),
        "ifs": {name: {"rows": ifs.rows(name)} for name in ifs.sets},
        "cin7": cin7.remembered(),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f"{path.name}.new")
    beside.write_bytes(encode(content))
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


def restore(content: dict[str, Any], ifs: IfsSandbox, cin7: Cin7Sandbox) -> None:
    """Rows get their old ETags back."""
    for name, kept in content["ifs"].items():
        ifs.recall(name, kept["rows"])
    cin7.recall(content["cin7"])
