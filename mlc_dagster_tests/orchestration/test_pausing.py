"""A pause through Dagster: loads end as paused, nothing is sent, and what waited is asked for when it is lifted."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import dagster as dg

from mlc_dagster.ledger import PAUSED, Run
from mlc_dagster.orchestration.assets.pausing import after
from mlc_dagster.systems.configuration import flows as all_flows
from mlc_dagster_tests.orchestration.conftest import DAY, World, metadata
from mlc_dagster_tests.orchestration.test_healing import carry_out, due, tick

PURCHASES, SUPPLIERS, BACK = "cin7/purchases", "cin7/suppliers", "ifs/suppliers_from_cin7"
WHY = "month end"


def waiting(world: World) -> list[tuple[str, str]]:
    return sorted((task.flow, task.partition) for task in world.ledger.work.all())


def failure(result: dg.ExecuteInProcessResult) -> Any:
    """What the UI shows of the one step that failed."""
    (data,) = [event.step_failure_data for event in result.all_events if event.is_step_failure]
    assert data.user_failure_data is not None
    return data.user_failure_data


def test_a_load_of_a_paused_system_sends_nothing_and_says_who_paused_it_and_what_to_do(world: World) -> None:
    world.chart()
    world.put_order("P1")
    assert world.run("cin7", only=["ifs/supplier_set", f"{SUPPLIERS}_prepared", SUPPLIERS]).success
    pause, _ = world.ledger.pauses.pause("cin7", "anna", WHY)
    before = len(world.box.journal("cin7"))

    result = world.run("cin7")

    assert not result.success and len(world.box.journal("cin7")) == before
    told = failure(result)
    assert told.description == (
        f"cin7 is paused by anna since {pause.at:%Y-%m-%d %H:%M} UTC: month end. "
        f"1 record of cin7/purchases waits ({DAY}); nothing is lost.\n"
        "  `mlc resume cin7`: what waits is then loaded by itself, or materialize these days again."
    )
    assert told.metadata["kind"].value == "Paused"
    assert metadata(result, "cin7/purchases_prepared")["ready"] == 1, "reading and preparing go on"
    assert not result.asset_materializations_for_node("cin7__purchases"), "what is not delivered is not materialized"
    (seen,) = [event for event in result.all_events if event.event_type_value == "ASSET_OBSERVATION"]
    shown = {name: value.value for name, value in seen.asset_observation_data.asset_observation.metadata.items()}
    assert (shown["ready"], shown["created"], shown["paused"], shown["why"]) == (1, 0, 1, str(pause))
    assert world.ledger.trail(PURCHASES, "P1") == [], "nothing was begun, so nothing is in doubt"
    assert world.ledger.open_holds() == []


def test_what_has_nothing_to_send_ends_well_while_its_system_is_paused(world: World) -> None:
    world.chart()
    world.put_order("P1")
    assert world.run("cin7").success
    world.ledger.pauses.pause("cin7", "anna", WHY)
    again = world.run("cin7")
    assert again.success and metadata(again, PURCHASES)["unchanged"] == 1 and waiting(world) == []


def test_while_it_is_paused_nobody_asks_and_after_that_what_waited_is_loaded_by_itself(world: World) -> None:
    world.chart()
    world.put_order("P1")
    world.put_order("P2", at=datetime(2026, 11, 6, 9, tzinfo=UTC))
    world.ledger.pauses.pause("cin7", "anna", WHY)
    assert not world.run("cin7", DAY, "2026-11-06").success
    flows = (BACK, PURCHASES, "cin7/purchase_invoices", SUPPLIERS)
    assert waiting(world) == sorted((flow, DAY) for flow in flows), "suppliers, and all that the run left out"
    silent = due(world)
    assert silent.run_requests == [] and "cin7 is paused by anna since" in silent.skip_message
    assert "(4 loads wait)" in silent.skip_message

    world.ledger.pauses.lift("cin7", "anna")
    requests = due(world).run_requests

    assert [request.partition_key for request in requests] == [DAY]
    assert requests[0].run_key == due(world).run_requests[0].run_key, "asked for once"
    assert carry_out(world, requests[0]).success
    assert world.order_markers() == ["0010/P1"] and waiting(world) == []
    assert due(world).run_requests == []


def test_each_resume_asks_anew(world: World) -> None:
    world.chart()
    world.put_order("P1")
    keys = set()
    for _ in range(2):
        world.ledger.pauses.pause("cin7", "anna", WHY)
        assert not world.run("cin7").success
        world.ledger.pauses.lift("cin7", "anna")
        (request,) = due(world).run_requests
        keys.add(request.run_key)
    assert len(keys) == 2
    assert carry_out(world, request).success and world.order_markers() == ["0010/P1"]


def test_of_a_range_of_days_those_that_ended_well_are_materialized(world: World) -> None:
    world.ledger.pauses.pause("cin7", "anna", WHY)
    result = world.run("cin7", "2026-11-04", DAY, only=["ifs/supplier_set", f"{SUPPLIERS}_prepared", SUPPLIERS])
    assert not result.success
    done = [event.partition for event in result.asset_materializations_for_node("cin7__suppliers")]
    assert done == ["2026-11-04"] and (SUPPLIERS, DAY) in waiting(world)


def test_a_paused_erp_stops_what_goes_there_and_nothing_else(world: World) -> None:
    world.chart()
    world.put_order("P1")
    world.ledger.pauses.pause("ifs", "anna", WHY)
    assert world.run("cin7").success and world.order_markers() == ["0010/P1"]
    (theirs,) = world.box.cin7.suppliers.values()
    world.box.cin7.change_supplier(theirs["ID"], contact={"Email": "new@example.test"})
    before = len(world.box.journal("ifs"))
    today = datetime.now(UTC).date().isoformat()
    result = world.run("cin7", today)
    assert not result.success and len(world.box.journal("ifs")) == before
    assert "ifs is paused by anna" in failure(result).description and waiting(world) == [(BACK, today)]


def test_a_release_while_its_system_is_paused_is_carried_out_after_that(world: World) -> None:
    world.chart()
    world.put_order("P1", ObjState="Stopped")
    assert world.run("cin7").success
    world.ledger.pauses.pause("cin7", "anna", WHY)
    (hold,) = world.ledger.open_holds(PURCHASES)
    world.ledger.decisions.release(hold, "bo", "the buyer confirmed it", Run("cli", DAY))
    assert tick(world).run_requests == [] and waiting(world) == [(PURCHASES, DAY)]
    world.ledger.pauses.lift("cin7", "anna")
    for request in due(world).run_requests:
        assert carry_out(world, request).success
    assert world.order_markers() == ["0010/P1"]


def test_a_day_that_is_no_partition_any_more_leaves_the_list(world: World) -> None:
    world.ledger.work.put_off([(PURCHASES, "2019-01-01")], "cin7", PAUSED, WHY, "run")
    assert due(world).run_requests == [] and waiting(world) == []


def test_what_a_run_leaves_out_follows_needs_and_what_is_read_back() -> None:
    flows = all_flows()["cin7"]
    by_name = {flow.name: flow for flow in flows}
    assert set(after(by_name[SUPPLIERS], flows)) == {PURCHASES, "cin7/purchase_invoices", BACK}
    assert after(by_name["cin7/purchase_invoices"], flows) == ()


def test_what_is_due_is_gone_on_with_from_the_start_and_what_is_on_hold_waits_for_a_person_to_switch_that_on(
    world: World,
) -> None:
    on = {name: world.defs.resolve_sensor_def(name).default_status for name in ("due", "due_by_company", "cin7_heals")}
    running, stopped = dg.DefaultSensorStatus.RUNNING, dg.DefaultSensorStatus.STOPPED
    assert on == {"due": running, "due_by_company": running, "cin7_heals": stopped}
