"""Approved requests and payments of Airbase become journal entries of IFS. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import msgspec

from mlc_dagster.core.facts import Facts
from mlc_dagster.rules.chart_agreement import subsidiary_of
from mlc_dagster.systems.airbase.spend.dimensions import dimensions, posted_lines, value_of
from mlc_dagster.systems.airbase.spend.line_amounts import Money, amounts_by_line, total_of
from mlc_dagster.systems.airbase.spend.records import Payment, PurchaseRequest, Spend, SpendLine
from mlc_dagster.systems.ifs.entry_records import JournalEntry, JournalEntryLine

BILL_PAYMENT = "bill_payment"
REQUEST, PAYMENT = "airbase-request-", "airbase-payment-"
"""What the external references of vouchers begin with."""


def entry_from_request(request: PurchaseRequest, facts: Facts) -> JournalEntry:
    """An approved request is an expense on the account of its lines or purchase type, against the accrual account."""
    company = company_of(request, facts)
    total = total_of(request, facts.companies.get(company))
    return _entry(
        facts.reference(REQUEST, request.id),
        f"Airbase request {request.number or request.id}",
        request,
        request.approved_date,
        [*expenses(request, facts), _posted(facts.options.get("accrual_account") or None, _reversed(total))],
        facts,
    )


def entry_from_payment(payment: Payment, facts: Facts) -> JournalEntry:
    """A payment is a debit of what it pays, or of its lines where it pays no other entry, against the bank."""
    total = total_of(payment, facts.companies.get(company_of(payment, facts)))
    debits = [_posted(debit_account(payment, facts), total)] if settles(payment, facts) else expenses(payment, facts)
    return _entry(
        facts.reference(PAYMENT, payment.id),
        f"Airbase {(payment.type or 'payment').replace('_', ' ')} {payment.invoice_number or payment.id}",
        payment,
        payment.payment_entry_date or payment.entry_date,
        [*debits, _posted(credit_account(payment, facts), _reversed(total))],
        facts,
    )


def _entry(
    reference: str, text: str, document: Spend, on: date | None, lines: Sequence[JournalEntryLine], facts: Facts
) -> JournalEntry:
    return JournalEntry(
        external_ref=reference,
        company=company_of(document, facts),
        currency=document.currency,
        text=text,
        voucher_type=facts.options.get("voucher_type", "M"),
        voucher_date=on,
        user_group=facts.options.get("user_group") or None,
        lines=tuple(
            msgspec.structs.replace(line, currency_code=document.currency) for line in lines if line.currency_amount
        ),
    )


# --- companies and accounts -------------------------------------------------------------------------------------------


def company_of(document: Spend, facts: Facts) -> str:
    """The ERP's company of a subsidiary; empty where none or several of mlc.yaml stand for it."""
    wanted = document.subsidiary or ""
    found = [code for code in facts.companies if subsidiary_of(code, facts.companies) == wanted]
    return found[0] if len(found) == 1 else ""


def line_account(document: Spend, line: SpendLine, facts: Facts) -> str | None:
    """The account that the line names, else that of the purchase type."""
    if line.account:
        return facts.account_in_erp(line.account)
    return facts.table("accounts_by_purchase_type").get(getattr(document, "purchase_type", None) or "")


def settles(payment: Payment, facts: Facts) -> bool:
    """Whether it pays what another entry has booked: its lines are that entry's, and its total alone is posted."""
    return payment.type == BILL_PAYMENT or bool(payment.applied_to) or payment.type in facts.table("debit_accounts")


def debit_account(payment: Payment, facts: Facts) -> str | None:
    """That of the type, else the payable account that Airbase names, else the one of mlc.yaml."""
    theirs = facts.account_in_erp(payment.ap_account) if payment.ap_account else facts.options.get("ap_account")
    return facts.table("debit_accounts").get(payment.type or "") or theirs or None


def credit_account(payment: Payment, facts: Facts) -> str | None:
    """That of the type, else the bank's by mlc.yaml, else the code that Airbase gives the bank account."""
    banks = facts.table("bank_accounts")
    named = [banks[name] for name in (payment.bank_account, payment.bank_name) if name and name in banks]
    theirs = facts.account_in_erp(payment.bank_account) if payment.bank_account else None
    return facts.table("credit_accounts").get(payment.type or "") or next(iter(named), theirs)


# --- lines ------------------------------------------------------------------------------------------------------------


def expenses(document: Spend, facts: Facts) -> list[JournalEntryLine]:
    """A debit for each line, on its account and dimensions. A document without lines has one."""
    amounts = amounts_by_line(document, facts.companies.get(company_of(document, facts)))
    return [
        _posted(
            line_account(document, line, facts),
            amount,
            line.description,
            {f"code_{part.lower()}": value_of(tag, facts) for part, tag in dimensions(document, line, facts)},
        )
        for line, amount in zip(posted_lines(document), amounts, strict=True)
    ]


def _posted(
    account: str | None, money: Money, text: str | None = None, coded: Mapping[str, str | None] | None = None
) -> JournalEntryLine:
    """Debit what is above zero, credit what is below: a refund stands on the other side."""
    home = money.home
    return JournalEntryLine(
        account=account,
        **(coded or {}),
        debit_amount=home if home is not None and money.own > 0 else None,
        credit_amount=-home if home is not None and money.own < 0 else None,
        currency_amount=money.own,
        text=text,
    )


def _reversed(money: Money) -> Money:
    return Money(-money.own, None if money.home is None else -money.home)
