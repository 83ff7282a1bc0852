"""Good records of the ERP, the facts that make them good, and a client on the sandbox."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from mlc_dagster.core.facts import Books, CompanyMapping, Facts, LedgerAccount
from mlc_dagster.core.flows import Target
from mlc_dagster.core.outcomes import Draft, Outcome
from mlc_dagster.sandbox import Sandbox
from mlc_dagster.systems.hubspot.client import HubspotClient, classify
from mlc_dagster.systems.hubspot.mapping import company_from_supplier, invoice_from_proposal
from mlc_dagster.systems.hubspot.records import COMPANIES, Company, Invoice
from mlc_dagster.systems.ifs import records as ifs
from mlc_dagster.transport.client import ApiClient
from mlc_dagster.transport.sign_in import Bearer

EVER = datetime(1970, 1, 1, tzinfo=UTC)
UPSERT = ("POST", "/hubspot/crm/objects/2026-09/companies/batch/upsert")
SEEDED = {"hubspot/supplier_companies": {"S100": "company-1"}}


def api_on(url: str, **settings: Any) -> ApiClient:
    """Fast: what it waits for does not take time here."""
    quick: dict[str, Any] = {"sleep": lambda seconds: None, "timeout": 5.0, **settings}
    return ApiClient("hubspot", f"{url}/hubspot", auth=Bearer("pat-na1-sandbox"), classify=classify, **quick)


def client_on(box: Sandbox, options: dict[str, str] | None = None, **settings: Any) -> HubspotClient:
    return HubspotClient(api_on(box.url, **settings), options)


def save(client: HubspotClient, target: Target, *drafts: Draft) -> list[Outcome]:
    return list(client.save(target, drafts))


def calls(box: Sandbox) -> Counter[tuple[str, str]]:
    """(method, path without what all have in common) -> how often."""
    return Counter({(m, p.removeprefix("/hubspot/")): n for (m, p), n in box.calls("hubspot").items()})


def supplier(number: str = "S100", **changes: Any) -> ifs.Supplier:
    good: dict[str, Any] = {
        "supplier_id": number,
        "name": "Nordic Bolts AB",
        "country": "SE",
        "currency_code": "SEK",
        "payment_terms": "30",
        "vat_no": "SE556",
        "default_account": "4010",
        "cost_center": "CC100",
    }
    return ifs.Supplier(**{**good, **changes})


def companies(count: int, **changes: Any) -> list[Draft]:
    """New ones, numbered."""
    known = facts()
    records = [company_from_supplier(supplier(f"S{n}", name=f"Company {n}", **changes), known) for n in range(count)]
    return [Draft(record.number, record, look_since=EVER) for record in records]


def company(**changes: Any) -> Company:
    return company_from_supplier(supplier(**changes), facts())


def delivered_company(client: HubspotClient, number: str = "S100") -> str:
    """The id in HubSpot of a supplier that is there already."""
    record = company_from_supplier(supplier(number), facts())
    (outcome,) = save(client, COMPANIES, Draft(number, record, look_since=EVER))
    return str(outcome.remote_id)  # type: ignore[union-attr]


def line(row: int = 1, amount: str = "125.00", **changes: Any) -> ifs.PostingProposalLine:
    good: dict[str, Any] = {
        "row_id": row,
        "amount": Decimal(amount),
        "currency_amount": Decimal(amount),
        "quantity": Decimal(1),
        "tax_code": "V25",
        "text": f"Bolts {row}",
        "account": "4010",
        "code_b": "CC100",
    }
    return ifs.PostingProposalLine(**{**good, **changes})


def proposal(*lines: ifs.PostingProposalLine, vat: str = "31.25", **changes: Any) -> ifs.PostingProposal:
    rows = lines or (line(),)
    net = sum((row.currency_amount or Decimal(0) for row in rows), Decimal(0))
    good: dict[str, Any] = {
        "company": "0010",
        "proposal_id": 7,
        "invoice_no": "F-2026-17",
        "supplier_id": "S100",
        "invoice_date": date(2026, 11, 1),
        "due_date": date(2026, 12, 1),
        "currency_code": "SEK",
        "currency_rate": Decimal(1),
        "net_amount": net,
        "vat_amount": Decimal(vat),
        "gross_amount": net + Decimal(vat),
        "text": "November",
        "obj_state": "Balanced",
        "lines": rows,
    }
    return ifs.PostingProposal(**{**good, **changes})


def invoice(company_id: str, *lines: ifs.PostingProposalLine, **changes: Any) -> Invoice:
    delivered = {"hubspot/supplier_companies": {changes.get("supplier_id", "S100"): company_id}}
    return invoice_from_proposal(proposal(*lines, **changes), facts(delivered=delivered))


def facts(**changes: Any) -> Facts:
    known: dict[str, Any] = {
        "companies": {"0010": CompanyMapping("0010", "SEK")},
        "accounts": {("0010", "4010"): LedgerAccount("0010", "4010", "Raw materials")},
        "books": Books(has_chart=False, base_currency="SEK", currencies=frozenset({"SEK", "EUR"})),
        "options": {"invoice_status": "open", "invoice_status.Cancelled": "voided"},
        "delivered": SEEDED,
    }
    return Facts(**{**known, **changes})
