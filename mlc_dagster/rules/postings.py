"""What must be true of what enters the ERP's books: dimensions, balance, period, supplier, currency, and only once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from mlc_dagster.core.facts import CodePart, Facts
from mlc_dagster.core.flows import Problem
from mlc_dagster.rules.problems import problem

TABLES = "code_part_tables"
"""Code part -> where mlc.yaml names its values, of the SaaS that it comes from."""


class Dimension(NamedTuple):
    """A line's wish to be posted under a value of a code part."""

    company: str
    part: str  # B to J
    value: str
    on: date | None
    line: str


def code_parts_exist(source: Any, target: Any, facts: Facts) -> Problem | None:
    """Every cost centre and other dimension exists in the ERP, and is open on the posting date."""
    return problem(
        "code_parts_exist", [(each.value, why) for each in target.dimensions() if (why := _why(each, facts))]
    )


def _why(each: Dimension, facts: Facts) -> str:
    named = f"{f'line {each.line}: ' if each.line else ''}code part {each.part} {each.value} of company {each.company}"
    known = facts.code_parts.get((each.company, each.part, each.value))
    table = facts.table(TABLES).get(each.part, "")
    if known is None:
        return (
            f"{named} is not in the ERP. Create it there, or correct {table or 'the table that names it'} in mlc.yaml."
        )
    if known.blocked:
        return f"{named} is blocked in the ERP. Unblock it, or name another one{f' by {table}' if table else ''}."
    return _when(named, known, each.on)


def _when(named: str, known: CodePart, on: date | None) -> str:
    if on and known.valid_from and on < known.valid_from:
        return f"{named} is valid from {known.valid_from}, and the posting date is {on}. Correct one of them."
    if on and known.valid_until and on > known.valid_until:
        return f"{named} was valid until {known.valid_until}, and the posting date is {on}. Correct one of them."
    return ""


def voucher_balances(source: Any, target: Any, facts: Facts) -> Problem | None:
    """Debit equals credit, in the company's currency, and something is posted at all."""
    rows = list(target.lines)
    debit = sum((row.debit_amount or Decimal(0) for row in rows), Decimal(0))
    credit = sum((row.credit_amount or Decimal(0) for row in rows), Decimal(0))
    if not rows or not (debit or credit):
        return Problem("voucher_balances", "There is nothing to post: no row has an amount. Discard this hold.")
    if debit == credit:
        return None
    return Problem(
        "voucher_balances",
        f"Debit {debit} and credit {credit} differ by {debit - credit}. Correct the amounts at their source.",
    )


def company_amount_is_known(source: Any, target: Any, facts: Facts) -> Problem | None:
    """Every row has its amount in the company's currency: one in another currency never stands for it."""
    failures = [
        (
            row.currency_code or "",
            f"row {row.row_no} is {row.currency_amount} {row.currency_code or '(no currency)'}, and has neither debit "
            "nor credit in the company's currency. Complete it in the ERP.",
        )
        for row in source.lines
        if row.currency_amount and row.debit_amount is None and row.credit_amount is None
    ]
    return problem("company_amount_is_known", failures)


def period_is_open(source: Any, target: Any, facts: Facts) -> Problem | None:
    """The posting date is in a period that is open, by closed_until and open_until of the company in mlc.yaml."""
    company, on = facts.companies.get(target.company), target.posted_on()
    if company is None:
        return None
    if on is None:
        return Problem("period_is_open", "There is no posting date. Enter one at its source.")
    if company.closed_until and on <= company.closed_until:
        reason = f"{on} is in a closed period: company {target.company} is closed until {company.closed_until}."
        return Problem("period_is_open", f"{reason} Date it later, or move closed_until in mlc.yaml.", str(on))
    if company.open_until and on > company.open_until:
        reason = f"{on} is not open yet: company {target.company} is open until {company.open_until}."
        return Problem("period_is_open", f"{reason} Date it earlier, or move open_until in mlc.yaml.", str(on))
    return None


def supplier_exists(source: Any, target: Any, facts: Facts) -> Problem | None:
    """The record's supplier is one of the ERP's, and not blocked."""
    if not target.supplier_id:
        reason = f"{target.supplier_named or 'The vendor'} stands for no supplier of the ERP yet."
        return Problem("supplier_exists", f"{reason} Load the vendors; this record follows by itself.", "")
    known = facts.books.suppliers.get(target.supplier_id)
    if known is None:
        reason = f"The ERP has no supplier {target.supplier_id} ({target.supplier_named or 'no name'})."
        return Problem(
            "supplier_exists", f"{reason} Create it, or correct the vendor's external id.", target.supplier_id
        )
    if known.blocked:
        reason = f"Supplier {target.supplier_id} {known.name} is blocked in the ERP."
        return Problem("supplier_exists", f"{reason} Unblock it, or discard this hold.", target.supplier_id)
    return None


def currency_is_known(source: Any, target: Any, facts: Facts) -> Problem | None:
    """The currency is one that the ERP keeps: a company's own, or one of ifs.currencies in mlc.yaml."""
    known = {company.currency for company in facts.companies.values()} | facts.books.currencies
    if target.currency in known:
        return None
    if not target.currency:
        return Problem("currency_is_known", "The record has no currency. Enter one at its source.")
    reason = f"Currency {target.currency} is not known (known: {', '.join(sorted(known))}). Add it to ifs.currencies."
    return Problem("currency_is_known", reason, target.currency)


def not_posted_already(source: Any, target: Any, facts: Facts) -> Problem | None:
    """No other document of the ERP stands under the same company, supplier and invoice number."""
    there = facts.books.posted.get(target.identity())
    if there is None or there.external_ref == target.external_ref or target.is_the_same_as(there):
        return None
    company, supplier, number = target.identity()
    origin = f"from {there.external_ref}" if there.external_ref else "entered by hand"
    reason = f"Invoice {number} of supplier {supplier} is in company {company} already: {there.number}, {origin}"
    figures = f"{there.gross} {there.currency}; this one is {target.gross_amount} {target.currency}"
    return Problem("not_posted_already", f"{reason}, {figures}. Discard this hold, or correct the number.", number)


def may_be_there_already(source: Any, target: Any, facts: Facts) -> Problem | None:
    """No voucher that was typed in within five days has the same amount and names the same document."""
    named = [each for each in facts.books.alike.get(target.external_ref, ()) if each.named]
    if not named:
        return None
    shown = " and ".join(f"{each.number} of {each.on}" for each in named)
    reason = f"The ERP has {shown} over {named[0].amount}, which names {named[0].named} as this one does"
    cure = "and was not entered from here. If it is the same, discard this hold; if not, release it."
    return Problem("may_be_there_already", f"{reason}, {cure}", named[0].number)


def dimensions_of(company: str, line: Any, on: date | None, named: str) -> Iterator[Dimension]:
    """The code parts that a line is coded with."""
    for part in "BCDEFGHIJ":
        if value := getattr(line, f"code_{part.lower()}"):
            yield Dimension(company, part, value, on, named)
