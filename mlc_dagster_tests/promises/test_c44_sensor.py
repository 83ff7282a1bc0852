"""C44: an order that a tenant west of Greenwich stamps by its own clock: found by what starts by itself, and loaded."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mlc_dagster.orchestration.automation import jobs_and_schedules
from mlc_dagster_tests.orchestration.conftest import World
from mlc_dagster_tests.promises.days import tick

SETS = ("purchase_order_set", "supplier_set", "posting_proposal_head_set")
NOW = datetime(2026, 11, 6, 1, 5, tzinfo=UTC)
"""17:05 of 5 November on the West Coast."""


@pytest.fixture
def evening(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """Of the tenant; yesterday's second reading, at 00:15 UTC, is over."""

    class Clock(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return NOW

    world.settings = world.settings.model_copy(
        update={"ifs": world.settings.ifs.model_copy(update={"time_zone": "America/Los_Angeles"})}
    )
    world.chart()
    assert world.run("cin7", "2026-11-05").success
    monkeypatch.setattr(jobs_and_schedules, "datetime", Clock)
    return world


@pytest.mark.promise("C44", "an order stamped 17:00 by the tenant, five minutes ago: its day is asked for")
@pytest.mark.parametrize("stamp", ["2026-11-05T17:00:00Z", "2026-11-05T17:00:00"])
def test_c44_the_change_sensor_asks_for_the_day_in_utc_of_a_local_stamp(evening: World, stamp: str) -> None:
    evening.put_order("P1", at=stamp)  # type: ignore[arg-type]
    since = (NOW - timedelta(minutes=1)).isoformat()
    asked = [request.partition_key for request in tick(evening, json.dumps(dict.fromkeys(SETS, since))).run_requests]
    assert asked == ["2026-11-06"]
    assert evening.run("cin7", asked[0]).success
    assert evening.order_markers() == ["0010/P1"]


@pytest.mark.promise("C44", "one stamped 15:30 lies in 5 November of UTC, and is asked for there")
def test_c44_a_local_stamp_of_the_evening_before_is_asked_for_in_its_own_day(evening: World) -> None:
    evening.put_order("P0", at=datetime(2026, 11, 5, 15, 30, tzinfo=UTC))  # wall time: 23:30 UTC of the 5th
    since = (NOW - timedelta(hours=2)).isoformat()
    asked = [request.partition_key for request in tick(evening, json.dumps(dict.fromkeys(SETS, since))).run_requests]
    assert asked == ["2026-11-05"]
    assert evening.run("cin7", asked[0]).success
    assert evening.order_markers() == ["0010/P0"]
