"""What a JSON document says becomes the row of a record, value by value and exactly; a misfit names its field."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from types import NoneType
from typing import Any, get_args, get_origin

import msgspec

from mlc_dagster.core.arrow_columns import schema_of
from mlc_dagster.core.vocabulary import Record, Row
from mlc_dagster.systems.shared.json_values import CONVERTERS

Converter = Callable[[Any], Any]
LISTED = "listed"  # the name of what fits a list: where there is none, the list is empty


def converted_row(record: type[Record], found: Mapping[str, Any]) -> Row:
    """Record field -> exact value. `found` has the values as JSON gave them, by record field; null and absent are one.

    Raises ValueError that names the field.
    """
    return {
        name: _value(name, found.get(name), convert, required)
        for name, (convert, required) in _converters(record).items()
    }


def readable(record: type[Record], found: Mapping[str, Any], names: tuple[str, ...]) -> Row:
    """Those of these fields that can be read; the others are null."""
    row: Row = {}
    for name in names:
        convert, _ = _converters(record)[name]
        try:
            row[name] = _value(name, found.get(name), convert, False)
        except ValueError:
            row[name] = None
    return row


def _value(name: str, value: Any, convert: Converter, required: bool) -> Any:
    try:
        if value is None and required:
            raise ValueError("is missing")
        return convert(value) if value is not None else [] if convert.__name__ == LISTED else None
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error


@cache
def _converters(record: type[Record]) -> dict[str, tuple[Converter, bool]]:
    kinds = schema_of(record)
    return {
        field.name: (_converter(field.type, kinds.field(field.name).type), field.required)
        for field in msgspec.structs.fields(record)
    }


def _converter(hint: Any, kind: Any) -> Converter:
    inner = [part for part in get_args(hint) if part is not NoneType and part is not Ellipsis]
    if get_origin(hint) in (tuple, list):
        return _each_of(_converter(inner[0], kind.value_type))
    if isinstance(hint, type) and issubclass(hint, Record):
        return lambda value: converted_row(hint, value)
    return CONVERTERS[kind]


def _each_of(convert: Converter) -> Converter:
    def listed(values: Any) -> list[Any]:
        if not isinstance(values, list | tuple):
            raise ValueError(f"expected a list, found {str(values)[:80]!r}")
        return [convert(value) for value in values]

    return listed
