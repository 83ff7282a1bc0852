"""Within what time a flow is loaded: later its asset turns yellow, then red."""

from __future__ import annotations

import functools
from datetime import UTC, date, datetime, time, timedelta

import dagster as dg

from mlc_dagster.core.cron_times import When, next_time
from mlc_dagster.core.flows import Flow
from mlc_dagster.settings import Settings

LEAST = timedelta(hours=1)
UNKNOWN = timedelta(days=1)  # of a schedule that is not read here
TICKS = 4
MOST = timedelta(days=1)  # after a tick that did not come: who is loaded once a month is late on the next day


def of(flow: Flow, settings: Settings) -> dg.FreshnessPolicy | None:
    """As mlc.yaml says of the flow, else by its schedule; None: no clock loads it, so that none says it is late."""
    said = settings.schedules.fresh_minutes.get(flow.name)
    at = settings.schedules.of(flow.name, flow.spoke, flow.source.partition)
    if said is None and at is None:
        return None
    warn = timedelta(minutes=said or 0)
    if at and not said:
        gap = between_ticks(at, _today())
        warn = max(LEAST, min(TICKS * gap, gap + MOST))
    return dg.FreshnessPolicy.time_window(fail_window=2 * warn, warn_window=warn)


@functools.lru_cache(maxsize=64)  # many flows, few lines: a location of 46 flows asked 700 ticks for each
def between_ticks(when: When, first: date) -> timedelta:
    """The longest time between two ticks of the week that begins on this day, UTC, and of the first four."""
    at, longest, ticks = datetime.combine(first, time(), UTC), timedelta(0), 0
    end = at + timedelta(days=7)
    while at < end or ticks < TICKS:
        following = next_time(when, at)
        if following is None:
            return UNKNOWN
        longest, at, ticks = max(longest, following - at if ticks else timedelta(0)), following, ticks + 1
    return longest


def _today() -> date:
    return datetime.now(UTC).date()
