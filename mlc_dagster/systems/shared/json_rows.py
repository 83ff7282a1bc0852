"""What a JSON document says becomes the row of a record, value by value and exactly; a misfit names its field."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from types import NoneType
from typing import Any, get_args, get_origin

import msgspec

from mlc_dagster.core.arrow_columns import schema_of
from mlc_dagster.core.vocabulary import Record, Row
from mlc_dagster.systems.shared.json_values import FITTING

Fit = Callable[[Any], Any]
LISTED = "listed"  # the name of what fits a list: where there is none, the list is empty


def fitted(record: type[Record], found: Mapping[str, Any]) -> Row:
    """Record field -> exact value. `found` has the values as JSON gave them, by record field; null and absent are one.

    Raises ValueError that names the field.
    """
    return {name: _value(name, found.get(name), fit, required) for name, (fit, required) in _fits(record).items()}


def readable(record: type[Record], found: Mapping[str, Any], names: tuple[str, ...]) -> Row:
    """Those of these fields that can be read; the others are null."""
    row: Row = {}
    for name in names:
        fit, _ = _fits(record)[name]
        try:
            row[name] = _value(name, found.get(name), fit, False)
        except ValueError:
            row[name] = None
    return row


def _value(name: str, value: Any, fit: Fit, required: bool) -> Any:
    try:
        if value is None and required:
            raise ValueError("is missing")
        return fit(value) if value is not None else [] if fit.__name__ == LISTED else None
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error


@cache
def _fits(record: type[Record]) -> dict[str, tuple[Fit, bool]]:
    kinds = schema_of(record)
    return {
        field.name: (_fit(field.type, kinds.field(field.name).type), field.required)
        for field in msgspec.structs.fields(record)
    }


def _fit(hint: Any, kind: Any) -> Fit:
    inner = [part for part in get_args(hint) if part is not NoneType and part is not Ellipsis]
    if get_origin(hint) in (tuple, list):
        return _each(_fit(inner[0], kind.value_type))
    if isinstance(hint, type) and issubclass(hint, Record):
        return lambda value: fitted(hint, value)
    return FITTING[kind]


def _each(fit: Fit) -> Fit:
    def listed(values: Any) -> list[Any]:
        if not isinstance(values, list | tuple):
            raise ValueError(f"expected a list, found {str(values)[:80]!r}")
        return [fit(value) for value in values]

    return listed
