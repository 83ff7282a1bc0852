"""Old runs go: Dagster keeps runs and their events for ever. What partitions and checks look like now stays."""

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import UTC, datetime, timedelta

import dagster as dg
from dagster import DagsterEventType, DagsterRunStatus

from mlc_dagster.orchestration.automation.leftovers import remove_check_results, remove_files
from mlc_dagster.orchestration.liveness.signs_of_life import in_process_executor
from mlc_dagster.settings import Settings
from mlc_dagster.settings.model import RetentionSettings

PURGE_JOB = "purge_runs"
ENDED = (DagsterRunStatus.SUCCESS, DagsterRunStatus.FAILURE, DagsterRunStatus.CANCELED)
AT_ONCE = 100  # runs that are listed, and looked at, together
MINUTES = 10  # that one purge takes at most; the next one goes on
OF_LOCATION = ".dagster/repository"  # the tag by which Dagster knows whose run it is
OURS = "mlc/"  # tags of the runs that `mlc replay` and `mlc apply` make
BACKFILL, BACKFILL_GOES_ON = "dagster/backfill", ("REQUESTED", "CANCELING")

Latest = Callable[[dg.AssetKey, str | None], str | None]
"""(asset, partition) -> the run that made it last, or last tried to."""


def purge_job(settings: Settings, jobs: Collection[str]) -> dg.JobDefinition:
    """`jobs`: names of the jobs of this location."""
    kept = settings.retention

    @dg.op(name="delete_runs", description=_words(kept), out=dg.Out(dg.Nothing))
    def delete_runs(context: dg.OpExecutionContext) -> None:
        mine = Runs(context.instance, context.run.tags.get(OF_LOCATION), jobs, context.log.info)
        counts = mine.purge(kept, datetime.now(UTC))
        context.add_output_metadata({name.replace("_", " "): count for name, count in counts.items()})

    @dg.job(name=PURGE_JOB, description=_words(kept), executor_def=in_process_executor)
    def purge_runs() -> None:
        delete_runs()

    return purge_runs


def purge_schedule(settings: Settings) -> dg.ScheduleDefinition:
    """Once a day, and on from the start: what nobody switches on would fill the disk."""
    at = settings.schedules.at(settings.schedules.purge_runs)
    return dg.ScheduleDefinition(
        name=PURGE_JOB,
        job_name=PURGE_JOB,
        cron_schedule=at.cron,
        execution_timezone=at.zone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=_words(settings.retention),
    )


def _words(kept: RetentionSettings) -> str:
    ended = (
        f"{_after(kept.runs_days, 'what ended well or was canceled')}, {_after(kept.failed_runs_days, 'what failed')}"
    )
    return (
        f"Deletes runs of this location with their events: {ended}. The run that made a partition last, or last tried"
        " to, stays; so does the last result of each check. See retention in mlc.yaml."
    )


def _after(days: int, whose: str) -> str:
    return f"{whose} after {days} days" if days else f"{whose} never"


