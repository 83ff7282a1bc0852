"""What must be true of Airbase's spend before it enters the ERP's books."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from mlc_dagster import rules
from mlc_dagster.core.facts import Facts
from mlc_dagster.core.flows import Problem
from mlc_dagster.core.vocabulary import key_text
from mlc_dagster.rules.problems import problem
from mlc_dagster.systems.airbase.spend import amortization, dimensions, line_amounts, settlement, vouchers
from mlc_dagster.systems.airbase.spend.entry_types import OWED, is_like_a_transfer, kind_of, transfer_sides
from mlc_dagster.systems.airbase.spend.records import Payment
from mlc_dagster.systems.airbase.spend.vouchers import PAYMENTS_FLOW


def subsidiary_is_a_company(source: Any, target: Any, facts: Facts) -> Problem | None:
    """The record's subsidiary stands for one company that mlc.yaml lists."""
    if target.company:
        return None
    named = source.subsidiary or ""
    reason = f"Subsidiary {named or '(none)'} stands for no single company of mlc.yaml."
    cure = f"Set companies.<code>.airbase.subsidiary to {named!r} for one, or correct the record in Airbase."
    return Problem("subsidiary_is_a_company", f"{reason} {cure}", named)


def purchase_type_has_an_account(source: Any, target: Any, facts: Facts) -> Problem | None:
    """Every line names an account, or its purchase type has one in mlc.yaml."""
    kind, failures = source.purchase_type or "", list(_ambiguous(source, facts))
    needed = not source.lines or any(not line.account for line in source.lines)
    if needed and kind not in facts.table("accounts_by_purchase_type"):
        cure = "Add it to airbase.accounts_by_purchase_type in mlc.yaml, or name an account on each line in Airbase."
        failures.append((kind, f"Purchase type {kind or '(none)'} has no account. {cure}"))
    return problem("purchase_type_has_an_account", failures)


def _ambiguous(source: Any, facts: Facts) -> Iterator[tuple[str, str]]:
    for number, line in enumerate(source.lines, 1):
        if line.account and facts.account_in_erp(line.account) is None:
            several = "stands for several accounts of the ERP by airbase.gl_accounts in mlc.yaml. Leave one."
            yield line.account, f"line {number}: account {line.account} {several}"


def payment_has_its_accounts(source: Payment, target: Any, facts: Facts) -> Problem | None:
    """It is known which account a payment debits, and which bank account it credits."""
    return problem("payment_has_its_accounts", list(_sides_missing(source, facts)))


def _sides_missing(source: Payment, facts: Facts) -> Iterator[tuple[str, str]]:
    kind, named = kind_of(source, facts), source.type or "(no type)"
    if not vouchers.settles(source, facts):
        yield from _ambiguous(source, facts)
        for number, line in enumerate(source.lines, 1):
            if not line.account:
                yield "", f"line {number} names no account. Enter one in Airbase."
    elif not vouchers.debit_account(source, facts):
        cure = f"Set airbase.ap_account, or airbase.debit_accounts.{named}, in mlc.yaml."
        yield named, f"A {named} has no account to debit. {cure}"
    if kind in OWED and not vouchers.owed_account(source, facts):
        cure = f"Set airbase.credit_accounts.{named} in mlc.yaml, or the payable account of the entry in Airbase."
        yield named, f"A {named} has no account of what is owed. {cure}"
    if kind not in {*OWED, "transfer"} and not vouchers.credit_account(source, facts):
        bank = " ".join(each for each in (source.bank_account, source.bank_name) if each) or "no bank account"
        cure = f"Add it to airbase.bank_accounts, or set airbase.credit_accounts.{named}, in mlc.yaml."
        yield source.bank_account or source.bank_name or named, f"{named} of {bank}: no account to credit. {cure}"


def transfer_is_no_expense(source: Payment, target: Any, facts: Facts) -> Problem | None:
    """What moves between two accounts is entered as that: two lines, of which one is 0, are never an expense."""
    if kind_of(source, facts) == "transfer":
        return None if transfer_sides(source) else _transfer(source, _NO_TRANSFER)
    if is_like_a_transfer(source) and not vouchers.settles(source, facts):
        return _transfer(source, _LIKE_ONE.format(type=source.type or "its type"))
    return None


