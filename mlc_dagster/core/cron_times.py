"""When a cron line comes round next, in UTC: what `mlc status` says without loading Dagster."""

from __future__ import annotations

import functools
from datetime import datetime, timedelta

NAMES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
RANGES = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
"""Minute, hour, day of the month, month, day of the week: 0 and 7 are Sunday."""

FURTHEST = 366 * 5  # days


def next_time(line: str, after: datetime) -> datetime | None:
    """The first minute after a moment (aware, UTC) that the line names; None: it names none, or is not read here."""
    try:
        minutes, hours, days, months, weekdays = _fields(line)
    except ValueError:
        return None
    of_days = NAMES.get(line.strip().lower(), line).split()[2::2]
    either = "*" not in of_days  # cron's rule: where both kinds of day are named, one of them is enough
    day = (after + timedelta(minutes=1)).replace(second=0, microsecond=0)
    for _ in range(FURTHEST):
        by_month_day, by_week_day = day.day in days, day.isoweekday() % 7 in weekdays
        if day.month in months and ((by_month_day or by_week_day) if either else (by_month_day and by_week_day)):
            times = ((hour, minute) for hour in sorted(hours) for minute in sorted(minutes))
            found = next((time for time in times if time >= (day.hour, day.minute)), None)
            if found:
                return day.replace(hour=found[0], minute=found[1])
        day = (day + timedelta(days=1)).replace(hour=0, minute=0)
    return None


@functools.lru_cache(maxsize=64)
def _fields(line: str) -> list[frozenset[int]]:
    fields = NAMES.get(line.strip().lower(), line).split()
    if len(fields) != len(RANGES):
        raise ValueError(f"{line!r} has {len(fields)} fields")
    found = [_field(text, lowest, highest) for text, (lowest, highest) in zip(fields, RANGES, strict=True)]
    return [*found[:4], frozenset(number % 7 for number in found[4])]


def _field(text: str, lowest: int, highest: int) -> frozenset[int]:
    """`*/15`, `1-5`, `0,30`. Raises ValueError where it is written otherwise."""
    found: set[int] = set()
    for part in text.split(","):
        span, _, step = part.partition("/")
        first, _, last = span.partition("-")
        begin = lowest if span == "*" else int(first)
        end = highest if span == "*" or (step and not last) else int(last or first)
        if not lowest <= begin <= end <= highest:
            raise ValueError(f"{part!r} is not within {lowest} and {highest}")
        found |= set(range(begin, end + 1, int(step or 1)))
    return frozenset(found)
