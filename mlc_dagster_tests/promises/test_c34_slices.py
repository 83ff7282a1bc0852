"""C34: a load gives way after its slice; each sends something, and what is left is loaded by itself, newest first."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from mlc_dagster.ledger import SLICE, Ledger, Run
from mlc_dagster.orchestration.assets import loads
from mlc_dagster.pipeline import Slice, load
from mlc_dagster.sandbox import Sandbox
from mlc_dagster_tests.orchestration.conftest import DAY, World
from mlc_dagster_tests.orchestration.test_healing import carry_out, due
from mlc_dagster_tests.promises.quick import PLENTY, PURCHASES, a_supplier, purchased, purchases
from mlc_dagster_tests.systems.cin7 import samples as cin7

NEXT = "2026-11-06"


@pytest.mark.promise("C34", "a slice that is over at once: each load sends a batch, and the last one ends; 0 doubled")
def test_c34_each_slice_makes_progress_and_the_last_one_ends(ledger: Ledger) -> None:
    with Sandbox(limits=PLENTY) as box:
        box.cin7.add_account("4010", "Material")
        count = 3 * PURCHASES.target.batch
        ready, client = purchases(range(count), a_supplier(box)), cin7.client_on(box)
        left = []
        for number in range(4):
            loaded = load(PURCHASES, ready, client, ledger, Run(f"run {number}", DAY), slice_=Slice(0.0))
            left.append(loaded.paused)
            assert loaded.gave_way is bool(loaded.paused) and loaded.held == 0
            assert loaded.asked == loaded.delivered + loaded.unchanged + loaded.paused == count
        assert left == [count * 2 // 3, count // 3, 0, 0]
        assert all(len(each) == 1 for each in purchased(box).values()) and len(purchased(box)) == count


@pytest.mark.promise(
    "C34", "two days in a run whose slice is over: it ends well, the rest is due behind the queue, newest first"
)
def test_c34_a_run_that_gave_way_ends_well_and_what_is_left_is_loaded_by_itself(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.chart()
    many = PURCHASES.target.batch + 1
    for n in range(many):
        world.put_order(f"P{n}")
        world.put_order(f"Q{n}", at=datetime(2026, 11, 6, 9, tzinfo=UTC))
    flow = ["ifs/purchase_order_set", "cin7/purchases_prepared", "cin7/purchases"]
    assert world.run("cin7", DAY, NEXT, only=["ifs/supplier_set", "cin7/suppliers_prepared", "cin7/suppliers"]).success
    with monkeypatch.context() as patch:
        patch.setattr(loads, "Slice", lambda seconds: Slice(0.0))
        first = world.run("cin7", DAY, NEXT, only=flow)

    assert first.success and not first.asset_materializations_for_node("cin7__purchases"), "no day came to its end"
    seen = [event for event in first.all_events if event.event_type_value == "ASSET_OBSERVATION"]
    shown = [event.asset_observation_data.asset_observation.metadata["why"].value for event in seen]
    assert shown == ["its slice was over: the next run goes on with it"] * 2
    assert {task.cause for task in world.ledger.work.all()} == {f"cin7:{SLICE}"}
    runs = 0
    while requests := due(world).run_requests:
        days = [request.partition_key for request in requests]
        assert days == sorted(days, reverse=True)
        assert all(request.tags["dagster/priority"] == "-1" for request in requests)
        runs += 1
        assert runs < 5
        for request in requests:
            assert carry_out(world, request).success
    assert len(world.order_markers()) == len(set(world.order_markers())) == 2 * many
    assert world.ledger.work.all() == [] and world.ledger.open_holds() == []