_LIKE_ONE = (
    "Of its two lines one is 0: so Airbase records transfers between accounts. Set airbase.types: "
    "{{{type}: transfer}} in mlc.yaml; or release this hold where it is an expense."
)
_NO_TRANSFER = "A transfer has two lines of which one is 0, and this has not. Correct airbase.types in mlc.yaml."


def _transfer(source: Payment, reason: str) -> Problem:
    amounts = ", ".join(f"{line.account or '(no account)'} {line.amount}" for line in source.lines[:5])
    return Problem("transfer_is_no_expense", f"{reason} Found: {amounts or 'no lines'}.", source.type or "")


def paid_bill_is_in_the_erp(source: Payment, target: Any, facts: Facts) -> Problem | None:
    """What a payment pays is in the ERP's books before it."""
    if not vouchers.settles(source, facts) or facts.options.get("bills_elsewhere") == "true":
        return None
    if facts.remote_id(PAYMENTS_FLOW, key_text(source.id)):
        return None  # it was entered before
    if not source.applied_to:
        return Problem("paid_bill_is_in_the_erp", f"It does not say which bill it pays. {_ELSEWHERE}")
    lacking = [each for each in source.applied_to if not vouchers.voucher_of(each, facts)]
    reasons = [(each, f"It pays {each}, and no voucher of that is in the ERP. {_BILL_FIRST}") for each in lacking]
    return problem("paid_bill_is_in_the_erp", reasons)


def settlement_is_entered(source: Payment, target: Any, facts: Facts) -> Problem | None:
    """What left the bank is the total, or in the company's currency, where an exchange difference has its account."""
    company = facts.companies.get(target.company)
    if company is None or kind_of(source, facts) == "transfer":
        return None
    fault = settlement.settlement_fault(source, company, facts)
    cure = "Set airbase.exchange_difference_account in mlc.yaml; or correct it in Airbase; or enter it by hand."
    return Problem("settlement_is_entered", f"{fault} {cure}") if fault else None


def amortization_is_decided(source: Payment, target: Any, facts: Facts) -> Problem | None:
    """It is decided what becomes of lines that are an expense over time, line by line."""
    how = facts.options.get(amortization.AMORTIZATION, "hold")
    if how == "expense" or vouchers.settles(source, facts) or vouchers.voucher_of(source.id, facts):
        return None
    return problem("amortization_is_decided", list(_undecided(source, how, facts)))


def _undecided(source: Payment, how: str, facts: Facts) -> Iterator[tuple[str, str]]:
    for number, line in enumerate(dimensions.posted_lines(source), 1):
        if amortization.is_amortized(source, line) and not amortization.prepaid_account(source, line, facts):
            start, end = amortization.days(source, line)
            named = f"line {number}, {line.amount}, is an expense from {start or '?'} to {end or '?'}"
            lacking = "Airbase names no amortization account" if how == "prepaid" else "airbase.amortization is hold"
            cure = "prepaid debits the account that Airbase names, expense the whole at once."
            yield source.amortization_account or "", f"{named}, and {lacking}. In mlc.yaml {cure}"


_ELSEWHERE = "Where bills reach the ERP another way, set airbase.bills_elsewhere: true in mlc.yaml."
_BILL_FIRST = f"Map the bill's type in airbase.types, or see why it is held; this follows by itself. {_ELSEWHERE}"


def dimensions_are_mapped(source: Any, target: Any, facts: Facts) -> Problem | None:
    """Every tag's label is a code part or ignored in mlc.yaml, and every tag of a code part stands for one value."""
    found = list(_dimensions(source, facts))
    return problem("dimensions_are_mapped", found)


