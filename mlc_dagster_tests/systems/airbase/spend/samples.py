"""Good requests and payments, and the facts that make them good."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from mlc_dagster.core.facts import Books, CodePart, CompanyMapping, Facts, LedgerAccount
from mlc_dagster.systems.airbase.settings import AirbaseSettings
from mlc_dagster.systems.airbase.spend.records import Payment, PurchaseRequest, SpendLine, Tag

DAY = date(2026, 11, 5)
COMPANIES = {
    "0010": CompanyMapping("0010", "SEK"),
    "20": CompanyMapping("20", "JPY", 0, names={"subsidiary": "JP"}),
    "0030": CompanyMapping("0030", "KWD", 3),
}
ASSEMBLY = Tag(group="Department", code="CC100", name="Assembly")


def spend_facts(**settings: Any) -> Facts:
    """As mlc.yaml and the ERP's books make them."""
    usual: dict[str, Any] = {
        "accrual_account": "2990",
        "accounts_by_purchase_type": {"Software": "5420"},
        "ap_account": "2440",
        "payment_types": ["bill_payment"],
        "bills_elsewhere": True,
    }
    section = AirbaseSettings.model_validate({**usual, **settings})
    accounts = ("1930", "2440", "2890", "2990", "4010", "5420", "5800")
    return Facts(
        companies=COMPANIES,
        accounts={(company, code): LedgerAccount(company, code) for company in COMPANIES for code in accounts},
        code_parts={(company, "B", "CC100"): CodePart() for company in COMPANIES},
        books=Books(has_chart=False, currencies=frozenset({"EUR"})),
        gl_accounts=section.gl_accounts,
        options=section.options(),
        tables=section.tables(),
    )


def spend_line(amount: str | None = "100.00", **changes: Any) -> SpendLine:
    good: dict[str, Any] = {"number": 1, "description": "Licences", "tags": (ASSEMBLY,)}
    return SpendLine(amount=None if amount is None else Decimal(amount), **{**good, **changes})


def request(*lines: SpendLine, **changes: Any) -> PurchaseRequest:
    rows = lines or (spend_line(),)
    good: dict[str, Any] = {
        **_spend(rows),
        "number": "PR-1",
        "status": "approved",
        "purchase_type": "Software",
        "approved_date": DAY,
    }
    return PurchaseRequest(**{**good, **changes})


def payment(*lines: SpendLine, **changes: Any) -> Payment:
    rows = lines or (spend_line(account="4010"),)
    good: dict[str, Any] = {
        **_spend(rows),
        "status": "sync_ready",
        "type": "bill_payment",
        "payment_entry_date": DAY,
        "bank_account": "1930",
    }
    return Payment(**{**good, **changes})


def _spend(lines: tuple[SpendLine, ...]) -> dict[str, Any]:
    total = sum((line.amount or Decimal(0) for line in lines), Decimal(0))
    return {"id": "a-1", "subsidiary": "0010", "currency": "SEK", "total_amount": total, "lines": lines}
