"""A nightly look that gave way to a delivery is taken up again when that is over, within the same night."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg

from mlc_dagster.core.flows import Flow
from mlc_dagster.orchestration.assets.verified import GAVE_WAY, SINCE, deliveries_wait
from mlc_dagster.orchestration.automation.running import RANGE
from mlc_dagster.orchestration.automation.verifying import by_job, job_name

NIGHT = timedelta(hours=12)
"""A look that began longer ago is left to the next night, which begins with what was looked at longest ago."""


def sensor_name(job: str) -> str:
    return f"{job}_taken_up"


def taken_up_sensors(flows: Sequence[Flow]) -> Iterator[dg.SensorDefinition]:
    """One for each look. On from the start, as the looks are."""
    for target, kind in by_job(flows):
        yield _sensor(job_name(target, kind), target)


def _sensor(job: str, target: str) -> dg.SensorDefinition:
    @dg.sensor(
        name=sensor_name(job),
        job_name=job,
        minimum_interval_seconds=300,
        default_status=dg.DefaultSensorStatus.RUNNING,
        required_resource_keys={"ledger"},
        description="Takes up again, in the same night, what a look left that gave way to a delivery.",
    )
    def take_up(context: dg.SensorEvaluationContext) -> list[dg.RunRequest] | dg.SkipReason:
        left = _gave_way(context.instance, job, datetime.now(UTC))
        if not left:
            return dg.SkipReason("no look gave way tonight")
        if deliveries_wait(target, context.resources.ledger.open):
            return dg.SkipReason(f"a delivery to {target} waits still")
        return [_request(record) for record in left]

    return take_up


def _gave_way(instance: dg.DagsterInstance, name: str, now: datetime) -> list[Any]:
    """Records of runs that ended since the night began; what one of them left is asked for once, by its run key."""
    wanted = dg.RunsFilter(
        job_name=name, statuses=[dg.DagsterRunStatus.SUCCESS], tags={GAVE_WAY: "true"}, created_after=now - NIGHT
    )
    return [record for record in instance.get_run_records(wanted) if _began(record) > now - NIGHT]


def _began(record: Any) -> datetime:
    """Of the first look of the night, whatever took it up since."""
    since = record.dagster_run.tags.get(SINCE)
    return datetime.fromisoformat(since) if since else record.create_timestamp.astimezone(UTC)


def _request(record: Any) -> dg.RunRequest:
    """The same days. What was seen since the first of these runs began is not looked at again."""
    run = record.dagster_run
    kept = {name: text for name, text in run.tags.items() if name.startswith(RANGE)}
    tags = {**kept, SINCE: _began(record).isoformat()}
    return dg.RunRequest(run_key=f"{run.run_id} taken up", tags=tags)
