"""What starts by itself: a job for each SaaS, schedules for today and yesterday, a sensor for what changed."""

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

import dagster as dg

from mlc_dagster.core.errors import MlcError
from mlc_dagster.core.flows import Flow
from mlc_dagster.core.inert import inert_lines
from mlc_dagster.core.vocabulary import ERP, EntitySet, Pull
from mlc_dagster.ledger import Ledger
from mlc_dagster.ledger.database import LedgerUnavailable
from mlc_dagster.orchestration.assets.asset_keys import prepared_key
from mlc_dagster.orchestration.automation.due import SOON, asked_by
from mlc_dagster.orchestration.automation.duplicates import apart
from mlc_dagster.orchestration.automation.first_load import ask_for_it
from mlc_dagster.orchestration.automation.own_times import Keys, Part, by_the_usual_clock, own_schedules, part_of
from mlc_dagster.orchestration.failures import each_once
from mlc_dagster.orchestration.partitions import unknown_day
from mlc_dagster.settings import Settings
from mlc_dagster.transport.threads import in_order

AssetJob = Any  # what define_asset_job gives; Dagster exports no name for it

Asked = tuple[str, datetime, datetime, dict[date, str] | MlcError]
"""An entity set, from when on it was asked, when, and the days that it touched with their marks; or why none came."""

RUN_KEY, SENSOR_NAME = "dagster/run_key", "dagster/sensor_name"
CHART_JOB = "chart_of_accounts"
ALL_THAT_IT_READS = Part(CHART_JOB, (), is_all=True)
READ_JOB = "ifs"


def job_for(system: str, flows: Sequence[Flow], keys: Iterable[tuple[str, ...]]) -> AssetJob:
    """Reads, prepares and loads all that goes to one SaaS, for a day or a range of days. `keys`: what it makes."""
    return dg.define_asset_job(
        system,
        selection=apart(dg.AssetSelection.assets(*(list(key) for key in keys)), flows),
        description=f"Reads the ERP's entity sets that {system} needs, prepares and loads them.",
    )


def keys_of(
    flows: Sequence[Flow], also: Iterable[EntitySet] = (), more: Iterable[tuple[str, ...]] = ()
) -> list[tuple[str, ...]]:
    """What a run of these flows makes: their sources, what is prepared and what is loaded; sorted."""
    keys: set[tuple[str, ...]] = {flow.source.key for flow in flows} | {entity.key for entity in also}
    return sorted(keys | {*more, *(key for flow in flows for key in (flow.key, prepared_key(flow)))})


def company_job(system: str) -> str:
    """The name of the job for what goes to a SaaS by company: monday_by_company."""
    return f"{system}_by_company"


def read_job(entities: Iterable[EntitySet], name: str, words: str) -> AssetJob:
    """Reads entity sets of the ERP, and nothing else."""
    selection = dg.AssetSelection.assets(*(list(entity.key) for entity in entities))
    return dg.define_asset_job(name, selection=selection, description=words)


def reference_jobs(references: Sequence[dg.AssetsDefinition]) -> Iterator[AssetJob]:
    """Reads what a SaaS keeps of its own accounts, and checks it beside the ERP's: a job for each SaaS."""
    for system in sorted({asset.key.path[0] for asset in references}):
        keys = [asset.key for asset in references if asset.key.path[0] == system]
        words = f"Refreshes the reference books of {system}, and checks them beside the ERP's."
        yield dg.define_asset_job(reference_job(system), selection=dg.AssetSelection.assets(*keys), description=words)


def reference_job(system: str) -> str:
    return f"{system}_references"


