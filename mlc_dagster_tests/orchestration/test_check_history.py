"""The history of a check has a line for each time that it was made, and none that says "skipped"."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest

from mlc_dagster.core.errors import MlcError
from mlc_dagster.orchestration.automation.running import run_job
from mlc_dagster.orchestration.liveness.signs_of_life import in_process_executor

RULE = dg.AssetCheckKey(dg.AssetKey("prepared"), "rule")
OTHER = dg.AssetCheckKey(dg.AssetKey("prepared"), "of_another_step")
DAYS = dg.DailyPartitionsDefinition("2026-11-01")
RANGE = {"dagster/asset_partition_range_start": "2026-11-01", "dagster/asset_partition_range_end": "2026-11-03"}


@dg.asset(
    partitions_def=DAYS,
    backfill_policy=dg.BackfillPolicy.single_run(),
    check_specs=[dg.AssetCheckSpec("rule", asset="prepared")],
)
def prepared() -> dg.MaterializeResult:  # type: ignore[type-arg]
    return dg.MaterializeResult(check_results=[dg.AssetCheckResult(passed=True, check_name="rule")])


@dg.asset_check(asset="prepared", partitions_def=DAYS)
def of_another_step() -> dg.AssetCheckResult:
    raise RuntimeError("it never came to its result")


def job() -> dg.JobDefinition:
    """As `dagster` loads it in a process of its own."""
    selection = dg.AssetSelection.assets("prepared")
    location = dg.Definitions(
        [prepared],
        asset_checks=[of_another_step],
        jobs=[dg.define_asset_job("days", selection)],
        executor=in_process_executor,
    )
    return location.resolve_job_def("days")


def shown(instance: dg.DagsterInstance, check: dg.AssetCheckKey) -> list[str]:
    """As the UI's list of executions has it."""
    records = instance.event_log_storage.get_asset_check_execution_history(check, limit=99)
    return [f"{one.status.value} {one.partition or 'all'}" for one in records]


@pytest.mark.parametrize("tags", [RANGE, {"dagster/partition": "2026-11-02"}], ids=["range", "day"])
def test_a_run_in_dagsters_own_process_leaves_one_line_for_each_check_that_it_made(
    tags: dict[str, str], tmp_path: Path
) -> None:
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        for _ in range(2):
            dg.execute_job(dg.reconstructable(job), instance, tags=tags)
        assert shown(instance, RULE) == ["SUCCEEDED all"] * 2
        assert all(line.startswith("PLANNED 2026") for line in shown(instance, OTHER)), "what was not made stays told"


def test_a_run_in_the_process_of_a_command_does_so_too(tmp_path: Path) -> None:
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        with pytest.raises(MlcError, match="of_another_step"):
            run_job(job(), instance, ("2026-11-01", "2026-11-03"))
        assert shown(instance, RULE) == ["SUCCEEDED all"]
