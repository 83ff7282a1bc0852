"""What is entered in the ERP's books: invoices, posting proposals and vouchers, as they are sent and compared."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any, Self

import msgspec

from mlc_dagster.core.facts import Facts, PostedDocument
from mlc_dagster.core.flows import DuplicateWording, Target
from mlc_dagster.core.vocabulary import ERP, Record
from mlc_dagster.rules import Booking, Dimension
from mlc_dagster.rules.postings import dimensions_of
from mlc_dagster.systems.ifs.line_records import CodeString, Posting
from mlc_dagster.systems.ifs.origins import is_ours

TEXT, NUMBER, REFERENCE = 200, 50, 100
"""Characters in a text, an invoice number and a reference. A tenant may take more; the ERP's own word comes last."""


class AccountingDocument(Record, frozen=True, kw_only=True):
    """A document with lines, each on an account of its company."""

    external_ref: str  # Flow.marks, and the key of the record that it comes from, in its system
    company: str
    currency: str | None
    text: str | None = None

    def rows(self) -> tuple[Any, ...]:
        lines: tuple[Any, ...] = getattr(self, "lines", ())
        return lines

    def posted_on(self) -> date | None:
        """The posting date; None where the document has none."""
        return None

    def postings(self) -> Iterator[Posting]:
        """Every line: one without an account cannot be posted."""
        for number, line in enumerate(self.rows(), 1):
            yield Posting(self.company, line.account or None, self.posted_on(), str(number))

    def dimensions(self) -> Iterator[Dimension]:
        for number, line in enumerate(self.rows(), 1):
            yield from dimensions_of(self.company, line, self.posted_on(), str(number))

    def with_demanded_texts(self, facts: Facts) -> Self:
        """A line without a text, on an account that demands one, has the document's."""
        lines = tuple(self._with_text(line, facts) for line in self.rows())
        return self if lines == self.rows() else msgspec.structs.replace(self, lines=lines)

    def _with_text(self, line: Any, facts: Facts) -> Any:
        account = None if line.text else facts.accounts.get((self.company, line.account or ""))
        is_demanded = account is not None and account.demands is not None and account.demands.text
        return msgspec.structs.replace(line, text=self.text) if is_demanded else line

    def bookings(self) -> Iterator[Booking]:
        for number, line in enumerate(self.rows(), 1):
            yield Booking.of(self.company, line, number)

    def required(self) -> Iterator[tuple[str, object]]:
        yield "posting date", self.posted_on()
        yield "at least one line", self.rows()

    def texts(self) -> Iterator[tuple[str, str | None, int]]:
        yield "external reference", self.external_ref, REFERENCE
        yield "text", self.text, TEXT
        for number, line in enumerate(self.rows(), 1):
            yield f"line {number}, text", line.text, TEXT


class PayableLine(CodeString, frozen=True, kw_only=True):
    """An amount on an account, in the document's currency, without tax."""

    amount: Decimal
    tax_code: str | None = None
    text: str | None = None


class BilledLine(CodeString, frozen=True, kw_only=True):
    """What a bill takes of an order, on one account, without tax."""

    order: str  # external reference of the order's proposal
    bill: str  # external reference of the bill's invoice
    amount: Decimal
    vat: Decimal = Decimal(0)
    charges: Decimal = Decimal(0)  # freight and the like


class Payable(AccountingDocument, frozen=True, kw_only=True):
    """What a supplier is owed, or will be. `net + vat = gross`, and the lines add up to net."""

    supplier_id: str | None
    supplier_named: str | None = None  # who that is at the source, for reasons
    net_amount: Decimal
    vat_amount: Decimal
    gross_amount: Decimal
    stated_gross: Decimal | None = None  # what the source says is payable
    po_reference: str | None = None
    lines: tuple[PayableLine, ...] = ()

    def amount_lines(self) -> tuple[()]:
        return ()

    def totals(self) -> Iterator[tuple[str, Decimal | None, Decimal]]:
        yield "net", self.net_amount, sum((line.amount for line in self.lines), Decimal(0))
        yield "total", self.stated_gross, self.net_amount + self.vat_amount


class Invoice(Payable, frozen=True, kw_only=True):
    """A supplier invoice."""

    invoice_no: str | None
    invoice_date: date | None
    due_date: date | None = None
    orders: tuple[str, ...] = ()  # keys of the orders whose proposals it takes the place of
    proposals: tuple[str, ...] = ()  # external references of those proposals, delivered or not
    billed: tuple[BilledLine, ...] = ()  # what it takes of orders whose rest is still expected

    def posted_on(self) -> date | None:
        return self.invoice_date

    def identity(self) -> tuple[str, str, str]:
        return self.company, self.supplier_id or "", self.invoice_no or ""

    def is_the_same_as(self, there: PostedDocument) -> bool:
        """Whether what a person or another integration entered is this very invoice: it is adopted, not doubled."""
        return not is_ours(there.external_ref) and (there.gross, there.currency) == (self.gross_amount, self.currency)

    def required(self) -> Iterator[tuple[str, object]]:
        yield from super().required()
        yield "invoice number", self.invoice_no

    def texts(self) -> Iterator[tuple[str, str | None, int]]:
        yield from super().texts()
        yield "invoice number", self.invoice_no, NUMBER


class Proposal(Payable, frozen=True, kw_only=True):
    """What an order is expected to cost, as a posting proposal; its bills take their parts, or its place."""

    dated: date | None
    is_cancelled: bool = False  # the order was cancelled at its source: the proposal is, too
    is_foreign: bool = False  # not in its company's currency: the ERP's rate makes that amount
    is_final: bool = False  # the order was closed: nothing more of it is expected
    charges: Decimal | None = None  # freight and the like, in its lines
    bills: tuple[BilledLine, ...] = ()  # what posted bills take of it, of those that were seen with it
    given_back: tuple[str, ...] = ()  # invoices of bills that were denied since

    def posted_on(self) -> date | None:
        return self.dated


class JournalEntryLine(CodeString, frozen=True, kw_only=True):
    """One side of a journal entry; debit and credit are in the company's currency."""

    debit_amount: Decimal | None = None
    credit_amount: Decimal | None = None
    currency_code: str | None = None
    currency_amount: Decimal | None = None  # in `currency_code`, negative on the credit side
    text: str | None = None


class JournalEntry(AccountingDocument, frozen=True, kw_only=True):
    """A journal entry, as it is entered as a voucher: its number is the ERP's to give."""

    voucher_type: str
    voucher_date: date | None
    accounting_year: int | None = None  # where the company's is not the calendar year
    user_group: str | None = None
    lines: tuple[JournalEntryLine, ...] = ()

    def year(self) -> int | None:
        return self.accounting_year or (self.voucher_date.year if self.voucher_date else None)

    def posted_on(self) -> date | None:
        return self.voucher_date


CANCEL = "Cancel one of them."
INVOICES = Target(
    ERP, "supplier_invoices", Invoice, batch=20, twice=DuplicateWording("IFS", "supplier invoices", "", CANCEL)
)
PROPOSALS = Target(
    ERP, "posting_proposals", Proposal, batch=20, twice=DuplicateWording("IFS", "posting proposals", "", CANCEL)
)
ENTRIES = Target(ERP, "vouchers", JournalEntry, batch=20, twice=DuplicateWording("IFS", "vouchers", "", CANCEL))
