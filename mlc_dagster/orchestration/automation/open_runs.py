"""What the runs that have not ended are to make: what one of them makes is not asked for a second time."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import dagster as dg

from mlc_dagster.orchestration.automation.running import RANGE

PARTITION = "dagster/partition"
FINISHED = (dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)
OPEN = [status for status in dg.DagsterRunStatus if status not in FINISHED]


class OpenRuns:
    """As the instance knows them now. `repository`: what a run of a whole job makes."""

    def __init__(self, instance: dg.DagsterInstance, repository: dg.RepositoryDefinition | None = None) -> None:
        self._runs = list(instance.get_runs(dg.RunsFilter(statuses=OPEN)))
        self._repository = repository
        self._made = [(self._keys(run), *_span(run)) for run in self._runs]

    def tagged(self, tag: str) -> int:
        """How many bear the tag."""
        return sum(tag in run.tags for run in self._runs)

    def makes(self, key: tuple[str, ...], partition: str) -> bool:
        """Whether one of them makes this partition of the asset."""
        asset = dg.AssetKey(key)
        return any(first <= partition <= last for keys, first, last in self._made if asset in keys)

    def _keys(self, run: dg.DagsterRun) -> Collection[dg.AssetKey]:
        if run.asset_selection:
            return run.asset_selection
        if self._repository is None or not self._repository.has_job(run.job_name):
            return ()
        return self._repository.get_job(run.job_name).asset_layer.selected_asset_keys


def _span(run: dg.DagsterRun) -> tuple[str, str]:
    """The first and the last of its partitions; of a run that has none, none."""
    one = run.tags.get(PARTITION, "")
    return run.tags.get(f"{RANGE}start", one), run.tags.get(f"{RANGE}end", one)


def partitions_of(run: dg.DagsterRun, known: Collection[str]) -> Iterator[str]:
    """Those of the known partitions that a run is of."""
    first, last = _span(run)
    yield from (partition for partition in sorted(known) if first and first <= partition <= last)
