"""One JSON value becomes one exact value, or a ValueError that says what was found and what was expected.

IFS mixes whole and decimal numbers in one column, sends decimals as text to clients that ask for IEEE754Compatible, and
writes some dates with a time of midnight: all of that is read. A number where a code should be is not: 10 may have
been 0010.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa

from mlc_dagster.core.arrow_columns import AMOUNT, MOMENT

_NUMBER = re.compile(r"-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_WHOLE = re.compile(r"-?\d+", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?", re.ASCII)


def moment(value: Any) -> datetime:
    """UTC. A time without a zone is UTC; a date alone is its midnight; what is below a microsecond is cut off."""
    if not isinstance(value, str) or not _MOMENT.fullmatch(value):
        raise _unlike(value, "a timestamp like 2026-11-05T08:30:00Z")
    try:
        found = datetime.fromisoformat(value)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{error}; found {_shown(value)}") from error


def moment_or_none(value: Any) -> datetime | None:
    """As `moment`; None where the value is none."""
    try:
        return moment(value)
    except ValueError:
        return None


def day(value: Any) -> date:
    """A date, or the day that a timestamp shows, whatever its zone: the ERP's dates have none."""
    if isinstance(value, str) and not _DAY.fullmatch(value):
        moment(value)
    if not isinstance(value, str):
        raise _unlike(value, "a date like 2026-11-05")
    return date.fromisoformat(value[:10])


def amount(value: Any) -> Decimal:
    """A decimal number, as a JSON number or as text, that fits decimal(76, 30) exactly."""
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        value = Decimal(value)
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise _unlike(value, "a number")
    if not amount_fits(found := Decimal(value)):
        raise _unlike(value, "at most 46 digits before the point and 30 after it")
    return found


def amount_fits(value: Decimal) -> bool:
    """Whether decimal(76, 30) holds it exactly."""
    if not value.is_finite():
        return False
    if not value:
        return True
    _, digits, exponent = value.as_tuple()
    zeros = len(digits) - len("".join(map(str, digits)).rstrip("0"))
    return value.adjusted() < 46 and isinstance(exponent, int) and exponent + zeros >= -30


def whole(value: Any) -> int:
    """A whole number of 64 bits: 7, 7.0 or "7"."""
    if isinstance(value, str) and _WHOLE.fullmatch(value):
        value = int(value) if len(value) < 20 else value
    if isinstance(value, Decimal) and value.is_finite() and value == value.to_integral_value():
        value = int(value) if value.adjusted() < 19 else value
    if isinstance(value, bool) or not isinstance(value, int) or not -(2**63) <= value < 2**63:
        raise _unlike(value, "a whole number")
    return value


def flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise _unlike(value, "true or false")
    return value


def text(value: Any) -> str:
    """Text that UTF-8 can carry. A number is refused: its leading zeros are lost already."""
    if not isinstance(value, str):
        raise _unlike(value, "text")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"half of a surrogate pair at position {error.start}") from error
    return value


CONVERTERS: dict[pa.DataType, Callable[[Any], Any]] = {
    pa.string(): text,
    AMOUNT: amount,
    pa.int64(): whole,
    pa.bool_(): flag,
    pa.date32(): day,
    MOMENT: moment,
}
"""Column type -> what makes a value of it."""


def _unlike(value: Any, expected: str) -> ValueError:
    return ValueError(f"expected {expected}, found {_shown(value)}")


def _shown(value: Any) -> str:
    return repr(str(value) if isinstance(value, Decimal) else value)[:80]
