"""A look that gave way to a delivery is taken up again in the same night, and looks at what it left."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import pytest

from mlc_dagster.orchestration.assets import verified
from mlc_dagster.orchestration.automation import taken_up
from mlc_dagster.orchestration.automation.taken_up import sensor_name
from mlc_dagster_tests.orchestration.conftest import DAY, QUIET, World, check, metadata
from mlc_dagster_tests.orchestration.test_verified import ASSET, delivered, edit  # noqa: F401 - a fixture

JOB = "cin7_verified"


@pytest.fixture
def busy(delivered: World, monkeypatch: pytest.MonkeyPatch) -> World:  # noqa: F811
    """A delivery waits, and is asked after for each record."""
    monkeypatch.setattr(verified, "SECONDS_BETWEEN_QUESTIONS", 0.0)
    delivered.ledger.work.ask("cin7/purchases", [DAY], "a person asked")
    return delivered


def sensed(world: World) -> Any:
    repository = world.defs.get_repository_def()
    resources = repository.get_top_level_resources()
    with dg.build_sensor_context(instance=world.instance, repository_def=repository, resources=resources) as context:
        return world.defs.resolve_sensor_def(sensor_name(JOB)).evaluate_tick(context)


def go(world: World, tags: dict[str, str]) -> dg.ExecuteInProcessResult:
    job = world.defs.resolve_job_def(JOB)
    return job.execute_in_process(instance=world.instance, tags=tags, run_config=QUIET, raise_on_error=False)


def done(world: World) -> None:
    world.ledger.work.done("cin7/purchases", DAY, world.ledger.work.now())


@pytest.mark.promise("C40", "a look that gave way goes on in the same night, when no delivery waits any more")
def test_what_gave_way_is_asked_for_when_the_delivery_is_over_and_once(busy: World) -> None:
    edit(busy, "P2", 50)
    result = busy.run(JOB)
    assert result.success and metadata(result, ASSET)["left"] > 0
    assert not sensed(busy).run_requests, "the delivery waits still"
    done(busy)
    (request,) = sensed(busy).run_requests
    assert taken_up.SINCE in request.tags
    assert request.run_key == f"{result.run_id} taken up"
    again = go(busy, dict(request.tags))
    assert metadata(again, ASSET)["left"] == 0
    assert metadata(again, ASSET)["checked"] == 3 - metadata(result, ASSET)["checked"]
    assert not check(again, ASSET, "different").passed, "what either part found is told"


def test_a_look_that_came_to_its_end_is_not_asked_for_again(delivered: World) -> None:  # noqa: F811
    assert delivered.run(JOB).success
    assert not sensed(delivered).run_requests


def test_what_began_before_this_night_is_left_to_the_next(busy: World, monkeypatch: pytest.MonkeyPatch) -> None:
    busy.run(JOB)
    done(busy)

    class Later(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return datetime.now(UTC) + timedelta(hours=13)

    monkeypatch.setattr(taken_up, "datetime", Later)
    assert not sensed(busy).run_requests