def schedules(
    flows: Mapping[str, Sequence[Flow]], references: Sequence[dg.AssetsDefinition], settings: Settings, keys: Keys
) -> Iterator[dg.ScheduleDefinition]:
    """The running day often, yesterday once more after midnight, charts of accounts, and what goes by company."""
    for system in sorted({asset.key.path[0] for asset in references}):
        at = settings.schedules.at(settings.schedules.chart_of_accounts)
        yield dg.ScheduleDefinition(job_name=reference_job(system), cron_schedule=at.cron, execution_timezone=at.zone)
    for system, table in flows.items():
        running, yesterday = settings.schedules.running_day, settings.schedules.yesterday
        daily = [flow for flow in table if flow.source.partition == "day"]
        if usual := by_the_usual_clock(daily, settings):
            part = part_of(system, daily, usual)
            yield _day_schedule(f"{system}_running_day", part, running, settings, keys, days_back=0)
            yield _day_schedule(f"{system}_yesterday", part, yesterday, settings, keys, days_back=1)
        by_company = [flow for flow in table if flow.source.partition == "company"]
        if usual := by_the_usual_clock(by_company, settings):
            yield _company_schedule(company_job(system), settings, keys, part_of(system, by_company, usual))
    yield _company_schedule(CHART_JOB, settings, keys, ALL_THAT_IT_READS)
    yield from own_schedules(flows, settings, keys)


