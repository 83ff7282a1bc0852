"""Old runs go with their events and files; what partitions and checks look like stays, on SQLite and PostgreSQL."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.storage.partition_status_cache import get_and_update_asset_status_cache_value

from mlc_dagster.orchestration.automation.retention import (
    ENDED,
    OF_LOCATION,
    PURGE_JOB,
    Runs,
    purge_job,
    purge_schedule,
)
from mlc_dagster.settings.model import RetentionSettings
from mlc_dagster.systems.configuration import parse
from mlc_dagster_tests.orchestration.conftest import QUIET

pytestmark = pytest.mark.slow  # whole Dagster runs, or whole processes: a minute of them and more

DAYS = dg.DailyPartitionsDefinition("2026-11-01", end_date="2026-11-30")
ORDERS, CHART = dg.AssetKey(["cin7", "purchases"]), dg.AssetKey(["cin7", "accounts"])
RULE = dg.AssetCheckKey(ORDERS, "gl_accounts_exist")
LATER = timedelta(days=31)
KEPT = RetentionSettings()
FAILS = {"mlc/fails": "yes"}


@dg.asset(
    key=ORDERS,
    partitions_def=DAYS,
    check_specs=[dg.AssetCheckSpec("gl_accounts_exist", asset=ORDERS)],
    backfill_policy=dg.BackfillPolicy.single_run(),
)
def purchases(context: dg.AssetExecutionContext) -> Iterator[Any]:
    if context.run.tags.get("mlc/fails"):
        raise dg.Failure("Cin7 is down", allow_retries=False)
    yield dg.AssetCheckResult(passed=True, check_name="gl_accounts_exist")
    yield dg.MaterializeResult(metadata={"rows": 3})


@dg.asset(key=CHART)
def accounts() -> None: ...


DEFS = dg.Definitions(
    assets=[purchases, accounts],
    jobs=[
        dg.define_asset_job("cin7", selection=dg.AssetSelection.assets(purchases)),
        dg.define_asset_job("cin7_references", selection=dg.AssetSelection.assets(accounts)),
    ],
)


@pytest.fixture(params=["sqlite", "storage: sqlite", "postgresql"])
def instance(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    storage = {
        "sqlite": lambda: "",
        "storage: sqlite": lambda: f"storage: {{sqlite: {{base_dir: {tmp_path / 'state'}}}}}\n",
        "postgresql": lambda: (
            f"storage: {{postgres: {{postgres_url: '{_psycopg2(request.getfixturevalue('postgres_url'))}'}}}}\n"
        ),
    }[request.param]()
    (tmp_path / "dagster.yaml").write_text(f"{storage}telemetry: {{enabled: false}}\n")
    with dg.DagsterInstance.from_config(str(tmp_path)) as made:
        yield made


def _psycopg2(url: str) -> str:
    return url.replace("postgresql://", "postgresql+psycopg2://")


def run(instance: dg.DagsterInstance, day: str | None = None, job: str = "cin7", **tags: str) -> str:
    found = DEFS.resolve_job_def(job).execute_in_process(
        instance=instance, partition_key=day, tags=tags, run_config=QUIET, raise_on_error=False
    )
    assert found.success is not bool(tags.get("mlc/fails"))
    return found.run_id


def purge(
    instance: dg.DagsterInstance, after: timedelta = LATER, kept: RetentionSettings = KEPT, location: str | None = None
) -> dict[str, int]:
    runs = Runs(instance, location, ["cin7", "cin7_references"], lambda words: None)
    return dict(runs.purge(kept, datetime.now(UTC) + after))


def left(instance: dg.DagsterInstance) -> set[str]:
    return {found.run_id for found in instance.get_runs()}


def seen(instance: dg.DagsterInstance) -> dict[str, Any]:
    """What the UI says of partitions and checks, computed anew: a cache would hide what is gone."""
    instance.wipe_asset_cached_status([ORDERS])
    cached = get_and_update_asset_status_cache_value(instance, ORDERS, DAYS)
    assert cached is not None
    checks = instance.event_log_storage.get_latest_asset_check_execution_by_key([RULE])
    latest = instance.get_latest_materialization_event(ORDERS)
    return {
        "materialized": set(cached.deserialize_materialized_partition_subsets(DAYS).get_partition_keys()),
        "failed": set(cached.deserialize_failed_partition_subsets(DAYS).get_partition_keys()),
        "known": set(instance.get_materialized_partitions(ORDERS)),
        "check": (checks[RULE].status, checks[RULE].run_id),
        "latest": latest and latest.run_id,
        "chart": instance.get_latest_materialization_event(CHART) is not None,
    }


def test_all_but_the_run_that_made_a_partition_last_is_deleted_and_nothing_looks_different(
    instance: dg.DagsterInstance,
) -> None:
    for _ in range(3):
        run(instance, "2026-11-02")
    run(instance, job="cin7_references")
    needed = [run(instance, "2026-11-02"), run(instance, "2026-11-03"), run(instance, job="cin7_references")]
    before = seen(instance)
    assert purge(instance) == {"deleted": 4, "kept_as_the_latest_of_a_partition": 3}
    assert left(instance) == set(needed)
    assert seen(instance) == before
    assert before["materialized"] == before["known"] == {"2026-11-02", "2026-11-03"}
    events = instance.fetch_materializations(ORDERS, limit=100).records
    assert {each.run_id for each in events} == set(needed[:2]), "the events of the others have gone with them"


def test_of_the_results_of_a_check_the_last_one_stays_and_the_last_that_said_something(
    instance: dg.DagsterInstance,
) -> None:
    def history() -> list[tuple[str, str]]:
        found = instance.event_log_storage.get_asset_check_execution_history(RULE, limit=100)
        return [(each.run_id, each.status.value) for each in found]

    for _ in range(3):
        run(instance, "2026-11-02", **FAILS)
        run(instance, "2026-11-02")
    said, failed = run(instance, "2026-11-02"), [run(instance, "2026-11-02", **FAILS) for _ in range(2)]
    assert len(history()) == 13, "what was planned for a day, and what came of it, are two lines"
    purge(instance, timedelta(days=91))
    assert history() == [(failed[1], "PLANNED"), (said, "SUCCEEDED"), (said, "PLANNED")]


def test_the_last_failure_of_a_partition_stays_until_it_is_made(instance: dg.DagsterInstance) -> None:
    run(instance, "2026-11-02")
    failures = [run(instance, "2026-11-02", **FAILS) for _ in range(3)]
    never_made = run(instance, "2026-11-04", **FAILS)
    before = seen(instance)
    assert before["failed"] == {"2026-11-02", "2026-11-04"}
    purge(instance, timedelta(days=91))
    assert not left(instance) & set(failures[:2]) and {failures[2], never_made} <= left(instance)
    assert seen(instance) == before
    run(instance, "2026-11-02")
    purge(instance, timedelta(days=91))
    assert failures[2] not in left(instance)
    assert seen(instance)["failed"] == {"2026-11-04"}


def test_a_range_is_kept_as_long_as_one_of_its_days_was_not_made_again(instance: dg.DagsterInstance) -> None:
    span = {"dagster/asset_partition_range_start": "2026-11-02", "dagster/asset_partition_range_end": "2026-11-04"}
    wide = run(instance, **span)
    made_again = [run(instance, "2026-11-02"), run(instance, "2026-11-04")]
    before = seen(instance)
    assert before["materialized"] == {"2026-11-02", "2026-11-03", "2026-11-04"}
    purge(instance)
    assert left(instance) == {wide, *made_again} and seen(instance) == before
    run(instance, "2026-11-03")
    purge(instance)
    assert wide not in left(instance) and seen(instance)["materialized"] == before["materialized"]


def test_what_is_young_has_not_ended_or_is_anothers_stays(instance: dg.DagsterInstance) -> None:
    first = run(instance, "2026-11-02")
    anothers = [run(instance, "2026-11-02", **{OF_LOCATION: "__repository__@theirs"})]
    anothers.append(accounts_of_another(instance))
    started = dg.DagsterRunStatus.STARTED
    going = instance.create_run_for_job(
        DEFS.resolve_job_def("cin7"), status=started, tags={"dagster/partition": "2026-11-02"}
    )
    run(instance, "2026-11-02")
    assert purge(instance, timedelta(days=29)) == {"deleted": 0, "kept_as_the_latest_of_a_partition": 0}
    counts = purge(instance, location="__repository__@ours")
    assert counts["deleted"] == 1 and counts["of_other_locations"] == 2
    assert first not in left(instance) and {*anothers, going.run_id} <= left(instance)


def accounts_of_another(instance: dg.DagsterInstance) -> str:
    """A job of somebody who shares the instance, run in a process of its own."""
    found = dg.define_asset_job("theirs", selection=dg.AssetSelection.assets(accounts))
    job = dg.Definitions(assets=[accounts], jobs=[found]).resolve_job_def("theirs")
    return job.execute_in_process(instance=instance, run_config=QUIET).run_id


def test_of_two_settings_one_is_for_failures_and_nought_is_for_ever(instance: dg.DagsterInstance) -> None:
    failed = run(instance, "2026-11-02", **FAILS)
    good = run(instance, "2026-11-02")
    run(instance, "2026-11-02")
    years = timedelta(days=9999)
    assert purge(instance, years, RetentionSettings(runs_days=0, failed_runs_days=0))["deleted"] == 0
    assert purge(instance, timedelta(days=31))["deleted"] == 1 and good not in left(instance)
    assert purge(instance, timedelta(days=89))["deleted"] == 0 and failed in left(instance)
    assert purge(instance, timedelta(days=91))["deleted"] == 1 and failed not in left(instance)


def test_more_runs_than_one_page_are_gone_through_whatever_is_kept_between(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mlc_dagster.orchestration.automation.retention.AT_ONCE", 2)
    kept = [run(instance, f"2026-11-{number:02d}") for number in (2, 3, 4)]
    for _ in range(5):
        run(instance, job="cin7_references")
    assert purge(instance) == {"deleted": 4, "kept_as_the_latest_of_a_partition": 4}
    assert set(kept) < left(instance)


def test_a_purge_ends_in_time_and_the_next_one_goes_on(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mlc_dagster.orchestration.automation.retention.AT_ONCE", 1)
    for _ in range(4):
        run(instance, "2026-11-02")
    said: list[str] = []
    runs = Runs(instance, None, ["cin7"], said.append)
    for _ in range(3):
        assert runs.purge(KEPT, datetime.now(UTC) + LATER, seconds=0)["deleted"] == 1
    assert said[0] == "0 minutes are over: the next purge goes on"
    assert len(left(instance)) == 1


def test_on_sqlite_the_files_of_a_deleted_run_go_too(tmp_path: Path) -> None:
    (tmp_path / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        gone, last = run(instance, "2026-11-02"), run(instance, "2026-11-02")
        purge(instance)
        files = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")}
    assert not [path for path in files if gone in path]
    assert {f"history/runs/{last}.db", f"storage/{last}/compute_logs"} <= files


def test_the_job_deletes_what_its_own_location_ran_and_says_how_much(instance: dg.DagsterInstance) -> None:
    settings = parse({**MINIMAL, "retention": {"runs_days": "1", "failed_runs_days": "1"}}, "mlc.yaml")
    run(instance, "2026-11-02")
    result = purge_job(settings, ["cin7"]).execute_in_process(instance=instance, run_config=QUIET)
    assert result.success and result.job_def.name == PURGE_JOB
    assert "after 1 days" in str(purge_job(settings, []).description)


def test_the_schedule_is_on_from_the_start_at_the_time_in_mlc_yaml() -> None:
    schedule = purge_schedule(parse({**MINIMAL, "schedules": {"purge_runs": "1 1 * * *"}}, "mlc.yaml"))
    assert schedule.default_status is dg.DefaultScheduleStatus.RUNNING
    assert (schedule.cron_schedule, schedule.job_name) == ("1 1 * * *", PURGE_JOB)
    assert all(status.value in ("SUCCESS", "FAILURE", "CANCELED") for status in ENDED)


MINIMAL: dict[str, Any] = {
    "companies": {"0010": {"currency": "SEK"}},
    "ifs": {"base_url": "https://erp.example", "token_url": "https://erp.example/token"},
}
