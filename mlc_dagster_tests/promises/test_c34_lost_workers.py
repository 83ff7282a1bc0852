"""C34: what is killed is noticed and taken up again by itself; nothing waits behind it, nothing is sent twice."""

from __future__ import annotations

import os
import shutil
import signal
from importlib.util import find_spec
from itertools import chain
from pathlib import Path

import dagster as dg
import pytest

from mlc_dagster.orchestration.launchers import AsksItsWorkers
from mlc_dagster.orchestration.liveness.workers import Worker, worker_of
from mlc_dagster_tests.promises.lost import company, days, each_order_once, purchases, read_the_charts
from mlc_dagster_tests.promises.whole import Whole, celery_of, free_port, start_celery, until

BACKFILLS = ("five_days", "five_days_again")
WITHIN = 300.0
"""Seconds: what is promised of the shipped settings."""


def states(whole: Whole) -> dict[str, list[str]]:
    """Backfill -> what became of its runs, oldest first: the one that it asked for, and those that took it up again."""
    runs = whole.runs()[::-1]
    return {name: [run.status.value for run in runs if run.tags.get("dagster/backfill") == name] for name in BACKFILLS}


def at_work(whole: Whole) -> list[dg.DagsterRun]:
    return [run for run in whole.runs() if run.status is dg.DagsterRunStatus.STARTED]


def worker(whole: Whole, run: dg.DagsterRun) -> Worker:
    with whole.instance() as instance:
        found = worker_of(run, instance)
    assert found is not None, "it has noted itself"
    return found


@pytest.mark.promise(
    "C34",
    "kill -9 of `dagster dev` amid a backfill of five days, another of the same SaaS queued behind it; then of a run's "
    "process alone; shipped dagster.yaml, polled every second",
)
def test_c34_killed_with_all_of_dagster_and_again_alone_a_backfill_ends_by_itself(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with company(tmp_path, sqlite_url, monkeypatch) as (box, whole):
        read_the_charts(whole)
        for name in BACKFILLS:
            whole.ask_for_backfill(name, "cin7", days())
        box.faults.add(system="cin7", method="POST", times=None, delay=1.5)
        whole.start()
        one_behind_the_other = [["QUEUED"], ["STARTED"]]
        until(lambda: purchases(box) and sorted(states(whole).values()) == one_behind_the_other, WITHIN, whole.story)

        whole.kill()
        assert sorted(states(whole).values()) == one_behind_the_other, "nobody is left to say otherwise"
        (lost,) = at_work(whole)
        sent = sum(purchases(box).values())
        whole.start()
        until(lambda: whole.status(lost) == "FAILURE", WITHIN, whole.story)
        until(lambda: at_work(whole) and sum(purchases(box).values()) > sent, WITHIN, whole.story)
        (alone,) = at_work(whole)

        os.kill(worker(whole, alone).pid, signal.SIGKILL)
        until(lambda: whole.status(alone) == "FAILURE", WITHIN, whole.story)
        box.faults.clear()
        until(lambda: {whole.backfill_status(name) for name in BACKFILLS} == {"COMPLETED_SUCCESS"}, WITHIN, whole.story)
        assert sorted(chain(*states(whole).values())) == ["FAILURE", "FAILURE", "SUCCESS", "SUCCESS"]
        assert purchases(box) == each_order_once()


REDIS = shutil.which("redis-server")
needs_redis = pytest.mark.skipif(REDIS is None, reason="redis-server is not installed: apt-get install redis-server")
needs_celery = pytest.mark.skipif(find_spec("dagster_celery") is None, reason="pip install mlc-dagster[celery]")


def who_started_it_says(whole: Whole, run: dg.DagsterRun) -> bool | None:
    """As the launcher knows of a run whose process it cannot see: by asking Celery."""
    with whole.instance() as instance:
        launcher, now = instance.run_launcher, instance.get_run_by_id(run.run_id)
        assert isinstance(launcher, AsksItsWorkers) and now is not None
        return launcher.is_executed(now)


@needs_redis
@needs_celery
@pytest.mark.promise(
    "C34",
    "kill -9 of a Celery worker's child amid a load, then of the worker with its child; Redis; ledger and Dagster's "
    "storage on PostgreSQL; polled every second",
)
def test_c34_a_celery_worker_that_is_killed_with_or_without_its_child_is_noticed(
    postgres_url: str, postgres_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"redis://127.0.0.1:{free_port()}"
    production = {**celery_of(url), "storage": {"postgres": {"postgres_url": postgres_url}}}
    with company(tmp_path, postgres_url, monkeypatch, **production) as (box, whole):
        assert REDIS is not None
        port = url.rpartition(":")[2]
        broker = [REDIS, "--bind", "127.0.0.1", "--port", port, "--save", "", "--appendonly", "no"]
        whole.spawn(broker, "redis.log")
        read_the_charts(whole)
        whole.ask_for_backfill("five_days", "cin7", days())
        box.faults.add(system="cin7", method="POST", times=None, delay=1.5)
        start_celery(whole, url, "first")
        whole.start()
        until(lambda: purchases(box) and at_work(whole), WITHIN, whole.story)
        (first,) = at_work(whole)

        assert who_started_it_says(whole, first) is True
        os.kill(worker(whole, first).pid, signal.SIGKILL)
        until(lambda: who_started_it_says(whole, first) is False, 30, whole.story)
        until(lambda: whole.status(first) == "FAILURE", WITHIN, whole.story)
        sent = sum(purchases(box).values())
        until(lambda: at_work(whole) and sum(purchases(box).values()) > sent, WITHIN, whole.story)
        (second,) = at_work(whole)
        for pid in whole.pids("celery -A"):
            os.kill(pid, signal.SIGKILL)
        assert who_started_it_says(whole, second) is None, "nobody is left who could"
        start_celery(whole, url, "next")
        until(lambda: whole.status(second) == "FAILURE", WITHIN, whole.story)
        box.faults.clear()
        until(lambda: whole.backfill_status("five_days") == "COMPLETED_SUCCESS", WITHIN, whole.story)
        assert purchases(box) == each_order_once()
