"""Whether "nothing is open" is an all-clear: what was loaded last, what is due or paused, whether sensors look."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from mlc_dagster.ledger import Ledger
from mlc_dagster.settings import Settings
from mlc_dagster.web.review.shown_text import age

FRESH = timedelta(hours=26)  # a flow without any change has its day's last load after midnight
LOOKS = timedelta(minutes=2)  # the sensors that take decisions up look each minute


@dataclass(frozen=True)
class Freshness:
    """In words, and whether all of it is well. `warnings` stand on every page."""

    is_clear: bool
    words: str
    due: int
    warnings: tuple[str, ...] = ()


def freshness(ledger: Ledger, connections: Mapping[str, str], settings: Settings, now: datetime) -> Freshness:
    """From the ledger alone: no system is asked while a page is made. `connections`: flow -> its SaaS."""
    loads, due = ledger.loads.latest(), ledger.work.number()
    on = [name for name, spoke in connections.items() if spoke in settings.connections]
    warnings = [*map(str, ledger.pauses.standing().values()), *_sensors(ledger.loads.sensors_looked_at(), now)]
    never = [name for name in on if name not in loads]
    stale = [name for name in on if name in loads and now - loads[name].ended_at > FRESH]
    problems = [f"{name} was loaded last {age(loads[name].ended_at, now)} ago" for name in stale[:3]]
    problems += [f"{len(stale) - 3} more flows were not loaded for a day"] if len(stale) > 3 else []
    warnings += problems
    problems += [f"{len(never)} flows were never loaded ({', '.join(never[:3])})"] if never else []
    problems += [f"{due} days are due" if due > 1 else "1 day is due"] if due else []
    if problems or warnings:
        words = "; ".join(dict.fromkeys([*problems, *warnings]))
        return Freshness(False, words, due, tuple(warnings))
    last = max((each.ended_at for each in loads.values()), default=None)
    return Freshness(bool(on), f"{len(on)} flows were loaded within a day, the last {_ago(last, now)}", 0)


def _sensors(looked_at: datetime | None, now: datetime) -> Iterator[str]:
    wait = "what is decided here waits until Dagster's daemon runs"
    if looked_at is None:
        yield f"no sensor has looked yet: {wait}"
    elif now - looked_at > LOOKS:
        yield f"no sensor has looked for {age(looked_at, now)}: {wait}"


def _ago(at: datetime | None, now: datetime) -> str:
    told = age(at, now)
    return told if told in ("", "just now") else f"{told} ago"