class Runs:
    """The ended runs of one code location.

    `location`: the label that its runs have; runs made in a process of their own have none, and are known by their job
    or by our tags.
    """

    def __init__(
        self, instance: dg.DagsterInstance, location: str | None, jobs: Collection[str], say: Callable[[str], object]
    ) -> None:
        self._instance, self._location, self._jobs, self._say = instance, location, frozenset(jobs), say
        self._made: dict[tuple[dg.AssetKey, str | None], str | None] = {}
        self._tried: dict[tuple[dg.AssetKey, str | None], str | None] = {}

    def purge(self, kept: RetentionSettings, now: datetime, seconds: float = MINUTES * 60) -> Counter[str]:
        """Delete what is old and not needed; how many were deleted, kept, and are of other locations."""
        counts: Counter[str] = Counter(deleted=0, kept_as_the_latest_of_a_partition=0)
        until = time.monotonic() + seconds
        for page in self._old(kept, now):
            ends = [(self._end_of(run), run.run_id) for run in page]
            self._delete([run_id for end, run_id in ends if end == "deleted"])
            counts.update(end for end, _ in ends)
            if time.monotonic() > until:
                self._say(f"{seconds / 60:.0f} minutes are over: the next purge goes on")
                break
        self._say(f"{counts['deleted']} runs deleted, {counts['kept_as_the_latest_of_a_partition']} kept: see metadata")
        return counts

    def _end_of(self, run: dg.DagsterRun) -> str:
        if not self._is_ours(run):
            return "of_other_locations"
        return "kept_as_the_latest_of_a_partition" if self._is_needed(run) else "deleted"

    def _old(self, kept: RetentionSettings, now: datetime) -> Iterator[list[dg.DagsterRun]]:
        """Ended runs whose time is over, oldest first. The next ones are asked for before these are deleted."""
        ages = dict.fromkeys(ENDED, kept.runs_days) | {DagsterRunStatus.FAILURE: kept.failed_runs_days}
        before = {status: now - timedelta(days=days) for status, days in ages.items() if days}
        page = self._page(before, None) if before else ()
        while page:
            following = self._page(before, page[-1].dagster_run.run_id)
            yield [record.dagster_run for record in page if _ended_at(record) < before[record.dagster_run.status]]
            page = following

    def _page(self, before: dict[DagsterRunStatus, datetime], after: str | None) -> Sequence[dg.RunRecord]:
        only = dg.RunsFilter(statuses=list(before), created_before=max(before.values()))
        return self._instance.get_run_records(only, limit=AT_ONCE, ascending=True, cursor=after)

    def _is_ours(self, run: dg.DagsterRun) -> bool:
        if OF_LOCATION in run.tags:
            return run.tags[OF_LOCATION] == self._location
        return run.job_name in self._jobs or any(name.startswith(OURS) for name in run.tags)

    def _is_needed(self, run: dg.DagsterRun) -> bool:
        """It made a partition that no later one has made, or none has tried to since; or a backfill waits for it."""
        return self._is_awaited(run) or any(
            latest(asset, partition) == run.run_id for latest, asset, partition in self._parts(run.run_id)
        )

    def _is_awaited(self, run: dg.DagsterRun) -> bool:
        backfill = self._instance.get_backfill(run.tags[BACKFILL]) if BACKFILL in run.tags else None
        return backfill is not None and backfill.status.value in BACKFILL_GOES_ON

    def _parts(self, run_id: str) -> Iterator[tuple[Latest, dg.AssetKey, str | None]]:
        """What it made, and what it was to make."""
        kinds = {DagsterEventType.ASSET_MATERIALIZATION: self._made_by}
        kinds[DagsterEventType.ASSET_MATERIALIZATION_PLANNED] = self._tried_by
        for entry in self._instance.all_logs(run_id, of_type=set(kinds)):
            event = entry.get_dagster_event()
            if event.asset_key is not None:
                yield kinds[event.event_type], event.asset_key, event.partition

    def _made_by(self, asset: dg.AssetKey, partition: str | None) -> str | None:
        if (asset, partition) not in self._made:
            only = dg.AssetRecordsFilter(asset, asset_partitions=None if partition is None else [partition])
            found = self._instance.fetch_materializations(only, limit=1).records
            self._made[asset, partition] = found[0].run_id if found else None
        return self._made[asset, partition]

    def _tried_by(self, asset: dg.AssetKey, partition: str | None) -> str | None:
        if (asset, partition) not in self._tried:
            found = self._instance.get_latest_planned_materialization_info(asset, partition)
            self._tried[asset, partition] = found.run_id if found else None
        return self._tried[asset, partition]

    def _delete(self, run_ids: Sequence[str]) -> None:
        for run_id in run_ids:
            self._instance.delete_run(run_id)
            remove_files(self._instance, run_id)
        if run_ids:
            remove_check_results(self._instance, run_ids)


def _ended_at(record: dg.RunRecord) -> datetime:
    return datetime.fromtimestamp(record.end_time, UTC) if record.end_time else record.create_timestamp
