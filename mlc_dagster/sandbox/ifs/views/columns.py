"""The columns of a set on the wire, and where in the stored rows each comes from."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from mlc_dagster.sandbox.ifs.rows import Stored

_COLUMN = re.compile(r"(?P<name>\w+)(?:<(?P<source>\w+))?(?::(?P<kind>\w+))?(?:=(?P<constant>.*))?")
_CONSTANTS = {"true": True, "false": False}


@dataclass(frozen=True)
class Source:
    """What one row on the wire is made of: a stored row, one of its lines, and what the view itself adds."""

    head: Stored
    line: Stored | None = None
    also: Mapping[str, Any] = field(default_factory=dict)  # by the column's name

    def get(self, name: str) -> Any:
        """A field of the catalogue: the line's where it has it, else the header's; None where neither does."""
        if self.line is not None and name in self.line.fields:
            return self.line.fields[name]
        return self.head.fields.get(name)


Value = Callable[[Source], Any]


@dataclass(frozen=True)
class Column:
    """`kind`: text, decimal, int, bool, date, midnight (a day, shown as midnight Z), timestamp, enum."""

    name: str
    kind: str
    value: Value
    kept_as: str = ""  # the catalogue's field that a write fills; empty: a write of it is ignored

    @property
    def filtered_as(self) -> str:
        """The kind that $filter knows."""
        return {"midnight": "timestamp", "enum": "text"}.get(self.kind, self.kind)


def columns(text: str, **computed: tuple[str, Value]) -> tuple[Column, ...]:
    """`"Name PayTermId<PaymentTerms OrderDate:midnight OneTime:bool=false"`: a name on the wire, the catalogue's field
    where that is another, the kind where it is not text, and the constant that stands there. `computed`: name -> (kind,
    value), behind the others. A field that no stored row has is null.
    """
    found = [_column(match) for word in text.split() if (match := _COLUMN.fullmatch(word))]
    if len(found) != len(text.split()):
        raise ValueError(f"a column is Name<Field:kind=constant; found {text!r}")
    return (*found, *(Column(name, kind, value) for name, (kind, value) in computed.items()))


def without(given: Iterable[Column], *names: str) -> tuple[Column, ...]:
    return tuple(column for column in given if column.name not in names)


def renamed(given: Iterable[Column], **names: str) -> tuple[Column, ...]:
    """name -> the name that it has instead."""
    return tuple(replace(column, name=names.get(column.name, column.name)) for column in given)


def _column(match: re.Match[str]) -> Column:
    name, kind, constant = match["name"], match["kind"] or "text", match["constant"]
    if constant is not None:
        value = _constant(constant, kind)
        return Column(name, kind, lambda source: value)
    field_name = match["source"] or name
    return Column(name, kind, _getter(name, field_name, kind), field_name)


def _constant(text: str, kind: str) -> Any:
    if kind in ("decimal", "int"):
        return Decimal(text) if kind == "decimal" else int(text)
    return _CONSTANTS.get(text, text) if kind == "bool" else text or None


def _getter(name: str, field_name: str, kind: str) -> Value:
    def value(source: Source) -> Any:
        found = source.also[name] if name in source.also else source.get(field_name)
        return f"{found}T00:00:00Z" if kind == "midnight" and found is not None else found

    return value
