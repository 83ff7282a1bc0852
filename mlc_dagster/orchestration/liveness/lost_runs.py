"""A sensor that fails runs which nobody executes, for instances whose run launcher does not ask its workers.

It is evaluated beside the code server, where Dagster's default launcher has its runs: their processes are seen there.
"""

import json
from collections.abc import Iterator

import dagster as dg
from dagster import DagsterRunStatus

from mlc_dagster.ledger.coordination.leases import boot_time
from mlc_dagster.orchestration.launchers import GONE, SILENT_SECONDS, AsksItsWorkers
from mlc_dagster.orchestration.liveness.signs_of_life import latest_event
from mlc_dagster.orchestration.liveness.silence import Silence
from mlc_dagster.orchestration.liveness.workers import Place, Worker, worker_of

SECONDS = 30
SENSOR = "lost_runs"
EXECUTED = [DagsterRunStatus.STARTED, DagsterRunStatus.CANCELING]


def lost_runs_sensor() -> dg.SensorDefinition:
    """On from the start: a run that stays STARTED for ever keeps all behind it waiting."""

    @dg.sensor(
        name=SENSOR,
        minimum_interval_seconds=SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Fails a run of this location whose process is gone, where the instance's run launcher does not "
        "ask for it. run_retries takes it up again.",
    )
    def look(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        if isinstance(context.instance.run_launcher, AsksItsWorkers):
            return dg.SensorResult(skip_reason="the instance's run launcher asks its workers itself")
        silence = _remembered(context.cursor)
        ended = [f"{run.run_id}: {why}" for run, why in _lost(context.instance, silence)]
        told = "; ".join(ended) or "every run of this location is executed, as far as can be seen from here"
        return dg.SensorResult(skip_reason=told, cursor=json.dumps([Place.here().boot, silence.kept()]))

    return look


def _remembered(cursor: str | None) -> Silence:
    """What the last look found, unless this machine was started anew: its clock has begun again."""
    boot, kept = json.loads(cursor) if cursor else ("", {})
    return Silence(SILENT_SECONDS, clock=boot_time, kept=kept if boot == Place.here().boot else {})


def _lost(instance: dg.DagsterInstance, silence: Silence) -> Iterator[tuple[dg.DagsterRun, str]]:
    """The runs that it has ended now, and why. Those without a note of ours are another location's."""
    runs = instance.get_runs(dg.RunsFilter(statuses=EXECUTED))
    silence.keep(run.run_id for run in runs)
    for run in runs:
        worker = worker_of(run, instance)
        why = _why(worker, instance, silence) if worker else ""
        if why and _is_still(run, instance):
            _end(run, f"Nobody executes this run: {why}", instance)
            yield run, why


def _why(worker: Worker, instance: dg.DagsterInstance, silence: Silence) -> str:
    """Empty where it is executed, or may be."""
    there = worker.is_there()
    if there is not None:
        silence.forget(worker.run_id)
        return "" if there else f"{worker} {GONE}"
    seconds = silence.of(worker.run_id, latest_event(worker.run_id, instance))
    if seconds < silence.seconds:
        return ""
    return f"{worker} cannot be seen from here, and the run has said nothing for {seconds:.0f} s"


def _is_still(run: dg.DagsterRun, instance: dg.DagsterInstance) -> bool:
    """It may have ended while it was looked at."""
    now = instance.get_run_by_id(run.run_id)
    return now is not None and now.status == run.status


def _end(run: dg.DagsterRun, words: str, instance: dg.DagsterInstance) -> None:
    if run.status is DagsterRunStatus.CANCELING:
        instance.report_run_canceled(run, words)
    else:
        instance.report_run_failed(run, words)
