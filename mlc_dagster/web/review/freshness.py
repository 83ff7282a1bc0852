"""Whether "nothing is open" is an all-clear: what was loaded last, what is due, what is paused."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from mlc_dagster.web.review.shown_text import age
from mlc_dagster.web.review.visits import Visit

FRESH = timedelta(hours=26)  # a flow without any change has its day's last load after midnight


@dataclass(frozen=True)
class Freshness:
    """In words, and whether all of it is well."""

    is_clear: bool
    words: str
    due: int


def freshness(visit: Visit) -> Freshness:
    """From the ledger alone: no system is asked while a page is made."""
    loads, now = visit.ledger.loads.latest(), visit.now
    on = [name for name, spoke in visit.site.connections.items() if spoke in visit.site.settings.connections]
    never = [name for name in on if name not in loads]
    stale = [name for name in on if name in loads and now - loads[name].ended_at > FRESH]
    due = visit.ledger.work.all()
    problems = [f"{name} was loaded last {age(loads[name].ended_at, now)} ago" for name in stale[:3]]
    problems += [f"{len(never)} flows were never loaded ({', '.join(never[:3])})"] if never else []
    problems += [f"{len(due)} days are due"] if due else []
    problems += [str(pause) for pause in visit.ledger.pauses.standing().values()]
    if problems:
        return Freshness(False, "; ".join(problems), len(due))
    last = max((each.ended_at for each in loads.values()), default=None)
    return Freshness(bool(on), f"{len(on)} flows were loaded within a day, the last {_ago(last, now)}", 0)


def _ago(at: datetime | None, now: datetime) -> str:
    told = age(at, now)
    return told if told in ("", "just now") else f"{told} ago"
