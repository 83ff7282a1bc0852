"""Good records of the ERP, the facts that make them good, and a client on the sandbox."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from mlc_dagster.core.facts import Books, CompanyMapping, Facts, LedgerAccount
from mlc_dagster.core.flows import Target
from mlc_dagster.core.outcomes import Draft, Outcome
from mlc_dagster.sandbox import Sandbox
from mlc_dagster.systems.cin7.client import Cin7Client, classify, signature
from mlc_dagster.systems.ifs import records as ifs
from mlc_dagster.transport.client import ApiClient

EVER = datetime(1970, 1, 1, tzinfo=UTC)
TODAY = datetime.now(UTC).date()


def api_on(url: str, **settings: Any) -> ApiClient:
    """Fast: what it waits for does not take time here."""
    quick: dict[str, Any] = {"sleep": lambda seconds: None, "timeout": 5.0, **settings}
    return ApiClient(
        "cin7",
        f"{url}/cin7/ExternalApi/v2",
        auth=signature("sandbox-account", "sandbox-key-1"),
        classify=classify,
        **quick,
    )


def client_on(box: Sandbox, **settings: Any) -> Cin7Client:
    return Cin7Client(api_on(box.url, **settings))


def save(client: Cin7Client, target: Target, *drafts: Draft) -> list[Outcome]:
    return list(client.save(target, drafts))


def supplier(**changes: Any) -> ifs.Supplier:
    good: dict[str, Any] = {
        "supplier_id": "S100",
        "name": "Nordic Bolts AB",
        "country": "SE",
        "currency_code": "SEK",
        "payment_terms": "30",
        "email": "orders@nordic.example",
        "vat_no": "SE556",
        "blocked": False,
        "notes": "Since 1998",
    }
    return ifs.Supplier(**{**good, **changes})


def order_line(number: str = "1", **changes: Any) -> ifs.PurchaseOrderLine:
    good: dict[str, Any] = {
        "line_no": number,
        "release_no": "1",
        "part_no": "BOLT-8",
        "description": "Bolt M8",
        "buy_qty_due": Decimal("100"),
        "buy_unit_price": Decimal("1.25"),
        "line_amount": Decimal("125.00"),
        "tax_code": "V25",
        "account": "4010",
    }
    return ifs.PurchaseOrderLine(**{**good, **changes})


def order(*lines: ifs.PurchaseOrderLine, **changes: Any) -> ifs.PurchaseOrder:
    rows = lines or (order_line(), service_line())
    good: dict[str, Any] = {
        "order_no": "P1",
        "company": "0010",
        "vendor_no": "S100",
        "order_date": TODAY,
        "wanted_receipt_date": date(2026, 12, 1),
        "currency_code": "SEK",
        "currency_rate": Decimal(1),
        "total_amount": sum((line.line_amount or Decimal(0) for line in rows), Decimal(0)),
        "notes": "Deliver to the back door",
        "obj_state": "Released",
        "lines": rows,
    }
    return ifs.PurchaseOrder(**{**good, **changes})


def service_line(number: str = "2", **changes: Any) -> ifs.PurchaseOrderLine:
    """A line without a part."""
    good = {"part_no": None, "description": "Half day training", "buy_qty_due": None, "buy_unit_price": None}
    return order_line(number, **{**good, "line_amount": Decimal("300.00"), "account": "4200", **changes})


def proposal_line(row: int = 1, **changes: Any) -> ifs.PostingProposalLine:
    good: dict[str, Any] = {
        "row_id": row,
        "amount": Decimal("125.00"),
        "currency_amount": Decimal("125.00"),
        "tax_code": "V25",
        "text": "Bolts",
        "account": "4010",
    }
    return ifs.PostingProposalLine(**{**good, **changes})


def proposal(*lines: ifs.PostingProposalLine, **changes: Any) -> ifs.PostingProposal:
    good: dict[str, Any] = {
        "company": "0010",
        "proposal_id": 7,
        "invoice_no": "F-2026-17",
        "supplier_id": "S100",
        "invoice_date": TODAY,
        "due_date": date(2026, 12, 31),
        "currency_code": "SEK",
        "currency_rate": Decimal(1),
        "net_amount": Decimal("125.00"),
        "vat_amount": Decimal("31.25"),
        "gross_amount": Decimal("156.25"),
        "text": "November",
        "obj_state": "Open",
        "lines": lines or (proposal_line(),),
    }
    return ifs.PostingProposal(**{**good, **changes})


def facts(books: Books | None = None, *, delivered: dict[str, dict[str, str]] | None = None, **changes: Any) -> Facts:
    accounts = [LedgerAccount("0010", code) for code in ("4010", "4200")]
    known: dict[str, Any] = {
        "companies": {"0010": CompanyMapping("0010", "SEK")},
        "accounts": {(account.company, account.code): account for account in accounts},
        "books": books or BOOKS,
        "payment_terms": {"30": "30 days"},
        "tax_rules": {"V25": "Tax on Purchases"},
        "options": {
            "location": "Main Warehouse",
            "attribute_set": "IFS",
            "external_key": "AdditionalAttribute1",
            "tax_rule": "Tax Exempt",
            "invoice_status": "DRAFT",
        },
        "delivered": delivered if delivered is not None else {"cin7/suppliers": {"S100": "sup-1"}},
    }
    return Facts(**{**known, **changes})


BOOKS = Books(
    accounts=frozenset({"4010", "4200", "800"}),
    payment_terms=frozenset({"30 days"}),
    tax_rules=frozenset({"Tax Exempt", "Tax on Purchases"}),
    tax_percents={"Tax Exempt": Decimal(0), "Tax on Purchases": Decimal(25)},
    products=frozenset({"BOLT-8"}),
    locations=frozenset({"Main Warehouse"}),
    supplier_currency={"sup-1": "SEK"},
    payable_account="800",
    base_currency="SEK",
)
