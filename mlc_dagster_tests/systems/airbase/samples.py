"""Good records of the ERP, the facts that make them good, and a client on the sandbox."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from mlc_dagster.core.facts import Books, CompanyMapping, Facts, LedgerAccount
from mlc_dagster.core.flows import Target
from mlc_dagster.core.outcomes import Draft, Outcome
from mlc_dagster.sandbox import Sandbox
from mlc_dagster.systems.airbase.api import classify, signature
from mlc_dagster.systems.airbase.client import AirbaseClient
from mlc_dagster.systems.airbase.endpoints import Endpoints
from mlc_dagster.systems.airbase.mapping import order_from_order, vendor_from_supplier
from mlc_dagster.systems.airbase.settings import AirbaseSettings
from mlc_dagster.systems.ifs import records as ifs
from mlc_dagster.transport.client import ApiClient

EVER = datetime(1970, 1, 1, tzinfo=UTC)
TOKEN = "sandbox-airbase-token"


def client_on(
    box: Sandbox, scheme: str = "Token", sleep: Callable[[float], None] = lambda seconds: None, **endpoints: Any
) -> AirbaseClient:
    """Fast: what it waits for does not take time here."""
    api = ApiClient(
        "airbase",
        f"{box.url}/airbase",
        auth=signature("Authorization", scheme, TOKEN),
        classify=classify,
        proof=AirbaseSettings.model_fields["proof"].default,
        sleep=sleep,
        timeout=5.0,
    )
    return AirbaseClient(api, Endpoints(**endpoints))


def save(client: AirbaseClient, target: Target, *drafts: Draft) -> dict[str, Outcome]:
    """Key -> its outcome; each draft has exactly one."""
    outcomes = list(client.save(target, drafts))
    assert len(outcomes) == len({outcome.draft.key for outcome in outcomes}) == len(drafts)
    return {outcome.draft.key: outcome for outcome in outcomes}


def supplier(number: str = "S100", **changes: Any) -> ifs.Supplier:
    good: dict[str, Any] = {"name": f"Nordic Bolts {number}", "email": "ap@nordic.example", "blocked": False}
    return ifs.Supplier(supplier_id=number, **{**good, **changes})


def order_line(number: str = "1", **changes: Any) -> ifs.PurchaseOrderLine:
    good: dict[str, Any] = {
        "description": "Bolt M8",
        "buy_qty_due": Decimal("100"),
        "buy_unit_price": Decimal("1.25"),
        "line_amount": Decimal("125.00"),
        "account": "4010",
    }
    return ifs.PurchaseOrderLine(line_no=number, release_no="1", **{**good, **changes})


def order(number: str = "P1", *lines: ifs.PurchaseOrderLine, **changes: Any) -> ifs.PurchaseOrder:
    rows = lines or (order_line(), order_line("2", buy_qty_due=None, buy_unit_price=None, account="4200"))
    good: dict[str, Any] = {
        "company": "0010",
        "vendor_no": "S100",
        "order_date": date(2026, 11, 5),
        "currency_code": "SEK",
        "total_amount": sum((line.line_amount or Decimal(0) for line in rows), Decimal(0)),
        "notes": "Back door",
        "obj_state": "Released",
        "lines": rows,
    }
    return ifs.PurchaseOrder(order_no=number, **{**good, **changes})


def facts(**changes: Any) -> Facts:
    known: dict[str, Any] = {
        "companies": {"0010": CompanyMapping("0010", "SEK")},
        "accounts": {("0010", code): LedgerAccount("0010", code) for code in ("4010", "4200")},
        "books": Books(accounts=frozenset({"4010", "4200"}), subsidiaries=frozenset({"0010"})),
    }
    return Facts(**{**known, **changes})


def vendor_draft(number: str = "S100", remote_id: str | None = None, **changes: Any) -> Draft:
    record = vendor_from_supplier(supplier(number, **changes), facts())
    return Draft(record.key, record, remote_id, None if remote_id else EVER)


def order_draft(vendor_id: str, number: str = "P1", remote_id: str | None = None, **changes: Any) -> Draft:
    lines = changes.pop("lines", ())
    known = facts(delivered={"airbase/vendors": {"S100": vendor_id}})
    record = order_from_order(order(number, *lines, **changes), known)
    return Draft(record.key, record, remote_id, None if remote_id else EVER)
