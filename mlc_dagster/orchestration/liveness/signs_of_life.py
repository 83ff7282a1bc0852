"""A run says that it is executed: who does, when it begins, and every minute in which it says nothing else."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import dagster as dg
from dagster._core.events import DagsterEvent, EngineEventData

from mlc_dagster.core.logs import logger
from mlc_dagster.orchestration.automation.leftovers import remove_told_plans
from mlc_dagster.orchestration.liveness.workers import Worker

QUIET_SECONDS = 30.0
log = logger("mlc_dagster.runs")


def latest_event(run_id: str, instance: dg.DagsterInstance) -> int | None:
    """A number that grows with each event of a run; None before the first."""
    found = instance.get_records_for_run(run_id, limit=1, ascending=False).records
    return found[0].storage_id if found else None


@contextmanager
def speaking(worker: Worker, instance: dg.DagsterInstance, seconds: float = QUIET_SECONDS) -> Iterator[None]:
    """A line in the run's log where it was quiet for so long: those who cannot see its process wait for it."""
    stop = threading.Event()
    voice = threading.Thread(target=_speak, args=(worker, instance, stop, seconds), name="sign of life", daemon=True)
    voice.start()
    try:
        yield
    finally:
        stop.set()
        voice.join(timeout=5)  # a storage that hangs does not keep the run from its end


def _speak(worker: Worker, instance: dg.DagsterInstance, stop: threading.Event, seconds: float) -> None:
    heard: int | None = None
    while not stop.wait(seconds):
        try:
            latest = latest_event(worker.run_id, instance)
            if latest == heard and (run := instance.get_run_by_id(worker.run_id)):
                instance.report_engine_event(f"At work: {worker}", run)
            heard = latest_event(worker.run_id, instance)
        except Exception as error:  # the storage is away for a moment: the run has more to lose than this line
            log.warning("run %s did not say that it is at work: %s", worker.run_id, error)


class _Noting(dg.Executor):
    """An executor that says first who it is."""

    def __init__(self, executor: dg.Executor) -> None:
        self._executor = executor

    @property
    def retries(self) -> Any:
        return self._executor.retries

    @property
    def step_dependency_config(self) -> Any:
        return self._executor.step_dependency_config

    def execute(self, plan_context: Any, execution_plan: Any) -> Iterator[DagsterEvent]:
        worker = Worker.of_this_process(plan_context.run_id)
        words, noted = f"Executed by {worker}", EngineEventData(metadata=worker.noted())
        yield DagsterEvent.engine_event(plan_context, words, event_specific_data=noted)
        with speaking(worker, plan_context.instance):
            yield from self._executor.execute(plan_context, execution_plan)
        tidy(plan_context.instance, plan_context.run_id)


def tidy(instance: dg.DagsterInstance, run_id: str) -> None:
    """What was planned and made leaves no line of its own; a run that is killed before this keeps them."""
    try:
        remove_told_plans(instance, run_id)
    except Exception as error:  # the storage is away for a moment: what the run did counts all the same
        log.warning("run %s leaves the plans of its checks behind: %s", run_id, error)


def _noting(context: dg.InitExecutorContext) -> dg.Executor:
    create: Callable[[dg.InitExecutorContext], dg.Executor] | None = dg.in_process_executor.executor_creation_fn
    assert create is not None
    return _Noting(create(context))


_SCHEMA: Any = dg.in_process_executor.config_schema
in_process_executor = dg.ExecutorDefinition(
    name="in_process",
    config_schema=_SCHEMA,
    executor_creation_fn=_noting,
    description=dg.in_process_executor.description,
)
"""Dagster's own, whose runs can be asked for: the work is HTTP, and steps in one process are eight times faster."""
