"""What a person set for this browser, kept in a cookie: no decision depends on it, and nothing secret is in it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from datetime import UTC, tzinfo
from urllib.parse import quote, unquote
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

COOKIE = "mlc-review-me"
LONGEST = 1_000
KEYS = {
    "help": ("?", "this list"),
    "search": ("/", "to the search"),
    "next": ("j", "the next row"),
    "previous": ("k", "the row before"),
    "up": ("u", "back to the list"),
    "next_item": ("]", "the next item of this cause"),
    "previous_item": ("[", "the item before"),
    "select": ("x", "tick the row, or take the tick away"),
    "assign": ("a", "to the field that gives it to somebody"),
    "note": ("n", "to the note"),
    "copy": ("c", "copy the request"),
    "look": ("l", "ask to look again"),
    "decide": ("d", "open the form of a decision; nothing is done without its button"),
    "go": ("g", "and then c, i, a or e: causes, items, approvals, close"),
}
"""Name -> (its key, what it does)."""


@dataclass(frozen=True)
class Preferences:
    """Of one browser."""

    keys: bool = True
    zone: str = "UTC"
    remapped: dict[str, str] = field(default_factory=dict)  # name -> its key

    @property
    def timezone(self) -> tzinfo:
        return zone_of(self.zone) or UTC

    @property
    def shortcuts(self) -> dict[str, str]:
        """Name -> its key, of those that have one; none where they are off."""
        found = {name: self.remapped.get(name, key) for name, (key, _) in KEYS.items()}
        return {name: key for name, key in found.items() if key} if self.keys else {}

    def as_cookie(self) -> str:
        return quote(json.dumps(asdict(self)))


def preferences_of(cookie: str) -> Preferences:
    """What is none of ours is left out: it came from a browser."""
    try:
        told = json.loads(unquote(cookie[:LONGEST])) if cookie else {}
    except ValueError:
        told = {}
    told = told if isinstance(told, dict) else {}
    remapped = told.get("remapped")
    keys = remapped if isinstance(remapped, dict) else {}
    mine = {name: str(key)[:1] for name, key in keys.items() if name in KEYS}
    zone = str(told.get("zone", "UTC"))
    return Preferences(told.get("keys") is not False, zone if zone_of(zone) else "UTC", mine)


def zone_of(name: str) -> tzinfo | None:
    """Such as Australia/Sydney; None: there is none of that name."""
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name) if name.isascii() and ".." not in name and not name.startswith("/") else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
