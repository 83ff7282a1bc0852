"""OData's $filter, key predicates, $orderby and $expand: text becomes a small tree; `predicates` makes it run."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any


class ODataError(Exception):
    """The request cannot be understood; becomes a 400 (or 501) with this text, and what is wrong in details[0]."""

    detail = ""
    reason = "DATABASE_ERROR"  # the code in details[0]

    def __init__(self, message: str, status: int = 400, code: str = "ODP_BAD_REQUEST") -> None:
        super().__init__(message)
        self.status, self.code = status, code


@dataclass(frozen=True)
class Literal:
    kind: str  # string, timestamp, date, number, bool, null
    value: Any


@dataclass(frozen=True)
class Comparison:
    operator: str  # eq ne gt ge lt le, startswith contains endswith
    field: str
    literal: Literal
    lower: bool = False  # tolower(field)


@dataclass(frozen=True)
class Membership:
    field: str
    literals: tuple[Literal, ...]


@dataclass(frozen=True)
class Both:
    parts: tuple[Node, ...]


@dataclass(frozen=True)
class Either:
    parts: tuple[Node, ...]


@dataclass(frozen=True)
class Opposite:
    part: Node


Node = Comparison | Membership | Both | Either | Opposite

_TOKEN = re.compile(
    r"""\s*(?:
    (?P<enum>[A-Za-z_][\w.]*'(?:[^']|'')*')
  | (?P<string>'(?:[^']|'')*')
  | (?P<timestamp>-?\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d))
  | (?P<date>\d{4}-\d\d-\d\d)
  | (?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)
  | (?P<name>[A-Za-z_][\w.]*)
  | (?P<mark>[(),=])
  )""",
    re.VERBOSE,
)
_COMPARISONS = {"eq", "ne", "gt", "ge", "lt", "le"}
_MIRRORED = {"eq": "eq", "ne": "ne", "gt": "lt", "ge": "le", "lt": "gt", "le": "ge"}
_FUNCTIONS = {"startswith", "contains", "endswith"}


def parse_filter(text: str) -> Node:
    """The tree of a $filter. Raises ODataError that shows where the text stops making sense."""
    reader = _Reader(text)
    node = reader.either()
    reader.expect_end()
    return node


def parse_keys(text: str) -> dict[str, Any]:
    """A key predicate's content: name -> value; the only value of `('x')` stands under the empty name."""
    reader = _Reader(text)
    keys: dict[str, Any] = {}
    while True:
        name = ""
        if reader.kind == "name" and reader.text not in ("true", "false", "null"):
            name = reader.take()
            reader.expect("=")
        keys[name] = reader.literal().value
        if reader.text != ",":
            break
        reader.take()
    reader.expect_end()
    return keys


