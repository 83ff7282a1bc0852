"""HubSpot's companies, invoices and deals: what is sent, and what a sent record is compared by.

Every value is text on the wire. `stated` amounts are the ERP's own figures: they are compared with HubSpot's, and kept
beside them in properties of ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from mlc_dagster.core.amounts import times
from mlc_dagster.core.facts import ExtraField
from mlc_dagster.core.flows import Target
from mlc_dagster.core.vocabulary import Record

LONGEST_TEXT = 65_536
"""Characters in a string property."""

BATCH = 100
"""Inputs of one batch call. HubSpot refuses 101."""

Texts = Iterator[tuple[str, str | None, int]]
Totals = Iterator[tuple[str, Decimal | None, Decimal]]


class Company(Record, frozen=True, kw_only=True):
    """A supplier or a customer of the ERP, as the sales team sees it."""

    key: str  # unique in the portal: "SUPPLIER/10001"
    role: str  # "Supplier" or "Customer"
    number: str
    name: str | None
    company_code: str = ""  # of each company of the ERP that it is booked in: "0010; 0020"
    gl_account: str = ""  # of all of them, or of each: "0010: 4010; 0020: 4020"; so are the next five
    gl_account_name: str = ""
    cost_center: str = ""
    cost_center_name: str = ""
    dimensions: str = ""  # "B=CC100": code part and value
    dimension_names: str = ""  # "B=Assembly": code part and the name of its value
    country: str = ""  # ISO 3166, two letters
    currency: str = ""
    payment_terms: str = ""
    vat_no: str = ""
    association_no: str = ""
    blocked: bool = False
    extra: tuple[ExtraField, ...] = ()  # properties that mlc.yaml adds
    defaults: tuple[ExtraField, ...] = ()  # properties that a new company is given, and that people may change
    domain: str = ""  # "acme.se", where hubspot.domain_field says what tells it; no free mail

    def required(self) -> Iterator[tuple[str, object]]:
        yield "Name", self.name

    def texts(self) -> Texts:
        yield "Name", self.name, LONGEST_TEXT
        yield "the ERP's key", self.number, 255


class Line(Record, frozen=True, kw_only=True):
    """A line item: an amount on a GL account with its dimensions, or the VAT of the whole invoice."""

    key: str  # unique in the portal: "LINE/0010/5001/1"
    where: str  # "line 1", for reasons
    name: str
    quantity: Decimal | None
    price: Decimal | None
    stated: Decimal | None
    account: str = ""
    tax_code: str = ""
    code_b: str = ""
    code_c: str = ""
    code_d: str = ""
    code_e: str = ""
    code_f: str = ""
    code_g: str = ""
    code_h: str = ""
    code_i: str = ""
    code_j: str = ""

    def total(self) -> Decimal:
        """As HubSpot computes it."""
        return times(self.quantity or Decimal(0), self.price or Decimal(0))


class InvoiceSummary(Record, frozen=True, kw_only=True):
    """What an invoice and its deal have in common: the posting proposal that they show."""

    key: str
    company: str
    number: str | None  # of the invoice
    supplier_no: str | None
    supplier_id: str | None  # HubSpot's id of the company; None: not delivered
    currency: str | None
    invoice_date: date | None
    status: str  # draft, open, paid, voided
    stated_gross: Decimal | None
    defaults: tuple[ExtraField, ...] = ()  # properties that a new one is given
    party_key: str = ""  # the key of its company in HubSpot; empty: that of the supplier
    customer_no: str = ""  # of an invoice to a customer


class Invoice(InvoiceSummary, frozen=True, kw_only=True):
    """A non-billable invoice: HubSpot shows it, and neither sends nor collects anything."""

    due_date: date | None
    order_no: str = ""
    remark: str = ""
    stated_net: Decimal | None = None
    stated_vat: Decimal | None = None
    lines: tuple[Line, ...] = ()
    vat: Line | None = None  # VAT is a line item of its own, so that HubSpot's total is the gross amount

    def items(self) -> tuple[Line, ...]:
        return (*self.lines, self.vat) if self.vat else self.lines

    def amount_lines(self) -> tuple[Line, ...]:
        return self.items()

    def net(self) -> Decimal:
        return sum([line.total() for line in self.lines], Decimal(0))

    def totals(self) -> Totals:
        net = self.net()
        yield "net amount", self.stated_net, net
        yield "gross amount", self.stated_gross, net + (self.vat.total() if self.vat else Decimal(0))

    def required(self) -> Iterator[tuple[str, object]]:
        yield "InvoiceNo", self.number
        yield "InvoiceDate", self.invoice_date
        yield "DueDate", self.due_date
        yield "CurrencyCode", self.currency
        yield "at least one line", self.lines

    def texts(self) -> Texts:
        yield "InvoiceNo", self.number, 255
        yield "Text", self.remark, LONGEST_TEXT
        for line in self.lines:
            yield f"{line.where}, text", line.name, LONGEST_TEXT


class Deal(InvoiceSummary, frozen=True, kw_only=True):
    """A deal that is closed and won, worth the invoice's gross amount."""

    name: str
    invoice_id: str | None  # HubSpot's; None: not delivered
    tie: str = ""  # what hubspot.deal_key compares with a property of deals that are there

    def required(self) -> Iterator[tuple[str, object]]:
        yield "InvoiceNo", self.number
        yield "InvoiceDate", self.invoice_date
        yield "CurrencyCode", self.currency
        yield "GrossAmount", self.stated_gross

    def texts(self) -> Texts:
        yield "the deal's name", self.name, LONGEST_TEXT


COMPANIES = Target("hubspot", "companies", Company, batch=10 * BATCH, shares=True)
INVOICES = Target("hubspot", "invoices", Invoice, batch=4 * BATCH)
DEALS = Target("hubspot", "deals", Deal, batch=4 * BATCH)
