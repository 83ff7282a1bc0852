"""A small company whose orders of five days go to Cin7, which has no unique key: who sends twice is seen there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from mlc_dagster.orchestration.automation.running import run_job
from mlc_dagster.sandbox import Sandbox
from mlc_dagster_tests.promises.kinds import PLENTY
from mlc_dagster_tests.promises.whole import Whole

DAYS, ORDERS = 5, 8
QUICK: dict[str, Any] = {"run_monitoring": {"poll_interval_seconds": 1}}
"""Over what is shipped: how soon it is noticed."""


def days() -> list[str]:
    today = datetime.now(UTC).date()
    return [(today - timedelta(days=back)).isoformat() for back in range(DAYS, 0, -1)]


@contextmanager
def company(
    folder: Path, ledger_url: str, monkeypatch: pytest.MonkeyPatch, **instance_settings: Any
) -> Iterator[tuple[Sandbox, Whole]]:
    """The sandbox with what is to be moved, and an instance on which nothing is started yet."""
    with Sandbox(seed="empty", limits=PLENTY) as box:
        _fill(box)
        whole = Whole(folder, _settings(folder, box), ledger_url, {**QUICK, **instance_settings})
        whole.lay_out()
        for name, value in whole.environment.items():
            monkeypatch.setenv(name, value)
        try:
            yield box, whole
        finally:
            whole.kill()


def _settings(folder: Path, box: Sandbox) -> Path:
    content = {
        "partitions_start": (datetime.now(UTC).date() - timedelta(days=10)).isoformat(),
        "companies": {"0010": {"currency": "SEK"}},
        "ifs": {
            "base_url": f"{box.url}/ifs",
            "token_url": f"{box.url}/ifs/auth/realms/sandbox/protocol/openid-connect/token",
            "requests_per_minute": 100_000,
        },
        "cin7": {
            "base_url": f"{box.url}/cin7/ExternalApi/v2",
            "calls_per_minute": 100_000,
            "timeout_seconds": 4,
            "payment_terms": {"30": "30 days"},
            "tax_rules": {"V25": "Tax on Purchases", "V0": "Tax Exempt"},
        },
    }
    path = folder / "mlc.yaml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return path


def _fill(box: Sandbox) -> None:
    account = {"Company": "0010", "Account": "4010", "ValidFrom": "2015-01-01", "ValidUntil": "2049-12-31"}
    box.ifs.put("AccountSet", {**account, "Description": "4010", "Blocked": False}, modified=_at(days()[0]))
    box.cin7.add_account("4010", "Raw materials")
    supplier = {"SupplierId": "S1", "Name": "One", "Country": "SE", "CurrencyCode": "SEK", "PaymentTerms": "30"}
    box.ifs.put("SupplierSet", supplier, modified=_at(days()[0]))
    for day in days():
        for number in range(ORDERS):
            box.ifs.put("PurchaseOrderSet", _order(f"{day}-{number}"), modified=_at(day))


def _at(day: str) -> datetime:
    return datetime.fromisoformat(f"{day}T09:00:00+00:00")


def _order(number: str) -> dict[str, Any]:
    line = {
        "OrderNo": number,
        "LineNo": "1",
        "ReleaseNo": "1",
        "Company": "0010",
        "PartNo": None,
        "Description": "Service",
        "BuyQtyDue": Decimal(2),
        "BuyUnitPrice": Decimal("10.50"),
        "LineAmount": Decimal(21),
        "TaxCode": "V0",
        "Account": "4010",
    }
    return {
        "OrderNo": number,
        "Company": "0010",
        "Contract": "A",
        "VendorNo": "S1",
        "OrderDate": number[:10],
        "CurrencyCode": "SEK",
        "CurrencyRate": Decimal(1),
        "TotalAmount": Decimal(21),
        "ObjState": "Released",
        "PurchaseOrderLines": [line],
    }


def read_the_charts(whole: Whole) -> None:
    """In this process: a load needs them."""
    job = whole.definitions().resolve_job_def("chart_of_accounts")
    with whole.instance() as instance:
        run_job(job, instance, ("0010", "0010"))


def purchases(box: Sandbox) -> Counter[str]:
    """The ERP's order number -> how many purchases of Cin7 have it."""
    return Counter(each["AdditionalAttributes"]["AdditionalAttribute1"] for each in list(box.cin7.purchases.values()))


def each_order_once() -> dict[str, int]:
    return {f"0010/{day}-{number}": 1 for day in days() for number in range(ORDERS)}
