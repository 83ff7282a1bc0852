"""A small world: a sandbox, settings that fit it, a ledger and a store, and the code location on top."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from mlc_dagster.demo.place import SECRETS as SECRETS
from mlc_dagster.ledger import Ledger
from mlc_dagster.orchestration.location import build
from mlc_dagster.sandbox import Limits, Sandbox, Tenant
from mlc_dagster.settings import Environment, Settings
from mlc_dagster.systems import configuration as settings_file
from mlc_dagster_tests.conftest import copied

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
DAY = "2026-11-05"
PLENTY = Limits(cin7_calls_per_minute=100_000, ifs_requests_per_minute=100_000, procurify_requests_per_second=100_000)


def settings_for(url: str, **ifs: Any) -> Settings:
    return settings_file.parse(
        {
            "partitions_start": "2026-11-01",
            "companies": {"0010": {"currency": "SEK"}},
            "ifs": {
                "base_url": f"{url}/ifs",
                "token_url": f"{url}/ifs/auth/realms/sandbox/protocol/openid-connect/token",
                "requests_per_minute": "100000",
                **ifs,
            },
            "cin7": {
                "base_url": f"{url}/cin7/ExternalApi/v2",
                "calls_per_minute": "100000",
                "payment_terms": {"30": "30 days"},
                "tax_rules": {"V25": "Tax on Purchases", "V0": "Tax Exempt"},
            },
        },
        "mlc.yaml",
    )


@dataclass
class World:
    box: Sandbox
    settings: Settings
    environment: Environment
    instance: dg.DagsterInstance
    built: tuple[Settings, Environment, dg.Definitions] | None = None

    @property
    def defs(self) -> dg.Definitions:
        """The code location of these settings; a test that gives the world others gets another."""
        if self.built is None or self.built[:2] != (self.settings, self.environment):
            self.built = (self.settings, self.environment, build(self.settings, self.environment))
        return self.built[2]

    @property
    def ledger(self) -> Ledger:
        return Ledger.open(self.environment.database_url, self.settings.tenant)

    def chart(self) -> None:
        assert self.run("chart_of_accounts", "0010").success

    def run(
        self, job: str, start: str = DAY, end: str | None = None, only: list[str] | None = None
    ) -> dg.ExecuteInProcessResult:
        keys = [dg.AssetKey(name.split("/")) for name in only] if only else None
        tags = {"dagster/asset_partition_range_start": start, "dagster/asset_partition_range_end": end or start}
        result = self.defs.resolve_job_def(job).execute_in_process(
            instance=self.instance, tags=tags, run_config=QUIET, raise_on_error=False, asset_selection=keys
        )
        for event in result.all_events:
            if event.is_step_failure:
                print(event.step_key, event.step_failure_data.error_display_string)
        return result

    def references(self, system: str) -> dg.ExecuteInProcessResult:
        """What the SaaS keeps beside the ERP, read and checked."""
        job = self.defs.resolve_job_def(f"{system}_references")
        return job.execute_in_process(instance=self.instance, run_config=QUIET, raise_on_error=False)

    def put_supplier(self, number: str = "S1", **fields: Any) -> None:
        row = {
            "SupplierId": number,
            "Name": f"Supplier {number}",
            "Country": "SE",
            "CurrencyCode": "SEK",
            "PaymentTerms": "30",
            "Email": f"{number}@example.test",
        }
        self.box.ifs.put("SupplierSet", {**row, **fields}, modified=datetime(2026, 11, 5, 8, tzinfo=UTC))

    def put_account(self, account: str, company: str = "0010", **fields: Any) -> None:
        row = {
            "Company": company,
            "Account": account,
            "Description": f"Account {account}",
            "ValidFrom": "2015-01-01",
            "ValidUntil": "2049-12-31",
            "Blocked": False,
        }
        self.box.ifs.put("AccountSet", {**row, **fields}, modified=datetime(2026, 1, 1, tzinfo=UTC))

    def put_order(
        self,
        number: str = "P1",
        *,
        account: str = "4010",
        price: str = "10.50",
        at: datetime | None = None,
        **fields: Any,
    ) -> None:
        """An order of one line of two pieces without a part number."""
        from decimal import Decimal

        amount = Decimal(price) * 2
        line = {
            "OrderNo": number,
            "LineNo": "1",
            "ReleaseNo": "1",
            "Company": "0010",
            "PartNo": None,
            "Description": "Service",
            "BuyQtyDue": Decimal(2),
            "BuyUnitPrice": Decimal(price),
            "LineAmount": amount,
            "TaxCode": "V0",
            "Account": account,
        }
        row = {
            "OrderNo": number,
            "Company": "0010",
            "Contract": "A",
            "VendorNo": "S1",
            "OrderDate": "2026-11-04",
            "CurrencyCode": "SEK",
            "CurrencyRate": Decimal(1),
            "TotalAmount": amount,
            "ObjState": "Released",
            "PurchaseOrderLines": [line],
        }
        self.box.ifs.put("PurchaseOrderSet", {**row, **fields}, modified=at or datetime(2026, 11, 5, 9, tzinfo=UTC))

    def order_markers(self) -> list[str]:
        """Of every purchase in Cin7, the ERP's key."""
        return sorted(p["AdditionalAttributes"]["AdditionalAttribute1"] for p in self.box.cin7.purchases.values())


def check(result: dg.ExecuteInProcessResult, asset: str, name: str) -> dg.AssetCheckEvaluation:
    """The evaluation of one check of a run."""
    found = [
        evaluation
        for evaluation in result.get_asset_check_evaluations()
        if evaluation.check_name == name and evaluation.asset_key == dg.AssetKey(asset.split("/"))
    ]
    assert len(found) == 1, f"{asset} {name}: {found}"
    return found[0]


def metadata(result: dg.ExecuteInProcessResult, asset: str, partition: str = DAY) -> dict[str, Any]:
    """What the UI shows of one partition of a run."""
    (event,) = (
        event
        for event in result.asset_materializations_for_node("__".join(asset.split("/")))
        if event.partition == partition
    )
    return {name: value.value for name, value in event.metadata.items()}


@pytest.fixture
def world(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest, migrated: Path
) -> Iterator[World]:
    """One supplier, one account, one order, company 0010; parametrize indirectly with (Tenant, ifs settings)."""
    tenant, ifs = getattr(request, "param", (Tenant(), {}))
    database = f"sqlite:///{tmp_path / 'ledger.db'}"
    environment = Environment(storage=str(tmp_path / "storage"), database_url=copied(migrated, database))
    for name, value in {**SECRETS, "MLC_DATABASE_URL": environment.database_url}.items():
        monkeypatch.setenv(name, value)
    with (
        Sandbox(seed="empty", today=date(2026, 11, 20), tenant=tenant, limits=PLENTY) as box,
        dg.DagsterInstance.ephemeral() as instance,
    ):
        world = World(box, settings_for(box.url, **ifs), environment, instance)
        world.put_account("4010")
        world.put_supplier()
        box.cin7.add_account("4010", "Raw materials")
        yield world
