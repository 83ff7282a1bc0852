"""Lines whose amount becomes an expense over time: each by its own days, else by those of its entry. Pure.

Recorded entries have an amortization account with a start and an end; the days may differ by line while the entry has
none. Whether `is_amortized` says so is not known: the days and the account decide.
"""

from __future__ import annotations

from datetime import date

from mlc_dagster.core.facts import Facts
from mlc_dagster.systems.airbase.spend.records import Payment, Spend, SpendLine

AMORTIZATION = "amortization"


def is_amortized(document: Spend, line: SpendLine) -> bool:
    """By its own days; where no line has any, by the entry's days or account."""
    if line.amortization_start or line.amortization_end:
        return True
    if not isinstance(document, Payment) or any(
        each.amortization_start or each.amortization_end for each in document.lines
    ):
        return False
    return bool(document.amortization_start or document.amortization_end or document.amortization_account)


def prepaid_account(document: Spend, line: SpendLine, facts: Facts) -> str | None:
    """The account that the line debits until it is an expense; None where it is one at once, or Airbase names none."""
    if facts.options.get(AMORTIZATION) != "prepaid" or not is_amortized(document, line):
        return None
    named = document.amortization_account if isinstance(document, Payment) else None
    return facts.account_in_erp(named) if named else None


def prepaid_text(document: Spend, line: SpendLine) -> str:
    """What the person who releases it must know: the account of the expense, and its days."""
    start, end = days(document, line)
    return f"{line.description or 'Prepaid'} ({line.account or 'no account'}, {start or '?'} to {end or '?'})"


def days(document: Spend, line: SpendLine) -> tuple[date | None, date | None]:
    """(first, last) day of the expense, as far as Airbase says."""
    if line.amortization_start or line.amortization_end or not isinstance(document, Payment):
        return line.amortization_start, line.amortization_end
    return document.amortization_start, document.amortization_end
