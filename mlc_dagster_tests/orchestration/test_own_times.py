"""What mlc.yaml gives a time of its own is asked for then, and by nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import dagster as dg
import pytest

from mlc_dagster.core.cron_times import When
from mlc_dagster.orchestration.assets import freshness
from mlc_dagster.orchestration.automation.own_times import days_since_the_last
from mlc_dagster.orchestration.location import build
from mlc_dagster.orchestration.resources import LedgerResource
from mlc_dagster.settings import Settings
from mlc_dagster_tests.orchestration.conftest import World
from mlc_dagster_tests.orchestration.launched import launchable

PURCHASES = {"cin7/purchases", "cin7/purchases_prepared"}
SUPPLIERS = {"cin7/suppliers", "cin7/suppliers_prepared"}
AT = datetime(2026, 11, 18, 5, tzinfo=UTC)  # a Wednesday, 06:00 in Stockholm


def timed(world: World, **schedules: Any) -> Settings:
    return world.settings.model_copy(update={"schedules": world.settings.schedules.model_validate({**schedules})})


def ticked(world: World, name: str, at: datetime = AT, **schedules: Any) -> list[dg.RunRequest]:
    """What a schedule asks for; it loads, so its job can be made of it."""
    defs = build(timed(world, **schedules), world.environment)
    ledger = LedgerResource(database_url=world.environment.database_url)
    with dg.build_schedule_context(
        scheduled_execution_time=at, repository_def=defs.get_repository_def(), resources={"ledger": ledger}
    ) as context:
        asked = list(defs.resolve_schedule_def(name).evaluate_tick(context).run_requests or [])
    launchable(defs, defs.resolve_schedule_def(name), asked)
    return asked


def loads(request: dg.RunRequest) -> set[str]:
    """The assets that a request is about, without what is only read."""
    return {key.to_user_string() for key in request.asset_selection or ()} & (PURCHASES | SUPPLIERS)


OWN = {"flows": {"cin7/purchases": "daily at 06:00 Europe/Stockholm"}}


def test_a_flow_with_its_own_time_is_asked_for_at_it_with_the_day_before(world: World) -> None:
    (request,) = ticked(world, "cin7_purchases_at_its_time", **OWN)
    assert request.partition_key == "2026-11-18" and loads(request) == PURCHASES
    due = {(task.flow, task.partition) for task in world.ledger.work.all(["cin7/purchases"])}
    assert due == {("cin7/purchases", "2026-11-17"), ("cin7/purchases", "2026-11-18")}


def test_the_usual_clock_and_the_sensor_leave_it_alone(world: World) -> None:
    (request,) = ticked(world, "cin7_running_day", **OWN)
    assert loads(request) == SUPPLIERS
    assert not world.ledger.work.all(["cin7/purchases"])
    (all_of_it,) = ticked(world, "cin7_running_day")
    assert not all_of_it.asset_selection, "where nothing has a time of its own, the whole job is asked for"


def test_what_is_asked_for_at_its_time_is_read_and_loaded_by_that_run(world: World) -> None:
    world.chart()
    world.put_order("P1", at=datetime(2026, 11, 18, 4, tzinfo=UTC))
    world.put_supplier()
    assert world.run("cin7", only=["ifs/supplier_set", *sorted(SUPPLIERS)]).success
    (request,) = ticked(world, "cin7_purchases_at_its_time", **OWN)
    defs = build(timed(world, **OWN), world.environment)
    (job,) = launchable(defs, defs.resolve_schedule_def("cin7_purchases_at_its_time"), [request])
    assert job.execute_in_process(instance=world.instance, partition_key=request.partition_key).success
    assert world.order_markers() == ["0010/P1"]


def test_a_system_has_one_time_and_a_flow_of_it_another(world: World) -> None:
    said = {"systems": {"cin7": "weekdays at 06:00"}, "flows": {"cin7/purchases": "on change"}}
    defs = build(timed(world, **said), world.environment)
    names = {schedule.name for schedule in defs.schedules or ()}
    assert "cin7_at_its_time" in names and not names & {"cin7_running_day", "cin7_purchases_at_its_time"}
    (request,) = ticked(world, "cin7_at_its_time", datetime(2026, 11, 16, 6, tzinfo=UTC), **said)
    assert loads(request) == SUPPLIERS and request.partition_key == "2026-11-16"
    asked = {task.partition for task in world.ledger.work.all(["cin7/suppliers"])}
    weekend = {"2026-11-13", "2026-11-14", "2026-11-15", "2026-11-16"}
    assert asked == {"2026-11-01", *weekend}, "a weekend is not left out, nor suppliers of any age at the first tick"


@pytest.mark.parametrize(
    "said, at, first",
    [
        (When("0 6 26 * *"), datetime(2026, 11, 26, 6, tzinfo=UTC), "2026-11-01"),  # as far as there are partitions
        (When("0 6 26 * *"), datetime(2027, 1, 26, 6, tzinfo=UTC), "2026-12-26"),
        (When("*/15 * * * *"), datetime(2026, 11, 26, 6, 15, tzinfo=UTC), "2026-11-26"),
        (When("*/15 * * * *"), datetime(2026, 11, 26, 0, 0, tzinfo=UTC), "2026-11-25"),
        (When("0 6 * * mon"), datetime(2026, 11, 26, 6, tzinfo=UTC), "2026-11-25"),  # a line that is not read here
    ],
)
def test_the_days_since_the_last_tick_are_asked_for(world: World, said: When, at: datetime, first: str) -> None:
    days = days_since_the_last(said, at, world.settings)
    assert days[0] == first and days[-1] == at.date().isoformat() and days == sorted(set(days))


def test_how_fresh_a_flow_must_be_follows_its_own_time(world: World) -> None:
    (flow,) = [each for each in _flows(world) if each.name == "cin7/purchases"]
    policy = freshness.of(flow, timed(world, **OWN))
    assert policy and policy.warn_window.to_timedelta().total_seconds() == 2 * 24 * 3600
    assert freshness.of(flow, timed(world, flows={"cin7/purchases": "on change"})) is None
    monthly = freshness.of(flow, timed(world, flows={"cin7/purchases": "after day 25 at 06:00"}))
    assert monthly and monthly.warn_window.to_timedelta().days == 32
    named = freshness.of(replace(flow), timed(world, fresh_minutes={"cin7/purchases": "30"}))
    assert named and named.warn_window.to_timedelta().total_seconds() == 1800


def _flows(world: World) -> Any:
    from mlc_dagster.systems.configuration import flows

    return flows(world.settings)["cin7"]


@pytest.mark.parametrize(
    "said", [{"flows": {"ifs/suppliers_from_cin7": "on change"}}, {"systems": {"cin7": "on change"}}]
)
def test_what_no_sensor_hears_of_is_not_left_to_its_changes(said: dict[str, Any]) -> None:
    from mlc_dagster.orchestration.settings_check import of_the_house

    told = [each.sentence for each in of_the_house({"cin7": {}, "ifs": {}, "schedules": said})]
    assert [one for one in told if "ifs/suppliers_from_cin7 would never be loaded" in one]
    timed_too = {**said, "flows": {**said.get("flows", {}), "ifs/suppliers_from_cin7": "hourly"}}
    assert not list(of_the_house({"cin7": {}, "ifs": {}, "schedules": timed_too}))


def test_a_strange_flow_system_or_line_is_named_by_check(world: World) -> None:
    from mlc_dagster.orchestration.settings_check import of_the_house

    said = {"flows": {"cin7/purchase": "hourly", "cin7/purchases": "0 24 * * *"}, "systems": {"cin8": "hourly"}}
    content = {"cin7": {}, "ifs": {}, "schedules": said}
    told = [f"{'.'.join(each.path)}: {each.sentence}" for each in of_the_house(content)]
    assert any("schedules.flows.cin7/purchase: there is no such flow" in one for one in told)
    assert any("schedules.systems.cin8: there is no such system" in one for one in told)
    assert any("schedules.flows.cin7/purchases: found '0 24 * * *'; expected a cron line" in one for one in told)
