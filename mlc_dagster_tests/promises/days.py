"""A world whose running day is today, by the machine's own clock."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import dagster as dg

from mlc_dagster_tests.orchestration.conftest import World, metadata
from mlc_dagster_tests.orchestration.launched import launchable

PURCHASES = "cin7/purchases"


def begin(world: World) -> World:
    """The chart of accounts is read, and the supplier is in the target."""
    world.chart()
    for job in world.settings.targets:
        assert world.run(job).success
    return world


def today() -> str:
    return datetime.now(UTC).date().isoformat()


def run(world: World, day: str | None = None, job: str = "cin7") -> dg.ExecuteInProcessResult:
    result = world.run(job, day or today())
    assert result.success
    return result


def counts(result: dg.ExecuteInProcessResult, day: str | None = None, flow: str = PURCHASES) -> dict[str, int]:
    """What the UI plots of both assets of a flow; every record that was read is in one of its states."""
    prepared, loaded = metadata(result, f"{flow}_prepared", day or today()), metadata(result, flow, day or today())
    states = ("created", "updated", "adopted", "unchanged", "superseded", "held", "discarded")
    assert prepared["rows_read"] == sum(loaded[name] for name in states) + sum(
        prepared[name] for name in ("held", "superseded", "discarded", "out_of_scope")
    )
    return {**{name: loaded[name] for name in states}, "held": prepared["held"] + loaded["held"]}


def tick(world: World, cursor: str | None = None, sensor: str = "cin7_changes") -> Any:
    """One evaluation of a sensor, as the daemon makes it."""
    repository = world.defs.get_repository_def()
    resources = repository.get_top_level_resources()
    with dg.build_sensor_context(
        instance=world.instance, cursor=cursor, repository_def=repository, resources=resources
    ) as context:
        told = world.defs.resolve_sensor_def(sensor).evaluate_tick(context)
    launchable(world.defs, world.defs.resolve_sensor_def(sensor), told.run_requests)
    return told
