"""What two people asked for on the review page: a sensor sees it, a run does it, the ledger says what came of it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import dagster as dg
import pytest

from mlc_dagster.ledger.records.proposals import mark_of
from mlc_dagster.orchestration.automation.requested_actions import job_name
from mlc_dagster_tests.orchestration.conftest import World
from mlc_dagster_tests.orchestration.test_airbase_inbound import PAYMENTS, run, spent, vouchers
from mlc_dagster_tests.orchestration.test_healing import PURCHASES
from mlc_dagster_tests.orchestration.test_verified import delivered, edit

__all__ = ["delivered", "spent"]
SAID = ("kari, confirmed by ola", "agreed with the buyer by phone")


def ask(world: World, flow: str, key: str, action: str, argument: str = "") -> None:
    found = world.ledger.differences.open(flow, key)
    assert found
    world.ledger.action_requests.ask(flow, key, action, argument, mark_of(*found), SAID)


def look(world: World, target: str) -> Any:
    """What the sensor of a target asks for."""
    repository = world.defs.get_repository_def()
    with dg.build_sensor_context(
        instance=world.instance, repository_def=repository, resources=repository.get_top_level_resources()
    ) as context:
        return world.defs.resolve_sensor_def(job_name(target)).evaluate_tick(context)


def carry_out(world: World, target: str) -> dg.ExecuteInProcessResult:
    assert len(look(world, target).run_requests) == 1
    result = world.defs.resolve_job_def(job_name(target)).execute_in_process(instance=world.instance)
    assert result.success
    return result


def outcome(world: World, flow: str, key: str) -> tuple[str | None, str]:
    found = world.ledger.action_requests.last(flow, key)
    assert found is not None
    return found.ended_how, found.outcome or ""


def total(world: World, key: str) -> Decimal:
    with world.box.lock:
        kept = world.box.cin7._purchases.by_id.values()
        [purchase] = [each for each in kept if each["Note"].startswith(f"IFS 0010/{key}")]
        return Decimal(purchase["Order"]["Total"])


def test_what_two_people_asked_for_is_done_by_a_run_and_told(delivered: World) -> None:
    world = delivered
    assert look(world, "cin7").skip_message == "nothing was asked for"
    before = total(world, "P1")
    for key in ("P1", "P2", "P3"):
        edit(world, key, 50)
    assert world.run("cin7_verified").success
    ask(world, PURCHASES, "P1", "restore")
    ask(world, PURCHASES, "P2", "forget")
    ask(world, PURCHASES, "P3", "restore")
    edit(world, "P3", 60)
    assert world.run("cin7_verified").success, "what differs is another value than was decided on"

    carry_out(world, "cin7")

    assert (total(world, "P1"), total(world, "P2"), total(world, "P3")) == (before, Decimal(50), Decimal(60))
    how, words = outcome(world, PURCHASES, "P1")
    assert how == "done" and "sent again as it was delivered" in words
    assert outcome(world, PURCHASES, "P2")[0] == "done" and "forgotten" in outcome(world, PURCHASES, "P2")[1]
    assert outcome(world, PURCHASES, "P3")[0] == "void" and "has changed since" in outcome(world, PURCHASES, "P3")[1]
    assert {one.key for one in world.ledger.differences.open(PURCHASES)} == {"P3"}
    told = [(line.event.value, line.detail) for line in world.ledger.trail(PURCHASES, "P1")]
    assert ("asked_again", f"restore by {SAID[0]}: {SAID[1]}") in told
    assert told[-1][0] == "action_ended" and told[-1][1].startswith(f"restore by {SAID[0]}: done")
    assert look(world, "cin7").run_requests == [], "nothing is done twice"


def test_what_is_there_is_not_made_again_and_a_pause_keeps_all_of_it(delivered: World) -> None:
    world = delivered
    edit(world, "P1", 50)
    assert world.run("cin7_verified").success
    ask(world, PURCHASES, "P1", "recreate")
    world.ledger.pauses.pause("cin7", "kari", "counting stock")
    assert "paused" in look(world, "cin7").skip_message
    world.ledger.pauses.lift("cin7", "kari", "counted")
    carry_out(world, "cin7")
    how, words = outcome(world, PURCHASES, "P1")
    assert how == "not_done" and "nothing is made twice" in words
    assert len(world.ledger.differences.open(PURCHASES, "P1")) > 0


def test_a_run_that_died_with_it_leaves_it_to_another_one(delivered: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world = delivered
    edit(world, "P1", 50)
    assert world.run("cin7_verified").success
    ask(world, PURCHASES, "P1", "restore")
    [one] = world.ledger.action_requests.standing([PURCHASES])
    assert world.ledger.action_requests.take(one)
    assert not world.ledger.action_requests.take(one), "of two runs one has it"
    assert world.ledger.action_requests.standing([PURCHASES]) == []
    from mlc_dagster.ledger.records import action_requests

    later = action_requests.clock
    monkeypatch.setattr(action_requests, "clock", lambda connection: later(connection) + action_requests.TAKEN_FOR)
    carry_out(world, "cin7")
    assert outcome(world, PURCHASES, "P1")[0] == "done"


@pytest.mark.slow
def test_one_document_is_reversed_by_the_word_of_two_whatever_the_settings_say(spent: World) -> None:
    spent.box.airbase.heeds_filters = False
    entries = [spent.box.airbase.add_entry(total_amount=amount) for amount in ("1250.00", "99.00")]
    run(spent)
    for voucher in vouchers(spent):
        spent.box.ifs.put("VoucherSet", {**voucher, "ObjState": "Approved"})
    for entry in entries:
        spent.box.airbase.change("ledger_entries", entry, status="voided")
    run(spent)
    found = spent.ledger.differences.open(PAYMENTS)
    assert [one.kind for one in found] == ["taken_back"] * 2
    ask(spent, PAYMENTS, found[0].key, "reverse")
    carry_out(spent, "ifs")
    how, words = outcome(spent, PAYMENTS, found[0].key)
    assert how == "done" and "reversed by" in words
    assert [one.key for one in spent.ledger.differences.open(PAYMENTS)] == [found[1].key], "of this document alone"
    assert len(vouchers(spent)) == 3
