"""The demo's Airbase: a subsidiary for each company, nearly all of the chart, vendors entered by hand, and spend."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

from mlc_dagster.sandbox.airbase.api import AirbaseSandbox
from mlc_dagster.sandbox.airbase.seed_approvals import SERVICES, STATES, sow_approvals
from mlc_dagster.sandbox.airbase.seed_spend import sow_spend
from mlc_dagster.sandbox.ifs.api import IfsSandbox
from mlc_dagster.sandbox.seed.books import ACCOUNTS, BLOCKED, COMPANIES, EXPIRED
from mlc_dagster.sandbox.seed.partners import Season

DEMO_AIRBASE: dict[str, Any] = {
    "payments_into_ifs": "true",
    "requests_per_minute": "300",
    "create_suppliers_in_ifs": "true",
    "paths": {
        "purchase_requests": "/v1/accounting/purchase_requests/",
        "purchase_orders": "/v1/accounting/purchase_orders/",
        "purchase_orders_bulk": "/v1/accounting/purchase_orders/bulk_upsert/",
        "bills": "/v1/accounting/bills/",
        "bills_bulk": "/v1/accounting/bills/bulk_upsert/",
    },
    "types": {
        "bill": "bill",
        "reimbursement": "reimbursement",
        "bill_payment": "payment",
        "reimbursement_payment": "payment",
        "card_transaction": "card",
        "bill_payment_load": "transfer",
        "bill_payment_unload": "transfer",
    },
    "ignored_tags": ["Channel"],
    "failed_status": "sync_failed",
    "accounts_by_purchase_type": {"Software": "5420", "Travel": "5800", "Office": "6110", "Marketing": "4200"},
    "purchase_types": {SERVICES: {"into": "invoice_state", **STATES}},
    "accrual_account": "2440",
    "ap_account": "2440",
    "credit_accounts": {"reimbursement": "2440", "card_transaction": "1930"},
    "acknowledge": {"requests": {"status": "sync_complete", "erp_reference_id": "{voucher}"}},
}
ONLY_IN_AIRBASE = {"9100": "Card spend, unassigned", "": "Out of pocket"}
NOT_IN_AIRBASE = ("7510",)
INACTIVE = "7010"
BY_HAND = slice(70, 76)
NEW_VENDORS = ("Cloudberry Software AB", "Nordic Fair Stands AB", "Ginza Print K.K.", "Souk Catering W.L.L.")
AMBIGUOUS = "Twin Goods AB"
"""Two suppliers of the ERP have this name."""


def sow_airbase(airbase: AirbaseSandbox, season: Season, ifs: IfsSandbox) -> None:
    """Some accounts are missing on either side, one is not active; some vendors have no key of the ERP yet."""
    suppliers = ifs.rows("SupplierSet")
    for company, each in COMPANIES.items():
        airbase.add_subsidiary(company, f"Company {company}", each["currency"])
    for code, name in ACCOUNTS.items():
        if code not in NOT_IN_AIRBASE:
            airbase.add_account(code, name, active=code != INACTIVE)
    for code in (BLOCKED, EXPIRED):
        airbase.add_account(code, "Closed in the ERP")
    for code, name in ONLY_IN_AIRBASE.items():
        airbase.add_account(code, name, subsidiaries=("0010",) if code else ())
    by_hand = [
        airbase.add_vendor(name=name, email="entered.by.hand@example.test")
        for name in (*(supplier["Name"] for supplier in suppliers[BY_HAND]), *NEW_VENDORS, AMBIGUOUS)
    ]
    season.flawed("vendor: name of two suppliers", AMBIGUOUS)
    sow_approvals(airbase, ifs, season)
    sow_spend(airbase, replace(season, rng=Random(20261126)), by_hand)
