"""A cell becomes what its column takes, and is compared with what the column shows."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from mlc_dagster.systems.monday.records import Cell, Kind

COLUMN_TYPES: Mapping[Kind, tuple[str, ...]] = {
    "text": ("text", "long_text", "dropdown", "status"),
    "email": ("email", "text"),
    "amount": ("numbers", "text"),
    "date": ("date", "text"),
    "state": ("status", "dropdown", "text"),
    "codes": ("text", "long_text", "dropdown"),
    "link": ("board_relation",),
}
"""Kind of a cell -> the types of column that take it; the first is what a missing column is made as."""

DIGITS = "number_keeps_its_digits"
MOST_DIGITS = 15
"""monday's numbers are floats: what has more digits comes back as another amount."""

Value = Any  # as JSON


def lost_digits(cell: Cell, column_type: str) -> str:
    """Why a number would not be kept as it is; "" where it is."""
    number = _number(", ".join(cell.values)) if column_type == "numbers" else None
    if number is None or len(number.normalize().as_tuple().digits) <= MOST_DIGITS:
        return ""
    many = len(number.normalize().as_tuple().digits)
    cure = "Name a text column for it under monday.boards in mlc.yaml."
    return f"{cell.field} is {number}: {many} digits, and a numbers column of monday keeps {MOST_DIGITS}. {cure}"


def written(cell: Cell, column_type: str) -> Value:
    """The value on the wire; None clears the column ("" would make a number 0)."""
    if not cell.values:
        return None
    text = shown(cell, column_type)
    match column_type:
        case "date":
            return {"date": text}
        case "status":
            return {"label": text}
        case "dropdown":
            return {"labels": list(cell.values)}
        case "long_text":
            return {"text": text}
        case "email":
            return {"email": text, "text": text}
        case "board_relation":
            return {"item_ids": [int(item) for item in cell.values]}
    return text


def shown(cell: Cell, column_type: str) -> str:
    """What the column will show. monday takes a status that is a number for the place of a label."""
    text = ", ".join(cell.values)
    return f"IFS {text}" if column_type == "status" and text.isdigit() else text


def same(cell: Cell, column_type: str, found: Mapping[str, Any]) -> bool:
    """Whether the column of an item holds the cell already."""
    if column_type == "board_relation":
        return sorted(str(item) for item in found.get("linked_item_ids") or ()) == sorted(cell.values)
    text = str(found.get("text") or "")
    if column_type == "numbers":
        return _number(text) == _number(shown(cell, column_type))
    if column_type == "dropdown":
        return sorted(filter(None, text.split(", "))) == sorted(cell.values)
    return text.strip() == shown(cell, column_type)


def _number(text: str) -> Decimal | None:
    try:
        return Decimal(text)
    except InvalidOperation:
        return None