def _dimensions(source: Any, facts: Facts) -> Iterator[tuple[str, str]]:
    if isinstance(source, Payment) and vouchers.settles(source, facts):
        return
    for tag in dimensions.unmapped(source, facts):
        label = (tag.group or "").strip()
        named = f"Tag {tag.name or tag.code or '(no name)'} of {label or '(no label)'} would be missing in the voucher."
        cure = f"Name {label or 'its label'} under airbase.dimensions in mlc.yaml, or under airbase.ignored_tags."
        yield label, f"{named} {cure}"
    for number, line in enumerate(dimensions.posted_lines(source), 1):
        tags = list(dimensions.dimensions(source, line, facts))
        for part, count in Counter(part for part, _ in tags).items():
            if count > 1:
                yield part, f"line {number} has {count} tags for code part {part}. Leave one in Airbase."
        for part, tag in tags:
            if not dimensions.value_of(tag, facts):
                named = f"line {number}: tag {tag.name or '(no name)'} of {tag.group}"
                why = "is not in airbase.cost_centers" if facts.table("cost_centers") else "has no ERP reference"
                cure = f"Add it by {f'reference ({tag.code}) or ' if tag.code else ''}name to airbase.cost_centers"
                yield tag.name or part, f"{named} {why}. {cure} in mlc.yaml."


def lines_make_the_total(source: Any, target: Any, facts: Facts) -> Problem | None:
    """The lines add up to the total, but for what rounding leaves over, which the largest line takes."""
    if isinstance(source, Payment) and vouchers.settles(source, facts):
        return None  # part of a bill may be paid: what counts is the total
    unknown = [number for number, line in enumerate(source.lines, 1) if line.amount is None]
    if unknown:
        return Problem("lines_make_the_total", f"Line {unknown[0]} has no amount. Enter it in Airbase.")
    company = facts.companies.get(target.company)
    if line_amounts.is_rounding(line_amounts.with_difference(source, company, facts), company):
        return None
    rest = line_amounts.difference(source)
    reason = f"The total is {source.total_amount}, and the lines make {source.total_amount - rest}"
    return Problem("lines_make_the_total", f"{reason}: {rest} between them. {_DIFFERENCE}")


_DIFFERENCE = (
    "Correct it in Airbase; or, where it is rounding or withholding, set airbase.payable_difference_account and "
    "payable_difference_most in mlc.yaml."
)


def company_amount_is_known(source: Any, target: Any, facts: Facts) -> Problem | None:
    """What a record in a foreign currency comes to in its company's currency, Airbase says itself."""
    company = facts.companies.get(target.company)
    if company is None:
        return None
    given, currency = source.subsidiary_amount, source.subsidiary_currency
    total = line_amounts.total_of(source, company)
    if line_amounts.is_foreign(source, company):
        if total.home is None:
            found = f"{given} {currency}" if given is not None else "none"
            reason = f"It is in {source.currency}, company {company.code} keeps its books in {company.currency}"
            cure = "Enter the voucher by hand, and discard this hold; or let Airbase state it (airbase.fields)."
            return _no_rate(f"{reason}, and Airbase states no amount in that currency (found: {found}). {cure}")
        if (total.own < 0) != (total.home < 0) and total.home:
            return _no_rate(f"{total.own} {source.currency} and {given} {currency} have different signs.")
    elif given is not None and currency == company.currency and given != source.total_amount:
        reason = f"The total is {source.total_amount} {source.currency}, and {given} in the subsidiary's own currency"
        return _no_rate(f"{reason}, which is the same. Correct it in Airbase.")
    return None


def voucher_balances(source: Any, target: Any, facts: Facts) -> Problem | None:
    if lines_make_the_total(source, target, facts) or company_amount_is_known(source, target, facts):
        return None  # then it cannot, and the reason is there already
    return rules.voucher_balances(source, target, facts)


voucher_balances.__doc__ = rules.voucher_balances.__doc__


def _no_rate(reason: str) -> Problem:
    return Problem("company_amount_is_known", reason)


def voucher_is_in_the_ledger(source: Any, target: Any, facts: Facts) -> Problem | None:
    """The ERP has the voucher of what is acknowledged, and nothing of it is on hold."""
    if target.voucher:
        return None
    reason = "The ERP does not have its voucher, or it is on hold. Load it; the acknowledgement follows by itself."
    return Problem("voucher_is_in_the_ledger", reason)
