import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest

from mlc_dagster.core.outcomes import State
from mlc_dagster.ledger.coordination import leases
from mlc_dagster.ledger.coordination.leases import LeaseLost
from mlc_dagster.ledger.ledger import Ledger
from mlc_dagster_tests.ledger.samples import FLOW, RUN, deliver, events, ready, saved

HOLD_FOR_EVER = """
import sys, time
from mlc_dagster.ledger.ledger import Ledger
with Ledger.open(sys.argv[1]).lease("cin7/purchases", "killed", seconds=2):
    print("mine", flush=True)
    time.sleep(600)
"""

COUNT_TO = """
import sys, time
from mlc_dagster.ledger.ledger import Ledger
url, file = sys.argv[1:]
ledger = Ledger.open(url)
for _ in range(5):
    with ledger.lease("counter", "one of several"):
        number = int(open(file).read())
        time.sleep(0.02)
        open(file, "w").write(str(number + 1))
"""


def test_a_second_owner_waits_is_told_for_whom_and_gets_its_turn(ledger):
    waited_for, order, second_waits = [], [], threading.Event()

    def on_wait(owner):
        waited_for.append(owner)
        second_waits.set()

    def second():
        with ledger.lease(FLOW, "second", on_wait=on_wait):
            order.append("second")

    with ledger.lease(FLOW, "first"):
        thread = threading.Thread(target=second)
        thread.start()
        assert second_waits.wait(10)
        order.append("first")
    thread.join(10)
    assert (order, waited_for) == (["first", "second"], ["first"])


def test_leases_of_other_names_do_not_wait(ledger):
    with ledger.lease("a", "first"), ledger.lease("b", "second"):
        pass


def test_a_lease_lives_as_long_as_its_owner(ledger):
    turns = []

    def second():
        with ledger.lease(FLOW, "second", seconds=0.6):
            turns.append(time.monotonic())

    with ledger.lease(FLOW, "first", seconds=0.6) as lease:
        thread = threading.Thread(target=second)
        thread.start()
        time.sleep(2)
        ledger.begin(FLOW, [(ready(), None)], run=RUN, lease=lease)
        freed = time.monotonic()
    thread.join(10)
    assert turns and turns[0] >= freed


def test_after_a_kill_the_next_owner_takes_over(ledger_url):
    killed = subprocess.Popen([sys.executable, "-c", HOLD_FOR_EVER, ledger_url], stdout=subprocess.PIPE, text=True)
    assert killed.stdout.readline() == "mine\n"
    killed.kill()
    killed.wait()
    start, waited_for = time.monotonic(), []
    with Ledger.open(ledger_url) as ledger, ledger.lease(FLOW, "next", on_wait=waited_for.append):
        assert time.monotonic() - start < 10
    assert waited_for == ["killed"]


def test_a_writer_that_was_overtaken_writes_nothing(ledger):
    with ledger.lease(FLOW, "slept too long", seconds=30) as old:
        ledger.begin(FLOW, [(ready(), None)], run=RUN, lease=old)
        _expire(ledger)
        with ledger.lease(FLOW, "next") as new:
            with pytest.raises(LeaseLost, match="slept too long lost cin7/purchases"):
                ledger.finish(FLOW, [saved(ready())], run=RUN, lease=old)
            with pytest.raises(LeaseLost):
                ledger.begin(FLOW, [(ready("P2"), None)], run=RUN, lease=old)
            with pytest.raises(LeaseLost):
                ledger.note_id(FLOW, "0010/P1", "c-1", run=RUN, lease=old)
            assert events(ledger) == ["sent"]
            assert ledger.judge(FLOW, [ready(), ready("P2")])["P2"].state is State.NEW
            ledger.finish(FLOW, [saved(ready())], run=RUN, lease=new)
    assert events(ledger) == ["sent", "created"]


def test_the_overtaken_one_does_not_free_the_lease_of_the_next(ledger):
    with ledger.lease(FLOW, "old", seconds=30):
        _expire(ledger)
        following = ledger.lease(FLOW, "next")
        new = following.__enter__()
    ledger.begin(FLOW, [(ready(), None)], run=RUN, lease=new)
    with ledger._database.reading() as connection:
        (left,) = connection.exec_driver_sql("SELECT owner FROM leases").scalars()
    assert left == "next"
    following.__exit__(None, None, None)


def test_one_at_a_time_across_processes(ledger_url, tmp_path):
    Ledger.open(ledger_url).close()
    file = tmp_path / "number"
    file.write_text("0")
    processes = [subprocess.Popen([sys.executable, "-c", COUNT_TO, ledger_url, str(file)]) for _ in range(3)]
    assert [process.wait(60) for process in processes] == [0, 0, 0]
    assert file.read_text() == "15"


def test_a_run_that_fails_frees_its_lease(ledger):
    with pytest.raises(ZeroDivisionError), ledger.lease(FLOW, "first"):
        _ = 1 / 0
    start = time.monotonic()
    with ledger.lease(FLOW, "second"):
        deliver(ledger, ready())
    assert time.monotonic() - start < 5


def _expire(ledger: Ledger) -> None:
    """As after half a minute in which the process was suspended."""
    with ledger._database.writing() as connection:
        connection.exec_driver_sql("UPDATE leases SET expires_at = '2026-01-01T00:00:00.000000Z'")


def test_what_an_owner_left_under_way_is_waited_for_by_the_next_and_by_the_one_after_it(ledger):
    with pytest.raises(KeyboardInterrupt), ledger.lease(FLOW, "stopped"):
        raise KeyboardInterrupt
    with ledger.lease(FLOW, "next") as following:
        assert following.taken_from == "stopped" and following.quiet_for(60) > 50
    with ledger.lease(FLOW, "third") as third:
        assert third.quiet_for(60) > 50, "the next did not wait for it"
        third.settle(0)
    with ledger.lease(FLOW, "fourth") as last:
        assert (last.taken_from, last.quiet_for(60)) == ("", 0.0)


def test_a_lease_that_was_given_back_on_a_host_whose_clock_is_ahead_is_free(sqlite_ledger, monkeypatch):
    with sqlite_ledger.lease(FLOW, "first"):
        _expire(sqlite_ledger)
        with monkeypatch.context() as patch:
            patch.setattr(leases, "clock", lambda _: datetime.now(UTC) + timedelta(days=1))
            with sqlite_ledger.lease(FLOW, "ahead"):
                pass
    begun = time.monotonic()
    with sqlite_ledger.lease(FLOW, "next"):
        assert time.monotonic() - begun < 5


def test_a_suspended_owner_is_told_before_its_next_write_that_it_was_overtaken_and_by_whom(ledger):
    with ledger.lease(FLOW, "slept", seconds=30) as old:
        _expire(ledger)
        with ledger.lease(FLOW, "next"), pytest.raises(LeaseLost, match="slept lost cin7/purchases to next") as lost:
            ledger.ask_lease(old, "POST /vouchers", "cin7")
    assert "POST /vouchers was not sent" in lost.value.message


def test_by_the_boot_clock_a_lease_that_was_not_renewed_ends_without_asking_anybody(ledger, monkeypatch):
    with ledger.lease(FLOW, "slept", seconds=30) as held:
        held.check("POST /vouchers")
        later = leases.boot_time() + 31
        monkeypatch.setattr(leases, "boot_time", lambda: later)
        with pytest.raises(LeaseLost, match="did not renew cin7/purchases for 30 s"):
            held.check("POST /vouchers")
