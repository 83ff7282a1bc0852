"""JSON as RFC 8259 has it: no NaN, no depth without end, numbers by their digits; and no object with a member twice.

Which of the two counts is left open there, so neither does. It is looked for in all that is read, and cheaply: rows of
one answer have the same members, so that their number tells; only where it is another one is each object looked at. (A
row that lacks a member beside one that has one twice make the number even, and are not seen.)
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

_MEMBER, _QUOTED = b'":', b'\\":'  # the end of a name and its colon; the same within a text


class RepeatedMembers(dict[str, Any]):
    """An object that has members twice; `repeated` names them."""

    repeated: tuple[str, ...] = ()


def document_of(content: bytes) -> Any:
    """Raises ValueError for what is no JSON, or is nested too deeply."""
    try:
        return json.loads(content, parse_float=Decimal, parse_constant=_refuse, object_pairs_hook=_noted)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")


def repeats(content: bytes) -> bool:
    """Whether any object has a member twice. Reads the whole document."""
    found: list[tuple[str, ...]] = []

    def note(pairs: list[tuple[str, Any]]) -> None:
        names = tuple(name for name, _ in pairs)
        if len(set(names)) < len(names):
            found.append(names)

    try:
        json.loads(content, object_pairs_hook=note)
    except (ValueError, RecursionError):
        return True
    return bool(found)


def _noted(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    names = [name for name, _ in pairs]
    marked = RepeatedMembers(found)
    marked.repeated = tuple(sorted({name for name in names if names.count(name) > 1}))
    return marked


def members(content: bytes) -> int:
    """How many members all objects of a document have together. White space before a colon hides one."""
    count = content.count(_MEMBER)
    return count - content.count(_QUOTED) if b'\\"' in content else count


def may_repeat(content: bytes, rows: int, lines: int, navigation: str = "") -> bool:
    """Whether a page of so many rows and lines has another number of members than its first row and line tell."""
    if not rows:
        return False
    start, end = content.find(b"["), content.rfind(b"]")
    row = _first(content, start)
    line = _first(content, content.find(f'"{navigation}":[{{'.encode())) if lines else {}
    if row is None or line is None or isinstance(row, RepeatedMembers) or isinstance(line, RepeatedMembers):
        return True
    nested = sum(len(each) for each in _objects(row) if each is not row and not lines)
    around = members(content[:start]) + members(content[end:])
    return members(content) != around + rows * (len(row) + nested) + lines * len(line)


def _first(content: bytes, at: int) -> dict[str, Any] | None:
    """The first object behind a place; None where there is none that can be read."""
    begin = content.find(b"{", at)
    if at < 0 or begin < 0:
        return None
    try:
        found, _ = json.JSONDecoder(object_pairs_hook=_noted).raw_decode(
            content[begin : begin + 1_000_000].decode(errors="ignore")
        )
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _objects(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, list):
        return [each for item in value for each in _objects(item)]
    if isinstance(value, dict):
        return [value, *(each for item in value.values() for each in _objects(item))]
    return []
