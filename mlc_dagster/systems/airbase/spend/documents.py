"""An Airbase document becomes the values of a record: each field from the dotted path at which the tenant has it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import time
from typing import Any

from mlc_dagster.systems.airbase.api import Document, id_of
from mlc_dagster.systems.airbase.spend.fields import PAYMENT, REQUEST, value_at
from mlc_dagster.systems.shared.json_values import moment_or_none

Extract = Callable[[Document], Mapping[str, Any]]
Paths = Mapping[str, str]

MOMENTS = {"approved_date": "approved_at", "entry_date": "entry_at", "payment_entry_date": "payment_entry_at"}
"""Dates that may be told as moments -> the field in which the moment is kept."""

_LINES = ("lines", "tags", "applied_to", "line_", "tag_")  # what is taken apart, field by field


def request_extract(paths: Paths) -> Extract:
    """What makes a purchase request of a document; `paths` as far as the tenant's differ."""
    return _extract({**REQUEST, **paths})


def payment_extract(paths: Paths) -> Extract:
    """What makes a payment of a ledger entry."""
    every = {**PAYMENT, **paths}
    plain = _extract(every)
    return lambda document: {
        **plain(document),
        "applied_to": [id_of(each) for each in _rows(document, every["applied_to"])],
    }


def _extract(paths: Paths) -> Extract:
    simple = {name: path for name, path in paths.items() if not name.startswith(_LINES)}

    def extract(document: Document) -> dict[str, Any]:
        """Raises ValueError where a document has no id, or no list where lines should be."""
        return {
            **{name: _blank_is_none(value_at(document, path)) for name, path in simple.items()},
            **{MOMENTS[name]: _moment(value_at(document, simple[name])) for name in MOMENTS.keys() & simple.keys()},
            "id": id_of(document) or None,
            "tags": _tags(document, paths, paths["tags"]),
            "lines": [_line(line, paths) for line in _rows(document, paths["lines"])],
        }

    return extract


def _line(line: Document, paths: Paths) -> dict[str, Any]:
    names = ("number", "description", "amount", "account", "amortization_start", "amortization_end")
    here = {name: path for name in names if (path := paths.get(f"line_{name}"))}
    values = {name: _blank_is_none(value_at(line, path)) for name, path in here.items()}
    return {**values, "tags": _tags(line, paths, paths["line_tags"])}


def _tags(document: Document, paths: Paths, path: str) -> list[dict[str, Any]]:
    names = ("group", "code", "name")
    return [
        {name: _blank_is_none(value_at(tag, paths[f"tag_{name}"])) for name in names} for tag in _rows(document, path)
    ]


def _rows(document: Document, path: str) -> list[Document]:
    rows = value_at(document, path)
    if rows is None:
        return []
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        raise ValueError(f"{path}: expected a list of objects, found {str(rows)[:80]!r}")
    return rows


def _moment(value: Any) -> Any:
    """A text with a time and its zone; None where it is a day: without a zone, or midnight, as days are mostly sent."""
    at = moment_or_none(value)
    has_zone = isinstance(value, str) and (value.endswith("Z") or "+" in value[10:] or "-" in value[10:])
    return value if at and has_zone and at.time() != time() else None


def _blank_is_none(value: Any) -> Any:
    return None if isinstance(value, str) and not value.strip() else value
