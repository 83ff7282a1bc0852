"""C35: a wrong clock costs the next run less than a minute and doubles nothing; no wait of a minute is silent."""

from __future__ import annotations

import json
import logging
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from mlc_dagster.core.outcomes import Draft, TooFar
from mlc_dagster.ledger import Ledger
from mlc_dagster.ledger.coordination import budgets, leases, pauses, work
from mlc_dagster.ledger.coordination.work_entries import THROTTLED
from mlc_dagster.ledger.records import trail
from mlc_dagster.sandbox import Sandbox
from mlc_dagster_tests.orchestration.conftest import World
from mlc_dagster_tests.promises.days import tick
from mlc_dagster_tests.promises.quick import PLENTY, PURCHASES, a_supplier, deliver, purchased, purchases
from mlc_dagster_tests.systems.cin7 import samples as cin7

FLOW, LEASE = "cin7/purchases", 1.0
Clock = Callable[[float], None]
DAYS = 86_400.0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Sets the clock that the ledger asks, so many seconds from the true time."""
    rooms = (leases, budgets, pauses, work, trail)

    def put(seconds: float) -> None:
        for room in rooms:
            monkeypatch.setattr(room, "clock", lambda _: datetime.now(UTC) + timedelta(seconds=seconds))

    return put


WRONG = [
    pytest.param(DAYS, id="a day ahead"),
    pytest.param(3600.0, id="an hour ahead"),
    pytest.param(60.0, id="a minute ahead"),
]


@pytest.mark.promise(
    "C35", "a lease of a run that died with its clock ahead: the next one has it after the lease's time"
)
@pytest.mark.parametrize("seconds", WRONG)
def test_c35_the_lease_of_one_who_died_with_a_wrong_clock_is_void(ledger: Ledger, clock: Clock, seconds: float) -> None:
    clock(seconds)
    dead = ledger.lease(FLOW, "dead", seconds=LEASE)
    dead.__enter__()
    stop_renewing("lease " + FLOW)
    clock(0.0)
    begun = time.monotonic()
    with ledger.lease(FLOW, "next", seconds=LEASE) as held:
        assert time.monotonic() - begun < LEASE + 5
        assert held.taken_from == "dead" and not held.is_settled, "it looks for what the dead one may have under way"


def stop_renewing(name: str) -> None:
    """As where the process is gone: nobody renews it, and nobody gives it back."""
    (heart,) = [thread for thread in threading.enumerate() if thread.name == name]
    stop: threading.Event = heart._args[2]  # type: ignore[attr-defined]
    stop.set()
    heart.join()


@pytest.mark.promise("C35", "a lease of a run that lives, clock set back amid it: it is not taken away from it")
def test_c35_who_lives_keeps_its_lease_when_the_clock_is_set_back(ledger: Ledger, clock: Clock) -> None:
    clock(3600.0)
    with ledger.lease(FLOW, "alive", seconds=LEASE) as held:
        clock(0.0)
        begun, order = time.monotonic(), list[str]()
        other = threading.Thread(target=lambda: wait_for_turn(ledger, order))
        other.start()
        while time.monotonic() - begun < 3 * LEASE:
            time.sleep(0.05)
            ledger.ask_lease(held, "POST /purchase", "cin7")
        order.append("alive")
    other.join(20)
    assert order == ["alive", "next"]


def wait_for_turn(ledger: Ledger, order: list[str]) -> None:
    with ledger.lease(FLOW, "next", seconds=LEASE):
        order.append("next")


@pytest.mark.promise("C35", "slots and a pause written with the clock ahead, or before it was set back: void, no wait")
@pytest.mark.parametrize("before, after", [(DAYS, 0.0), (3600.0, 0.0), (0.0, -3600.0), (0.0, -DAYS)])
def test_c35_slots_and_pauses_of_another_clock_are_void(
    ledger: Ledger, clock: Clock, before: float, after: float
) -> None:
    clock(before)
    budget = ledger.budget("cin7 key", 3, 60.0)
    for _ in range(3):
        budget.take()
    budget.pause(30.0)
    assert budget.free_in() > 29
    clock(after)
    assert budget.free_in() == 0.0 and budget.take() == 0.0


@pytest.mark.promise(
    "C35", "a server that asked for an hour by a right clock is left alone for an hour, from any process"
)
def test_c35_an_hour_that_a_server_asked_for_is_respected(ledger_url: str, clock: Clock) -> None:
    clock(0.0)
    with Ledger.open(ledger_url) as ledger:
        ledger.budget("cin7 key", 60, 60.0).pause(3600.0)
    with Ledger.open(ledger_url) as other:
        budget = other.budget("cin7 key", 60, 60.0)
        with pytest.raises(TooFar) as far:
            budget.take(120.0)
        assert 3590 < far.value.seconds <= 3600
        clock(3601.0)
        assert budget.take(120.0) == 0.0


@pytest.mark.promise("C35", "what is due by a clock that was a day ahead is due at once when it is right")
def test_c35_work_that_is_due_by_another_clock_is_due_now(ledger: Ledger, clock: Clock) -> None:
    clock(0.0)
    ledger.work.put_off([(FLOW, "2026-11-04")], "cin7", THROTTLED, "busy", "run", seconds=3600.0)
    assert ledger.work.due() == [] and list(ledger.work.silent()) == ["cin7"]
    clock(DAYS)
    ledger.work.put_off([(FLOW, "2026-11-05")], "cin7", THROTTLED, "busy", "run", seconds=3600.0)
    clock(0.0)
    assert [load.partition for load in ledger.work.due()] == ["2026-11-05"]
    clock(3601.0)
    assert len(ledger.work.due()) == 2


class Dying:
    """A client whose process is killed when all of a batch was sent, before it is told what came of it."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def save(self, target: Any, drafts: Iterable[Draft]) -> Iterator[Any]:
        list(self._client.save(target, drafts))
        raise KeyboardInterrupt
        yield


