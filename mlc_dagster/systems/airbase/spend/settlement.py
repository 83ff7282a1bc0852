"""What left the bank beside what a payment was entered at: the exchange difference between them. Pure.

`settlement_amount` was recorded as a member of each entry's amounts; what it means is read from its name.
"""

from __future__ import annotations

from decimal import Decimal

from mlc_dagster.core.amounts import round_half_up
from mlc_dagster.core.facts import CompanyMapping, Facts
from mlc_dagster.systems.airbase.spend.line_amounts import NOTHING, Money, is_foreign, total_of
from mlc_dagster.systems.airbase.spend.records import Payment

EXCHANGE_DIFFERENCES = "exchange_difference_account"


def settled(payment: Payment, company: CompanyMapping | None) -> Money:
    """The total as it left the bank: in the company's currency what was settled, where Airbase says it."""
    total = total_of(payment, company)
    if company is None or not _is_in_home(payment, company):
        return total
    return Money(total.own, round_half_up(payment.settlement_amount or NOTHING, company.decimals))


def exchange_difference(payment: Payment, company: CompanyMapping | None) -> Decimal:
    """What was settled less what the payment is entered at, in the company's currency; above zero: a loss."""
    entered, paid = total_of(payment, company).home, settled(payment, company).home
    return NOTHING if entered is None or paid is None else paid - entered


def settlement_fault(payment: Payment, company: CompanyMapping, facts: Facts) -> str:
    """Why the settlement cannot be entered; empty where it can, or where there is none."""
    amount, currency = payment.settlement_amount, payment.settlement_currency
    if amount is None:
        return ""
    total, named = total_of(payment, company).own, f"{amount} {currency or '(no currency)'}"
    if currency not in (payment.currency, company.currency):
        return f"It was settled with {named}, and is in {payment.currency}: the books are in {company.currency}."
    if not is_foreign(payment, company) or currency != company.currency:
        return "" if amount == total else f"It was settled with {named}, and its total is {total} in that currency."
    if not amount or (amount < 0) != (total < 0):
        return f"It was settled with {named}, and its total is {total} {payment.currency}: other signs."
    rest = exchange_difference(payment, company)
    if rest and not facts.options.get(EXCHANGE_DIFFERENCES):
        return f"It was settled with {named}, {rest} beside what it is entered at, and that has no account."
    return ""


def _is_in_home(payment: Payment, company: CompanyMapping) -> bool:
    """Whether it was settled in the company's currency, of which the total is not."""
    known = payment.settlement_amount is not None and payment.settlement_currency == company.currency
    return known and is_foreign(payment, company)
