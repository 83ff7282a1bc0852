"""Holds heal by themselves, and what a person decides on them lasts: through Dagster, against the sandbox."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import pytest

from mlc_dagster.core.flows import Problem
from mlc_dagster.ledger import Decision, Held, Run
from mlc_dagster.ledger.records.causes import Waiting
from mlc_dagster.orchestration.automation import healing
from mlc_dagster.orchestration.automation.running import run_job
from mlc_dagster.pipeline import auditing
from mlc_dagster.systems.configuration import flows as all_flows
from mlc_dagster_tests.orchestration.conftest import DAY, World, metadata
from mlc_dagster_tests.orchestration.launched import launchable

PURCHASES = "cin7/purchases"
BOTH = ["cin7/purchases_prepared", "cin7/purchases"]
CLI = Run("cli", DAY)


def tick(world: World, cursor: str | None = None, sensor: str = "cin7_heals") -> Any:
    repository = world.defs.get_repository_def()
    with dg.build_sensor_context(
        instance=world.instance,
        cursor=cursor,
        repository_def=repository,
        resources=repository.get_top_level_resources(),
    ) as context:
        told = world.defs.resolve_sensor_def(sensor).evaluate_tick(context)
    launchable(world.defs, world.defs.resolve_sensor_def(sensor), told.run_requests)
    return told


def due(world: World) -> Any:
    """What is gone on with, of what was begun."""
    return tick(world, sensor="due")


def carry_out(world: World, request: dg.RunRequest) -> dg.ExecuteInProcessResult:
    """As the daemon would: the partition stands in the tags."""
    job = world.defs.resolve_implicit_global_asset_job_def()
    return run_job(job, world.instance, None, request.asset_selection, request.tags)


def prepare_and_load(world: World) -> dict[str, Any]:
    """What the prepared asset shows, with what was created beside it."""
    result = world.run("cin7", only=BOTH)
    assert result.success
    created = metadata(result, "cin7/purchases")["created"]
    return {**metadata(result, "cin7/purchases_prepared"), "created": created}


def decide(world: World, verdict: str, reason: str = "agreed with the buyer") -> Decision:
    (hold,) = world.ledger.open_holds(PURCHASES)
    decisions = world.ledger.decisions
    return (decisions.release if verdict == "released" else decisions.discard)(hold, "ann", reason, CLI)


def test_an_order_on_a_blocked_account_is_delivered_once_after_it_is_unblocked(world: World) -> None:
    world.put_account("4711", Blocked=True)
    world.box.cin7.add_account("4711", "Services")
    world.chart()
    world.put_order("P1", account="4711")
    held_run = world.run("cin7")
    assert held_run.success and world.order_markers() == []
    assert tick(world).run_requests == [], "nothing heals while the account is blocked"

    world.put_account("4711", Blocked=False)
    world.chart()
    (request,) = tick(world).run_requests
    assert (request.partition_key, request.tags["mlc/healing"]) == (DAY, PURCHASES)
    healed_run = carry_out(world, request)

    assert world.order_markers() == ["0010/P1"]
    assert world.ledger.open_holds(PURCHASES) == [] and tick(world).run_requests == []
    (story,) = auditing.stories(world.ledger, "P1", {flow.name: flow for flow in all_flows()["cin7"]})
    told = [each.what for each in story.happened if each.what != "started"]
    assert told == ["read", "held", "sent", "begun", "created", "closed"]
    runs = {each.what: each.run_id for each in story.happened}
    assert (runs["held"], runs["created"]) == (held_run.run_id, healed_run.run_id)
    assert "blocked in the ERP" in next(each for each in story.happened if each.what == "held").detail
    assert [hold.closed_how for hold in story.holds] == ["delivered"]


def test_a_tick_with_nothing_on_hold_asks_nobody(world: World) -> None:
    result = tick(world)
    assert result.run_requests == [] and "nothing on hold" in result.skip_message
    assert not world.box.calls("cin7") and not world.box.calls("ifs")


def test_a_system_that_cannot_be_reached_is_told_in_words(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.chart()
    world.put_order("P1", account="4711")
    assert world.run("cin7").success
    monkeypatch.setenv("CIN7_APPLICATION_KEYS", "wrong")
    result = tick(world)
    assert result.run_requests == [] and "cin7" in result.skip_message and "Traceback" not in result.skip_message


def test_nothing_heals_by_a_stale_chart_of_accounts(world: World) -> None:
    world.chart()
    world.put_order("P1", account="4711")
    assert world.run("cin7").success
    policies = world.settings.policies.model_copy(update={"accounts_max_age_hours": 1e-9})
    world.settings = world.settings.model_copy(update={"policies": policies})
    result = tick(world)
    assert result.run_requests == [] and "older than" in result.skip_message


def test_a_supplier_that_arrives_heals_its_order(world: World) -> None:
    world.chart()
    world.put_order("P1", VendorNo="S9")
    assert world.run("cin7").success
    world.put_supplier("S9")
    assert world.run("cin7", only=["ifs/supplier_set", "cin7/suppliers_prepared", "cin7/suppliers"]).success
    (request,) = tick(world).run_requests
    carry_out(world, request)
    assert world.order_markers() == ["0010/P1"]


def test_the_newest_days_are_asked_for_first_and_the_others_as_these_runs_end(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(healing, "UNDER_WAY", 2)
    world.chart()
    world.put_account("4711")
    for number, day in ((1, 2), (2, 3), (3, 4)):
        world.put_order(f"P{number}", account="4711", at=datetime(2026, 11, day, 9, tzinfo=UTC))
    assert world.run("cin7", "2026-11-02", "2026-11-05").success
    world.box.cin7.add_account("4711", "Services")
    world.chart()
    first = tick(world)
    assert [request.partition_key for request in first.run_requests] == ["2026-11-04", "2026-11-03"]
    for request in first.run_requests:
        carry_out(world, request)
    (last,) = tick(world).run_requests
    assert last.partition_key == "2026-11-02"
    carry_out(world, last)
    assert world.ledger.open_holds() == [] and tick(world).run_requests == []


def test_a_released_order_is_loaded_by_the_sensor_and_once(world: World) -> None:
    world.chart()
    world.put_order("P1", ObjState="Stopped")
    assert world.run("cin7").success and world.order_markers() == []
    decide(world, "released")
    assert world.ledger.open_holds() == []
    (request,) = tick(world).run_requests
    carry_out(world, request)
    assert world.order_markers() == ["0010/P1"] and tick(world).run_requests == []
    writes = len(world.box.journal("cin7"))
    assert prepare_and_load(world)["ready"] == 1
    assert len(world.box.journal("cin7")) == writes, "once"


def test_a_release_is_about_one_content_alone(world: World) -> None:
    world.chart()
    world.put_order("P1", ObjState="Stopped")
    assert world.run("cin7").success
    decide(world, "released")
    world.put_order("P1", ObjState="Stopped", price="99.00")
    assert world.run("cin7").success
    (hold,) = world.ledger.open_holds(PURCHASES)
    assert hold.rules == ("order_is_a_purchase",) and world.order_markers() == []


def test_a_discarded_order_is_never_sent_and_is_counted(world: World) -> None:
    world.chart()
    world.put_order("P1", ObjState="Stopped")
    world.put_order("P2")
    assert world.run("cin7").success
    decide(world, "discarded", "ordered twice")
    shown = prepare_and_load(world)
    assert (shown["rows_read"], shown["ready"], shown["held"], shown["discarded"]) == (2, 1, 0, 1)
    assert world.order_markers() == ["0010/P2"] and world.ledger.open_holds() == []
    assert tick(world).run_requests == []


def test_an_order_that_changes_after_it_was_discarded_is_held_again_with_the_reason(world: World) -> None:
    world.chart()
    world.put_order("P1", ObjState="Stopped")
    assert world.run("cin7").success
    decide(world, "discarded", "ordered twice")
    world.put_order("P1", price="12.00", at=datetime(2026, 11, 5, 10, tzinfo=UTC))
    assert world.run("cin7").success
    (hold,) = world.ledger.open_holds(PURCHASES)
    assert hold.rules == ("not_discarded",) and world.order_markers() == []
    assert "was discarded by ann on" in hold.problems[0].reason and "ordered twice" in hold.problems[0].reason
    assert tick(world).run_requests == [], "it waits for a person"

    decide(world, "released", "it was no duplicate")
    assert prepare_and_load(world)["created"] == 1
    assert world.order_markers() == ["0010/P1"]


def test_an_old_ready_file_does_not_send_what_was_discarded_since(world: World) -> None:
    world.chart()
    world.put_order("P1")
    assert world.run(
        "cin7",
        only=[
            "ifs/purchase_order_set",
            "ifs/supplier_set",
            "cin7/suppliers_prepared",
            "cin7/suppliers",
            "cin7/purchases_prepared",
        ],
    ).success
    world.put_order("P1", ObjState="Stopped", at=datetime(2026, 11, 6, 9, tzinfo=UTC))
    assert world.run("cin7", "2026-11-06").success
    decide(world, "discarded", "ordered twice")

    old = world.run("cin7", only=["cin7/purchases"])

    assert old.success and metadata(old, "cin7/purchases")["discarded"] == 1
    assert world.order_markers() == []
    assert prepare_and_load(world)["discarded"] == 1, "the older version goes the way of the newer one"
    assert world.ledger.open_holds() == []


def test_a_refused_order_is_tried_again_the_next_day_alone(world: World) -> None:
    world.chart()
    world.put_order("P1")
    world.box.faults.add(system="cin7", method="POST", path="purchase", status=400)
    assert world.run("cin7").success
    (hold,) = world.ledger.open_holds(PURCHASES)
    assert hold.rules == ("target_accepts_it",)
    assert tick(world).run_requests == [], "it was refused today"

    yesterday = Waiting(hold.id, hold.key, hold.content, hold.partition, hold.updated_at - timedelta(days=1))
    wanted = healing._Wanted(next(flow for flow in all_flows()["cin7"] if flow.name == PURCHASES), once=False)
    wanted.tried_again([], [yesterday])
    (request,) = wanted.requests(world.instance, world.settings, [])
    assert request.partition_key == DAY and "tries again" in (request.run_key or "")

    decide(world, "released", "Cin7 was closed for stocktaking")
    (at_once,) = tick(world).run_requests
    carry_out(world, at_once)
    assert world.order_markers() == ["0010/P1"]


def test_what_was_not_answered_is_looked_up_at_once(world: World) -> None:
    held = Held("P1", "", (Problem("target_answered", "no answer"),), {"order_no": "P1"}, DAY, "t1")
    world.ledger.hold(PURCHASES, [held], run=Run("run-1", DAY))
    (request,) = tick(world).run_requests
    assert (request.partition_key, not world.box.calls("cin7")) == (DAY, True)


def test_the_newest_success_closes_the_older_hold_of_the_key(world: World) -> None:
    world.chart()
    world.put_order("P1", account="4711")
    assert world.run("cin7").success and len(world.ledger.open_holds(PURCHASES)) == 1
    world.put_order("P1", at=datetime(2026, 11, 6, 9, tzinfo=UTC))
    assert world.run("cin7", "2026-11-06").success
    assert world.order_markers() == ["0010/P1"] and world.ledger.open_holds(PURCHASES) == []
    old = prepare_and_load(world)
    assert old["superseded"] == 1 and world.ledger.open_holds(PURCHASES) == []
