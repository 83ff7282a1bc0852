"""What fails for one entity set, flow or day never silences a sensor for the others; and it is told at each tick."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import dagster as dg
import pytest

from mlc_dagster.core.flows import Problem
from mlc_dagster.ledger import Held, Run
from mlc_dagster.orchestration.location import build
from mlc_dagster.orchestration.resources import LedgerResource
from mlc_dagster.pipeline import ANSWERED
from mlc_dagster.settings import Environment, Settings
from mlc_dagster_tests.orchestration.conftest import World
from mlc_dagster_tests.promises.days import tick
from mlc_dagster_tests.web.conftest import settings_with

SETS = {"supplier_set", "purchase_order_set", "posting_proposal_head_set"}
REFUSALS = [
    pytest.param({"status": 403, "body": "no"}, "403", id="403"),
    pytest.param({"status": 404, "body": "gone"}, "The tenant has no entity set SupplierSet", id="404"),
    pytest.param({"status": 410, "body": "gone"}, "410", id="410"),
    pytest.param({"status": 500, "body": "broken"}, "500", id="500 for good"),
    pytest.param({"drop": "before"}, "SupplierSet", id="hangs up"),
]


def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def days(result: Any) -> list[str]:
    return [request.partition_key for request in result.run_requests or []]


def starting(world: World, day: date) -> World:
    world.settings = world.settings.model_copy(update={"partitions_start": day})
    return world


# --- what changed in the ERP ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault, words", REFUSALS)
def test_an_entity_set_that_is_refused_keeps_no_other_from_being_asked(
    world: World, fault: dict[str, Any], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    world.put_order("P1", at=now())
    world.put_supplier("S7")
    world.box.faults.add(system="ifs", path="/SupplierSet", times=None, **fault)
    first = tick(world)
    assert days(first) == [now().date().isoformat()], "the order's day"
    told = capsys.readouterr().err
    assert "WARNING - The ERP did not tell what changed; it is asked again from the same moment: supplier_set: " in told
    assert words in told
    assert set(json.loads(first.cursor)) == SETS

    second = tick(world, first.cursor)
    before, after = json.loads(first.cursor), json.loads(second.cursor)
    assert after["supplier_set"] == before["supplier_set"], "it is asked again from where it stood"
    assert all(after[name] > before[name] for name in SETS - {"supplier_set"})


def test_what_changed_while_a_set_was_refused_is_found_when_it_answers_again(world: World) -> None:
    world.put_supplier("S7")
    fault = world.box.faults.add(system="ifs", path="/SupplierSet", times=None, status=403, body="no")
    first = tick(world)
    assert days(first) == [] and "403" in first.skip_message and fault.hits
    changed = now()
    row = next(row for row in world.box.ifs.rows("SupplierSet") if row["SupplierId"] == "S7")
    world.box.ifs.put("SupplierSet", row, modified=changed)
    second = tick(world, first.cursor)
    assert days(second) == [] and "supplier_set: " in second.skip_message, "told at each tick"
    world.box.faults.clear()
    assert changed.date().isoformat() in days(tick(world, second.cursor))


def test_where_all_are_refused_each_reason_is_told_once(world: World) -> None:
    world.box.faults.add(system="ifs", path="/SupplierSet", times=None, status=410, body="gone")
    world.box.faults.add(system="ifs", path="/protocol/openid-connect/token", times=None, status=401, body="{}")
    world.box.ifs.expire_tokens()
    result = tick(world)
    assert days(result) == [] and result.skip_message.count("sign-in at") == 1
    assert all(name in result.skip_message for name in SETS)


def test_a_missing_secret_is_told_and_moves_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    cursor = tick(world).cursor
    monkeypatch.setenv("IFS_CLIENT_SECRET", "")
    result = tick(world, cursor)
    assert days(result) == [] and "IFS_CLIENT_SECRET is not set" in result.skip_message and result.cursor == cursor


def test_a_set_that_hangs_costs_a_tick_no_minute(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mlc_dagster.orchestration.resources.TICK_SECONDS", 2.0)
    world.put_order("P1", at=now())
    world.box.faults.add(system="ifs", path="/SupplierSet", times=None, delay=30.0)
    began = now()
    assert days(tick(world)) == [began.date().isoformat()]
    assert now() - began < timedelta(seconds=15)


def test_days_that_are_no_partition_are_not_requested_and_the_others_are(world: World) -> None:
    today = now()
    starting(world, today.date())
    world.put_order("P1", at=today)
    world.put_order("P2", at=today - timedelta(days=1))
    world.put_order("P3", at=today + timedelta(days=2))
    cursor = json.dumps({name: (today - timedelta(days=3)).isoformat() for name in SETS})
    assert days(tick(world, cursor)) == [today.date().isoformat()]


# --- schedules --------------------------------------------------------------------------------------------------------


def test_yesterday_of_the_first_day_is_skipped_with_its_reason(world: World) -> None:
    defs = starting(world, date(2026, 11, 6)).defs
    at = datetime(2026, 11, 6, 0, 15, tzinfo=UTC)
    ledger = LedgerResource(database_url=world.environment.database_url)
    with dg.build_schedule_context(
        scheduled_execution_time=at, repository_def=defs.get_repository_def(), resources={"ledger": ledger}
    ) as context:
        ticked = defs.resolve_schedule_def("cin7_yesterday").evaluate_tick(context)
        assert not ticked.run_requests
        assert ticked.skip_message == "2026-11-05 lies before 2026-11-06, which is partitions_start in mlc.yaml"
        assert len(defs.resolve_schedule_def("cin7_running_day").evaluate_tick(context).run_requests or []) == 1


# --- holds ------------------------------------------------------------------------------------------------------------


def hold(world: World, flow: str, key: str, day: str, rule: str = ANSWERED) -> None:
    version = datetime(2026, 11, 5, tzinfo=UTC).isoformat()
    held = Held(key, version, (Problem(rule, "why"),), {"key": key}, day, f"content of {key}")
    world.ledger.hold(flow, [held], run=Run("test", day))


def test_a_flow_whose_facts_cannot_be_had_keeps_no_other_from_healing(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    hold(world, "cin7/suppliers", "S1", "2026-11-05", "payment_term_is_known")
    hold(world, "cin7/purchases", "P1", "2026-11-05")
    world.box.faults.add(system="cin7", times=None, status=403, body="no")
    result = tick(world, sensor="cin7_heals")
    assert [request.tags["mlc/healing"] for request in result.run_requests] == ["cin7/purchases"]
    assert "cin7/suppliers" not in json.loads(result.cursor) and json.loads(result.cursor)["cin7/purchases"] == 0
    assert "Not all holds were looked at, and are again: cin7/suppliers: " in capsys.readouterr().err


def test_a_hold_of_a_day_that_is_no_partition_any_more_keeps_no_other_from_healing(world: World) -> None:
    starting(world, date(2026, 11, 5))
    hold(world, "cin7/purchases", "P0", "2026-11-04")
    hold(world, "cin7/purchases", "P1", "2026-11-05")
    assert days(tick(world, sensor="cin7_heals")) == ["2026-11-05"]
    alone = starting(world, date(2026, 11, 6))
    result = tick(alone, sensor="cin7_heals")
    assert days(result) == [] and "2026-11-05 lies before 2026-11-06" in result.skip_message


# --- webhooks ---------------------------------------------------------------------------------------------------------


def test_webhooks_wait_while_there_is_no_partition_of_today(ledger_url: str) -> None:
    from mlc_dagster.ledger import Ledger

    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    settings: Settings = settings_with(sources=["airbase"]).model_copy(update={"partitions_start": tomorrow})
    with Ledger.open(ledger_url) as ledger:
        assert ledger.inbox.store("airbase", "a", "purchase_request_approved", "pr_1", "{}")
        defs = build(settings, Environment())
        resources = {"ledger": LedgerResource(database_url=ledger_url)}
        with dg.build_sensor_context(repository_def=defs.get_repository_def(), resources=resources) as context:
            told = defs.resolve_sensor_def("airbase_inbox").evaluate_tick(context)
        assert not told.run_requests and "1 webhooks of airbase wait" in str(told.skip_message)
        assert ledger.inbox.batch("airbase") is not None
