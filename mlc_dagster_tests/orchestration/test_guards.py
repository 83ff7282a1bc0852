"""A run that would create or change too much, or that read too little, stops before its first write and says so."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import dagster as dg
import pytest

from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.pipeline.guards import Intent, broken, too_few
from mlc_dagster.settings.guards import GuardSettings
from mlc_dagster_tests.orchestration.conftest import DAY, QUIET, World, check

RULE, PREPARED = "guards_allow_it", "cin7/purchases_prepared"


def guarded(world: World, **limits: Any) -> None:
    guards = {"cin7/purchases": GuardSettings(**limits)}
    world.settings = world.settings.model_copy(update={"guards": guards})


def put_orders(world: World, numbers: Sequence[int], price: str = "10.00", day: int = 5) -> None:
    for number in numbers:
        world.put_order(f"P{number}", price=price, at=datetime(2026, 11, day, 9, tzinfo=UTC))


def test_more_creations_than_allowed_stop_the_run_before_its_first_write(world: World) -> None:
    world.chart()
    guarded(world, max_creates=3)
    put_orders(world, range(4))
    world.box.forget_calls()

    result = world.run("cin7")

    found = check(result, PREPARED, RULE)
    assert not found.passed and found.severity == dg.AssetCheckSeverity.ERROR
    assert "4 records would be created, and max_creates is 3" in (found.description or "")
    assert not result.success and world.box.cin7.purchases == {}
    assert {hold.problems[0].rule for hold in world.ledger.open_holds("cin7/purchases")} == {RULE}


@pytest.mark.parametrize(
    ("tags", "who"),
    [
        ({"dagster/schedule_name": "cin7_running_day"}, "schedule cin7_running_day"),
        ({"dagster/sensor_name": "cin7_changes"}, "sensor cin7_changes"),
        ({"mlc/who": "kari"}, "kari"),
    ],
)
def test_the_trail_of_what_a_guard_holds_says_who_started_the_run(world: World, tags: dict[str, str], who: str) -> None:
    world.chart()
    guarded(world, max_creates=3)
    put_orders(world, range(4))
    days = {f"dagster/asset_partition_range_{end}": DAY for end in ("start", "end")}
    job = world.defs.resolve_job_def("cin7")
    job.execute_in_process(instance=world.instance, tags={**days, **tags}, run_config=QUIET, raise_on_error=False)
    (hold, *_) = world.ledger.open_holds("cin7/purchases")
    assert RULE in hold.rules
    assert [line.detail for line in world.ledger.trail("cin7/purchases", "") if line.event.value == "started"] == [who]


def test_a_load_that_is_started_alone_after_it_has_nothing_to_send(world: World) -> None:
    world.chart()
    guarded(world, max_creates=3)
    put_orders(world, range(4))
    world.run("cin7")
    assert world.run("cin7", only=["cin7/purchases"]).success
    assert world.box.cin7.purchases == {}


def test_the_guard_counts_over_all_days_of_a_run(world: World) -> None:
    world.chart()
    guarded(world, max_creates=3)
    for day in (5, 6):
        put_orders(world, (day * 10, day * 10 + 1), day=day)
    world.run("cin7", DAY, "2026-11-06")
    assert world.box.cin7.purchases == {}
    assert {hold.partition for hold in world.ledger.open_holds("cin7/purchases")} == {DAY, "2026-11-06"}


def test_when_the_guard_is_raised_a_replay_delivers_once_and_closes_the_holds(world: World) -> None:
    world.chart()
    guarded(world, max_creates=3)
    put_orders(world, range(4))
    world.run("cin7")
    guarded(world, max_creates=4)
    assert world.run("cin7").success
    assert len(world.box.cin7.purchases) == 4 and world.ledger.open_holds("cin7/purchases") == []


def test_a_share_of_changes_above_the_guard_changes_nothing(world: World) -> None:
    world.chart()
    put_orders(world, range(24))
    assert world.run("cin7").success
    guarded(world, max_update_share=0.5)
    put_orders(world, range(13), price="11.00")
    world.box.forget_calls()
    result = world.run("cin7")
    assert "13 of 24 records would be changed (54%)" in (check(result, PREPARED, RULE).description or "")
    assert world.box.journal("cin7") == []


def test_a_day_with_far_fewer_rows_than_usual_is_not_loaded(world: World) -> None:
    world.chart()
    assert world.run("cin7").success, "their supplier is there first"
    for day in (2, 3, 4):
        put_orders(world, range(day * 100, day * 100 + 10), day=day)
        assert world.run("cin7", f"2026-11-0{day}").success
    guarded(world, min_rows_share=0.2)
    put_orders(world, [1])
    result = world.run("cin7")
    assert "1 rows were read where 10 are usual" in (check(result, PREPARED, RULE).description or "")
    assert len(world.box.cin7.purchases) == 30
    guarded(world, min_rows_share=0.1)
    assert world.run("cin7").success and len(world.box.cin7.purchases) == 31


def test_a_guard_of_a_flow_that_there_is_not_is_named(world: World) -> None:
    world.settings = world.settings.model_copy(update={"guards": {"cin7/purchase": GuardSettings(max_creates=1)}})
    with pytest.raises(Misconfigured, match=r"guards\.cin7/purchase in mlc\.yaml"):
        _ = world.defs


@pytest.mark.parametrize(
    "limits, found, says",
    [
        ({"max_creates": 0}, Intent(1, 0, 0), "1 records would be created"),
        ({"max_creates": 5}, Intent(5, 99, 99), ""),
        ({"max_update_share": 0.0}, Intent(0, 1, 20), "1 of 20"),
        ({"max_update_share": 0.0}, Intent(0, 19, 19), ""),
        ({"max_update_share": 0.5}, Intent(0, 50, 100), ""),
        ({"max_update_share": 0.5}, Intent(0, 51, 100), "51 of 100"),
    ],
)
def test_a_guard_is_passed_only_beyond_its_figure(limits: dict[str, Any], found: Intent, says: str) -> None:
    why = broken(GuardSettings(**limits), found)
    assert (says in why) if says else why == ""


def test_what_is_usual_needs_some_days() -> None:
    limits = GuardSettings(min_rows_share=0.5)
    assert too_few(limits, 0, [100, 100]) == ""
    assert "0 rows were read where 100 are usual" in too_few(limits, 0, [90, 100, 900])
    assert too_few(limits, 50, [90, 100, 900]) == ""
