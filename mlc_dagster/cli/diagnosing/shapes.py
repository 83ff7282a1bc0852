"""The shape of what a system answers: names and types of one row, never a value."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

import msgspec

from mlc_dagster.cli.trying.record import Sources
from mlc_dagster.core.errors import MlcError

MOST = 300
"""Characters of what an error says: a system's own words may quote a record."""


def shape_of(sources: Sources) -> dict[str, Any]:
    """{seconds, fields} of the latest row, or {seconds, error}. Raises nothing of ours."""
    began = time.monotonic()
    try:
        record, _, unreadable = sources.rows(None)[0]
        row = json.loads(unreadable or "{}") if record is None else msgspec.to_builtins(record)
        found: dict[str, Any] = {"readable": record is not None, "fields": types_of(row)}
    except MlcError as error:
        found = {"error": f"{type(error).__name__}: {error.message[:MOST]}"}
    return {"seconds": round(time.monotonic() - began, 2), **found}


def types_of(value: Any) -> Any:
    """Name -> type, nested; of a list, that of its first entry. A text is told by its kind: it is never quoted."""
    if isinstance(value, Mapping):
        return {str(name): types_of(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [types_of(value[0])] if value else []
    if isinstance(value, str):
        return "empty text" if not value else "digits" if value.isdigit() else "text"
    return "null" if value is None else type(value).__name__
