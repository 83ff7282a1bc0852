"""Cin7's reference books: accounts, payment terms, tax rules, locations, products."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal

from mlc_dagster.core.facts import Books
from mlc_dagster.systems.cin7.api import Cin7Api, Document
from mlc_dagster.systems.cin7.chart_records import Account

PAYABLE = "CREDITORS"
"""The system code of the one account that suppliers may be payable on; another liability account is refused."""


def read_books(api: Cin7Api, products: Mapping[str, Document]) -> Books:
    """The books as they are now, whole lists: asking for one missing account answers 400, not an empty list."""
    me = api.get("/me")
    accounts = [account for account in api.pages("/ref/account", "AccountsList") if _is_active(account)]
    taxes = [tax for tax in api.pages("/ref/tax", "TaxRuleList") if _is_on(tax) and tax.get("IsTaxForPurchase", True)]
    return Books(
        accounts=frozenset(str(account["Code"]) for account in accounts if account.get("Code")),
        payment_terms=frozenset(
            term["Name"] for term in api.pages("/ref/paymentterm", "PaymentTermList") if _is_on(term)
        ),
        tax_rules=frozenset(tax["Name"] for tax in taxes),
        tax_percents={tax["Name"]: Decimal(tax.get("TaxPercent") or 0) for tax in taxes},
        products=frozenset(products),
        product_units={sku: str(row["UOM"]) for sku, row in products.items() if row.get("UOM")},
        locations=frozenset(_locations(api)),
        payable_account=next((str(account["Code"]) for account in accounts if _is_payable(account)), ""),
        base_currency=me.get("Currency") or "",
        locked_before=lock_date(me),
    )


def read_accounts(api: Cin7Api) -> list[Account]:
    """The whole chart, archived accounts too. One without a code cannot be posted to by this API: its code is empty."""
    return [
        Account(
            code=str(row.get("Code") or ""),
            name=row.get("Name"),
            type=row.get("Type"),
            account_class=row.get("Class"),
            is_active=_is_active(row),
        )
        for row in api.pages("/ref/account", "AccountsList")
    ]


def lock_date(me: Document) -> date | None:
    """From when on documents may be changed. It is told in the account's own date format: what is not ISO is not
    guessed, and ping says so.
    """
    try:
        return date.fromisoformat(str(me.get("LockDate") or "")[:10])
    except ValueError:
        return None


def _locations(api: Cin7Api) -> Iterator[str]:
    for place in api.pages("/ref/location", "LocationList"):
        if not place.get("IsDeprecated"):
            yield place["Name"]


def _is_active(account: Document) -> bool:
    return str(account.get("Status") or "").upper() == "ACTIVE"


def _is_on(entry: Document) -> bool:
    """IsActive is left out of some answers: then the entry is active."""
    return entry.get("IsActive", True) is not False


def _is_payable(account: Document) -> bool:
    """The 2024 blueprint has the code in SystemAccount, today's in SystemAccountCode."""
    return PAYABLE in (account.get("SystemAccountCode"), account.get("SystemAccount"))
