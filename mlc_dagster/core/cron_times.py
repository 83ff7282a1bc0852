"""When something comes round: by a cron line or in words, in a zone. Read here, without loading Dagster."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

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
EXPECTED = (
    "a cron line (minute, hour, day, month, weekday: */15 * * * *) or words: every 15 minutes, hourly, daily at 06:00, "
    "weekdays at 06:00, mondays at 06:00, after day 25 at 06:00, after the month at 06:00; a zone may follow "
    "(Europe/Stockholm)"
)
WEEKDAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")


class When(NamedTuple):
    """A cron line, on the clocks of a zone (IANA)."""

    cron: str
    zone: str = "UTC"


def when(text: str, usual: str = "UTC") -> When:
    """What a setting says: a cron line or words, and a zone behind it; `usual` is that of what names none.

    A line of five fields is taken as it is: what runs it judges it (`mlc check`). Raises ValueError with what is
    expected, where it is neither.
    """
    said, zone = _with_zone(" ".join(text.split()))
    cron = _in_words(said.lower()) or said
    if cron.lower() not in NAMES and (len(cron.split()) != len(RANGES) or not re.match(r"[\d*]", cron)):
        raise ValueError(EXPECTED)
    return When(cron, zone or usual)


def _with_zone(text: str) -> tuple[str, str]:
    said, _, last = text.rpartition(" ")
    if said and (last == "UTC" or ("/" in last and last[0].isalpha())):
        try:
            ZoneInfo(last)
        except (KeyError, ValueError, OSError) as error:
            raise ValueError(f"a zone that there is, such as Europe/Stockholm; {last!r} is none") from error
        return said, last
    return text, ""


def _every(minutes: str) -> str:
    number = int(minutes)
    if number < 60 and 60 % number == 0:
        return f"*/{number} * * * *"
    return f"0 */{number // 60} * * *" if number % 60 == 0 and 24 % (number // 60) == 0 else ""


def _at(days: str, hour: str, minute: str) -> str:
    return f"{int(minute)} {int(hour)} {days}"


def _after_day(day: str, hour: str, minute: str) -> str:
    """The day after it; a month that ends before it is over on its last day, so that the first of the next counts."""
    return _at(f"{int(day) + 1} * *" if int(day) < 28 else "1 * *", hour, minute) if 1 <= int(day) <= 31 else ""


_CLOCK = r"at (\d\d?):(\d\d)"
_WORDS: tuple[tuple[str, Callable[..., str]], ...] = (
    (r"every ([1-9]\d*) minutes", _every),
    (r"every ([1-9]\d?) hours", lambda hours: _every(str(int(hours) * 60))),
    (r"hourly", lambda: "0 * * * *"),
    (rf"daily {_CLOCK}", functools.partial(_at, "* * *")),
    (rf"weekdays {_CLOCK}", functools.partial(_at, "* * 1-5")),
    *((rf"{day}s {_CLOCK}", functools.partial(_at, f"* * {number}")) for number, day in enumerate(WEEKDAYS)),
    (rf"after day (\d\d?) {_CLOCK}", _after_day),
    (rf"after the month {_CLOCK}", functools.partial(_at, "1 * *")),
)


def _in_words(said: str) -> str:
    for pattern, line in _WORDS:
        if found := re.fullmatch(pattern, said):
            return line(*found.groups())
    return ""


def next_time(line: str | When, after: datetime) -> datetime | None:
    """The first minute after a moment (aware) that the line names, in UTC; None: it names none, or is not read here."""
    asked = line if isinstance(line, When) else When(line)
    zone = ZoneInfo(asked.zone)
    local = after.astimezone(zone)
    if asked.cron.split()[1:2] == ["*"]:  # by the minute alone: as if the clock were never changed
        found = _next_on_the_clock(asked.cron, local.replace(tzinfo=None))
        return (found - (local.utcoffset() or timedelta(0))).replace(tzinfo=UTC) if found else None
    found = _next_on_the_clock(asked.cron, local.replace(tzinfo=None) - timedelta(hours=1))  # an hour may come twice
    while found is not None and _on_the_clock(found, zone) <= after:
        found = _next_on_the_clock(asked.cron, found)
    return _on_the_clock(found, zone) if found else None


def _on_the_clock(wall: datetime, zone: ZoneInfo) -> datetime:
    """When the clock shows this, in UTC: the second time in autumn, as Dagster has it; in spring, of a time that is
    left out, when it shows the next one.
    """
    moment = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    while moment.astimezone(zone).replace(tzinfo=None, fold=0) != wall:
        wall += timedelta(minutes=1)
        moment = wall.replace(tzinfo=zone).astimezone(UTC)
    return moment


def _next_on_the_clock(line: str, after: datetime) -> datetime | None:
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
