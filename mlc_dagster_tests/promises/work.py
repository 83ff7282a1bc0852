"""What victims do: functions of plain arguments, each in a process of its own."""

from __future__ import annotations

import os
import time
from pathlib import Path

from mlc_dagster.core.errors import TransientError
from mlc_dagster.ledger import Ledger
from mlc_dagster.systems.hubspot.api import classify
from mlc_dagster.systems.hubspot.client import HubspotClient
from mlc_dagster.transport.client import ApiClient
from mlc_dagster.transport.sign_in import Bearer
from mlc_dagster_tests.promises.quick import COMPANIES, companies, deliver

LEASE, BUDGET, LIMIT, PERIOD = "load of a victim", "budget of a victim", 5, 0.4


def companies_client(url: str) -> HubspotClient:
    return HubspotClient(ApiClient("hubspot", f"{url}/hubspot", auth=Bearer("pat-na1-sandbox"), classify=classify))


def deliver_companies(url: str, database: str, count: int) -> int:
    """Load so many companies into HubSpot; how many were delivered now."""
    with Ledger.open(database) as ledger:
        return deliver(ledger, COMPANIES, companies(range(count)), companies_client(url)).delivered


def hold_everything(database: str, seconds: float) -> None:
    """Take the lease and all slots of the budget, in turns, without an end."""
    with Ledger.open(database) as ledger:
        budget = ledger.budget(BUDGET, LIMIT, PERIOD)
        while True:
            with ledger.lease(LEASE, "victim", seconds=seconds):
                print("held", flush=True)
                for _ in range(LIMIT):
                    budget.take()
                time.sleep(0.01)


def write_without_an_end(database: str) -> None:
    """Hold the ledger's own write lock, as a process that is killed in mid-transaction does."""
    with Ledger.open(database) as ledger:
        ledger.budget(BUDGET, LIMIT, PERIOD)
        with ledger._database.writing() as connection:
            connection.exec_driver_sql("UPDATE budgets SET paused_until = 9e9")
            print("held", flush=True)
            time.sleep(600)


def run_job(config: str, database: str, storage: str, job: str, day: str, home: str = "") -> bool:
    """A run of the code location's own job for one day, on the instance in `home` if any; whether it succeeded."""
    import dagster as dg

    from mlc_dagster.demo.place import SECRETS
    from mlc_dagster.orchestration.location import build
    from mlc_dagster.systems import configuration as settings

    os.environ.update(SECRETS, MLC_DATABASE_URL=database)
    found = build(settings.load(Path(config)), settings.Environment(storage=storage, database_url=database))
    tags = {"dagster/asset_partition_range_start": day, "dagster/asset_partition_range_end": day}
    with dg.DagsterInstance.from_config(home) if home else dg.DagsterInstance.ephemeral() as instance:
        result = found.resolve_job_def(job).execute_in_process(instance=instance, tags=tags, raise_on_error=False)
        return result.success


def mlc(database: str, *words: str) -> None:
    """The command line as a person has it, on this ledger; what it says stands in the child's output."""
    from mlc_dagster.cli.app import app

    os.environ["MLC_DATABASE_URL"] = database
    app(list(words), standalone_mode=False)


ROWS = 500


def write_rows(database: str, storage: str, asset: str, partition: str) -> None:
    """Replace a partition again and again, each time by so many other rows."""
    import pyarrow as pa

    from mlc_dagster.orchestration.storage.row_store import RowStore

    with Ledger.open(database) as ledger:
        store, turn = RowStore(storage, ledger.stored), 0
        while True:
            turn += 1
            rows = pa.RecordBatch.from_pydict({"row": [f"{turn}.{number}" for number in range(ROWS)]})
            store.write(tuple(asset.split("/")), partition, rows.schema, [rows])
            print("wrote", flush=True)


def write_slowly(database: str, flow: str, idle_seconds: int, seconds: float) -> None:
    """Lock the flow's trail in a transaction, and say nothing to the database for so long; then write."""
    from mlc_dagster.ledger import Run, postgresql
    from mlc_dagster.ledger.records.trail import Trail

    postgresql.IDLE_SECONDS = idle_seconds
    with Ledger.open(database) as ledger, ledger._database.writing() as connection:
        trail = Trail(connection, flow, Run("slow"))
        print("held", flush=True)
        time.sleep(seconds)
        trail.add([])
        connection.exec_driver_sql("SELECT 1")


def ask_and_weigh(url: str) -> tuple[str, float]:
    """What was told, and the most memory that this process had, in megabytes."""
    import resource

    with ApiClient("ifs", url, random=lambda: 0.0) as api:
        try:
            api.request("GET", "/rows")
            told = "nothing"
        except TransientError as error:
            told = error.message
    return told, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
