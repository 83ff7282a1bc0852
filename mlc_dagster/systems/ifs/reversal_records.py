"""What reverses a voucher or a supplier invoice that its source took back: the same, negated, on an open day. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec

from mlc_dagster.core.facts import CompanyMapping, Facts
from mlc_dagster.core.flows import Problem, Reversing, Target
from mlc_dagster.core.vocabulary import ERP, Record
from mlc_dagster.systems.ifs.entry_records import NUMBER, TEXT, Invoice, JournalEntry, JournalEntryLine

CERTAIN = "reversal_is_certain"
"""The rule under which a reversal is held: what is not certain is a person's matter."""
SUFFIX = "/R1"


class VoucherReversal(Record, frozen=True, kw_only=True):
    """What is sent, and what the ERP must still show before it is."""

    external_ref: str
    company: str
    of: str  # number of the voucher that is reversed: "0010/M/2026/7"
    original: JournalEntry  # as it was sent
    entry: JournalEntry  # the same, negated

    def texts(self) -> Iterator[tuple[str, str | None, int]]:
        yield from self.entry.texts()


class InvoiceReversal(Record, frozen=True, kw_only=True):
    """The same of a supplier invoice: its credit."""

    external_ref: str
    company: str
    of: str
    original: Invoice
    entry: Invoice

    def texts(self) -> Iterator[tuple[str, str | None, int]]:
        yield from self.entry.texts()


def voucher_reversal(original: JournalEntry, number: str, facts: Facts) -> VoucherReversal | Problem:
    """Each line on the other side, in both currencies: so it is at the rate that was posted."""
    on = _open_day(original, facts)
    if isinstance(on, Problem):
        return on
    year = facts.companies[original.company].calendar.accounting_year(on)
    entry = msgspec.structs.replace(
        original,
        external_ref=f"{original.external_ref}{SUFFIX}",
        text=_text(number, original),
        voucher_date=on,
        accounting_year=year if year != on.year else None,
        lines=tuple(_other_side(line) for line in original.lines),
    )
    return VoucherReversal(
        external_ref=entry.external_ref, company=original.company, of=number, original=original, entry=entry
    )


def invoice_reversal(original: Invoice, number: str, facts: Facts) -> InvoiceReversal | Problem:
    """A credit over the same lines. Its number is the invoice's own with /R1: a supplier has each number once."""
    on, company = _open_day(original, facts), facts.companies.get(original.company)
    if isinstance(on, Problem):
        return on
    if original.currency != (company.currency if company else None):
        return _held(
            f"Invoice {number} is in {original.currency}, and the rate at which it was posted cannot be given with "
            "its credit. Enter the credit by hand, at that rate."
        )
    entry = msgspec.structs.replace(
        original,
        external_ref=f"{original.external_ref}{SUFFIX}",
        text=_text(number, original),
        invoice_no=f"{(original.invoice_no or '')[: NUMBER - len(SUFFIX)]}{SUFFIX}",
        invoice_date=on,
        due_date=on,
        net_amount=-original.net_amount,
        vat_amount=-original.vat_amount,
        gross_amount=-original.gross_amount,
        stated_gross=None,
        orders=(),
        proposals=(),
        billed=(),
        lines=tuple(msgspec.structs.replace(line, amount=-line.amount) for line in original.lines),
    )
    return InvoiceReversal(
        external_ref=entry.external_ref, company=original.company, of=number, original=original, entry=entry
    )


def _open_day(original: Any, facts: Facts) -> date | Problem:
    company: CompanyMapping | None = facts.companies.get(original.company)
    day = original.posted_on()
    if company is None or day is None:
        return _held(f"Company {original.company or '(none)'} is not in mlc.yaml, or the document has no date.")
    if (on := company.first_open_day(day)) is None:
        where = f"companies.{company.code}"
        return _held(
            f"No day is open from {day} on: company {company.code} is closed until {company.closed_until}, and open "
            f"until {company.open_until}. Move {where}.open_until in mlc.yaml; it is reversed then."
        )
    return on


def _text(number: str, original: Any) -> str:
    return f"Reverses {number}: {original.text or ''}".rstrip(": ")[:TEXT]


def _other_side(line: JournalEntryLine) -> JournalEntryLine:
    amount = line.currency_amount
    return msgspec.structs.replace(
        line,
        debit_amount=line.credit_amount,
        credit_amount=line.debit_amount,
        currency_amount=None if amount is None else Decimal(0) - amount,
    )


def _held(reason: str) -> Problem:
    return Problem(CERTAIN, reason)


VOUCHER_REVERSALS = Target(ERP, "voucher_reversals", VoucherReversal, batch=5)
INVOICE_REVERSALS = Target(ERP, "invoice_reversals", InvoiceReversal, batch=5)

OF_VOUCHERS = Reversing(VOUCHER_REVERSALS, voucher_reversal)
OF_INVOICES = Reversing(INVOICE_REVERSALS, invoice_reversal)
