"""Procurify's bills, purchase orders and vendors: as they are read, and a vendor as it is sent.

Amounts are in the currency of the document. What a line is posted on hangs below its allocation in Procurify, five
levels deep; here each allocation is a row.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal

from mlc_dagster.core.flows import DuplicateWording, Target
from mlc_dagster.core.vocabulary import EntitySet, Record
from mlc_dagster.rules.dates import DUE_AHEAD, Dated
from mlc_dagster.systems.ifs.supplier_records import Owner

NAME, MAIL, EXTERNAL_ID = 150, 254, 100
"""Characters that Procurify takes."""


class CustomField(Record, frozen=True, kw_only=True):
    """A field that people added to Procurify, as it is filled in."""

    name: str
    value: str


class Allocation(Record, frozen=True, kw_only=True):
    """A part of an item or of a bill's own cost, on the account and department that it was spent on.

    An item that nothing was allocated of is one row without account and department.
    """

    line: str  # "4001": the item's id in Procurify; "cost 5" for a cost of the whole bill
    text: str | None = None
    amount: Decimal
    net: Decimal | None = None  # of the whole item, without shipping and without tax that is not in its price
    tax: Decimal | None = None  # of the whole item, not in its price
    shipping: Decimal | None = None  # of the whole item
    account: str | None = None
    department: str | None = None
    department_external_id: str | None = None
    location: str | None = None
    location_external_id: str | None = None
    project: str | None = None
    project_external_id: str | None = None
    custom_fields: tuple[CustomField, ...] = ()  # of the item, else of the document
    is_cost: bool = False  # of the whole bill: it has neither tax nor shipping
    order: str | None = None  # of a bill's item: the order that it bills


class BilledItem(Allocation, frozen=True, kw_only=True):
    """What a bill takes of an order, by allocation: `amount` and `tax` are this row's alone, without shipping. One row
    without account and amount stands for a bill that takes nothing any more.
    """

    bill: str  # uuid
    status: int
    type: int
    charges: Decimal | None = None  # freight and the like of a bill that has this order alone


class SpendDocument(Record, frozen=True, kw_only=True):
    """What bills and purchase orders have in common. `is_whole`: it was read with its lines."""

    vendor_id: str | None = None
    vendor_name: str | None = None
    vendor_external_id: str | None = None  # as the document tells it, beside the id; a list does not
    currency: str | None = None
    other_currencies: tuple[str, ...] = ()  # of its lines, where they are not its own
    unsure_dates: str | None = None  # moments that are a date in no time zone that is known
    payment_terms: str | None = None
    last_modified: datetime | None = None
    is_active: bool = True
    is_whole: bool = False
    allocations: tuple[Allocation, ...] = ()


class Bill(SpendDocument, frozen=True, kw_only=True):
    """Bills of Procurify that were changed on a day: vendor, invoice number, dates and totals, and what each part of
    them was spent on. Drafts and others that are not posted come without their lines.
    """

    uuid: str  # lower case, without dashes: the only key that is surely unique
    number: str | None = None  # what people see: it counts up
    status: int
    type: int
    version: int | None = None
    invoice_number: str | None = None
    invoice_date: date | None = None  # at the location; beside it the moment, where it is no date by itself
    invoice_date_moment: datetime | None = None
    due_date: date | None = None
    due_date_moment: datetime | None = None
    gl_post_date: date | None = None
    gl_post_date_moment: datetime | None = None
    has_multiple_currency: bool = False  # by Procurify's own summary
    invoice_total: Decimal | None = None  # of the vendor's invoice, as it was typed in
    note: str | None = None
    total_cost: Decimal | None = None  # items and costs, without shipping and without tax that is not in the price
    exclusive_tax: Decimal | None = None
    shipping: Decimal | None = None
    payable: Decimal | None = None
    orders: tuple[str, ...] = ()  # keys of the purchase orders that it covers
    order_numbers: tuple[str, ...] = ()  # as people know them: "PF1042"
    order_currencies: tuple[str, ...] = ()

    def dates(self) -> Iterator[Dated]:
        invoiced = self.invoice_date or _utc(self.invoice_date_moment)
        yield Dated("the invoice date", invoiced)
        yield Dated("the posting date", self.gl_post_date or _utc(self.gl_post_date_moment))
        due = self.due_date or _utc(self.due_date_moment)
        yield Dated("the due date", due, DUE_AHEAD, ("the invoice date", invoiced))


class PurchaseOrder(SpendDocument, frozen=True, kw_only=True):
    """Purchase orders of Procurify that were changed on a day, or whose bills were: vendor, state and totals, what each
    line is to be spent on, and what those bills took of it. Lines that were denied or not yet approved are left out.
    """

    order_id: str  # procurify_PO
    number: str | None = None
    state: int
    version: int | None = None
    is_most_recent: bool = True
    dated: date | None = None
    dated_moment: datetime | None = None
    comment: str | None = None
    tax: Decimal | None = None
    extras: Decimal | None = None  # freight and other charges, less the discount
    shipping: Decimal | None = None  # of the lines
    left_out: Decimal | None = None  # of the lines that are not expected, with tax and shipping
    total: Decimal | None = None
    billed: tuple[BilledItem, ...] = ()  # by bills that were changed on the same day

    def dates(self) -> Iterator[Dated]:
        yield Dated("the order's date", self.dated or _utc(self.dated_moment))


def _utc(moment: datetime | None) -> date | None:
    """A day near enough to see whether it can be right."""
    return moment and moment.astimezone(UTC).date()


class VendorRow(Record, frozen=True, kw_only=True):
    """Vendors of Procurify, on the day on which their present state was first seen: Procurify cannot be asked what
    changed.
    """

    vendor_id: str
    name: str | None = None
    is_active: bool = True
    type: int | None = None
    external_id: str | None = None
    email: str | None = None
    country: str | None = None  # as people wrote it
    currency: str | None = None
    payment_terms: str | None = None
    last_modified: datetime | None = None
    bank_mark: str | None = None  # of its bank details, salted: they are never read themselves


class Vendor(Record, frozen=True, kw_only=True):
    """A supplier of IFS on its way to Procurify. None: IFS has no value, and Procurify keeps its own."""

    key: str  # IFS SupplierId: external_id
    name: str | None
    country: str | None = None  # two letters; by it and the name a vendor without external_id is found
    email: str | None = None
    currency_code: str | None = None
    may_create: bool = False
    owners: tuple[Owner, ...] = ()  # of fields that both sides changed; without one: the ERP

    def required(self) -> Iterator[tuple[str, object]]:
        yield "Name", self.name

    def texts(self) -> Iterator[tuple[str, str | None, int]]:
        yield "SupplierId", self.key, EXTERNAL_ID
        yield "Name", self.name, NAME
        yield "Email", self.email, MAIL


def _description(record: type[Record]) -> str:
    return " ".join((record.__doc__ or "").split())


BILLS = EntitySet("procurify", "bill_list", "", "bills", Bill, ("uuid",), description=_description(Bill))
PURCHASE_ORDERS = EntitySet(
    "procurify",
    "purchase_order_list",
    "",
    "purchase_orders",
    PurchaseOrder,
    ("order_id",),
    is_of_its_day=True,  # with the bills that were changed on that day
    description=_description(PurchaseOrder),
)
VENDOR_LIST = EntitySet(
    "procurify",
    "vendor_list",
    "",
    "vendors",
    VendorRow,
    ("vendor_id",),
    delta="sweep",
    description=_description(VendorRow),
)
VENDORS = Target(
    "procurify",
    "vendors",
    Vendor,
    batch=20,
    twice=DuplicateWording("Procurify", "vendors", "IFS supplier", "Deactivate one of them."),
    shares=True,
)
