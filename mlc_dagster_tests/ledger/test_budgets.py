import subprocess
import sys
import threading
import time

import pytest

from mlc_dagster.ledger.ledger import Ledger

LIMIT, PERIOD = 20, 2.0

CALL = """
import sys, threading, time
from mlc_dagster.ledger.ledger import Ledger
url, calls, limit, period = sys.argv[1], *map(float, sys.argv[2:])
budget = Ledger.open(url).budget("credential", int(limit), period)
times = []
def work():
    for _ in range(int(calls) // 2):
        budget.take()
        times.append(time.time())
threads = [threading.Thread(target=work) for _ in range(2)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(*times)
"""


def most_in_a_window(times: list[float], period: float) -> int:
    return max(sum(1 for other in times if start <= other < start + period) for start in times)


def test_four_processes_together_never_pass_the_limit_in_any_window(ledger_url):
    Ledger.open(ledger_url).close()
    arguments = [sys.executable, "-c", CALL, ledger_url, "20", str(LIMIT), str(PERIOD)]
    processes = [subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    times = sorted(float(word) for process in processes for word in process.communicate(timeout=60)[0].split())
    assert len(times) == 80
    assert most_in_a_window(times, PERIOD) <= LIMIT
    assert times[-1] - times[0] < 6 * PERIOD, "80 calls, 20 at once, need three more periods"


def test_who_finds_a_free_slot_does_not_wait(ledger):
    period = 600.0  # however busy the machine is
    budget = ledger.budget("credential", LIMIT, period)
    assert [budget.take() for _ in range(LIMIT)] == [0.0] * LIMIT
    assert 0 < budget.free_in() <= period * 1.05


def test_budgets_of_other_names_are_not_touched(ledger):
    first, second = ledger.budget("first", 1, 60), ledger.budget("second", 1, 60)
    assert first.take() == second.take() == 0.0


def test_a_pause_holds_for_all_who_share_the_budget(ledger_url):
    with Ledger.open(ledger_url) as one, Ledger.open(ledger_url) as other:
        start = time.monotonic()
        one.budget("credential", LIMIT, PERIOD).pause(0.8)
        one.budget("credential", LIMIT, PERIOD).pause(0.1)
        waited = other.budget("credential", LIMIT, PERIOD).take()
    assert 0.5 < waited < 1.5
    assert time.monotonic() - start >= 0.8


def test_a_pause_holds_for_those_who_wait_already_and_they_do_not_leave_all_at_once(ledger):
    budget = ledger.budget("credential", 2, 1.5)  # long enough for a busy machine to pause it before a slot is free
    budget.take(), budget.take()
    left: list[float] = []

    def wait():
        budget.take()
        left.append(time.time())

    threads = [threading.Thread(target=wait) for _ in range(5)]
    for thread in threads:
        thread.start()
    time.sleep(0.1)
    budget.pause(2.5)
    paused_until = time.time() + 2.45
    for thread in threads:
        thread.join(20)
    assert min(left) >= paused_until
    assert most_in_a_window(sorted(left), 1.5) <= 2


def test_a_budget_outlives_its_process(ledger_url):
    with Ledger.open(ledger_url) as ledger:
        ledger.budget("credential", 1, 1.5).take()
    with Ledger.open(ledger_url) as ledger:
        assert ledger.budget("credential", 1, 1.5).take() > 0.5


@pytest.mark.parametrize(("limit", "period"), [(0, 1.0), (5, 0.0)])
def test_a_budget_that_lets_nothing_through_is_a_mistake(sqlite_ledger, limit, period):
    with pytest.raises(ValueError, match="lets nothing through"):
        sqlite_ledger.budget("credential", limit, period)


def test_a_budget_says_when_a_slot_is_free_and_takes_none(ledger: Ledger) -> None:
    budget = ledger.budget("day", 1, 60.0)
    assert budget.free_in() == budget.free_in() == 0.0
    budget.take()
    assert 50 < budget.free_in() < 64
