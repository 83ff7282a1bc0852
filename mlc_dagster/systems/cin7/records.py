"""Cin7 Core's suppliers, purchases and purchase invoices: what is sent, and what a sent record is compared by.

Lengths and limits: the official API blueprint (dearinventory.docs.apiary.io). `stated` is the ERP's own, never sent.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Literal

from mlc_dagster.core.amounts import STEPS, round_to, times
from mlc_dagster.core.flows import DuplicateWording, Target
from mlc_dagster.core.vocabulary import EntitySet, Record
from mlc_dagster.systems.ifs.supplier_child_records import ContactPerson, PostalAddress, list_texts
from mlc_dagster.systems.ifs.supplier_records import Owner

DECIMALS = 2
"""Cin7 computes every line's total with two decimals, whatever the currency."""

CENT = STEPS[DECIMALS]
ZERO = Decimal(0)
PRICE_DECIMALS, QUANTITY_DECIMALS = 4, 4
HUNDRED = Decimal(100)
LEAST_QUANTITY, MOST = Decimal(1), Decimal(10) ** 13
ANY_PRICE = -MOST
LEAST_RATE = Decimal(1).scaleb(-10)
PROPOSAL = "proposal/"
"""What the marker of an invoice begins with: it is never the text of an order's."""

Numbers = Iterator[tuple[str, str, Decimal | None, int, Decimal, Decimal]]
Texts = Iterator[tuple[str, str | None, int]]
Totals = Iterator[tuple[str, Decimal | None, Decimal]]


class Contact(Record, frozen=True, kw_only=True):
    """The person, or the office, that mail goes to. `mark` tells our own contact from those that people entered."""

    name: str
    email: str
    mark: str


class Supplier(Record, frozen=True, kw_only=True):
    """A supplier. None: IFS has no value, and Cin7 keeps its own."""

    key: str  # IFS SupplierId: the external key
    slot: str  # the attribute that holds the external key: "AdditionalAttribute1"
    attribute_set: str  # the set that has this slot; empty: no external key is kept in Cin7
    name: str | None
    currency: str | None
    payment_term: str | None
    tax_rule: str | None
    payable_account: str
    status: Literal["Active", "Deprecated"] = "Active"
    tax_number: str | None = None
    comments: str | None = None
    contact: Contact | None = None
    country: str | None = None  # full name; None where the addresses say it
    contacts: tuple[ContactPerson, ...] | None = None  # beside our own contact; None: they are not shared
    addresses: tuple[PostalAddress, ...] | None = None  # in the ERP's words
    owners: tuple[Owner, ...] = ()  # whose value counts where both sides changed a field; of the others: the ERP

    def taxes(self) -> Iterator[tuple[str, str | None, str | None]]:
        yield "", None, self.tax_rule

    def required(self) -> Iterator[tuple[str, object]]:
        yield "Name", self.name
        yield "Currency", self.currency
        yield "AccountPayable (Cin7's account with the system code CREDITORS)", self.payable_account
        for place in self.addresses or ():
            yield f"{place.address_type} address, first line", place.address1
            yield f"{place.address_type} address, country", place.country

    def texts(self) -> Texts:
        yield "SupplierId", self.key, 256
        yield "Name", self.name, 256
        yield "VatNo", self.tax_number, 256
        yield "Notes", self.comments, 256
        yield "Email", self.contact.email if self.contact else None, 256
        yield from list_texts(self.contacts, self.addresses)


class ListedSupplier(Record, frozen=True, kw_only=True):
    """Suppliers in Cin7 that people or we changed on a day, deprecated ones included: the ERP's key where they carry
    one, and the fields that the ERP keeps too.
    """

    id: str
    erp_key: str | None = None  # as our slot holds it
    uses_other_attributes: bool = False  # people use another attribute set, so there is no slot for our key
    name: str | None = None
    currency: str | None = None
    payment_term: str | None = None  # Cin7's name
    tax_number: str | None = None
    email: str | None = None  # of our own contact, else of the default one; None: there is neither
    country: str | None = None  # full name, of the business address; None: there is none
    status: str | None = None
    contacts: tuple[ContactPerson, ...] = ()  # but for our own, where cin7.supplier_details is on
    addresses: tuple[PostalAddress, ...] = ()  # likewise; types and countries as Cin7 names them
    last_modified_on: datetime | None = None
    bank_mark: str | None = None  # of its bank details, salted: they are never read themselves


