"""Dagster's own storage on PostgreSQL starts from a dagster.yaml as people write it, and runs what is asked of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from sqlalchemy import create_engine, make_url, text

import mlc_dagster

RUN = """
import json, sys
import dagster as dg

@dg.asset(partitions_def=dg.StaticPartitionsDefinition(["0010"]), check_specs=[dg.AssetCheckSpec("ok", asset="chart")])
def chart():
    return dg.MaterializeResult(metadata={"rows": 3}, check_results=[dg.AssetCheckResult(passed=True, check_name="ok")])

with dg.DagsterInstance.get() as instance:
    dg.materialize([chart], partition_key="0010", instance=instance, tags={"by": "test"})
with dg.DagsterInstance.get() as instance:
    (run,) = instance.get_runs()
    (made,) = instance.fetch_materializations(dg.AssetKey("chart"), limit=9).records
    print(json.dumps({
        "storage": type(instance.event_log_storage).__name__ + " " + type(instance.run_storage).__name__,
        "run": run.status.value, "tag": run.tags["by"], "events": len(instance.all_logs(run.run_id)) > 5,
        "rows": made.asset_materialization.metadata["rows"].value, "partition": made.partition_key,
    }))
"""
Storage = dict[str, object]
CHECKOUT = Path(mlc_dagster.__file__).parents[1]


def by_address(url: str) -> Storage:
    return {"storage": {"postgres": {"postgres_url": url}}}


def by_address_of_a_hosting_provider(url: str) -> Storage:
    return by_address(url.replace("postgresql://", "postgres://"))


def by_address_with_the_driver(url: str) -> Storage:
    return by_address(url.replace("postgresql://", "postgresql+psycopg2://"))


def by_address_in_the_environment(url: str) -> Storage:
    return {"storage": {"postgres": {"postgres_url": {"env": "DAGSTER_PG_URL"}}}}


def by_parts(url: str) -> Storage:
    return {"storage": {"postgres": {"postgres_db": _parts(url)}}}


def by_parts_with_the_driver(url: str) -> Storage:
    return {"storage": {"postgres": {"postgres_db": {**_parts(url), "scheme": "postgresql+psycopg2"}}}}


def by_the_file_for_production(url: str) -> Storage:
    found: Storage = yaml.safe_load((CHECKOUT / "deploy/dagster.yaml").read_text(encoding="utf-8"))
    return found


def each_storage_by_itself(url: str) -> Storage:
    kinds = {"run_storage": "Run", "event_log_storage": "EventLog", "schedule_storage": "Schedule"}
    modules = {"event_log_storage": "dagster_postgres.event_log"}
    return {
        name: {
            "module": modules.get(name, f"dagster_postgres.{name}"),
            "class": f"Postgres{kind}Storage",
            "config": {"postgres_db": _parts(url)},
        }
        for name, kind in kinds.items()
    }


def _parts(url: str) -> dict[str, object]:
    found = make_url(url)
    return {
        "username": {"env": "DAGSTER_PG_USERNAME"},
        "password": "",
        "hostname": "",  # the server of the tests listens on a socket alone
        "db_name": found.database,
        "params": {"host": found.query["host"], "sslmode": "prefer"},
    }


FORMS = (
    by_address,
    by_address_of_a_hosting_provider,
    by_address_with_the_driver,
    by_address_in_the_environment,
    by_parts,
    by_parts_with_the_driver,
    each_storage_by_itself,
    by_the_file_for_production,
)


@pytest.mark.parametrize("form", FORMS, ids=[form.__name__ for form in FORMS])
def test_dagster_starts_on_postgresql_from_each_form_of_its_settings_and_reads_back_what_ran(
    postgres_url: str, tmp_path: Path, form: Callable[[str], Storage]
) -> None:
    (tmp_path / "dagster.yaml").write_text(yaml.safe_dump({**form(postgres_url), "telemetry": {"enabled": False}}))
    known = {
        **os.environ,
        "DAGSTER_HOME": str(tmp_path),
        "DAGSTER_PG_URL": postgres_url,
        "DAGSTER_PG_USERNAME": str(make_url(postgres_url).username),
    }
    done = subprocess.run([sys.executable, "-c", RUN], env=known, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads(done.stdout) == {
        "storage": "PostgresEventLogStorage PostgresRunStorage",
        "run": "SUCCESS",
        "tag": "test",
        "events": True,
        "rows": 3,
        "partition": "0010",
    }
    with create_engine(postgres_url).connect() as connection:  # in PostgreSQL, whatever the instance says of itself
        events = connection.execute(text("SELECT dagster_event_type, count(*) FROM event_logs GROUP BY 1"))
        counted = {kind: number for kind, number in events if kind}
        assert connection.execute(text("SELECT status FROM runs")).scalar_one() == "SUCCESS"
    assert counted["ASSET_MATERIALIZATION"] == counted["ASSET_CHECK_EVALUATION"] == counted["PIPELINE_SUCCESS"] == 1
    assert not list(tmp_path.rglob("*.db")), "and nothing of it in a file beside"


def test_production_differs_from_the_embedded_instance_in_its_storage_alone() -> None:
    embedded = yaml.safe_load((CHECKOUT / "dagster.yaml").read_text(encoding="utf-8"))
    production = by_the_file_for_production("")
    assert {name: each for name, each in production.items() if name != "storage"} == embedded
