"""C51: a week of changes with all six systems in shadow: nothing is written anywhere, and every difference is told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml

from mlc_dagster.demo.place import SECRETS, raise_limits
from mlc_dagster.ledger import Ledger
from mlc_dagster.orchestration.assets.guarding import stored
from mlc_dagster.orchestration.automation.replaying import flows_on
from mlc_dagster.orchestration.automation.running import run_job
from mlc_dagster.orchestration.location import build
from mlc_dagster.orchestration.storage.row_store import RowStore
from mlc_dagster.sandbox import Sandbox
from mlc_dagster.sandbox.seed.start import demo_settings
from mlc_dagster.settings import Environment, Settings
from mlc_dagster.systems import configuration as settings_file
from mlc_dagster_tests.promises.kinds import PLENTY

DAYS = 7


@dataclass
class Week:
    """Seven days of the demo's companies, up to today."""

    box: Sandbox
    settings: Settings
    environment: Environment
    instance: dg.DagsterInstance

    def run(self) -> None:
        """Everything, as the schedules would: charts, references, then each job over the week."""
        defs = build(self.settings, self.environment)
        today = datetime.now(UTC).date()
        days = ((today - timedelta(days=DAYS - 1)).isoformat(), today.isoformat())
        companies = (min(self.settings.companies), max(self.settings.companies))
        run_job(defs.resolve_job_def("chart_of_accounts"), self.instance, companies)
        for job in sorted(job.name for job in defs.jobs or []):
            if job in self.settings.targets:
                run_job(defs.resolve_job_def(job), self.instance, days)
            elif job.endswith("_by_company"):
                run_job(defs.resolve_job_def(job), self.instance, companies)

    def writes(self) -> dict[str, int]:
        return {system: len(self.box.journal(system)) for system in self.box.systems}

    def ready(self) -> set[tuple[str, str]]:
        """(flow, key) of all that is ready to be loaded, in any partition."""
        store = RowStore(self.environment.storage)
        return {
            (name, one.key)
            for name, flow in flows_on(self.settings).items()
            for partition in store.partitions((*flow.key[:-1], f"{flow.key[-1]}_prepared"))
            for one in stored(store, flow, partition)
        }

    def told(self) -> list[tuple[str, str]]:
        with Ledger.open(self.environment.database_url) as ledger:
            return [(each.flow, each.key) for each in ledger.shadow.read(limit=None)]


@pytest.fixture
def week(tmp_path: Path, ledger_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Week]:
    for name, value in {**SECRETS, "MLC_DATABASE_URL": ledger_url}.items():
        monkeypatch.setenv(name, value)
    with Sandbox(seed="demo", limits=PLENTY) as box, dg.DagsterInstance.ephemeral() as instance:
        content: dict[str, Any] = demo_settings(box.url)
        raise_limits(content)
        for system in settings_file.connections():
            content[system]["mode"] = "shadow"
        file = tmp_path / "mlc.yaml"
        file.write_text(yaml.safe_dump(content))
        environment = Environment(storage=str(tmp_path / "rows"), database_url=ledger_url)
        yield Week(box, settings_file.load(file), environment, instance)


@pytest.mark.promise("C51", "a week of the demo's records through all flows of six systems, all in shadow", times=DAYS)
def test_c51_a_week_in_shadow_writes_nothing_and_tells_every_difference_once(week: Week) -> None:
    week.run()

    assert week.writes() == dict.fromkeys(week.box.systems, 0)
    told, ready = week.told(), week.ready()
    assert sorted(told) == sorted(ready) and len(told) > 300, "each difference once"
    assert len({flow for flow, _ in told}) >= 10, "of most flows"
    with Ledger.open(week.environment.database_url) as ledger:
        assert not any(ledger.remote_ids(name) for name in flows_on(week.settings))

    week.run()
    assert week.told() == told and week.writes() == dict.fromkeys(week.box.systems, 0), "the same again tells nothing"

    number = next(key for flow, key in told if flow == "hubspot/supplier_companies")
    row = next(row for row in week.box.ifs.rows("SupplierSet") if row["SupplierId"] == number)
    week.box.ifs.put("SupplierSet", {**row, "Name": "Renamed in shadow AB"}, modified=datetime.now(UTC))
    week.run()
    new = week.told()[len(told) :]
    assert {key for _, key in new} == {number} and ("hubspot/supplier_companies", number) in new
    assert week.writes() == dict.fromkeys(week.box.systems, 0)