class Line(Record, frozen=True, kw_only=True):
    """What order lines and charges have in common: a quantity at a price, under a tax rule."""

    where: str  # "line 1/1", for reasons
    quantity: Decimal | None
    price: Decimal | None
    stated: Decimal | None  # the ERP's amount
    discount: Decimal = ZERO  # per cent, two decimals
    tax_code: str | None = None  # the ERP's
    tax_rule: str | None = None
    tax: Decimal = ZERO
    comment: str = ""  # "IFS 0010/P1/1/1 account 4010": where it came from, and where it will be posted

    def total(self) -> Decimal:
        return line_total(self.quantity, self.price, self.discount)


def line_total(quantity: Decimal | None, price: Decimal | None, discount: Decimal = ZERO) -> Decimal:
    """As Cin7 computes it, before tax. `discount`: per cent."""
    gross = times(quantity or ZERO, price or ZERO)
    return round_to(times(gross, 1 - discount / HUNDRED) if discount else gross, CENT)


class OrderLine(Line, frozen=True, kw_only=True):
    """A quantity of a product."""

    sku: str
    name: str


class Charge(Line, frozen=True, kw_only=True):
    """An additional charge: a service, or freight; on an invoice, an amount on a GL account."""

    description: str
    account: str | None = None  # Cin7 code; order charges have none


class PurchaseDocument(Record, frozen=True, kw_only=True):
    """What purchases and invoices have in common: a supplier, a currency, lines, and a marker to be found by."""

    company: str
    marker: str  # the ERP's key: "0010/P1"; in an attribute and in the note
    slot: str  # the attribute that holds the marker: "AdditionalAttribute1"
    supplier_no: str | None
    supplier_id: str | None  # Cin7's; None: not delivered
    currency: str | None
    location: str
    currency_rate: Decimal | None = None  # base units for one supplier unit; None: Cin7 takes its own
    erp_rate: Decimal | None = None  # the ERP's, where Cin7's own counts and it is compared alone
    dated: date | None = None  # the ERP's order or invoice date: it is in Cin7 no earlier than that
    required_by: date | None = None
    remark: str | None = None
    charges: tuple[Charge, ...] = ()
    least_quantity: Decimal = LEAST_QUANTITY  # of a line; less where mlc.yaml says that this account takes it

    def parts(self) -> tuple[OrderLine, ...]:
        return ()

    def attributes(self) -> dict[str, str]:
        """Further attributes beside the one that holds the marker, which the account is known to have."""
        return {}

    def note(self) -> str:
        """The marker on the first line, for accounts without attributes; the ERP's own note below."""
        return f"IFS {self.marker}\n{self.remark}" if self.remark else f"IFS {self.marker}"

    def amount_lines(self) -> tuple[Line, ...]:
        return self.parts() + self.charges

    def net(self) -> Decimal:
        """The total before tax, as Cin7 computes it."""
        return sum([line.total() for line in self.amount_lines()], ZERO)

    def tax(self) -> Decimal:
        return sum([line.tax for line in self.amount_lines()], ZERO)

    def taxes(self) -> Iterator[tuple[str, str | None, str | None]]:
        return ((line.where, line.tax_code, line.tax_rule) for line in self.amount_lines())

    def numbers(self) -> Numbers:
        for line in self.amount_lines():
            yield line.where, "quantity", line.quantity, QUANTITY_DECIMALS, self.least_quantity, MOST
            yield line.where, "price", line.price, PRICE_DECIMALS, ANY_PRICE, MOST
        yield "", "CurrencyRate", self.currency_rate, 10, LEAST_RATE, MOST

    def texts(self) -> Texts:
        yield "the ERP's key", self.marker, 256
        yield "Notes", self.note(), 1024
        for line in self.amount_lines():
            yield f"{line.where}, comment", line.comment, 256
        for charge in self.charges:
            yield f"{charge.where}, description", charge.description, 256
        for part in self.parts():
            yield f"{part.where}, PartNo", part.sku, 50