def _day_schedule(
    name: str, part: Part, said: str, settings: Settings, keys: Keys, *, days_back: int
) -> dg.ScheduleDefinition:
    """What it asks for is due until a load has ended well; with the first tick of all, master data of any age too."""
    clock = settings.schedules.at(said)

    @dg.schedule(
        name=name,
        job_name=part.system,
        cron_schedule=clock.cron,
        execution_timezone=clock.zone,
        required_resource_keys={"ledger"},
    )
    def tick(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        at = context.scheduled_execution_time.astimezone(UTC)
        day = (at - timedelta(days=days_back)).date().isoformat()
        if why := unknown_day(day, settings, at):
            return dg.SkipReason(why)
        with suppress(LedgerUnavailable):  # the run says so itself, and is noted when the ledger is back
            ledger: Ledger = context.resources.ledger.open
            ask_for_it(part.flows, settings, ledger)
            ledger.work.ask_all(asked_by(part.flows, day), f"by the schedule {name}", soon=SOON)
        return part.request(keys, context.repository_def, partition_key=day, run_key=f"{name} {day} {at.isoformat()}")

    return tick


def _company_schedule(job: str, settings: Settings, keys: Keys, part: Part) -> dg.ScheduleDefinition:
    clock = settings.schedules.at(settings.schedules.chart_of_accounts)

    @dg.schedule(name=job, job_name=job, cron_schedule=clock.cron, execution_timezone=clock.zone)
    def tick(context: dg.ScheduleEvaluationContext) -> list[dg.RunRequest]:
        at = context.scheduled_execution_time.astimezone(UTC).isoformat()
        return [
            part.request(keys, context.repository_def, partition_key=code, run_key=f"{code} {at}")
            for code in sorted(settings.companies)
        ]

    return tick


def changes_sensor(part: Part, flows: Sequence[Flow], settings: Settings, keys: Keys) -> dg.SensorDefinition:
    """Asks the ERP cheaply what changed of these flows, and requests the days it touched: late rows are found here.
    `part`: what is made of such a day.
    """
    system = part.system
    entities = {flow.source.name: flow.source for flow in flows if flow.source.delta == "modified"}
    name = f"{system}_changes"

    @dg.sensor(
        name=name,
        job_name=system,
        minimum_interval_seconds=60,
        description=f"Requests the days whose rows changed in the ERP, for {system}; looks back for late ones.",
        required_resource_keys={"ifs", "ledger"},
    )
    def changes(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        cursor: dict[str, str] = json.loads(context.cursor or "{}")
        touched: dict[str, list[str]] = {}
        failed: dict[str, MlcError] = {}
        try:
            answers = _asked(entities.values(), cursor, context, settings)
        except MlcError as error:  # a secret is missing, or the ledger is not there
            return dg.SensorResult(skip_reason=inert_lines(str(error)), cursor=context.cursor)
        for entity, since, asked_at, found in answers:
            if isinstance(found, MlcError):
                failed[entity], cursor[entity] = found, since.isoformat()
                continue
            cursor[entity] = asked_at.isoformat()
            for day, mark in found.items():
                touched.setdefault(day.isoformat(), []).append(f"{entity} {mark}")
        ask_for_it(flows, settings, context.resources.ledger.open)
        told = _requested(
            touched, failed, cursor, context, settings, partial(part.request, keys, context.repository_def)
        )
        new = [request for request in told.run_requests or [] if is_new(request, name, context.instance)]
        note_due(new, touched, flows, context.resources.ledger.open)
        if not failed:
            context.resources.ledger.open.work.answered(ERP)
        return told

    return changes


def _asked(
    entities: Collection[EntitySet], cursor: Mapping[str, str], context: dg.SensorEvaluationContext, settings: Settings
) -> Iterator[Asked]:
    """Every entity set on its own and at once: one that is refused, or hangs, keeps none of the others waiting."""
    now, client = datetime.now(UTC), context.resources.ifs.quick_client
    start = {entity.name: now - timedelta(days=1) for entity in entities}
    start |= {name: min(now, datetime.fromisoformat(since)) for name, since in cursor.items() if name in start}
    back = {entity.name: _look_back(entity, context, settings) for entity in entities}

    def ask(entity: EntitySet) -> Asked:
        since = start[entity.name]
        try:
            return entity.name, since, now, client.changed_since(entity, since - back[entity.name])
        except MlcError as error:
            return entity.name, since, now, error

    return in_order(ask, entities, len(entities))


def _requested(
    touched: Mapping[str, Sequence[str]],
    failed: Mapping[str, MlcError],
    cursor: Mapping[str, str],
    context: dg.SensorEvaluationContext,
    settings: Settings,
    request: Callable[..., dg.RunRequest],
) -> dg.SensorResult:
    """The days that there are; and what could not be asked is told at every tick."""
    now = datetime.now(UTC)
    days = {day: marks for day, marks in sorted(touched.items()) if not unknown_day(day, settings, now)}
    words = each_once(failed)
    if failed:
        context.log.warning(f"The ERP did not tell what changed; it is asked again from the same moment: {words}")
    return dg.SensorResult(
        run_requests=[request(partition_key=day, run_key=_seen(day, marks)) for day, marks in days.items()],
        skip_reason=words if failed and not days else None,
        cursor=json.dumps(cursor),
    )


def is_new(request: dg.RunRequest, sensor: str, instance: dg.DagsterInstance) -> bool:
    """Whether Dagster has no run of it yet: what is seen again, looking back, asks for nothing more."""
    tags = {RUN_KEY: str(request.run_key), SENSOR_NAME: sensor}
    return not instance.get_runs(dg.RunsFilter(tags=tags), limit=1)


def note_due(
    requests: Iterable[dg.RunRequest], touched: Mapping[str, Sequence[str]], flows: Sequence[Flow], ledger: Ledger
) -> None:
    """What is made of the entity sets that changed is due, until a load has ended well."""
    for request in requests:
        day = str(request.partition_key)
        changed = {mark.partition(" ")[0] for mark in touched[day]}
        mine = [flow for flow in flows if flow.source.name in changed]
        ledger.work.ask_all(asked_by(mine, day), "changed in the ERP", soon=SOON)


def _look_back(entity: EntitySet, context: dg.SensorEvaluationContext, settings: Settings) -> timedelta:
    """Never less than the last walk took, and longer by the difference of the clocks: the rows have the ERP's time."""
    asked = timedelta(minutes=settings.policies.look_back_minutes)
    latest = context.resources.ledger.open.pulls("/".join(entity.key), limit=1)
    pull: Pull | None = latest[0].pull if latest else None
    if pull is None or pull.started_at is None or pull.ended_at is None:
        return asked
    return max(asked, pull.ended_at - pull.started_at) + timedelta(seconds=abs(pull.clock_skew_seconds))


def _seen(day: str, marks: Sequence[str]) -> str:
    """The same rows ask once: the run key is made of what was seen."""
    seen = hashlib.blake2b("\n".join(sorted(marks)).encode(), digest_size=8).hexdigest()
    return f"{day} {seen}"
