"""Flows with a time of their own: daily at six, after a billing cycle. What they share with others is asked apart."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from typing import Any

import dagster as dg

from mlc_dagster.core.cron_times import When, next_time
from mlc_dagster.core.flows import Flow
from mlc_dagster.ledger import Ledger
from mlc_dagster.ledger.database import LedgerUnavailable
from mlc_dagster.orchestration.automation.due import SOON, asked_by
from mlc_dagster.orchestration.automation.first_load import ask_for_it
from mlc_dagster.orchestration.automation.step_checks import with_checks
from mlc_dagster.orchestration.partitions import unknown_day
from mlc_dagster.settings import Settings
from mlc_dagster.settings.schedules import ON_CHANGE

Keys = Callable[[str, Sequence[Flow]], list[tuple[str, ...]]]
"""(system, flows) -> the assets that a run of these flows makes."""

LONGEST = timedelta(days=366)
"""How far back the days since the last tick may reach."""


@dataclass(frozen=True)
class Part:
    """Some flows of a system's job: what a run request must name, so that the others are left alone."""

    system: str
    flows: tuple[Flow, ...]
    is_all: bool

    def request(self, keys: Keys, location: dg.RepositoryDefinition | None, **options: Any) -> dg.RunRequest:
        """Of these flows alone; the whole job where they are all of it. `options` of a RunRequest."""
        if self.is_all:
            return dg.RunRequest(**options)
        made = [dg.AssetKey(key) for key in keys(self.system, self.flows)]
        return with_checks(dg.RunRequest(asset_selection=made, **options), location)


def part_of(system: str, flows: Sequence[Flow], mine: Sequence[Flow]) -> Part:
    return Part(system, tuple(mine), len(mine) == len(flows))


def by_the_usual_clock(flows: Sequence[Flow], settings: Settings) -> list[Flow]:
    """Those of which nothing is said: running_day and yesterday, or the clock of the charts, ask for them."""
    return [flow for flow in flows if not _own(flow, settings)]


def by_changes(flows: Sequence[Flow], settings: Settings) -> list[Flow]:
    """Those that a sensor asks for as soon as something changes: all but what has a clock of its own."""
    return [flow for flow in flows if _own(flow, settings) in ("", ON_CHANGE)]


def _own(flow: Flow, settings: Settings) -> str:
    return settings.schedules.own(flow.name, flow.spoke)


def own_schedules(
    flows: Mapping[str, Sequence[Flow]], settings: Settings, keys: Keys
) -> Iterator[dg.ScheduleDefinition]:
    """One for each system, or flow, that mlc.yaml gives a time."""
    for system, table in flows.items():
        clocked = sorted((flow for flow in table if _own(flow, settings) not in ("", ON_CHANGE)), key=_group(settings))
        for (name, kind), mine in groupby(clocked, key=_group(settings)):
            yield _own_schedule(name, kind, part_of(system, table, list(mine)), settings, keys)


def _group(settings: Settings) -> Callable[[Flow], tuple[str, str]]:
    def name_of(flow: Flow) -> tuple[str, str]:
        named = flow.name if flow.name in settings.schedules.flows else flow.spoke
        ending = "at_its_time" if flow.source.partition == "day" else "by_company_at_its_time"
        return f"{named.replace('/', '_')}_{ending}", flow.source.partition

    return name_of


def _own_schedule(name: str, kind: str, part: Part, settings: Settings, keys: Keys) -> dg.ScheduleDefinition:
    said = _own(part.flows[0], settings)
    at = settings.schedules.at(said)
    job = part.system if kind == "day" else f"{part.system}_by_company"

    @dg.schedule(
        name=name,
        job_name=job,
        cron_schedule=at.cron,
        execution_timezone=at.zone,
        required_resource_keys={"ledger"},
        description=f"{', '.join(flow.name for flow in part.flows)}: {said}.",
    )
    def tick(context: dg.ScheduleEvaluationContext) -> list[dg.RunRequest] | dg.SkipReason:
        now = context.scheduled_execution_time.astimezone(UTC)
        partitions = days_since_the_last(at, now, settings) if kind == "day" else sorted(settings.companies)
        if not partitions:
            return dg.SkipReason(unknown_day(now.date().isoformat(), settings, now) or "there is no such day")
        with suppress(LedgerUnavailable):  # the run says so itself, and is noted when the ledger is back
            ledger: Ledger = context.resources.ledger.open
            if kind == "day":
                ask_for_it(part.flows, settings, ledger)  # master data of any age, once
            for each in partitions:
                ledger.work.ask_all(asked_by(part.flows, each), f"by the schedule {name}", soon=SOON)
        now_asked = partitions[-1:] if kind == "day" else partitions  # the other days follow by the sensor `due`
        return [
            part.request(keys, context.repository_def, partition_key=each, run_key=f"{name} {each} {now.isoformat()}")
            for each in now_asked
        ]

    return tick


def days_since_the_last(at: When, now: datetime, settings: Settings) -> list[str]:
    """The days (UTC) from that of the tick before to that of this one, oldest first: a cycle, a weekend, or two."""
    first, last = _tick_before(at, now).date(), now.date()
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    return [day.isoformat() for day in days if not _is_unknown(day, settings, now)]


def _is_unknown(day: date, settings: Settings, now: datetime) -> bool:
    return bool(unknown_day(day.isoformat(), settings, now))


def _tick_before(at: When, now: datetime) -> datetime:
    """The latest tick before `now`; where the line is not read here, a day before."""
    for back in (timedelta(days=1), timedelta(days=8), timedelta(days=32), LONGEST):
        found, last = next_time(at, now - back - timedelta(minutes=1)), None
        while found is not None and found < now:
            found, last = next_time(at, found), found
        if last is not None:
            return last
    return now - timedelta(days=1)
