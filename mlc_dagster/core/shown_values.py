"""Values as a target shows them, one beside the other. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from mlc_dagster.core.outcomes import Shown

Value = str | Decimal | None


def same(one: Value, other: Value) -> bool:
    """Amounts by value, text by its letters; empty text is none."""
    if isinstance(one, Decimal) and isinstance(other, Decimal):
        return one == other
    return (None if one == "" else one) == (None if other == "" else other)


def kept_otherwise(ours: Value, theirs: Value) -> bool:
    """Whether a system may have made that of this text by itself: other case, other blanks, or cut at its end."""
    if not isinstance(ours, str) or not isinstance(theirs, str):
        return False
    one, other = _folded(ours), _folded(theirs)
    return bool(other) and (one == other or one.startswith(other))


def _folded(text: str) -> str:
    return " ".join(text.split()).casefold()


def shown_otherwise(expected: Shown, values: Shown) -> dict[str, Value]:
    """What a target shows otherwise than it was sent: `outcomes.Saved.shown`. What it does not show proves nothing."""
    return {name: values[name] for name, ours in expected.items() if name in values and not same(ours, values[name])}


def flat(document: Mapping[str, Any], names: Iterable[str], before: str = "") -> dict[str, Value]:
    """Members of a document, under their names behind `before`."""
    return {f"{before}{name}": value_of(document.get(name)) for name in names if name in document}


def value_of(value: Any) -> Value:
    """Numbers are amounts; all else is text, line ends as one character; empty text is none."""
    if isinstance(value, Decimal):
        return value
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return Decimal(value)
    text = "" if value is None else str(value).replace("\r\n", "\n").strip()
    return text or None
