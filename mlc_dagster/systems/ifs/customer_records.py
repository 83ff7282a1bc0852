"""What customers of the ERP order, and what a company has billed. Which set shows invoices a tenant says himself."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal

from mlc_dagster.core.vocabulary import Record
from mlc_dagster.rules.dates import DUE_AHEAD, Dated
from mlc_dagster.systems.ifs.line_records import CodeString, CustomerOrderLine, Posting


class CustomerOrder(Record, frozen=True, kw_only=True):
    """Customer orders of the ERP, with lines, that were created or changed on a day: customer, site, currency,
    quantities, prices and totals.
    """

    order_no: str
    company: str | None = None
    contract: str | None = None
    customer_no: str | None = None
    order_date: date | None = None
    currency_code: str | None = None
    currency_rate: Decimal | None = None
    total_amount: Decimal | None = None
    notes: str | None = None
    obj_state: str | None = None
    last_modified: datetime | None = None
    lines: tuple[CustomerOrderLine, ...] = ()

    def dates(self) -> Iterator[Dated]:
        yield Dated("OrderDate", self.order_date)


class CustomerInvoiceLine(CodeString, frozen=True, kw_only=True):
    company: str | None = None
    invoice_id: int | None = None
    row_id: int
    amount: Decimal | None = None  # net, in the company's currency
    currency_amount: Decimal | None = None  # net, in the invoice's
    quantity: Decimal | None = None
    tax_code: str | None = None
    text: str | None = None


class CustomerInvoice(Record, frozen=True, kw_only=True):
    """Customer invoices of the ERP, with lines, that were created or changed on a day: number, dates, customer, net,
    VAT and gross, and the order that they refer to.
    """

    company: str
    invoice_id: int
    invoice_no: str | None = None
    customer_id: str | None = None
    invoice_date: date | None = None
    due_date: date | None = None
    currency_code: str | None = None
    net_amount: Decimal | None = None
    vat_amount: Decimal | None = None
    gross_amount: Decimal | None = None
    order_no: str | None = None
    text: str | None = None
    obj_state: str | None = None
    last_modified: datetime | None = None
    lines: tuple[CustomerInvoiceLine, ...] = ()

    def dates(self) -> Iterator[Dated]:
        yield Dated("InvoiceDate", self.invoice_date)
        yield Dated("DueDate", self.due_date, DUE_AHEAD, ("InvoiceDate", self.invoice_date))

    def postings(self) -> Iterator[Posting]:
        """The lines that name an account: where an invoice's own set shows none, nothing is to be posted."""
        for line in self.lines:
            if line.account:
                yield Posting(self.company, line.account, self.invoice_date, str(line.row_id))
