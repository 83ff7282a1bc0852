"""The sandboxed monday.com's boards: columns, items, and what each type of column takes and shows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

MOST_LABELS, MOST_NAME = 40, 255
KINDS = ("text", "long_text", "numbers", "date", "status", "dropdown", "email", "board_relation", "checkbox", "formula")


class RefusedError(Exception):
    """One alias fails: the code and the words of monday's error."""

    def __init__(self, code: str, message: str, **detail: Any) -> None:
        super().__init__(message)
        self.code, self.detail = code, detail
        self.status, self.wait = 200, 0.0

    def with_status(self, status: int, wait: float = 0.0) -> RefusedError:
        """`wait`: seconds that monday asks for."""
        self.status, self.wait = status, wait
        return self


class Boards:
    """Boards by id; items are found by their own id over all boards. A board that names `groups` has no others."""

    def __init__(self) -> None:
        self.boards: dict[str, dict[str, Any]] = {}
        self.items: dict[str, dict[str, Any]] = {}
        self.activity: list[dict[str, Any]] = []  # of all boards, the oldest first
        self.last_id = 9_000_000_000  # ids exceed 32 bits
        self.computed: set[str] = set()  # ids of columns whose values are dropped with 200, as those of rollups are
        self.heeds_order = True  # False: `order_by` does nothing, without a word

    def new_id(self) -> str:
        self.last_id += 1
        return str(self.last_id)

    def add_board(self, board_id: str, name: str, columns: Mapping[str, str] | None = None, **more: Any) -> None:
        """A board with columns: title -> type. Their ids are type and number, as monday's own."""
        self.boards[board_id] = {"id": board_id, "name": name, "hierarchy_type": "classic", "columns": [], **more}
        for title, kind in (columns or {}).items():
            self.add_column(board_id, title, kind)

    def add_column(self, board_id: str, title: str, kind: str, settings: Any = None) -> dict[str, Any]:
        board = self.board(board_id)
        if kind not in KINDS:
            raise RefusedError("InvalidArgumentException", f"the sandbox makes no column of type {kind}")
        column: dict[str, Any] = {
            "id": f"{kind}_mk{len(board['columns']) + 1}",
            "title": title,
            "type": kind,
            "archived": False,
            "settings": settings or {},
            "labels": [],
        }
        board["columns"].append(column)
        return column

    def board(self, board_id: str) -> dict[str, Any]:
        """Raises RefusedError where there is none that is active."""
        board = self.boards.get(board_id)
        if board is None or board.get("state", "active") != "active":
            raise RefusedError("InvalidBoardIdException", f"board {board_id} does not exist")
        return board

    def item(self, item_id: str, board_id: str) -> dict[str, Any]:
        item = self.items.get(item_id)
        if item is None or item["board"] != board_id or item["state"] != "active":
            raise RefusedError("InvalidItemIdException", f"item {item_id} was not found on board {board_id}")
        return item

    def create_item(
        self, board_id: str, name: str, values: Any, *, labels: bool, group: str | None = None
    ) -> dict[str, Any]:
        board = self.board(board_id)
        if group is not None and group not in board.get("groups", [group]):
            raise RefusedError("ResourceNotFoundException", f"group {group} does not exist on board {board_id}")
        kept = self._values(board, _parsed(values), labels=labels)
        given = {column: value for column, value in kept.items() if value is not None}
        item = {"id": "", "board": board_id, "name": _name(name), "state": "active", "values": given, "group": group}
        item["id"] = new = self.new_id()
        item["url"] = f"https://sandbox.monday.com/boards/{board_id}/pulses/{new}"
        item["created_at"] = item["updated_at"] = _now()
        self.items[new] = item
        self.happened("create_pulse", item)
        return item

    def happened(self, event: str, item: Mapping[str, Any]) -> None:
        """A line of the board's activity log, of which monday keeps 10,000."""
        data = {"board_id": int(item["board"]), "pulse_id": int(item["id"]), "pulse_name": item["name"]}
        line = {"id": str(len(self.activity) + 1), "event": event, "board": item["board"], "created_at": _now()}
        self.activity.append({**line, "data": json.dumps(data)})

    def change_item(self, board_id: str, item_id: str, values: Any, *, labels: bool) -> dict[str, Any]:
        item = self.item(item_id, board_id)
        given = _parsed(values)
        name = _name(str(given.pop("name", item["name"])))
        kept = self._values(self.board(board_id), given, labels=labels)
        item["name"], item["updated_at"] = name, _now()
        for column, value in kept.items():
            if value is None:
                item["values"].pop(column, None)
            else:
                item["values"][column] = value
        return item

    def _values(self, board: Mapping[str, Any], values: Mapping[str, Any], *, labels: bool) -> dict[str, Any]:
        """Column id -> what is kept; all or nothing."""
        columns = {column["id"]: column for column in board["columns"]}
        kept = {}
        for column_id, value in values.items():
            if column_id not in columns:
                raise RefusedError("InvalidColumnIdException", f"no column {column_id} on board {board['id']}")
            if column_id not in self.computed:
                kept[column_id] = self._value(columns[column_id], value, labels=labels)
        return kept

    def _value(self, column: dict[str, Any], value: Any, *, labels: bool) -> Any:
        if value is None:
            return None
        try:
            return self._kept(column, value, labels=labels)
        except (KeyError, TypeError, AttributeError, InvalidOperation):
            raise _wrong(column, "invalidValue", f"{value!r} is no value of a {column['type']} column") from None

    def _kept(self, column: dict[str, Any], value: Any, *, labels: bool) -> Any:
        match column["type"]:
            case "numbers":
                return "0" if value == "" else str(Decimal(_text(value)))
            case "date":
                return _text(value["date"] if isinstance(value, Mapping) else value)
            case "status":
                return _label(column, _text(value["label"]), labels=labels)
            case "dropdown":
                return [_label(column, _text(label), labels=labels) for label in value["labels"]] or None
            case "email":
                return _text(value["text"])
            case "long_text":
                return _text(value["text"] if isinstance(value, Mapping) else value)
            case "board_relation":
                return [self._linked(column, item) for item in value["item_ids"]]
            case "text":
                return _text(value) or None
        raise _wrong(column, "readOnly", f"a {column['type']} column cannot be written here")

    def _linked(self, column: Mapping[str, Any], item_id: Any) -> str:
        item = self.items.get(str(item_id)) if isinstance(item_id, int) else None
        allowed = {str(board) for board in column["settings"].get("boardIds", [])}
        if item is None or item["board"] not in allowed:
            raise RefusedError("CorrectedValueException", f"item {item_id} is on no board that {column['id']} links to")
        return str(item["id"])


