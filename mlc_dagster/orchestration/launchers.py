"""Run launchers that know whether a run is still executed: by its process, by who started it, by its silence.

`run_launcher` in dagster.yaml names one of them; run monitoring asks it, and fails a run that nobody executes.
"""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, Self

import dagster as dg
from dagster._core.errors import DagsterUserCodeUnreachableError
from dagster._core.launcher import CheckRunHealthResult, RunLauncher, WorkerStatus
from dagster._core.storage.tags import GRPC_INFO_TAG
from dagster._grpc.__generated__ import dagster_api_pb2
from dagster._grpc.types import GetCurrentRunsResult
from dagster._serdes import deserialize_value

from mlc_dagster.orchestration.liveness.signs_of_life import latest_event
from mlc_dagster.orchestration.liveness.silence import Silence
from mlc_dagster.orchestration.liveness.workers import Worker, worker_of

ASK_SECONDS = 5  # that who started a run may take to answer
SILENT_SECONDS = 120.0
SETTING = dg.Field(
    float,
    default_value=SILENT_SECONDS,
    is_required=False,
    description="A run whose process cannot be seen from here, which nobody says to execute and which says nothing "
    "itself, counts as lost after so many seconds. A run says something at least once a minute.",
)
GONE = "has ended without a word. What it had under way is looked up in the target before it is sent again"


class NobodyToAsk(Exception):
    """Not even whether anybody would answer can be found out now."""


class AsksItsWorkers(RunLauncher):
    """What such launchers share. A run is never failed for one answer that does not come."""

    _silence: Silence

    @property
    def supports_check_run_worker_health(self) -> bool:
        return True

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        worker = worker_of(run, self._instance)
        there = worker.is_there() if worker else None
        try:
            there = self.is_executed(run) if there is None else there
        except NobodyToAsk as error:
            self._silence.forget(run.run_id)
            return _running(str(error))
        if there is not None:
            self._silence.forget(run.run_id)
            return _running() if there else _gone(f"{worker or 'its process'} {GONE}")
        return self._by_its_silence(run, worker)

    @abstractmethod
    def is_executed(self, run: dg.DagsterRun) -> bool | None:
        """As who started it knows; None where it does not. Raises NobodyToAsk."""

    @abstractmethod
    def was_launched(self, run: dg.DagsterRun) -> bool:
        """Whether it was started by such a launcher: of others nothing is known without a note of their own."""

    def _by_its_silence(self, run: dg.DagsterRun, worker: Worker | None) -> CheckRunHealthResult:
        if worker is None and not self.was_launched(run):
            return _running("who executes it has left no note")
        seconds = self._silence.of(run.run_id, latest_event(run.run_id, self._instance))
        if seconds < self._silence.seconds:
            return _running(f"nobody has answered for it for {seconds:.0f} s")
        self._silence.forget(run.run_id)
        who = f"{worker}, which executed it, cannot be seen from here" if worker else "its process left no note"
        return _gone(f"{who}; nobody says to execute it, and it has said nothing for {seconds:.0f} s")


def _running(words: str | None = None) -> CheckRunHealthResult:
    return CheckRunHealthResult(WorkerStatus.RUNNING, words)


def _gone(words: str) -> CheckRunHealthResult:
    return CheckRunHealthResult(WorkerStatus.NOT_FOUND, words)


class LocalRunLauncher(AsksItsWorkers, dg.DefaultRunLauncher):
    """Dagster's default launcher, that asks: runs are processes beside a code server, here or on another machine."""

    def __init__(self, inst_data: Any = None, silent_seconds: float = SILENT_SECONDS) -> None:
        super().__init__(inst_data)
        self._silence = Silence(silent_seconds)

    @classmethod
    def config_type(cls) -> Any:
        return {"silent_seconds": SETTING}

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Mapping[str, Any]) -> Self:
        return cls(inst_data, **config_value)

    def was_launched(self, run: dg.DagsterRun) -> bool:
        return GRPC_INFO_TAG in run.tags

    def is_executed(self, run: dg.DagsterRun) -> bool | None:
        """Whether the code server that started it has it among its own. One that was started anew does not know."""
        to_the_server: Any = self._get_grpc_client_for_termination
        client = to_the_server(run.run_id)
        if client is None:
            return None
        try:
            answer = client._query("GetCurrentRuns", dagster_api_pb2.Empty, timeout=ASK_SECONDS)
        except DagsterUserCodeUnreachableError:
            return None
        found = deserialize_value(answer.serialized_current_runs, GetCurrentRunsResult)
        return run.run_id in found.current_runs or None
