"""C2: a process killed while it holds something leaves nothing locked."""

from __future__ import annotations

import inspect
import random
import shutil
import time
from pathlib import Path

import pytest

from mlc_dagster import pipeline
from mlc_dagster.ledger import Ledger
from mlc_dagster.sandbox import Sandbox
from mlc_dagster_tests.promises import work
from mlc_dagster_tests.promises.quick import PLENTY
from mlc_dagster_tests.promises.seeds import seeds
from mlc_dagster_tests.promises.test_c24_told_to_end import ROWS, place, wait_for
from mlc_dagster_tests.promises.victims import Child, Victims
from mlc_dagster_tests.systems.hubspot.samples import UPSERT

LEASE_SECONDS, POLL = 0.5, 0.25
STARTS_WITHIN = 60.0  # what is promised


def wait_until_held(child: Child) -> None:
    deadline = time.monotonic() + 20
    while "held" not in child.said:
        assert child.is_running and time.monotonic() < deadline, child.said
        time.sleep(0.002)


@pytest.mark.promise("C2", "kill -9 at random while lease and rate budget are held: both free after the lease's time")
@pytest.mark.parametrize("seed", seeds())
def test_c2_after_kill_9_of_who_held_lease_and_budget_the_next_one_begins(
    seed: int, victims: Victims, ledger_url: str
) -> None:
    child = victims.start(work.hold_everything, ledger_url, LEASE_SECONDS)
    wait_until_held(child)
    time.sleep(random.Random(seed).random() * 0.2)
    child.kill()
    assert child.wait().was_killed

    begun = time.monotonic()
    with Ledger.open(ledger_url) as ledger:
        with ledger.lease(work.LEASE, "next", seconds=LEASE_SECONDS):
            leased = time.monotonic() - begun
        budget = ledger.budget(work.BUDGET, work.LIMIT, work.PERIOD)
        for _ in range(work.LIMIT):
            budget.take()
    assert leased <= LEASE_SECONDS + 2 * POLL + 3.0, "the machine may be busy; the promise is a minute"
    assert time.monotonic() - begun <= STARTS_WITHIN / 4


@pytest.mark.promise("C2", "kill -9 within a transaction that locks the ledger: the next writer does not wait")
def test_c2_after_kill_9_in_mid_transaction_the_ledger_is_free_and_the_half_is_gone(
    victims: Victims, ledger_url: str
) -> None:
    child = victims.start(work.write_without_an_end, ledger_url)
    wait_until_held(child)
    child.kill()
    child.wait()

    begun = time.monotonic()
    with Ledger.open(ledger_url) as ledger:
        assert ledger.budget(work.BUDGET, work.LIMIT, work.PERIOD).take() < work.PERIOD * 2, "its pause never happened"
    assert time.monotonic() - begun < 20


def test_c2_the_lease_of_a_load_is_shorter_than_the_minute_that_is_promised() -> None:
    assert inspect.signature(pipeline.load).parameters["lease_seconds"].default <= STARTS_WITHIN / 2


@pytest.mark.slow  # a lease lasts 30 s
@pytest.mark.promise("C2", "kill -9 of a whole Dagster run amid its upserts, on an instance as dagster.yaml makes it")
def test_c2_after_kill_9_of_a_dagster_run_the_next_one_delivers_within_a_minute(
    victims: Victims, sqlite_url: str, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    shutil.copy(Path(__file__).parents[2] / "dagster.yaml", home)
    with Sandbox(limits=PLENTY) as box:
        asked = (place(tmp_path, box), sqlite_url, str(tmp_path / "storage"))
        chart = victims.start(work.run_job, *asked, "chart_of_accounts", "0010", str(home)).wait(120)
        assert chart.value is True, chart.said
        box.faults.add(system="hubspot", path="companies/batch/upsert", times=None, delay=0.2)
        child = victims.start(work.run_job, *asked, "hubspot", "2026-11-05", str(home))
        wait_for(box, 3, child)
        child.kill()
        assert child.wait().was_killed
        box.faults.clear()
        before, begun = box.calls("hubspot")[UPSERT], time.monotonic()
        again = victims.start(work.run_job, *asked, "hubspot", "2026-11-05", str(home))
        wait_for(box, before + 1, again)
        assert time.monotonic() - begun <= STARTS_WITHIN
        assert again.wait(120).value is True
        assert len(box.hubspot.live("companies")) == ROWS
