"""A date-time of Procurify becomes a date: the day that it is at the location that the document is of. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta, timezone
from typing import Any, NamedTuple

from mlc_dagster.systems.procurify.time_zones import zone_named
from mlc_dagster.systems.shared.json_values import moment

SUMMER_TIME = timedelta(hours=1)


class LocalDates(NamedTuple):
    """Field -> the day; of those that are not certain None, and why. `moments`: UTC, of those that are no date."""

    days: Mapping[str, Any]
    moments: Mapping[str, str]
    unsure: str = ""


def local_dates(document: Mapping[str, Any], names: Sequence[str], zones: Sequence[str]) -> LocalDates:
    """`zones`: of the locations that the document is of; "" for one that tells none.

    A date alone, or midnight by its own offset, is a date, and is never shifted. Any other time is a moment, and a date
    only by a zone. Raises ValueError for a value that is no time.
    """
    days: dict[str, Any] = {}
    moments: dict[str, str] = {}
    unsure = []
    for name in names:
        value = document.get(name)
        days[name] = _as_it_stands(value)
        if value is None or days[name] is not None:
            continue
        moments[name] = moment(value).isoformat()
        found = {day for zone in zones or [""] for day in _days(moment(value), zone)}
        days[name] = found.copy().pop() if len(found) == 1 and None not in found else None
        if days[name] is None:
            unsure.append(f"{name} {value}")
    return LocalDates({k: v and v.isoformat() for k, v in days.items()}, moments, ", ".join(unsure))


def _as_it_stands(value: Any) -> date | None:
    """The day of what is a date already; None for a moment."""
    if value is None:
        return None
    moment(value)
    at = datetime.fromisoformat(value)
    return at.date() if (at.hour, at.minute, at.second, at.microsecond) == (0, 0, 0, 0) else None


def _days(at: datetime, zone: str) -> Iterator[date | None]:
    """The days that it may be; None: any. Hours alone do not say whether it is summer there."""
    try:
        here = zone_named(zone)
    except ValueError:
        yield None
        return
    yield at.astimezone(here).date()
    if isinstance(here, timezone):
        yield (at + SUMMER_TIME).astimezone(here).date()
