"""One run at a time for each SaaS that it writes to, whoever started it; what only reads waits for nobody."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml
from dagster._core.run_coordinator import SubmitRunContext

from mlc_dagster.core.flows import Flow
from mlc_dagster.orchestration.assets.asset_keys import prepared_key
from mlc_dagster.orchestration.automation.replaying import flows_on
from mlc_dagster.orchestration.liveness.turns import pools
from mlc_dagster.orchestration.location import build
from mlc_dagster.orchestration.run_queue import QueuedRunCoordinator
from mlc_dagster.sandbox.seed.start import demo_settings
from mlc_dagster.settings import Environment
from mlc_dagster.systems import configuration as settings_file
from mlc_dagster_tests.promises.whole import ROOT

READING = ("ifs", "chart_of_accounts", "cin7_duplicates", "airbase_references", "purge_runs", "plan")
SETTINGS = settings_file.parse(demo_settings("http://127.0.0.1:1"), "mlc.yaml")


@pytest.fixture(scope="module")
def demo() -> dg.Definitions:
    return build(SETTINGS, Environment(storage="rows", database_url="sqlite:///ledger.db"))


@pytest.mark.parametrize("flow", flows_on(SETTINGS).values(), ids=lambda flow: flow.name)
def test_what_prepares_or_loads_is_of_the_pool_of_its_saas_also_on_the_page_of_an_asset(
    flow: Flow, demo: dg.Definitions
) -> None:
    """The way back into the ERP too: of the SaaS that it comes from."""
    everything = demo.resolve_implicit_global_asset_job_def()
    for key in (prepared_key(flow), flow.key):
        assert pools(everything.get_subset(asset_selection={dg.AssetKey(key)})) == {flow.spoke}
    assert pools(everything.get_subset(asset_selection={dg.AssetKey(flow.source.key)})) == set()


def test_both_jobs_of_a_saas_are_of_one_pool(demo: dg.Definitions) -> None:
    for job in ("monday", "monday_by_company"):
        assert pools(demo.resolve_job_def(job)) == {"monday"}


@pytest.mark.parametrize("job", READING)
def test_what_only_reads_has_no_pool(job: str, demo: dg.Definitions) -> None:
    assert pools(demo.resolve_job_def(job)) == set()


@dg.asset(pool="cin7")
def loaded() -> None: ...


def test_a_pool_has_its_limit_before_its_first_run_is_in_the_queue(tmp_path: Path) -> None:
    """Dagster's own queue launches all runs of a pool that wait at its first look, whatever the limit is."""
    content: dict[str, Any] = yaml.safe_load((ROOT / "dagster.yaml").read_text(encoding="utf-8"))
    job = dg.Definitions(assets=[loaded]).resolve_implicit_global_asset_job_def()
    with dg.DagsterInstance.local_temp(str(tmp_path), overrides=content) as instance:
        coordinator = instance.run_coordinator
        assert isinstance(coordinator, QueuedRunCoordinator)
        assert instance.event_log_storage.get_concurrency_keys() == set()
        run = instance.create_run_for_job(job)
        with pytest.raises(
            Exception, match="is required for queued runs"
        ):  # of a run without a workspace: it is not queued
            workspace: Any = None
            coordinator.submit_run(SubmitRunContext(run, workspace))
        (pool,) = instance.event_log_storage.get_pool_limits()
    assert (pool.name, pool.limit, pool.from_default) == ("cin7", 1, True)
