"""What Dagster leaves behind of a run, for which its public API has no word: names of 1.13, held by tests."""

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable as Executions

COMPLETED, PLANNED = ("SUCCEEDED", "FAILED"), "PLANNED"


def remove_files(instance: dg.DagsterInstance, run_id: str) -> None:
    """What its steps printed; on SQLite also the file of its events, which Dagster only empties."""
    instance.compute_log_manager.delete_logs(prefix=[run_id])
    for path in _files(_storage(instance), run_id):
        path.unlink(missing_ok=True)


def remove_check_results(instance: dg.DagsterInstance, run_ids: Collection[str]) -> None:
    """Results of checks in these runs, but for the last of each check and partition: Dagster keeps them for ever."""
    newer = Executions.alias()
    later = newer.select().where(
        newer.c.asset_key == Executions.c.asset_key,
        newer.c.check_name == Executions.c.check_name,
        newer.c.partition.is_not_distinct_from(Executions.c.partition),
        newer.c.id > Executions.c.id,
    )
    told_since = later.where(newer.c.execution_status.in_(COMPLETED)).exists()
    never_told = (Executions.c.execution_status == PLANNED) & later.exists()
    with _storage(instance).index_connection() as connection:
        connection.execute(Executions.delete().where(Executions.c.run_id.in_(list(run_ids)), told_since | never_told))


def remove_told_plans(instance: dg.DagsterInstance, run_id: str) -> None:
    """That a check was to be made for a partition, where this run has made it.

    Of a check in the step of a partitioned asset Dagster plans one row for each partition, and writes what came of it
    into a row of its own, of no partition: each run would leave lines for ever that say "skipped".
    """
    told: dict[dg.AssetKey, set[str]] = {}
    for entry in instance.all_logs(run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION):
        made = entry.get_dagster_event().asset_check_evaluation_data
        told.setdefault(made.asset_key, set()).add(made.check_name)
    with _storage(instance).index_connection() as connection:
        for asset, checks in told.items():
            of_it = (Executions.c.asset_key == asset.to_string()) & Executions.c.check_name.in_(sorted(checks))
            its_plans = of_it & (Executions.c.run_id == run_id) & (Executions.c.execution_status == PLANNED)
            connection.execute(Executions.delete().where(its_plans))


def _files(storage: Any, run_id: str) -> Iterator[Path]:
    if path_of := getattr(storage, "path_for_shard", None):
        shard = Path(path_of(run_id))
        yield from (shard.with_name(f"{shard.name}{end}") for end in ("", "-wal", "-shm", "-journal"))


def _storage(instance: dg.DagsterInstance) -> Any:
    """Where events are; `storage: {sqlite: ...}` in dagster.yaml puts a wrapper before it."""
    found = instance.event_log_storage
    return getattr(getattr(found, "_storage", None), "event_log_storage", found)
