"""A schedule that stops turns its assets yellow, then red: by Dagster's own daemon, in what its UI reads."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import dagster as dg
import pytest
from dagster._core.definitions.freshness import FreshnessStateRecord
from dagster._core.loader import LoadingContextForTest
from dagster._daemon.freshness import FreshnessDaemon
from dagster._time import get_current_timestamp

from mlc_dagster.orchestration.location import build
from mlc_dagster.settings import Environment
from mlc_dagster_tests.orchestration.conftest import DAY, settings_for

KEY = dg.AssetKey(["cin7", "purchases"])
HOUR = timedelta(hours=1).total_seconds()


def test_a_stopped_schedule_turns_its_asset_yellow_then_red_and_a_load_green_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    node = build(settings_for("http://127.0.0.1:9"), Environment()).resolve_asset_graph().get(KEY)
    loaded = dg.AssetMaterialization(KEY, partition=DAY)
    with dg.DagsterInstance.ephemeral() as instance:

        def shown(hours_later: float) -> str:
            """What the daemon makes of it at its next look; the UI reads this record."""
            at = get_current_timestamp() + hours_later * HOUR
            monkeypatch.setattr("dagster._core.definitions.freshness_evaluator.get_current_timestamp", lambda: at)
            asyncio.run(FreshnessDaemon()._evaluate_asset(LoadingContextForTest(instance), node))
            record = asyncio.run(FreshnessStateRecord.gen(LoadingContextForTest(instance), KEY))
            assert record is not None
            return record.freshness_state.value

        assert shown(0) == "UNKNOWN", "nothing was loaded yet: no colour"
        instance.report_runless_asset_event(loaded)
        assert [shown(hours) for hours in (0, 0.9, 1.1, 1.9, 2.1)] == ["PASS", "PASS", "WARN", "WARN", "FAIL"]
        instance.report_runless_asset_event(loaded)
        assert shown(0) == "PASS"
