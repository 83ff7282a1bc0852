"""Alerts through Dagster: a failed run is told in our words, once; a pause is no news; the daily job ends well."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import dagster as dg
import pytest

from mlc_dagster.orchestration.automation.alerts import JOB, SENSOR
from mlc_dagster.settings.alerts import AlertSettings
from mlc_dagster_tests.orchestration.conftest import DAY, QUIET, World
from mlc_dagster_tests.receivers import Receiver, webhook


@pytest.fixture
def told(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """Who is told, by mlc.yaml."""
    section = AlertSettings.model_validate({"webhook": "ALERTS_WEBHOOK_URL", "ui_url": "https://dagster.acme.test"})
    world.settings = world.settings.model_copy(update={"alerts": section})
    with webhook() as receiver:
        monkeypatch.setenv("ALERTS_WEBHOOK_URL", receiver.url())
        yield receiver


def sense(world: World, result: dg.ExecuteInProcessResult) -> Any:
    """What the sensor says of a failed run, as the daemon asks it."""
    (failure,) = [event for event in result.all_events if event.event_type_value == "PIPELINE_FAILURE"]
    run = world.instance.get_run_by_id(result.run_id)
    assert run is not None
    context = dg.build_run_status_sensor_context(
        sensor_name=SENSOR, dagster_event=failure, dagster_instance=world.instance, dagster_run=run
    )
    return world.defs.resolve_sensor_def(SENSOR)(context.for_run_failure())


def daily(world: World) -> str:
    result = world.defs.resolve_job_def(JOB).execute_in_process(instance=world.instance, run_config=QUIET)
    assert result.success
    (output,) = [event for event in result.all_events if event.event_type_value == "STEP_OUTPUT"]
    return str(output.step_output_data.metadata["outcome"].value)


def test_a_run_that_failed_is_told_in_our_words_and_only_once(
    world: World, told: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CIN7_APPLICATION_KEYS", "wrong-s3cr3t")
    world.chart()
    result = world.run("cin7")
    assert not result.success and sense(world, result).skip_message == "told that cin7 failed"
    assert "told then" in sense(world, result).skip_message
    (text,) = told.texts
    assert text.startswith(f"mlc: cin7 failed for {DAY}\nAccessDenied: cin7: GET /")
    assert f"\nhttps://dagster.acme.test/runs/{result.run_id}" in text
    assert "CIN7_APPLICATION_KEYS" in text and "Traceback" not in text and "s3cr3t" not in text


def test_a_check_that_stopped_a_run_is_told_with_its_reason(world: World, told: Receiver) -> None:
    world.put_order("P1")
    result = world.run("cin7")
    assert not result.success
    sense(world, result)
    assert "The check cin7/purchases_prepared gl_accounts_exist stopped it: " in told.texts[0]
    assert "materialize ifs/account_set" in told.texts[0]


def test_a_run_that_is_taken_up_again_by_itself_is_no_news_until_that_fails(world: World, told: Receiver) -> None:
    world.put_order("P1")
    result = world.run("cin7")
    assert not result.success
    world.instance.add_run_tags(result.run_id, {"dagster/will_retry": "true"})
    assert "it is taken up again by itself" in sense(world, result).skip_message and told.texts == []
    world.instance.add_run_tags(result.run_id, {"dagster/will_retry": "false"})
    assert sense(world, result).skip_message == "told that cin7 failed"


def test_a_run_that_a_pause_ended_is_no_news(world: World, told: Receiver) -> None:
    world.ledger.pauses.pause("cin7", "anna", "month end")
    result = world.run("cin7", only=["ifs/supplier_set", "cin7/suppliers_prepared", "cin7/suppliers"])
    assert not result.success and "a pause ended it" in sense(world, result).skip_message and told.texts == []


def test_the_daily_job_tells_the_stock_and_ends_well_when_nobody_can_be_told(world: World, told: Receiver) -> None:
    world.chart()
    world.put_order("P1", account="4711")
    assert world.run("cin7").success
    assert daily(world) == "told: 1 on hold"
    assert told.texts[0].startswith("mlc: 1 on hold\ncin7/purchases: 1 since ")
    told.status = 500
    assert daily(world).startswith("not told: the webhook (ALERTS_WEBHOOK_URL) answered 500")


def test_both_run_by_themselves_where_alerts_are_set_and_are_not_there_where_they_are_not(
    world: World, told: Receiver
) -> None:
    repository = world.defs.get_repository_def()
    assert repository.get_sensor_def(SENSOR).default_status is dg.DefaultSensorStatus.RUNNING
    schedule = repository.get_schedule_def(f"{JOB}_schedule")
    assert schedule.default_status is dg.DefaultScheduleStatus.RUNNING and schedule.cron_schedule == "0 7 * * *"
    world.settings = world.settings.model_copy(update={"alerts": None})
    quiet = world.defs.get_repository_def()
    assert not quiet.has_sensor_def(SENSOR) and not quiet.has_job(JOB)
