"""A run in this process goes round Dagster's queue: it waits here for what the queue would let it wait for."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import dagster as dg
from dagster._core.storage.dagster_run import ACTIVE_RUN_STATUSES

from mlc_dagster.orchestration.liveness.workers import worker_of

POLL_SECONDS = 2.0


def wait_for_turn(job: dg.JobDefinition, instance: dg.DagsterInstance, on_wait: Callable[[str], object]) -> None:
    """Until each pool of the job has room. A run whose process is gone takes none. `on_wait` hears for whom it waits,
    once for each of them.
    """
    limits, told = _limits(job, instance), ""
    while limits and (others := list(_before(limits, instance))):
        if others[0] != told:
            told = others[0]
            on_wait(told)
        time.sleep(POLL_SECONDS)


def pools(job: dg.JobDefinition) -> set[str]:
    """The SaaS that a job writes to, and others that mlc.yaml knows nothing of."""
    return {pool for node in job.graph.iterate_op_defs() for pool in node.pools}


def _limits(job: dg.JobDefinition, instance: dg.DagsterInstance) -> dict[str, int]:
    """How many runs each of its pools takes. Empty where the instance limits steps: a step waits by itself."""
    config = instance.event_log_storage.get_pool_config()
    if config.pool_granularity is None or config.pool_granularity.value != "run":
        return {}
    own = {pool.name: pool.limit for pool in instance.event_log_storage.get_pool_limits() if not pool.from_default}
    limits = {pool: own.get(pool, config.default_pool_limit) for pool in pools(job)}
    return {pool: limit for pool, limit in limits.items() if limit is not None}


def _before(limits: dict[str, int], instance: dg.DagsterInstance) -> Iterator[str]:
    """Words on each pool that is full: which run has it."""
    runs = [run for run in instance.get_runs(dg.RunsFilter(statuses=ACTIVE_RUN_STATUSES)) if _pools_of(run)]
    for pool, limit in limits.items():
        theirs = [run for run in runs if pool in _pools_of(run)]
        if len(theirs) >= limit and len(living := [run for run in theirs if not _is_lost(run, instance)]) >= limit:
            yield f"waiting for run {living[0].run_id}, which works on {pool}"


def _pools_of(run: dg.DagsterRun) -> Any:
    return run.run_op_concurrency.all_pools or () if run.run_op_concurrency else ()


def _is_lost(run: dg.DagsterRun, instance: dg.DagsterInstance) -> bool:
    worker = worker_of(run, instance)
    return worker is not None and worker.is_there() is False
