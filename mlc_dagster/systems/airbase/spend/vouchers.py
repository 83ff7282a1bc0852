"""Approved requests and payments of Airbase become journal entries of IFS. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal

import msgspec

from mlc_dagster.core.facts import CompanyMapping, Facts
from mlc_dagster.core.stakes import document_key
from mlc_dagster.core.vocabulary import key_text, plain
from mlc_dagster.rules.chart_agreement import subsidiary_of
from mlc_dagster.systems.airbase.spend.amortization import prepaid_account, prepaid_text
from mlc_dagster.systems.airbase.spend.dimensions import dimensions, posted_lines, value_of
from mlc_dagster.systems.airbase.spend.entry_types import LISTED, kind_of
from mlc_dagster.systems.airbase.spend.line_amounts import Money, amounts_by_line, total_of, with_difference
from mlc_dagster.systems.airbase.spend.records import Payment, PurchaseRequest, Spend, SpendLine
from mlc_dagster.systems.airbase.spend.settlement import EXCHANGE_DIFFERENCES, exchange_difference, settled
from mlc_dagster.systems.ifs.entry_records import JournalEntry, JournalEntryLine

REQUESTS_FLOW, PAYMENTS_FLOW = "ifs/vouchers_from_airbase_requests", "ifs/vouchers_from_airbase_payments"
BILLS_FLOW = "ifs/vouchers_from_airbase_bills"
INVOICES_OUT_FLOW = "airbase/supplier_invoices"
"""The ERP's own invoices, on their way out: what comes back of them is entered already."""
BILL_PAYMENT = "bill_payment"
REQUEST, PAYMENT, BILL = "airbase-request-", "airbase-payment-", "airbase-bill-"
"""What the external references of vouchers begin with."""
MARKS = (REQUEST, PAYMENT, BILL)


def entry_from_request(request: PurchaseRequest, facts: Facts) -> JournalEntry:
    """An approved request is an expense on the account of its lines or purchase type, against the accrual account."""
    company = company_of(request, facts)
    total = total_of(request, facts.companies.get(company))
    return _entry(
        facts.reference(REQUEST, request.id),
        f"Airbase request {request.number or request.id}",
        request,
        _day(request, request.approved_date, request.approved_at, facts),
        [*expenses(request, facts), _posted(facts.options.get("accrual_account") or None, _reversed(total))],
        facts,
    )


def document_of(entry: JournalEntry) -> str | None:
    """What a person would take for one document: company, what its text names it by, day and amount. None where Airbase
    gives no number but its own id: two card payments of one amount on one day are two.
    """
    text, debits = entry.text or "", (line.debit_amount or Decimal(0) for line in entry.lines)
    identity = next((entry.external_ref.split(mark, 1)[1] for mark in MARKS if mark in entry.external_ref), "")
    if not identity or text.endswith(identity) or entry.voucher_date is None:
        return None
    amount = plain(sum(debits, Decimal(0)))
    return key_text(entry.company, text, entry.voucher_date.isoformat(), f"{amount:f}", entry.currency or "")


def entry_from_bill(bill: Payment, facts: Facts) -> JournalEntry:
    """A bill or a reimbursement is an expense of its lines, against the account of what is owed."""
    total = total_of(bill, facts.companies.get(company_of(bill, facts)))
    owed = _posted(owed_account(bill, facts), _reversed(total))
    return _entry(
        facts.reference(BILL, bill.id),
        _text_of(bill, "bill"),
        bill,
        _day(bill, bill.entry_date, bill.entry_at, facts),
        [*expenses(bill, facts), owed],
        facts,
    )


def entry_from_payment(payment: Payment, facts: Facts) -> JournalEntry:
    """A payment is a debit of what it pays, or of its lines where it pays no other entry, against the bank."""
    return _entry(
        facts.reference(PAYMENT, payment.id),
        _text_of(payment, "payment"),
        payment,
        _day(payment, payment.payment_entry_date or payment.entry_date, payment.dated_at(), facts),
        transfer(payment, facts) if kind_of(payment, facts) == "transfer" else _paid(payment, facts),
        facts,
    )


def _paid(payment: Payment, facts: Facts) -> list[JournalEntryLine]:
    company = facts.companies.get(company_of(payment, facts))
    total = total_of(payment, company)
    debits = [_posted(debit_account(payment, facts), total)] if settles(payment, facts) else expenses(payment, facts)
    bank = _posted(credit_account(payment, facts), _reversed(settled(payment, company)))
    return [*debits, *_exchange_difference(payment, company, facts), bank]


def _exchange_difference(payment: Payment, company: CompanyMapping | None, facts: Facts) -> Iterator[JournalEntryLine]:
    """A row in the company's own currency: of the document's there is nothing left over."""
    rest = exchange_difference(payment, company)
    if rest and company:
        row = _posted(facts.options.get(EXCHANGE_DIFFERENCES) or None, Money(rest, rest), "Exchange difference")
        yield msgspec.structs.replace(row, currency_code=company.currency)


