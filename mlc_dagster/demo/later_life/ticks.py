"""Dagster's daemon in small: what its schedules and sensors ask for, one tick at a time, is run here and now."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg

from mlc_dagster.core.logs import logger
from mlc_dagster.demo.runs import STARTED_BY, Runs
from mlc_dagster.ledger import Ledger
from mlc_dagster.orchestration.automation.due import SENSOR as DUE
from mlc_dagster.orchestration.automation.open_runs import PARTITION
from mlc_dagster.orchestration.automation.running import run_job

OF_THE_PARTITION = frozenset({PARTITION})  # a range of days, be it of one, is told by tags of its own
MOST_TICKS = 10  # of `due`: what is asked for is done by then, or something asks for ever
LONGEST_WAIT = timedelta(minutes=5)
"""What failed once waits for a minute, and what a schedule asked for is left to its own run for three."""
log = logger("mlc_dagster.demo")


class Ticks:
    """Ticks of the code location's own schedules and sensors. Each run key is used once, as the daemon does it."""

    def __init__(self, runs: Runs) -> None:
        self.runs, self.used = runs, set[str]()
        self._cursors: dict[str, str | None] = {}
        self._repository = runs.defs.get_repository_def()

    @property
    def schedules(self) -> list[str]:
        return [schedule.name for schedule in self._repository.schedule_defs]

    def of_schedule(self, name: str) -> list[dg.RunRequest]:
        """What it asks for where its time is now."""
        context = dg.build_schedule_context(
            instance=self.runs.instance,
            scheduled_execution_time=datetime.now(UTC),
            repository_def=self._repository,
            resources=self._repository.get_top_level_resources(),
        )
        with context:
            return self._new(self.runs.defs.resolve_schedule_def(name).evaluate_tick(context).run_requests)

    def of_sensor(self, name: str) -> list[dg.RunRequest]:
        context = dg.build_sensor_context(
            instance=self.runs.instance,
            cursor=self._cursors.get(name),
            repository_def=self._repository,
            resources=self._repository.get_top_level_resources(),
        )
        with context:
            told = self.runs.defs.resolve_sensor_def(name).evaluate_tick(context)
        self._cursors[name] = told.cursor
        return self._new(told.run_requests)

    def _new(self, requests: Any) -> list[dg.RunRequest]:
        new = [each for each in requests or [] if each.run_key not in self.used]
        self.used |= {str(each.run_key) for each in new}
        return new

    def run(self, request: dg.RunRequest, job: str = "") -> dg.ExecuteInProcessResult:
        """Of a job, or of the assets that it asks for. Raises MlcError with the words of the step that failed."""
        made = self.runs.defs.resolve_job_def(job) if job else self.runs.defs.resolve_implicit_global_asset_job_def()
        key = request.partition_key
        only = list(request.asset_selection or ()) or None
        tags = {name: value for name, value in request.tags.items() if name not in OF_THE_PARTITION}
        return run_job(made, self.runs.instance, (key, key) if key else None, only, {**tags, **STARTED_BY})

    def due_now(self) -> Iterator[dg.ExecuteInProcessResult]:
        """The runs that the work list asks for, tick by tick; what waits is left."""
        names = [each for each in (DUE, f"{DUE}_by_company") if self._has(each)]
        for _ in range(MOST_TICKS):
            requests = [request for name in names for request in self.of_sensor(name)]
            if not requests:
                return
            yield from (self.run(request) for request in requests)

    def until_nothing_is_due(self, ledger: Ledger) -> Iterator[dg.ExecuteInProcessResult]:
        """The same; and what waits is waited for, as by the daemon."""
        for _ in range(MOST_TICKS):
            yield from self.due_now()
            until = ledger.work.next_due()
            if until is None or until - ledger.work.now() > LONGEST_WAIT:
                return
            wait_until(until, ledger)

    def _has(self, sensor: str) -> bool:
        return any(each.name == sensor for each in self._repository.sensor_defs)


def wait_until(moment: datetime, ledger: Ledger) -> None:
    """With a word each second."""
    while (left := (moment - ledger.work.now()).total_seconds()) > 0:
        log.info("the work list: next at %s, in %d s", f"{moment:%H:%M:%S}", left + 1)
        time.sleep(min(left, 1.0))
