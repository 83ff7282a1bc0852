"""C3: a server that asks for longer than the cap ends the run as throttled: nothing is held, all comes at its time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import pytest

from mlc_dagster.ledger import THROTTLED
from mlc_dagster.ledger.coordination import work
from mlc_dagster_tests.orchestration.conftest import DAY, World
from mlc_dagster_tests.orchestration.test_healing import carry_out, due
from mlc_dagster_tests.orchestration.test_pausing import failure

HOUR = {"Retry-After": "3600"}
PURCHASES = "cin7/purchases"


def ahead(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """An hour is over, as the ledger and its budgets see it."""
    later = lambda _: datetime.now(UTC) + timedelta(seconds=seconds)  # noqa: E731
    monkeypatch.setattr(work, "clock", later)
    monkeypatch.setattr("mlc_dagster.ledger.coordination.budgets.clock", later)


def calls(world: World, system: str) -> int:
    return sum(world.box.calls(system).values())


def kind(result: dg.ExecuteInProcessResult) -> Any:
    return failure(result).metadata["kind"].value


@pytest.mark.promise(
    "C3", "Cin7 asks for an hour amid a load: throttled, nothing held, no call before; then all comes once"
)
def test_c3_a_load_that_is_throttled_holds_nothing_calls_no_more_and_is_loaded_at_the_servers_time(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.chart()
    for n in range(1, 4):
        world.put_order(f"P{n}")
    world.box.faults.add(system="cin7", method="POST", path="purchase", times=None, status=429, headers=HOUR)
    first = world.run("cin7")
    assert not first.success and kind(first) == "ThrottledUntil"
    assert "cin7 asks to be left alone until" in failure(first).description
    assert "3 records of cin7/purchases wait (2026-11-05); nothing is lost" in failure(first).description
    assert world.ledger.open_holds() == []
    left = {task.flow: task for task in world.ledger.work.all()}
    assert (left[PURCHASES].cause, left[PURCHASES].state) == (f"cin7:{THROTTLED}", "waiting")
    assert 3500 < (left[PURCHASES].due_at - left[PURCHASES].written_at).total_seconds() < 3610

    world.box.faults.clear()
    before = calls(world, "cin7")
    again = world.run("cin7", only=[f"{PURCHASES}_prepared", PURCHASES])
    assert not again.success and kind(again) == "ThrottledUntil" and calls(world, "cin7") == before
    silent = due(world)
    assert silent.run_requests == [] and "cin7 asks to be left alone: waiting until" in silent.skip_message

    ahead(monkeypatch, 3700)
    requests = due(world).run_requests
    assert [request.partition_key for request in requests] == [DAY]
    assert carry_out(world, requests[0]).success
    assert sorted(world.order_markers()) == ["0010/P1", "0010/P2", "0010/P3"]
    assert world.ledger.work.all() == [] and due(world).run_requests == []


@pytest.mark.promise("C3", "the ERP asks for an hour amid a read: the day is due, read again and loaded at its time")
def test_c3_a_read_that_is_throttled_is_read_and_loaded_at_the_servers_time(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.chart()
    world.put_order("P1")
    world.box.faults.add(system="ifs", path="PurchaseOrderSet", times=1, status=429, headers=HOUR)
    first = world.run("cin7")
    assert not first.success and world.order_markers() == [] and world.ledger.open_holds() == []
    names = {task.flow for task in world.ledger.work.all()}
    assert {"read ifs/purchase_order_set", PURCHASES} <= names
    assert due(world).run_requests == []

    ahead(monkeypatch, 3700)
    for request in due(world).run_requests:
        assert carry_out(world, request).success
    assert world.order_markers() == ["0010/P1"] and world.ledger.work.all() == []
