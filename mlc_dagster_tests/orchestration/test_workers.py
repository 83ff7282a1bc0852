"""A run is failed when nobody executes it, never while somebody does: by its process, who answers, its silence."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.events import EngineEventData
from dagster._core.storage.dagster_run import RunOpConcurrency
from dagster._core.storage.tags import GRPC_INFO_TAG
from dagster._daemon.monitoring.run_monitoring import monitor_started_run

from mlc_dagster.orchestration import launchers
from mlc_dagster.orchestration.automation.running import run_job
from mlc_dagster.orchestration.launchers import AsksItsWorkers, LocalRunLauncher, NobodyToAsk
from mlc_dagster.orchestration.liveness import lost_runs
from mlc_dagster.orchestration.liveness.lost_runs import lost_runs_sensor
from mlc_dagster.orchestration.liveness.signs_of_life import latest_event, speaking
from mlc_dagster.orchestration.liveness.silence import Silence
from mlc_dagster.orchestration.liveness.workers import Place, Worker, started, worker_of
from mlc_dagster_tests.promises.whole import until

ELSEWHERE = Place("web-2", "another", "another boot", "pid:[4026531836]")
STARTED, FAILURE, CANCELING = (dg.DagsterRunStatus[name] for name in ("STARTED", "FAILURE", "CANCELING"))


@dg.asset(pool="cin7")
def loaded() -> None: ...


JOB = dg.Definitions(assets=[loaded]).resolve_implicit_global_asset_job_def()


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    """A process that executes a run, as far as anybody can see."""
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    until(lambda: started(process.pid), 10)
    yield process
    process.kill()
    process.wait()


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.local_temp(str(tmp_path), overrides=shipped(run_launcher(0.2))) as opened:
        yield opened


def run_launcher(silent_seconds: float) -> dict[str, Any]:
    own = {"module": "mlc_dagster.orchestration.launchers", "class": "LocalRunLauncher"}
    return {**own, "config": {"silent_seconds": silent_seconds}}


def shipped(launcher: dict[str, Any] | None) -> dict[str, Any]:
    pools = {"concurrency": {"pools": {"granularity": "run", "default_limit": 1}}}
    return {**pools, "telemetry": {"enabled": False}, **({"run_launcher": launcher} if launcher else {})}


def begun(
    instance: dg.DagsterInstance, worker: Worker | None = None, status: dg.DagsterRunStatus = STARTED, **tags: str
) -> dg.DagsterRun:
    """A run that is executed by `worker`, as it said itself when it began."""
    pools = RunOpConcurrency(root_key_counts={"cin7": 1}, has_unconstrained_root_nodes=False, all_pools={"cin7"})
    run = instance.add_run(dg.DagsterRun("cin7", status=status, tags=tags, run_op_concurrency=pools))
    if worker:
        noted = EngineEventData(metadata=replace(worker, run_id=run.run_id).noted())
        instance.report_engine_event("Executed", run, noted)
    return run


def of(process: subprocess.Popen[bytes], place: Place | None = None) -> Worker:
    return Worker("", process.pid, started(process.pid), place or Place.here())


def look(instance: dg.DagsterInstance, run: dg.DagsterRun) -> dg.DagsterRunStatus:
    """What Dagster's own run monitoring makes of it in one iteration."""
    record = instance.get_run_record_by_id(run.run_id)
    assert record is not None
    workspace: Any = None
    monitor_started_run(instance, workspace, record, logging.getLogger("monitoring"))
    found = instance.get_run_by_id(run.run_id)
    assert found is not None
    return found.status


def said(instance: dg.DagsterInstance, run: dg.DagsterRun) -> str:
    return "\n".join(entry.message for entry in instance.all_logs(run.run_id))


# --- its process ------------------------------------------------------------------------------


def test_a_run_whose_process_was_killed_is_failed_and_told_with_its_pid_and_host(
    instance: dg.DagsterInstance, child: subprocess.Popen[bytes]
) -> None:
    run = begun(instance, of(child))
    assert look(instance, run) is STARTED
    child.kill()
    until(lambda: not started(child.pid), 10)  # nobody has waited for it: a zombie is as dead
    assert look(instance, run) is FAILURE
    words = f"process {child.pid} on {Place.here().host} has ended without a word"
    assert f"Detected run worker status NOT_FOUND: '{words}" in said(instance, run)


def test_a_run_that_is_suspended_is_executed(instance: dg.DagsterInstance, child: subprocess.Popen[bytes]) -> None:
    run = begun(instance, of(child))
    child.send_signal(signal.SIGSTOP)
    for _ in range(3):
        time.sleep(0.15)
        assert look(instance, run) is STARTED


