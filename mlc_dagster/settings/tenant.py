"""Whose records mlc.yaml is about: asked also by commands that need no other setting."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from mlc_dagster.settings import document
from mlc_dagster.settings.mistakes import Mistake, found
from mlc_dagster.settings.section import SHAPES, TENANT


def tenant_of(path: Path) -> str:
    """The `tenant:` of a file that may have other mistakes; empty where it names none, or there is no file.

    Raises Misconfigured where that cannot be read, or is no name: another tenant's records are never shown instead.
    """
    if not path.is_file() or _names_none(path):
        return ""
    text = document.read(path)
    name = _said(text.content)
    if not isinstance(name, str) or not re.match(TENANT, name):
        wrong = Mistake(("tenant",), f"{found(('tenant',), name)}; expected {SHAPES[TENANT]}")
        raise document.misconfigured(text, [wrong])
    return name


def _names_none(path: Path) -> bool:
    """Without a look at its YAML: most files have no such word, and every command asks."""
    try:
        text = path.read_bytes()
    except OSError:
        return False
    return b"tenant" not in text and b"\0" not in text


def _said(content: Any) -> Any:
    said = content.get("tenant")
    return said.strip() if isinstance(said, str) else "" if said is None else said
