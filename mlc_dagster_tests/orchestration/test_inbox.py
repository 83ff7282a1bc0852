"""The inbox sensors: events that wait are one run of today, whoever dies in between."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml
from dagster._core.test_utils import freeze_time
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import ModuleTarget
from dagster._daemon.sensor import execute_sensor_iteration

from mlc_dagster.ledger import Ledger
from mlc_dagster.orchestration.location import build
from mlc_dagster.orchestration.resources import LedgerResource
from mlc_dagster.settings import Environment
from mlc_dagster_tests.web.conftest import content_with, settings_with


def put(ledger: Ledger, *event_ids: str, source: str = "airbase") -> None:
    for each in event_ids:
        assert ledger.inbox.store(source, each, "purchase_request_approved", "pr_1", "{}")


class Ticks:
    """The sensor's ticks on a ledger, each with the cursor that Dagster kept of the one before."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.cursor: str | None = None
        self.defs = build(settings_with(sources=["airbase"]), Environment())

    def tick(self, *, cursor_is_kept: bool = True) -> Any:
        resources = {"ledger": LedgerResource(database_url=self.url)}
        repository = self.defs.get_repository_def()
        with (
            dg.DagsterInstance.ephemeral() as instance,
            dg.build_sensor_context(
                instance=instance, cursor=self.cursor, repository_def=repository, resources=resources
            ) as context,
        ):
            told = self.defs.resolve_sensor_def("airbase_inbox").evaluate_tick(context)
        if cursor_is_kept and told.cursor is not None:
            self.cursor = told.cursor
        return told


@pytest.fixture
def ticks(ledger_url: str) -> Ticks:
    return Ticks(ledger_url)


def test_all_that_waits_is_one_run_of_today_and_is_taken_when_it_was_requested(ledger: Ledger, ticks: Ticks) -> None:
    put(ledger, "a", "b", "c")
    put(ledger, "other", source="cin7")
    (request,) = ticks.tick().run_requests
    assert request.partition_key == datetime.now(UTC).date().isoformat()
    assert request.run_key == "c"
    assert (request.tags["mlc/events"], request.tags["mlc/event_ids"]) == ("3", "c b a")
    assert ledger.inbox.count("airbase", waiting=True) == 3, "Dagster has not kept the request yet"

    again = ticks.tick()

    assert not again.run_requests and again.skip_message == "no webhook of airbase waits"
    assert {event.run_key for event in ledger.inbox.of_subject("airbase", "pr_1")} == {"c"}
    assert ledger.inbox.count("cin7", waiting=True) == 1


def test_without_events_it_skips(ledger: Ledger, ticks: Ticks) -> None:
    told = ticks.tick()
    assert not told.run_requests and told.skip_message and told.cursor is None


def test_a_request_that_dagster_lost_is_made_again_under_the_same_key(ledger: Ledger, ticks: Ticks) -> None:
    put(ledger, "a", "b")
    lost = ticks.tick(cursor_is_kept=False)
    again = ticks.tick()
    assert [each.run_key for each in again.run_requests] == [each.run_key for each in lost.run_requests]
    assert not ticks.tick().run_requests
    assert ledger.inbox.count("airbase", waiting=True) == 0


def test_an_event_that_came_after_the_request_is_the_next_run(ledger: Ledger, ticks: Ticks) -> None:
    put(ledger, "a")
    ticks.tick()
    put(ledger, "b")
    (request,) = ticks.tick().run_requests
    assert (request.run_key, request.tags["mlc/event_ids"]) == ("b", "b")
    assert [event.event_id for event in ledger.inbox.waiting("airbase")] == ["b"]


def test_the_cursor_of_another_ledger_takes_nothing(ledger: Ledger, ticks: Ticks) -> None:
    ticks.cursor = '[500, "evt_of_the_old_ledger"]'
    put(ledger, "a", "b")
    (request,) = ticks.tick().run_requests
    assert request.run_key == "b" and ledger.inbox.count("airbase", waiting=True) == 2


def test_event_ids_in_the_tags_are_capped_and_may_hold_anything(ledger: Ledger, ticks: Ticks) -> None:
    put(ledger, *(f"{number}: <script>\n'Ω {'x' * 300}" for number in range(50)))
    (request,) = ticks.tick().run_requests
    assert request.tags["mlc/events"] == "50" and len(request.tags["mlc/event_ids"]) == 1000


def test_a_source_that_is_on_and_has_flows_has_a_sensor_on_its_job() -> None:
    def found(*sources: str) -> dict[str, str]:
        defs = build(settings_with(sources=list(sources)), Environment())
        dg.Definitions.validate_loadable(defs)
        sensors = {sensor.name: sensor for sensor in defs.sensors if sensor.name.endswith("_inbox")}
        assert {sensor.minimum_interval_seconds for sensor in sensors.values()} <= {10}
        return {name: sensor.job_name for name, sensor in sensors.items()}  # type: ignore[union-attr]

    assert found() == {}
    assert found("airbase", "cin7") == {"airbase_inbox": "airbase", "cin7_inbox": "cin7"}


def test_the_daemon_requests_one_run_even_where_it_forgot_the_cursor(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Dagster's own daemon, with a queue that nobody works off."""
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    (tmp_path / "mlc.yaml").write_text(yaml.safe_dump(content_with(sources=["airbase"])))
    monkeypatch.setenv("MLC_CONFIG", str(tmp_path / "mlc.yaml"))
    monkeypatch.setenv("MLC_DATABASE_URL", url)
    queue = {"run_coordinator": {"module": "dagster", "class": "QueuedRunCoordinator"}}
    target = ModuleTarget("mlc_dagster.definitions", None, None, "mlc_dagster")
    now = datetime.now(UTC)
    with (
        Ledger.open(url) as ledger,
        dg.DagsterInstance.local_temp(overrides=queue) as instance,
        WorkspaceProcessContext(instance, target) as workspace,
    ):
        put(ledger, "a", "b")
        location = workspace.create_request_context().code_locations[0]
        (sensor,) = (
            each
            for each in next(iter(location.get_repositories().values())).get_sensors()
            if each.name == "airbase_inbox"
        )
        instance.start_sensor(sensor)

        def iterate(number: int) -> tuple[int, int]:
            with freeze_time(now + timedelta(minutes=number)):
                errors = list(execute_sensor_iteration(workspace, logging.getLogger("daemon"), None, None))
            assert not any(errors), errors
            return len(instance.get_runs()), ledger.inbox.count("airbase", waiting=True)

        assert iterate(1) == (1, 2)
        forgotten = instance.get_instigator_state(sensor.get_remote_origin_id(), sensor.selector_id)
        assert forgotten is not None
        instance.update_instigator_state(forgotten.with_data(forgotten.instigator_data._replace(cursor=None)))
        assert iterate(2) == (1, 2), "the same run key: Dagster asks for no second run"
        assert iterate(3) == (1, 0)
        put(ledger, "c")
        assert iterate(4) == (2, 1)
        assert iterate(5) == (2, 0)
        assert {run.tags["mlc/event_ids"] for run in instance.get_runs()} == {"b a", "c"}
