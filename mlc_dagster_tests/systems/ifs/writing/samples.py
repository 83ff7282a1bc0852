"""Documents on their way into the ERP's books, and what saves them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from mlc_dagster.core.flows import Target
from mlc_dagster.core.outcomes import Draft, Outcome
from mlc_dagster.sandbox import Sandbox
from mlc_dagster.systems.ifs.entry_records import Invoice, JournalEntry, JournalEntryLine, PayableLine, Proposal
from mlc_dagster_tests.systems.ifs.conftest import TEN, client_of

EVER = datetime(1970, 1, 1, tzinfo=UTC)


def put_books(box: Sandbox) -> None:
    """A chart, a cost centre and a supplier."""
    for account in ("4010", "2440", "1930"):
        box.ifs.put("AccountSet", {"Company": "0010", "Account": account}, TEN)
    box.ifs.put("CodePartValueSet", {"Company": "0010", "CodePart": "B", "CodePartValue": "CC100"}, TEN)
    box.ifs.put("SupplierSet", {"SupplierId": "S1", "Name": "Nordic Bolts", "CurrencyCode": "SEK"}, TEN)
    box.forget_calls()


def invoice(number: str = "INV-1", ref: str = "procurify-bill-1", **changes: Any) -> Invoice:
    good: dict[str, Any] = {
        "external_ref": ref,
        "company": "0010",
        "supplier_id": "S1",
        "invoice_no": number,
        "invoice_date": date(2026, 11, 5),
        "due_date": date(2026, 12, 5),
        "currency": "SEK",
        "net_amount": Decimal("100.00"),
        "vat_amount": Decimal("25.00"),
        "gross_amount": Decimal("125.00"),
        "lines": (
            PayableLine(amount=Decimal("60.00"), account="4010", code_b="CC100", text="Bolts"),
            PayableLine(amount=Decimal("40.00"), account="4010", code_b="CC100"),
        ),
    }
    return Invoice(**{**good, **changes})


def proposal(ref: str = "procurify-po-7", amount: str = "500.00", **changes: Any) -> Proposal:
    good: dict[str, Any] = {
        "external_ref": ref,
        "company": "0010",
        "supplier_id": "S1",
        "po_reference": "PF7",
        "dated": date(2026, 11, 4),
        "currency": "SEK",
        "net_amount": Decimal(amount),
        "vat_amount": Decimal(0),
        "gross_amount": Decimal(amount),
        "lines": (PayableLine(amount=Decimal(amount), account="4010"),),
    }
    return Proposal(**{**good, **changes})


def entry(ref: str = "airbase-request-1", amount: str = "10.05", **changes: Any) -> JournalEntry:
    good: dict[str, Any] = {
        "external_ref": ref,
        "company": "0010",
        "currency": "SEK",
        "voucher_type": "M",
        "voucher_date": date(2026, 11, 5),
        "text": "Airbase PR-1",
        "lines": (
            JournalEntryLine(account="4010", debit_amount=Decimal(amount)),
            JournalEntryLine(account="2440", credit_amount=Decimal(amount)),
        ),
    }
    return JournalEntry(**{**good, **changes})


def draft(record: Any, remote_id: str | None = None, *, delivered: bool = False) -> Draft:
    return Draft(record.external_ref, record, remote_id, None if remote_id else EVER, delivered)


def save(box: Sandbox, target: Target, *drafts: Draft, **options: Any) -> list[Outcome]:
    """By a client of its own: what one has learned of the tenant, the next does not know."""
    client = client_of(box, **options)
    try:
        return list(client.save(target, drafts))
    finally:
        client.close()


def live(box: Sandbox, name: str) -> list[dict[str, Any]]:
    return [row for row in box.ifs.rows(name) if row["ObjState"] != "Cancelled"]
