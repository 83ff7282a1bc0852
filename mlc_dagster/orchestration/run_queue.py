"""Dagster's run queue, in which a pool has its limit from its first run on."""

from dagster import DagsterRun
from dagster._core.run_coordinator import QueuedRunCoordinator as DagstersOwn
from dagster._core.run_coordinator import SubmitRunContext


class QueuedRunCoordinator(DagstersOwn):
    """Dagster's own gives a pool its default limit when it first meets it in the queue, and lets pass what is there."""

    def submit_run(self, context: SubmitRunContext) -> DagsterRun:
        """A run is in the queue only after its pools are known."""
        asked, pools = context.dagster_run.run_op_concurrency, self._instance.event_log_storage
        new = set(asked.all_pools or () if asked else ())
        for pool in new - pools.get_concurrency_keys() if new else ():
            pools.initialize_concurrency_limit_to_default(pool)
        return super().submit_run(context)
