"""Within what time a flow is loaded: later its asset turns yellow, then red."""

from __future__ import annotations

import functools
from datetime import UTC, date, datetime, time, timedelta

import dagster as dg

from mlc_dagster.core.cron_times import next_time
from mlc_dagster.core.flows import Flow
from mlc_dagster.settings import Settings

LEAST = timedelta(hours=1)
UNKNOWN = timedelta(days=1)  # of a schedule that is not read here
TICKS = 4


def of(flow: Flow, settings: Settings) -> dg.FreshnessPolicy:
    """As mlc.yaml says of the flow, else by its schedule."""
    said = settings.schedules.fresh_minutes.get(flow.name)
    warn = timedelta(minutes=said) if said else max(LEAST, TICKS * between_ticks(_cron(flow, settings), _today()))
    return dg.FreshnessPolicy.time_window(fail_window=2 * warn, warn_window=warn)


@functools.lru_cache(maxsize=64)  # many flows, few lines: a location of 46 flows asked 700 ticks for each
def between_ticks(cron: str, first: date) -> timedelta:
    """The longest time between two ticks of the week that begins on this day, UTC."""
    at, longest = datetime.combine(first, time(), UTC), timedelta(0)
    end = at + timedelta(days=7)
    while at < end:
        following = next_time(cron, at)
        if following is None:
            return UNKNOWN
        longest, at = max(longest, following - at), following
    return longest


def _today() -> date:
    return datetime.now(UTC).date()


def _cron(flow: Flow, settings: Settings) -> str:
    schedules = settings.schedules
    return schedules.running_day if flow.source.partition == "day" else schedules.chart_of_accounts
