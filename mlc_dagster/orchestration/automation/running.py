"""Runs in this process, on the instance in DAGSTER_HOME, and what each flow moved in them."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._core.utils import make_new_run_id

from mlc_dagster.core.errors import Misconfigured, MlcError
from mlc_dagster.core.flows import Flow
from mlc_dagster.core.logs import logger
from mlc_dagster.orchestration.assets.asset_keys import prepared_key
from mlc_dagster.orchestration.automation.step_checks import made_by_the_steps
from mlc_dagster.orchestration.liveness.signs_of_life import speaking, tidy
from mlc_dagster.orchestration.liveness.turns import wait_for_turn
from mlc_dagster.orchestration.liveness.workers import Worker

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
RANGE = "dagster/asset_partition_range_"
log = logger("mlc_dagster.runs")


@dataclass
class FlowCounts:
    """What one flow moved in one pass, over all its partitions."""

    prepared: Counter[str] = field(default_factory=Counter)
    loaded: Counter[str] = field(default_factory=Counter)

    @property
    def ends(self) -> Counter[str]:
        """Each record in exactly one end."""
        delivered = ("created", "updated", "adopted", "unchanged", "stale")
        left = ("superseded", "held", "discarded", "gone", "out_of_scope")
        return Counter({name: self.loaded[name] for name in (*delivered, *left)}) + Counter(
            held=self.prepared["held"],
            superseded=self.prepared["superseded"],
            discarded=self.prepared["discarded"],
            out_of_scope=self.prepared["out_of_scope"],
        )

    @property
    def held(self) -> int:
        return self.prepared["held"] + self.loaded["held"]

    @property
    def accounted(self) -> bool:
        """delivered + unchanged + held + superseded + discarded + gone + out of scope = read"""
        return self.prepared["rows_read"] == self.ends.total()


USUAL_HOME = Path(".mlc/home")


def instance_at_home() -> dg.DagsterInstance:
    """The instance in DAGSTER_HOME, or where `mlc ui` keeps it. Raises Misconfigured."""
    if not os.environ.get("DAGSTER_HOME"):
        if not (USUAL_HOME / "dagster.yaml").is_file():
            raise Misconfigured(
                f"DAGSTER_HOME is not set, and there is no {USUAL_HOME} here",
                cure="Set DAGSTER_HOME to the instance's folder.",
            )
        os.environ["DAGSTER_HOME"] = str(USUAL_HOME.resolve())
    home = Path(os.environ["DAGSTER_HOME"])
    if not (home.is_absolute() and home.is_dir()):
        raise Misconfigured(
            f"DAGSTER_HOME names {home}, and there is no such folder"
            if home.is_absolute()
            else f"DAGSTER_HOME is {home}: it is no absolute path",
            cure="Set DAGSTER_HOME to the absolute path of the instance's folder.",
        )
    return dg.DagsterInstance.get()


def run_job(
    job: dg.JobDefinition,
    instance: dg.DagsterInstance,
    partitions: tuple[str, str] | None = None,
    only: Sequence[dg.AssetKey] | None = None,
    tags: Mapping[str, str] | None = None,
    ops: Mapping[str, Any] | None = None,
) -> dg.ExecuteInProcessResult:
    """One run, over a range of partitions where it is given. Raises MlcError with the words of the step that failed.

    `only` these assets, with the checks that are made beside them: of others Dagster would write down that they were
    skipped. It waits for its turn, as a run in Dagster's queue does. `ops`: configuration of steps, by name.
    """
    if only:
        beside = made_by_the_steps(job.asset_layer.asset_graph, set(only))
        job = job.get_subset(asset_selection=set(only), asset_check_selection=beside)
    span = {f"{RANGE}start": partitions[0], f"{RANGE}end": partitions[1]} if partitions else {}
    wait_for_turn(job, instance, log.warning)
    worker = Worker.of_this_process(make_new_run_id())
    noted = {**span, **(tags or {}), **worker.noted()}
    with speaking(worker, instance):
        result = job.execute_in_process(
            instance=instance,
            tags=noted,
            run_config={**QUIET, **({"ops": dict(ops)} if ops else {})},
            raise_on_error=False,
            run_id=worker.run_id,
        )
    tidy(instance, worker.run_id)
    if not result.success:
        named = "the run" if job.name.startswith("__") else f"the run of job {job.name}"
        raise MlcError(f"{named} failed: {why(result)}", cure=f"`make ui`, run {result.run_id}")
    return result


def flow_counts(flow: Flow, results: Sequence[dg.ExecuteInProcessResult]) -> FlowCounts:
    """Sums of the counts that the UI plots, over the partitions of these runs."""
    found = FlowCounts()
    for result in results:
        for event in result.all_events:
            if event.is_step_materialization and event.asset_key is not None:
                path = tuple(event.asset_key.path)
                counts = found.loaded if path == flow.key else found.prepared if path == prepared_key(flow) else None
                if counts is not None:
                    counts.update(_numbers(event))
    return found


def _numbers(event: dg.DagsterEvent) -> Counter[str]:
    values = {name: entry.value for name, entry in event.step_materialization_data.materialization.metadata.items()}
    return Counter({name: value for name, value in values.items() if isinstance(value, int | float)})


def why(result: dg.ExecuteInProcessResult) -> str:
    failures = [event.step_failure_data for event in result.all_events if event.is_step_failure]
    for failure in failures:
        if failure.user_failure_data and failure.user_failure_data.description:
            return failure.user_failure_data.description
        if failure.error:
            return failure.error.message.strip()
    return "no step failed; see the run's log"
