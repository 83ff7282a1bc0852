"""The time zone of a location of Procurify. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo


def zone_of(location: Mapping[str, Any]) -> str:
    """What a location says of its time zone: a name such as Europe/Stockholm, or hours from UTC; "" for nothing.

    The specification publishes `locationTimezone` without a type, and `timezone` as a number of hours.
    """
    found = next((location[name] for name in ("locationTimezone", "timezone") if location.get(name) is not None), "")
    return str(found).strip()


def zone_named(name: str) -> tzinfo:
    """Raises ValueError for what is neither the name of a zone nor hours from UTC."""
    try:
        return timezone(timedelta(hours=float(name)))
    except (ValueError, OverflowError):
        pass
    try:
        return ZoneInfo(name)
    except (ValueError, LookupError, OSError) as error:
        raise ValueError(f"time zone {name!r} is not known") from error