def shown(column: Mapping[str, Any], value: Any) -> str | None:
    """What a column's `text` shows; a relation's is always null."""
    if column["type"] == "board_relation":
        return None
    return ", ".join(value) if isinstance(value, list) else (value or "")


def _label(column: dict[str, Any], label: str, *, labels: bool) -> str:
    """A status label that is a number is read as the place of one."""
    if column["type"] == "status" and label.isdigit():
        known: list[str] = column["labels"]
        if int(label) < len(known):
            return known[int(label)]
        raise _wrong(column, "missingLabel", f"the label at place {label} does not exist")
    if label not in column["labels"]:
        if not labels:
            raise _wrong(column, "missingLabel", f"the label {label!r} does not exist")
        if column["type"] == "status" and len(column["labels"]) >= MOST_LABELS:
            raise _wrong(column, "tooManyLabels", f"a status column has {MOST_LABELS} labels at most")
        column["labels"].append(label)
    return label


def _wrong(column: Mapping[str, Any], code: str, words: str) -> RefusedError:
    detail = {"column_id": column["id"], "column_type": column["type"], "column_validation_error_code": code}
    return RefusedError("ColumnValueException", words, **detail)


def _name(name: str) -> str:
    if not 1 <= len(name.strip()) <= MOST_NAME:
        raise RefusedError("ItemNameTooLongException", f"an item's name has 1 to {MOST_NAME} characters")
    return name.strip()


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _parsed(values: Any) -> dict[str, Any]:
    """column_values is JSON as text."""
    if not isinstance(values, str):
        raise RefusedError("JsonParseException", "column_values is a JSON-encoded string")
    found = json.loads(values)
    if not isinstance(found, dict):
        raise RefusedError("JsonParseException", "column_values is an object")
    return found


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value
