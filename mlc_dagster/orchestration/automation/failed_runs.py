"""A sensor on runs that failed without a word of their own, their worker lost: what they would have made is due."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import dagster as dg

from mlc_dagster.core.flows import Flow
from mlc_dagster.core.inert import inert
from mlc_dagster.core.vocabulary import EntitySet
from mlc_dagster.ledger import Ledger
from mlc_dagster.orchestration.assets.asset_keys import prepared_key, read_of
from mlc_dagster.orchestration.automation.open_runs import partitions_of
from mlc_dagster.orchestration.partitions import known
from mlc_dagster.pipeline.failing import lost
from mlc_dagster.settings import Environment, Settings

SENSOR = "notes_lost_runs"
TAKEN_UP_AGAIN = "dagster/will_retry"  # by run_retries in dagster.yaml
RETRY_NUMBER = "dagster/retry_number"


def failed_runs_sensor(
    flows: Sequence[Flow], reads: Sequence[EntitySet], settings: Settings, environment: Environment
) -> dg.SensorDefinition:
    """On from the start: a step that fails writes down itself what is due, and one that is killed cannot."""

    @dg.run_failure_sensor(
        name=SENSOR,
        minimum_interval_seconds=30,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Writes down what a run leaves that failed without a word, since its worker was lost.",
    )
    def note(context: dg.RunFailureSensorContext) -> dg.SkipReason:
        run = context.dagster_run
        if run.tags.get(TAKEN_UP_AGAIN) == "true":
            return dg.SkipReason("it is taken up again by itself")
        with Ledger.open(environment.database_url, environment.tenant) as ledger:
            if ledger.work.of_run(run.run_id):
                return dg.SkipReason("it has written down itself what it left")
            by_connection = _left(context, flows, reads, settings)
            why = inert(" ".join((context.failure_event.message or "its worker was lost").split()))[:300]
            for connection, places in by_connection.items():
                taken_up = int(run.tags.get(RETRY_NUMBER, 0))
                ledger.work.fail(places, lost(connection, why, run.run_id, taken_up))
        return dg.SkipReason(f"{sum(map(len, by_connection.values()))} of what it would have made is due")

    return note


def _left(
    context: dg.RunFailureSensorContext, flows: Sequence[Flow], reads: Sequence[EntitySet], settings: Settings
) -> dict[str, list[tuple[str, str]]]:
    """SaaS, or source -> (flow, partition) of what the run was to make and has not."""
    run, instance = context.dagster_run, context.instance
    made = _made(run.run_id, instance)
    wanted = run.asset_selection or _planned(run.run_id, instance)
    found: dict[str, list[tuple[str, str]]] = {}
    for entity in reads:
        if (key := dg.AssetKey(entity.key)) in wanted:
            left = [
                (read_of(entity), day) for day in partitions_of(run, known(entity, settings)) if (key, day) not in made
            ]
            found.setdefault(entity.system, []).extend(left)
    for flow in flows:
        key = dg.AssetKey(flow.key)
        if not {key, dg.AssetKey(prepared_key(flow))}.isdisjoint(wanted):
            days = partitions_of(run, known(flow.source, settings))
            found.setdefault(flow.target.system, []).extend((flow.name, day) for day in days if (key, day) not in made)
    return {connection: places for connection, places in found.items() if places}


def _made(run_id: str, instance: dg.DagsterInstance) -> Collection[tuple[dg.AssetKey, str | None]]:
    events = (
        record.event_log_entry for record in _records(run_id, instance, dg.DagsterEventType.ASSET_MATERIALIZATION)
    )
    return {
        (event.dagster_event.asset_key, event.dagster_event.partition)
        for event in events
        if event.dagster_event and event.dagster_event.asset_key
    }


def _planned(run_id: str, instance: dg.DagsterInstance) -> Collection[dg.AssetKey]:
    """What a run of a whole job said at its beginning that it would make."""
    planned = dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED
    events = (record.event_log_entry.dagster_event for record in _records(run_id, instance, planned))
    return {event.asset_key for event in events if event and event.asset_key}


def _records(run_id: str, instance: dg.DagsterInstance, kind: dg.DagsterEventType) -> Iterator[dg.EventLogRecord]:
    cursor, more = None, True
    while more:
        page = instance.get_records_for_run(run_id, cursor=cursor, of_type=kind)
        yield from page.records
        cursor, more = page.cursor, page.has_more