def transfer(payment: Payment, facts: Facts) -> list[JournalEntryLine]:
    """A debit of the line that has the amount, a credit of the other one."""
    rows = expenses(payment, facts)
    moved = [row for row in rows if row.currency_amount]
    return [*moved, *(_other_side(row, moved[0]) for row in rows if not row.currency_amount and len(moved) == 1)]


def _other_side(row: JournalEntryLine, moved: JournalEntryLine) -> JournalEntryLine:
    return msgspec.structs.replace(
        row,
        debit_amount=moved.credit_amount,
        credit_amount=moved.debit_amount,
        currency_amount=-(moved.currency_amount or Decimal(0)),
    )


def _text_of(payment: Payment, word: str) -> str:
    return f"Airbase {(payment.type or word).replace('_', ' ')} {payment.invoice_number or payment.id}"


def _day(document: Spend, day: date | None, moment: datetime | None, facts: Facts) -> date | None:
    """The day on which the company has the moment; the day that Airbase names where it tells no moment."""
    company = facts.companies.get(company_of(document, facts))
    return company.calendar.day(moment) if moment and company else day


def _entry(
    reference: str, text: str, document: Spend, on: date | None, lines: Sequence[JournalEntryLine], facts: Facts
) -> JournalEntry:
    company = facts.companies.get(company_of(document, facts))
    year = company.calendar.accounting_year(on) if company and on else None
    return JournalEntry(
        external_ref=reference,
        company=company_of(document, facts),
        currency=document.currency,
        text=text,
        voucher_type=facts.options.get("voucher_type", "M"),
        voucher_date=on,
        accounting_year=year if on and year != on.year else None,
        user_group=facts.options.get("user_group") or None,
        lines=tuple(
            msgspec.structs.replace(line, currency_code=line.currency_code or document.currency)
            for line in lines
            if line.currency_amount
        ),
    ).with_demanded_texts(facts)


def echo_of(bill: Payment, facts: Facts) -> dict[str, str | None]:
    """A supplier invoice of IFS that was sent to Airbase comes back as a ledger entry of its own."""
    return {INVOICES_OUT_FLOW: document_key(company_of(bill, facts), bill.supplier, bill.invoice_number)}


def invoice_echoed(bill: Payment, facts: Facts) -> str | None:
    """The key that such an invoice has in the ERP; None: it is none."""
    document = echo_of(bill, facts)[INVOICES_OUT_FLOW]
    return facts.remote_id(INVOICES_OUT_FLOW, document) if document else None


def voucher_of(entry_id: str, facts: Facts) -> str | None:
    """The voucher of a ledger entry, whichever flow entered it; None where the ledger has none."""
    key = key_text(entry_id)
    return facts.remote_id(BILLS_FLOW, key) or facts.remote_id(PAYMENTS_FLOW, key)


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
    if (kind := kind_of(payment, facts)) not in (LISTED, ""):
        return kind == "payment"
    return payment.type == BILL_PAYMENT or bool(payment.applied_to) or payment.type in facts.table("debit_accounts")


def debit_account(payment: Payment, facts: Facts) -> str | None:
    """That of the type, else the payable account that Airbase names, else the one of mlc.yaml."""
    theirs = facts.account_in_erp(payment.ap_account) if payment.ap_account else facts.options.get("ap_account")
    return facts.table("debit_accounts").get(payment.type or "") or theirs or None


def owed_account(bill: Payment, facts: Facts) -> str | None:
    """That of the type, else the payable account that Airbase names, else, of a bill, the one of mlc.yaml."""
    theirs = facts.account_in_erp(bill.ap_account) if bill.ap_account else None
    usual = facts.options.get("ap_account") if kind_of(bill, facts) == "bill" and not bill.ap_account else None
    return facts.table("credit_accounts").get(bill.type or "") or theirs or usual or None


def credit_account(payment: Payment, facts: Facts) -> str | None:
    """That of the type, else the bank's by mlc.yaml; where it has no table, the code that Airbase gives the bank."""
    theirs = facts.account_in_erp(payment.bank_account) if payment.bank_account else None
    bank = facts.stands_for("bank_accounts", (payment.bank_account, payment.bank_name), theirs)
    return facts.table("credit_accounts").get(payment.type or "") or bank


# --- lines ------------------------------------------------------------------------------------------------------------


def expenses(document: Spend, facts: Facts) -> list[JournalEntryLine]:
    """A debit for each line, on its account and dimensions. A document without lines has one."""
    company = facts.companies.get(company_of(document, facts))
    document = with_difference(document, company, facts)
    amounts = amounts_by_line(document, company)
    return [
        _posted(
            prepaid_account(document, line, facts) or line_account(document, line, facts),
            amount,
            prepaid_text(document, line) if prepaid_account(document, line, facts) else line.description,
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
