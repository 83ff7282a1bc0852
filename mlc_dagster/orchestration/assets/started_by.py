"""Who started a run: a person, a schedule, a sensor, a backfill. The trail says it beside what the run did."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlc_dagster.core.inert import inert
from mlc_dagster.ledger import Run

WHO = "mlc/who"
"""The tag of a run that a command started: the person."""
SCHEDULE, SENSOR = "dagster/schedule_name", "dagster/sensor_name"
BACKFILL, PARENT = "dagster/backfill", "dagster/parent_run_id"
USER = "user"  # as a deployment with sign-in tells it
REPLAY = "mlc/replay_of"


def run_of(context: Any, partition: str) -> Run:
    """The run, and who started it, as the trail names both."""
    by, by_person = who_started(context.run.tags)
    return Run(context.run.run_id, partition, by, by_person)


def who_started(tags: Mapping[str, str]) -> tuple[str, bool]:
    """In words, and whether it was a person. Dagster writes down who asked for a run in its tags."""
    again = ", taken up again" if PARENT in tags else ""
    if who := tags.get(WHO):
        what = f"replay of {inert(tags[REPLAY])}, " if REPLAY in tags else ""
        return f"{what}{inert(who)}{again}", True
    if schedule := tags.get(SCHEDULE):
        return f"schedule {schedule}{again}", False
    if sensor := tags.get(SENSOR):
        return f"sensor {sensor}{again}", False
    named = f" ({inert(tags[USER])})" if USER in tags else ""
    backfill = f"backfill {tags[BACKFILL]}, " if BACKFILL in tags else ""
    return f"{backfill}a person in Dagster's UI{named}{again}", True
