"""The demo's approvals of what is invoiced already: requests that name a preliminary supplier invoice of IFS."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Any
from uuid import UUID

from mlc_dagster.sandbox.airbase.api import AirbaseSandbox
from mlc_dagster.sandbox.airbase.spend import department_tag
from mlc_dagster.sandbox.ifs.api import IfsSandbox
from mlc_dagster.sandbox.seed.books import COMPANIES
from mlc_dagster.sandbox.seed.orders import rounded
from mlc_dagster.sandbox.seed.partners import DAYS, Season

SERVICES = "Services"
STATES = {"from_state": "Preliminary", "to_state": "PrelPosted"}
ACTION = "SupplierInvoice_PrelPost"
APPROVER = "Dana Field"
SUPPLIERS = slice(20, 26)
_TAX = Decimal("0.25")


def sow_approvals(airbase: AirbaseSandbox, ifs: IfsSandbox, season: Season) -> None:
    """One for each of these suppliers, whose vendors carry the ERP's number from the beginning."""
    rng = Random(20261130)
    for number, supplier in enumerate(ifs.rows("SupplierSet")[SUPPLIERS]):
        company = tuple(COMPANIES)[number % 3]
        vendor = airbase.add_vendor(name=supplier["Name"], erp_reference_id=supplier["SupplierId"])
        invoice = _invoice(season, rng, number, supplier["SupplierId"], company)
        ifs.put("SupplierInvoiceSet", invoice)
        airbase.add_request(
            airbase_id=str(UUID(int=rng.getrandbits(128), version=4)),
            request_number=f"PR-{2001 + number}",
            purchase_type=SERVICES,
            approved_date=season.moment(rng.randrange(DAYS)).removesuffix("Z"),
            approver={"name": APPROVER, "email": "dana.field@example.test"},
            vendor=vendor,
            subsidiary=company,
            invoice_number=invoice["InvoiceNo"],
            line_items=[{"description": "As invoiced", "amount": invoice["GrossAmount"], "tags": [_tag()]}],
        )


def _tag() -> dict[str, Any]:
    return department_tag("CC100", "Assembly")


def _invoice(season: Season, rng: Random, number: int, supplier: str, company: str) -> dict[str, Any]:
    decimals, day = COMPANIES[company]["decimals"], rng.randrange(DAYS)
    net = rounded(Decimal(rng.randrange(10_000, 900_000)) / 100, decimals)
    tax = rounded(net * _TAX, decimals)
    return {
        "Company": company,
        "InvoiceId": 70001 + number,
        "InvoiceNo": f"S-{2001 + number}",
        "SupplierId": supplier,
        "InvoiceDate": season.day(day).isoformat(),
        "DueDate": (season.day(day) + timedelta(days=30)).isoformat(),
        "CurrencyCode": COMPANIES[company]["currency"],
        "NetAmount": net,
        "VatAmount": tax,
        "GrossAmount": net + tax,
        "Text": "Repair as agreed",
        "ObjState": "Preliminary",
        "LastModified": season.moment(day),
        "SupplierInvoiceLines": [],
    }
