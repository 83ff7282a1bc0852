"""The demo's Cin7: books that nearly fit the ERP's, suppliers entered by hand, and its part of mlc.yaml."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mlc_dagster.sandbox.cin7.api import Cin7Sandbox
from mlc_dagster.sandbox.ifs.api import IfsSandbox
from mlc_dagster.sandbox.seed.books import (
    ACCOUNTS,
    BLOCKED,
    COMPANIES,
    EXPIRED,
    GL_ACCOUNTS,
    INACTIVE_TERM,
    PAYMENT_TERMS,
    TAX_PERCENT,
    TAX_RULES,
)
from mlc_dagster.sandbox.seed.orders import unit_of
from mlc_dagster.sandbox.seed.partners import Season
from mlc_dagster.sandbox.seed.texts import PARTS, part_name

UNITS = {"pcs": "Item", "m": "Meter"}
DEMO_CIN7: dict[str, Any] = {
    "calls_per_minute": "60",
    "location": "Main Warehouse",
    "attribute_set": "IFS",
    "external_key": "AdditionalAttribute1",
    "tax_rule": "Tax Exempt",
    "payment_terms": {**PAYMENT_TERMS, INACTIVE_TERM: "15 days"},
    "tax_rules": dict(TAX_RULES),
    "gl_accounts": dict(GL_ACCOUNTS),
    "units": dict(UNITS),
    "supplier_details": "true",
}
BY_HAND = slice(60, 68)
"""Which of the ERP's suppliers stand there under the same name."""


def sow_cin7(cin7: Cin7Sandbox, season: Season, ifs: IfsSandbox) -> None:
    """Draws no random number."""
    _sow_books(cin7)
    _sow_suppliers(cin7, ifs.rows("SupplierSet")[BY_HAND])


def _sow_books(cin7: Cin7Sandbox) -> None:
    """Nearly all of what the ERP knows: some accounts and parts are missing, one term is not active."""
    books = cin7.books
    for code, name in ACCOUNTS.items():
        kind = {"1": "CURRENT", "2": "CURRLIAB", "3": "REVENUE"}.get(code[0], "EXPENSE")
        books.add_account(GL_ACCOUNTS.get(code, code), name, kind=kind)
    for code in (BLOCKED, EXPIRED):
        books.add_account(code, "Closed in the ERP")
    books.add_account("6980", "Old suspense", status="ARCHIVED")
    for code, name in PAYMENT_TERMS.items():
        books.add_payment_term(name, int(code))
    books.add_payment_term("15 days", 15, active=False)
    for code, name in TAX_RULES.items():
        books.add_tax_rule(name, TAX_PERCENT[code])
    for company in COMPANIES.values():
        for location in company.get("sites", {"": company["location"]}).values():
            books.add_location(location, is_default=location == "Main Warehouse")
    for part in PARTS:
        books.add_product(part, part_name(part), unit=UNITS[unit_of(part)])


def _sow_suppliers(cin7: Cin7Sandbox, rows: Iterable[dict[str, Any]]) -> None:
    """Cin7 has these under the same name, entered by hand: they are adopted, not doubled."""
    for row in rows:
        cin7.add_supplier(
            Name=row["Name"],
            Currency=row["CurrencyCode"],
            PaymentTerm=PAYMENT_TERMS[row["PaymentTerms"]],
            TaxRule="Tax Exempt",
            AccountPayable="800",
            Comments="Entered by hand",
            Contacts=[{"Name": "Front desk", "Phone": "08-123 45", "Default": True}],
        )