@pytest.mark.promise(
    "C35", "a load dies amid its writes by a wrong clock; the next one, by a right one, doubles nothing"
)
@pytest.mark.parametrize("before, after", [(DAYS, 0.0), (3600.0, 0.0), (0.0, -3600.0), (60.0, 0.0), (0.0, 60.0)])
def test_c35_what_was_sent_by_another_clock_is_found_and_not_sent_again(
    ledger: Ledger, clock: Clock, before: float, after: float
) -> None:
    with Sandbox(limits=PLENTY) as box:
        box.cin7.add_account("4010", "Material")
        ready, client = purchases(range(1, 5), a_supplier(box)), cin7.client_on(box)
        deliver(ledger, PURCHASES, ready[:1], client)
        clock(before)
        with pytest.raises(KeyboardInterrupt):
            deliver(ledger, PURCHASES, ready[1:], Dying(client), "dead")
        clock(after)
        begun = time.monotonic()
        again = deliver(ledger, PURCHASES, ready, cin7.client_on(box), "next")
        assert time.monotonic() - begun < 60 and (again.held, again.paused) == (0, 0)
        assert purchased(box) == {f"0010/P{n}": [Decimal(n)] for n in range(1, 5)}


@pytest.mark.promise(
    "C35", "a wait of more than a minute, for a lease or for a slot, is told with what it is for and until when"
)
def test_c35_no_wait_of_more_than_a_minute_is_silent(
    sqlite_ledger: Ledger, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO, "mlc_dagster")
    slept: list[float] = []
    budget = sqlite_ledger.budget("cin7 key", 60, 60.0)
    budget.pause(100.0)

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        later = sum(slept)
        monkeypatch.setattr(budgets, "clock", lambda _: datetime.now(UTC) + timedelta(seconds=later))

    monkeypatch.setattr(budgets.time, "sleep", sleep)
    assert 99 < budget.take() < 103 and max(slept) <= 60
    assert re.search(r"waiting until \d\d:\d\d:\d\d UTC for the next call of cin7 key", caplog.text)


@pytest.mark.promise("C35", "who waits for another writer says so each minute, and how long that one may be silent")
def test_c35_who_waits_for_a_writer_says_so_each_minute(
    sqlite_ledger: Ledger, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO, "mlc_dagster")
    monkeypatch.setattr(leases, "SECONDS_BETWEEN_WORDS", 0.3)
    with sqlite_ledger.lease(FLOW, "first"):
        other = threading.Thread(target=lambda: wait_for_turn(sqlite_ledger, []))
        other.start()
        deadline = time.monotonic() + 20
        while "still waiting" not in caplog.text and time.monotonic() < deadline:
            time.sleep(0.05)
    other.join(20)
    assert f"{FLOW}: still waiting for first, until that ends or gives no sign of life for 20 s" in caplog.text


@pytest.mark.promise(
    "C35", "the sensor of changes asked by a clock a day ahead: what changes today is found all the same"
)
def test_c35_a_cursor_of_another_clock_hides_no_change(world: World) -> None:
    world.put_order("P1", at=datetime.now(UTC))
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    cursor = json.dumps({"purchase_order_set": tomorrow})
    found = tick(world, cursor)
    assert datetime.now(UTC).date().isoformat() in [request.partition_key for request in found.run_requests]
