"""The schedules of what only looks: at doubles, at sources, at targets. One shape."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import dagster as dg

from mlc_dagster.core.cron_times import When
from mlc_dagster.core.flows import Flow
from mlc_dagster.ledger import Ledger

Asked = Callable[[datetime, Ledger], Sequence[dg.RunRequest]]
"""(time of the tick, ledger) -> what is asked for at it."""


def once(name: str) -> Asked:
    """One run for each tick."""
    return lambda at, ledger: [dg.RunRequest(run_key=f"{name} {at.isoformat()}")]


def looking_schedule(
    name: str, at: When, flows: Sequence[Flow], *, words: str, nothing: str, asked: Asked
) -> dg.ScheduleDefinition:
    """Of the job of this name. On from the start: it writes nothing to any system, and a net that must be remembered is
    none. `nothing`: what is said before the first delivery of these flows, until which nobody is asked anything.
    """

    @dg.schedule(
        name=name,
        job_name=name,
        cron_schedule=at.cron,
        execution_timezone=at.zone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        required_resource_keys={"ledger"},
        description=words,
    )
    def tick(context: dg.ScheduleEvaluationContext) -> list[dg.RunRequest] | dg.SkipReason:
        now, ledger = context.scheduled_execution_time.astimezone(UTC), context.resources.ledger.open
        if all(ledger.began_at(flow.name) is None for flow in flows):
            return dg.SkipReason(nothing)
        return list(asked(now, ledger))

    return tick
