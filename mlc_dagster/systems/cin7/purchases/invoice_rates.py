"""The rate of an invoice in Cin7: each has its own, which nobody can set (measured), so it is read back and judged."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from mlc_dagster.core.amounts import round_half_up, times
from mlc_dagster.core.outcomes import Disagreement
from mlc_dagster.systems.cin7.account_rules import AccountRules
from mlc_dagster.systems.cin7.api import Document, same_id
from mlc_dagster.systems.cin7.records import PurchaseInvoice

OTHER_RATE = "other_rate"
"""The kind of difference: goods are valued in Cin7 at another rate than in the ERP."""


def known_rate(document: PurchaseInvoice, account: AccountRules) -> Decimal | None:
    """The ERP's rate of a document in a foreign currency; None where there is none, or nothing to judge."""
    is_foreign = bool(document.currency) and document.currency != account.base_currency
    return (document.currency_rate or document.erp_rate) if is_foreign else None


def valued_otherwise(
    document: PurchaseInvoice, purchase: Document, task_id: str, account: AccountRules
) -> Iterator[Disagreement]:
    """Where the invoice's rate is further off the ERP's than mlc.yaml allows: both, and what that comes to."""
    ours = known_rate(document, account)
    invoice: Document = next(
        (each for each in purchase.get("Invoice") or () if same_id(each.get("TaskID"), task_id)), {}
    )
    told = invoice.get("CurrencyRate") or purchase.get("CurrencyRate")
    if ours is None or not isinstance(told, Decimal | int):
        return
    theirs = Decimal(told)
    if abs(theirs - ours) > times(ours, account.rate_tolerance):
        worth = round_half_up(times(document.net() + document.tax(), theirs - ours), 2)
        yield Disagreement(OTHER_RATE, "CurrencyRate", f"{ours:f}", f"{theirs:f}", f"{worth:f}", account.base_currency)
