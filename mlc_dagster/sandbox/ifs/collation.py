"""How a tenant's database orders text: by bytes, or as a language does; sorting and comparing need not agree."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Literal

from mlc_dagster.sandbox.ifs.odata import Both, Comparison, Either, Membership, Node, Opposite
from mlc_dagster.sandbox.ifs.odata import Literal as Value

Compares = Literal["bytes", "language", "caseless"]
Sorts = Literal["bytes", "language", "caseless", "none"]

_IGNORED = str.maketrans({"-": None, " ": None, "å": "{", "ä": "|", "ö": "}"})
_ORDERS = ("eq", "ne", "gt", "ge", "lt", "le")
_COLLATED = "\0"  # behind a field's name: its text as the language orders it


def language(text: str) -> str:
    """As Swedish orders: hyphens and blanks count last, case before them, and å, ä, ö come after z."""
    return f"{text.casefold().translate(_IGNORED)}\1{text.swapcase()}\1{text}"


KEYS: dict[str, Callable[[str], str]] = {"language": language, "caseless": str.casefold}


def collated(value: Any, kind: str) -> Any:
    """What to sort or compare by in a value's place."""
    return KEYS[kind](value) if kind in KEYS and isinstance(value, str) else value


class Row(Mapping[str, Any]):
    """A row's fields, and beside them its texts as they are compared."""

    def __init__(self, fields: Mapping[str, Any], kind: str) -> None:
        self._fields, self._kind = fields, kind

    def __getitem__(self, name: str) -> Any:
        if name.endswith(_COLLATED):
            return collated(self._fields[name.removesuffix(_COLLATED)], self._kind)
        return self._fields[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)


def names_beside(names: Mapping[str, tuple[str, str]]) -> dict[str, tuple[str, str]]:
    """The names on the wire, and for each text the one under which it is compared."""
    texts = {wire: name for wire, (name, kind) in names.items() if kind == "text"}
    return {**names, **{wire + _COLLATED: (name + _COLLATED, "text") for wire, name in texts.items()}}


def compared(node: Node, names: Mapping[str, tuple[str, str]], kind: str) -> Node:
    """The tree of a $filter in which texts are compared as the language orders them."""
    if isinstance(node, Both | Either):
        return replace(node, parts=tuple(compared(part, names, kind) for part in node.parts))
    if isinstance(node, Opposite):
        return Opposite(compared(node.part, names, kind))
    if names.get(node.field, ("", ""))[1] != "text":
        return node
    if isinstance(node, Membership):
        return Membership(node.field + _COLLATED, tuple(_collated(each, kind) for each in node.literals))
    if node.operator in _ORDERS and not node.lower:
        return Comparison(node.operator, node.field + _COLLATED, _collated(node.literal, kind))
    return node


def _collated(literal: Value, kind: str) -> Value:
    return replace(literal, value=collated(literal.value, kind))
