"""A check is green only when its holds are closed: also after a run of another day, and after a decision."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import dagster as dg

from mlc_dagster.core.cron_times import When
from mlc_dagster.ledger import Run
from mlc_dagster.orchestration.assets.freshness import between_ticks
from mlc_dagster_tests.orchestration.conftest import DAY, World, check
from mlc_dagster_tests.orchestration.test_healing import tick

PREPARED, RULE = "cin7/purchases_prepared", "gl_accounts_exist"


def shown(world: World, rule: str = RULE) -> bool | None:
    key = dg.AssetCheckKey(dg.AssetKey(PREPARED.split("/")), rule)
    record = world.instance.get_latest_asset_check_evaluation_record(key)
    assert record is not None and record.event is not None and record.event.dagster_event is not None
    return record.event.dagster_event.asset_check_evaluation_data.passed


def test_a_check_is_red_until_its_last_hold_is_closed_whatever_day_is_run(world: World) -> None:
    world.chart()
    world.put_order("P2", account="4711")
    world.put_account("4711")
    world.chart()
    first = check(world.run("cin7"), PREPARED, RULE)
    assert not first.passed and "1 held" in str(first.description) and "21.00 SEK" in str(first.description)

    world.put_order("P3", at=datetime(2026, 11, 6, 9, tzinfo=UTC))
    other = world.run("cin7", "2026-11-06")
    assert other.success and not check(other, PREPARED, RULE).passed, "P2 of the day before is on hold still"
    assert check(other, PREPARED, "run_may_load").passed

    ticked = tick(world, sensor="checks_follow_the_stock")
    assert ticked.skip_message == "all is shown as it is"
    (hold,) = world.ledger.open_holds("cin7/purchases")
    world.ledger.decisions.discard(hold, "kari", "paid by hand", Run("cli", DAY))
    after = tick(world, cursor=ticked.cursor, sensor="checks_follow_the_stock")
    assert RULE in after.skip_message and shown(world) is True
    assert tick(world, cursor=after.cursor, sensor="checks_follow_the_stock").skip_message == "all is shown as it is"


def test_what_stops_a_run_is_one_check_of_its_own(world: World) -> None:
    world.put_order("P1")  # and there is no chart of accounts
    result = world.run("cin7")
    stopped = check(result, PREPARED, "run_may_load")
    assert not result.success and not stopped.passed and stopped.severity is dg.AssetCheckSeverity.ERROR
    assert "gl_accounts_exist: " in str(stopped.description)


def test_a_loaded_asset_turns_yellow_then_red_where_its_schedule_stops(world: World) -> None:
    specs = {spec.key.to_user_string(): spec for asset in world.defs.assets or () for spec in asset.specs}
    policy = specs["cin7/purchases"].freshness_policy
    assert policy.warn_window.to_timedelta() == timedelta(hours=1)
    assert policy.fail_window.to_timedelta() == timedelta(hours=2)
    assert specs["cin7/purchases"].code_version and specs[PREPARED].code_version
    assert between_ticks(When("5 */6 * * *"), date(2026, 11, 5)) == timedelta(hours=6)