class Purchase(PurchaseDocument, frozen=True, kw_only=True):
    """A purchase at its order stage."""

    lines: tuple[OrderLine, ...] = ()
    stated_total: Decimal | None = None
    progress_slot: str = ""  # the attribute that shows how the order stands; empty: none does
    progress: str = ""

    @property
    def tells_progress(self) -> bool:
        return bool(self.progress_slot)

    def attributes(self) -> dict[str, str]:
        return {self.progress_slot: self.progress} if self.progress_slot else {}

    def parts(self) -> tuple[OrderLine, ...]:
        return self.lines

    @property
    def gross_amount(self) -> Decimal:
        """What it is worth in Cin7, with the tax that the ERP's order does not have."""
        return self.net() + self.tax()

    def skus(self) -> Iterator[tuple[str, str]]:
        return ((line.where, line.sku) for line in self.lines)

    def totals(self) -> Totals:
        yield "total before tax", self.stated_total, self.net()

    def required(self) -> Iterator[tuple[str, object]]:
        yield "CurrencyCode", self.currency
        yield "at least one order line", self.amount_lines()
        for charge in self.charges:
            yield f"{charge.where}, Description (a line without a part needs one)", charge.description


class PurchaseInvoice(PurchaseDocument, frozen=True, kw_only=True):
    """A supplier invoice: on the purchase of its order, or, without an order, on a purchase of its own."""

    order_no: str | None  # the ERP's PoReference; None: a purchase of its own
    purchase_id: str | None  # Cin7's; None: no order, or not delivered
    invoice_number: str | None
    invoice_date: date | None
    due_date: date | None
    status: Literal["DRAFT", "AUTHORISED"] = "DRAFT"
    stated_net: Decimal | None = None
    stated_tax: Decimal | None = None
    stated_gross: Decimal | None = None
    as_charges: bool = False  # all rows as additional charges, those that are products of its order too

    @property
    def reference(self) -> str:
        """What its lines begin with behind "IFS ": its key, whichever purchase it is on."""
        return self.marker.removeprefix(PROPOSAL)

    def totals(self) -> Totals:
        net, tax = self.net(), self.tax()
        yield "net amount", self.stated_net, net
        yield "VAT amount", self.stated_tax, tax
        yield "gross amount", self.stated_gross, net + tax

    def required(self) -> Iterator[tuple[str, object]]:
        yield "InvoiceNo", self.invoice_number
        yield "InvoiceDate", self.invoice_date
        yield "DueDate", self.due_date
        yield "CurrencyCode", self.currency
        yield "at least one line", self.charges

    def texts(self) -> Texts:
        yield from super().texts()
        yield "InvoiceNo", self.invoice_number, 50


SUPPLIERS = Target("cin7", "suppliers", Supplier, batch=4, shares=True)
PURCHASES = Target(
    "cin7",
    "purchases",
    Purchase,
    batch=4,
    twice=DuplicateWording("Cin7", "purchases", "IFS order", "Void one of them."),
)
PURCHASE_INVOICES = Target(
    "cin7",
    "purchase_invoices",
    PurchaseInvoice,
    batch=4,
    twice=DuplicateWording("Cin7", "purchase invoices", "IFS", "Void one of them."),
)

SUPPLIER_LIST = EntitySet(
    "cin7",
    "supplier_list",
    "",
    "/supplier",
    ListedSupplier,
    keys=("id",),
    modified="last_modified_on",
    description=ListedSupplier.__doc__ or "",
)