class _Reader:
    """Tokens of one expression, and the grammar over them: `or` binds weaker than `and`, `and` weaker than `not`."""

    def __init__(self, source: str) -> None:
        self.source, self.place = source, 0
        self.kind, self.text = "", ""
        self._next()

    def _next(self) -> None:
        match = _TOKEN.match(self.source, self.place)
        if match is None:
            if self.source[self.place :].strip():
                raise self._mistake()
            self.kind, self.text = "end", ""
            return
        self.kind, self.text = str(match.lastgroup), match[str(match.lastgroup)]
        self.start, self.place = match.start(str(match.lastgroup)), match.end()

    def _mistake(self) -> ODataError:
        hint = " A space is written %20; '+' is a plus sign." if "+" in self.source else ""
        return ODataError(
            f"The URI is malformed near {self.source[self.place :][:40]!r} in {self.source[:200]!r}.{hint}"
        )

    def take(self) -> str:
        text = self.text
        self._next()
        return text

    def expect(self, mark: str) -> None:
        if self.text != mark or self.kind != "mark":
            raise self._mistake()
        self._next()

    def expect_end(self) -> None:
        if self.kind != "end":
            raise self._mistake()

    def either(self) -> Node:
        parts = [self.both()]
        while self.kind == "name" and self.text == "or":
            self._next()
            parts.append(self.both())
        return parts[0] if len(parts) == 1 else Either(tuple(parts))

    def both(self) -> Node:
        parts = [self.single()]
        while self.kind == "name" and self.text == "and":
            self._next()
            parts.append(self.single())
        return parts[0] if len(parts) == 1 else Both(tuple(parts))

    def single(self) -> Node:
        if self.kind == "name" and self.text == "not":
            self._next()
            return Opposite(self.single())
        if self.kind == "mark" and self.text == "(":
            self._next()
            node = self.either()
            self.expect(")")
            return node
        if self.kind == "name" and self.text in _FUNCTIONS:
            return self._function()
        return self._comparison()

    def _function(self) -> Node:
        name = self.take()
        self.expect("(")
        field, lower = self._field()
        self.expect(",")
        literal = self.literal()
        self.expect(")")
        if self.kind == "name" and self.text == "eq":  # contains(Name,'x') eq true
            self._next()
            wanted = self.literal().value
            node = Comparison(name, field, literal, lower)
            return node if wanted is True else Opposite(node)
        return Comparison(name, field, literal, lower)

    def _field(self) -> tuple[str, bool]:
        if self.kind != "name":
            raise self._mistake()
        name = self.take()
        if self.kind == "mark" and self.text == "(":
            if name not in ("tolower", "toupper"):
                raise ODataError(f"The function '{name}' is not implemented.", 501, "ODP_NOT_IMPLEMENTED")
            self._next()
            field, _ = self._field()
            self.expect(")")
            return field, name == "tolower"
        return name, False

    def _comparison(self) -> Node:
        if self.kind != "name" or self.text in ("true", "false", "null"):
            literal = self.literal()
            operator = self._operator()
            field, lower = self._field()
            return Comparison(_MIRRORED[operator], field, literal, lower)
        field, lower = self._field()
        if self.kind == "name" and self.text == "in":
            self._next()
            return Membership(field, self._list())
        operator = self._operator()
        return Comparison(operator, field, self.literal(), lower)

    def _operator(self) -> str:
        if self.text not in _COMPARISONS:
            raise self._mistake()
        return self.take()

    def _list(self) -> tuple[Literal, ...]:
        self.expect("(")
        literals = [self.literal()]
        while self.text == ",":
            self._next()
            literals.append(self.literal())
        self.expect(")")
        return tuple(literals)

    def literal(self) -> Literal:
        kind, text = self.kind, self.text
        if kind == "name" and text in ("true", "false", "null"):
            kind = "null" if text == "null" else "bool"
        elif kind not in ("string", "enum", "timestamp", "date", "number"):
            raise self._mistake()
        self._next()
        return _literal(kind, text)


def _literal(kind: str, text: str) -> Literal:
    if kind in ("string", "enum"):
        return Literal("string", text[text.index("'") + 1 : -1].replace("''", "'"))
    if kind == "timestamp":
        return Literal("timestamp", timestamp_text(text))
    if kind == "number":
        return Literal("number", int(text) if text.lstrip("-").isdigit() else Decimal(text))
    return Literal(kind, {"true": True, "false": False, "null": None}.get(text, text))


def timestamp_text(text: str) -> str:
    """Any offset becomes UTC, whole seconds. IFS timestamps have precision 0: a fraction is refused."""
    if "." in text:
        raise ODataError(f"The literal '{text}' has fractions of a second; the attribute's precision is 0.")
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ").zfill(20)
    except (ValueError, OverflowError) as error:
        raise ODataError(f"The literal '{text}' is not a timestamp: {error}.") from error


def split_outside(text: str, mark: str) -> list[str]:
    """Split at a mark that stands in no parentheses: `A,B($select=C,D)` at commas is two parts."""
    parts, depth, start = [], 0, 0
    for place, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if letter == mark and depth == 0:
            parts.append(text[start:place])
            start = place + 1
    return [part.strip() for part in [*parts, text[start:]] if part.strip()]


def parse_expand(text: str) -> dict[str, dict[str, str]]:
    """`Lines($select=A,B;$top=5)` -> {"Lines": {"$select": "A,B", "$top": "5"}}."""
    expanded = {}
    for part in split_outside(text, ","):
        name, _, inner = part.partition("(")
        options = split_outside(inner.removesuffix(")"), ";")
        expanded[name.strip()] = dict(option.split("=", 1) for option in options if "=" in option)
    return expanded


def parse_orderby(text: str) -> list[tuple[str, bool]]:
    """`A desc,B` -> [("A", True), ("B", False)]."""
    order = []
    for part in split_outside(text, ","):
        name, _, direction = part.partition(" ")
        if direction.strip() not in ("", "asc", "desc"):
            raise ODataError(f"The URI is malformed: $orderby has {part!r}. A space is written %20.")
        order.append((name, direction.strip() == "desc"))
    return order
