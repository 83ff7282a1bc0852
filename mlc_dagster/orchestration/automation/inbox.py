"""A sensor on each source's webhooks: what was told becomes one run that reads the records again."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

import dagster as dg

from mlc_dagster.core.flows import Flow
from mlc_dagster.core.inert import inert
from mlc_dagster.ledger import Inbox, Ledger
from mlc_dagster.ledger.coordination.inbox import Batch
from mlc_dagster.orchestration.assets.single_records import AT_ONCE, RECORDS, told_tag
from mlc_dagster.orchestration.automation.due import SOON, asked_by
from mlc_dagster.orchestration.automation.own_times import Keys, Part
from mlc_dagster.orchestration.partitions import unknown_day
from mlc_dagster.settings import Settings
from mlc_dagster.systems.configuration import connections

SECONDS = 10


def inbox_sensors(jobs: Mapping[str, Sequence[Flow]], settings: Settings, keys: Keys) -> Iterator[dg.SensorDefinition]:
    """One for each source that is on and has a job of its own."""
    return (inbox_sensor(source, settings, jobs[source], keys) for source in settings.web.sources if source in jobs)


def inbox_sensor(source: str, settings: Settings, flows: Sequence[Flow], keys: Keys) -> dg.SensorDefinition:
    """Asks for today's partition of the source's own job, with these flows, when its events wait; where each of them
    names a record of one list, for those records and what is made of that list alone.

    Events count as taken one tick later, when Dagster has kept the cursor and with it the request: whoever dies in
    between, they are asked for again, under the same run key while nothing new came in.
    """

    @dg.sensor(
        name=f"{source}_inbox",
        job_name=source,
        minimum_interval_seconds=SECONDS,
        description=f"Runs {source} for today when webhooks of {source} came in. "
        "What they tell is a hint: the run reads the records again.",
        required_resource_keys={"ledger"},
    )
    def told(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        ledger = context.resources.ledger.open
        inbox: Inbox = ledger.inbox
        _take_requested(inbox, source, context.cursor)
        batch = inbox.batch(source)
        if batch is None:
            return dg.SensorResult(skip_reason=f"no webhook of {source} waits")
        newest, now = batch.event_ids[0], datetime.now(UTC)
        today = now.date().isoformat()
        if why := unknown_day(today, settings, now):
            return dg.SensorResult(skip_reason=f"{batch.count} webhooks of {source} wait: {why}")
        tags = {"mlc/events": str(batch.count), "mlc/event_ids": inert(" ".join(batch.event_ids))[:1000]}
        part, records = _part(source, settings, flows, batch, ledger, today)
        ledger.work.ask_all(asked_by(part.flows, today), f"webhooks of {source} came in", soon=SOON)
        request = part.request(
            keys, context.repository_def, partition_key=today, run_key=newest, tags={**tags, **records}
        )
        return dg.SensorResult(run_requests=[request], cursor=json.dumps([batch.up_to_id, newest]))

    return told


def _part(
    source: str, settings: Settings, flows: Sequence[Flow], batch: Batch, ledger: Ledger, today: str
) -> tuple[Part, dict[str, str]]:
    """What is asked for, and the tag that names the records. The whole day, where an event names none, where they are
    many, or where the day is due anyway: what only reads some of it ends nothing of that.
    """
    whole: tuple[Part, dict[str, str]] = Part(source, tuple(flows), True), {}
    webhooks = connections(settings)[source].webhooks
    events = ledger.inbox.waiting(source, AT_ONCE + 1) if batch.count <= AT_ONCE else []
    names = {webhooks.concerns(event.kind) if webhooks and event.subject else "" for event in events}
    name = names.pop() if len(names) == 1 else ""
    mine = [flow for flow in flows if flow.source.key == (source, name)]
    tag = told_tag(name, list(dict.fromkeys(event.subject for event in events)))
    if not (tag and mine) or any(task.partition == today for task in ledger.work.all(flow.name for flow in mine)):
        return whole
    return Part(source, tuple(mine), False), {RECORDS: tag}


def _take_requested(inbox: Inbox, source: str, cursor: str | None) -> None:
    """What the cursor says was requested; not where it is another ledger's, in which that id is another event."""
    if cursor is None:
        return
    up_to_id, run_key = json.loads(cursor)
    event = inbox.read(source, run_key)
    if event is not None and event.id == up_to_id and event.taken_at is None:
        inbox.take(source, up_to_id, run_key)