def test_a_pid_that_another_process_has_got_is_not_the_runs(
    instance: dg.DagsterInstance, child: subprocess.Popen[bytes]
) -> None:
    earlier = replace(of(child), started=str(int(started(child.pid) or 0) - 1000))
    assert look(instance, begun(instance, earlier)) is FAILURE


def test_a_machine_that_was_started_anew_has_none_of_its_runs(
    instance: dg.DagsterInstance, child: subprocess.Popen[bytes]
) -> None:
    here = replace(Place.here(), pids="pid:[4026531836]")
    before = Worker("", child.pid, started(child.pid), replace(here, boot="the boot before"))
    assert before.is_there(here) is False


@pytest.mark.parametrize(
    "other", [{"host": "web-2"}, {"machine": "another"}, {"pids": "pid:[4026532001]"}, {"pids": "c", "boot": "b"}]
)
def test_what_is_in_another_container_or_on_another_machine_cannot_be_seen(other: dict[str, str]) -> None:
    assert replace(Worker.of_this_process("r"), place=replace(Place.here(), **other)).is_there() is None


def test_containers_of_one_image_with_one_name_do_not_judge_each_other_by_the_boot_of_their_machines() -> None:
    mine = Place("worker", "image", "boot of machine one", "pid:[4026532001]")
    there = replace(Worker.of_this_process("r"), place=mine)
    assert there.is_there(replace(mine, boot="boot of machine two")) is None


def test_a_process_that_the_system_hides_is_not_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another user's, under hidepid."""

    def refused(*_: int) -> None:
        raise PermissionError

    worker = Worker.of_this_process("r")
    monkeypatch.setattr("mlc_dagster.orchestration.liveness.workers._read", lambda path: "")
    monkeypatch.setattr("os.kill", refused)
    assert worker.is_there() is None


def test_a_run_that_is_taken_up_again_is_not_taken_for_the_one_before(
    instance: dg.DagsterInstance, child: subprocess.Popen[bytes]
) -> None:
    """Dagster gives it the tags of the run before, of which the process is gone."""
    before = Worker("the run before", 1, "1", Place.here())
    run = begun(instance, **before.noted())
    assert worker_of(run, instance) is None
    assert look(instance, run) is STARTED


# --- who answers for it, and its silence ------------------------------------------------------------------------------


def test_a_run_elsewhere_is_lost_only_when_nobody_answers_and_it_says_nothing(
    instance: dg.DagsterInstance, child: subprocess.Popen[bytes]
) -> None:
    run = begun(instance, of(child, ELSEWHERE), **{GRPC_INFO_TAG: json.dumps({"host": "127.0.0.1", "port": 1})})
    assert look(instance, run) is STARTED, "one answer that does not come is nothing"
    time.sleep(0.25)
    instance.report_engine_event("12 delivered so far", run)
    assert look(instance, run) is STARTED, "it works"
    time.sleep(0.25)
    assert look(instance, run) is FAILURE
    words = "which executed it, cannot be seen from here; nobody says to execute it, and it has said nothing for"
    assert f"process {child.pid} on web-2, {words}" in said(instance, run)


def test_a_run_that_nobody_noted_nor_launched_is_never_judged(instance: dg.DagsterInstance) -> None:
    """A notebook's, say."""
    run = begun(instance)
    look(instance, run)
    time.sleep(0.25)
    assert look(instance, run) is STARTED


class Asked(LocalRunLauncher):
    """What who started a run answers."""

    def __init__(self, answer: bool | NobodyToAsk | None) -> None:
        super().__init__(silent_seconds=0.0)
        self.answer = answer

    def is_executed(self, run: dg.DagsterRun) -> bool | None:
        if isinstance(self.answer, NobodyToAsk):
            raise self.answer
        return self.answer


@pytest.mark.parametrize(
    "answer, status",
    [(True, "RUNNING"), (False, "NOT_FOUND"), (None, "NOT_FOUND"), (NobodyToAsk("the broker is away"), "RUNNING")],
)
def test_who_started_a_run_is_asked_where_its_process_cannot_be_seen(
    instance: dg.DagsterInstance, child: subprocess.Popen[bytes], answer: Any, status: str
) -> None:
    launcher = Asked(answer)
    launcher.register_instance(instance)
    assert launcher.check_run_worker_health(begun(instance, of(child, ELSEWHERE))).status.value == status


def test_a_quiet_run_says_that_it_is_at_work_and_a_talkative_one_does_not(instance: dg.DagsterInstance) -> None:
    run = begun(instance)
    with speaking(Worker.of_this_process(run.run_id), instance, seconds=0.05):
        until(lambda: said(instance, run).count("At work: process") >= 2, 10)


