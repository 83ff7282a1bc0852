"""Values as the page shows them: amounts with their digits, ages, values of others in quotes and inert."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal

from mlc_dagster.core.amounts import currency_decimals, parsed
from mlc_dagster.core.inert import inert

MOST = 80  # signs of a value of others
UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"))
_LETTER = re.compile(r"(?<=[0-9])[OoIl](?=[0-9])|(?<=[0-9])[OoIl]\b")
_MEANT = {"O": "0", "o": "0", "I": "1", "l": "1"}


def quoted(value: str) -> str:
    """A value of another system: in quotes, cut, nothing of it acts."""
    return f'"{cut(inert(value))}"'


def cut(text: str, most: int = MOST) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def money(amount: Decimal | str | None, currency: str) -> str:
    """1,204,300.00 SEK; what is no number is shown as it is."""
    number = amount if isinstance(amount, Decimal) else parsed(amount)
    if number is None:
        return cut(inert(amount)) if isinstance(amount, str) else ""
    return f"{digits(number, currency)} {cut(inert(currency), 12)}".strip()


def digits(number: Decimal, currency: str) -> str:
    """With every digit that it has, and at least those of its currency."""
    if number.adjusted() > 40:
        return f"{number:E}"
    exponent = number.normalize().as_tuple().exponent
    least = currency_decimals(currency or None, None)
    return f"{number:,.{max(least, -exponent if isinstance(exponent, int) else 0)}f}"


def age(since: datetime | None, now: datetime) -> str:
    """9 days, 4 minutes."""
    if since is None:
        return ""
    seconds = max(0, (now - since).total_seconds())
    for size, unit in UNITS:
        if seconds >= size:
            number = int(seconds // size)
            return f"{number:,} {unit}{'s' if number > 1 else ''}"
    return "just now"


def moment(at: datetime | date | None, zone: tzinfo = UTC) -> str:
    """2026-11-19 09:15 UTC, 2026-11-19 20:15 AEDT. A date is the document's own, and of no zone."""
    if at is None:
        return ""
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M %Z}" if isinstance(at, datetime) else at.isoformat()


def resemblance(value: str) -> str:
    """What an eye takes for another sign; empty where there is nothing like that."""
    if value != value.strip():
        return "It begins or ends with a blank."
    if found := _LETTER.search(value):
        meant = _LETTER.sub(lambda one: _MEANT[one[0]], value)
        return f"Looks like {cut(inert(meant))}: sign {found.start() + 1} is the letter {found[0]}."
    return ""