def test_silence_is_counted_from_the_look_that_first_found_the_last_word() -> None:
    now = [100.0]
    silence = Silence(60, clock=lambda: now[0])
    assert silence.of("r", 1) == 0
    now[0] += 50
    assert silence.of("r", 1) == 50
    assert silence.of("r", 2) == 0, "it said something"
    now[0] += 30
    assert Silence(60, lambda: now[0], silence.kept()).of("r", 2) == 30, "who looks next knows it"
    silence.forget("r")
    assert silence.of("r", 2) == 0


# --- a foreign instance ------------------------------------------------------------------------------


@pytest.fixture
def foreign(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """With Dagster's default launcher, which knows nothing of its runs."""
    with dg.DagsterInstance.local_temp(str(tmp_path), overrides=shipped(None)) as opened:
        yield opened


def evaluate(instance: dg.DagsterInstance, cursor: str | None = None) -> Any:
    with dg.build_sensor_context(instance=instance, cursor=cursor) as context:
        return lost_runs_sensor().evaluate_tick(context)


@pytest.mark.parametrize("status, end", [(STARTED, "FAILURE"), (CANCELING, "CANCELED")])
def test_in_a_foreign_instance_a_sensor_ends_a_run_whose_process_is_gone(
    foreign: dg.DagsterInstance, child: subprocess.Popen[bytes], status: dg.DagsterRunStatus, end: str
) -> None:
    run, alive, unknown = begun(foreign, of(child), status), begun(foreign, of_me()), begun(foreign)
    assert "every run of this location is executed" in evaluate(foreign).skip_message
    child.kill()
    child.wait()
    assert f"{run.run_id}: process {child.pid} on" in evaluate(foreign).skip_message
    ends = [found.status.value for each in (run, alive, unknown) if (found := foreign.get_run_by_id(each.run_id))]
    assert ends == [end, "STARTED", "STARTED"]
    assert "Nobody executes this run" in said(foreign, run)


def of_me() -> Worker:
    return Worker.of_this_process("")


def test_in_a_foreign_instance_the_silence_of_a_run_elsewhere_is_remembered_from_tick_to_tick(
    foreign: dg.DagsterInstance, child: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr(lost_runs, "boot_time", lambda: now[0])
    run = begun(foreign, of(child, ELSEWHERE))
    first = evaluate(foreign)
    now[0] += launchers.SILENT_SECONDS - 1
    second = evaluate(foreign, first.cursor)
    assert foreign.get_run_by_id(run.run_id).status is STARTED  # type: ignore[union-attr]
    now[0] += 1
    evaluate(foreign, second.cursor)
    assert foreign.get_run_by_id(run.run_id).status is FAILURE  # type: ignore[union-attr]


def test_where_the_launcher_asks_the_sensor_does_not(
    instance: dg.DagsterInstance, child: subprocess.Popen[bytes]
) -> None:
    child.kill()
    child.wait()
    run = begun(instance, Worker("", child.pid, "1", Place.here()))
    assert "asks its workers itself" in evaluate(instance).skip_message
    assert isinstance(instance.run_launcher, AsksItsWorkers)
    assert instance.get_run_by_id(run.run_id).status is STARTED  # type: ignore[union-attr]


# --- a run in this process ------------------------------------------------------------------------------


def test_a_run_in_this_process_can_be_asked_for_and_leaves_its_pool_free(instance: dg.DagsterInstance) -> None:
    result = run_job(JOB, instance)
    run = instance.get_run_by_id(result.run_id)
    assert run is not None
    worker = worker_of(run, instance)
    assert worker is not None and worker.pid == os.getpid() and worker.is_there()
    assert run.run_op_concurrency is not None and run.run_op_concurrency.all_pools == {"cin7"}
    assert latest_event(run.run_id, instance)


def test_a_run_in_this_process_waits_for_one_of_its_pool_and_says_for_which(
    instance: dg.DagsterInstance, child: subprocess.Popen[bytes], caplog: pytest.LogCaptureFixture
) -> None:
    before = begun(instance, of(child))

    def ends(*_: float) -> None:
        assert [run.run_id for run in instance.get_runs()] == [before.run_id], "nothing has begun"
        instance.report_run_canceled(before)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mlc_dagster.orchestration.liveness.turns.time.sleep", ends)
        assert run_job(JOB, instance).success
    assert f"waiting for run {before.run_id}, which works on cin7" in caplog.text


def test_a_run_in_this_process_does_not_wait_for_one_that_is_dead(
    instance: dg.DagsterInstance, child: subprocess.Popen[bytes]
) -> None:
    begun(instance, of(child))
    child.kill()
    child.wait()
    assert run_job(JOB, instance).success
