"""Airbase's vendors and purchase orders: what is sent; its accounts and subsidiaries: what is read.

Field names of vendors, accounts and subsidiaries were seen in recorded traffic. Those of purchase orders are ours,
in the same style: Airbase documents them to customers alone. `stated` amounts are compared, never sent.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from mlc_dagster.core.amounts import round_half_up, times
from mlc_dagster.core.flows import Target
from mlc_dagster.core.vocabulary import EntitySet, Record
from mlc_dagster.systems.ifs.supplier_child_records import ContactPerson, PostalAddress, list_texts
from mlc_dagster.systems.ifs.supplier_records import Owner

TEXT = 255
"""Characters in a short text field: what Django's CharField mostly has."""

LONG_TEXT = 2000
DECIMALS = 6
MOST = Decimal(10) ** 13
LEAST = -MOST


class Vendor(Record, frozen=True, kw_only=True):
    """A vendor. None: IFS has no value, and Airbase keeps its own."""

    key: str  # IFS SupplierId: erp_reference_id, by which Airbase itself tells vendors apart
    name: str | None
    is_active: bool = True
    email: str | None = None
    subsidiaries: tuple[str, ...] = ()  # erp_reference_ids; those that people added in Airbase stay
    payment_term: str | None = None  # Airbase's name, where mlc.yaml has names for the ERP's
    owners: tuple[Owner, ...] = ()  # whose value counts where both sides changed a field; of the others: the ERP
    bank_mark: str | None = None  # of the ERP's bank details, which are sent in its place; None: they go nowhere
    contacts: tuple[ContactPerson, ...] | None = None  # the primary one; None: this tenant's vendors hold none
    addresses: tuple[PostalAddress, ...] | None = None  # the main one; likewise

    def required(self) -> Iterator[tuple[str, object]]:
        yield "Name", self.name

    def texts(self) -> Iterator[tuple[str, str | None, int]]:
        yield "SupplierId", self.key, TEXT
        yield "Name", self.name, TEXT
        yield "Email", self.email, TEXT
        yield from list_texts(self.contacts, self.addresses)


class ListedVendor(Record, frozen=True, kw_only=True):
    """Vendors in Airbase, by the day on which their present state was first seen: the ERP's key where they carry one,
    and the fields that the ERP keeps too.
    """

    airbase_id: str
    erp_reference_id: str | None = None
    name: str | None = None
    email: str | None = None
    payment_term: str | None = None  # Airbase's name; None: this tenant's vendors have none
    is_active: bool = True
    contacts: tuple[ContactPerson, ...] = ()  # one or none, where airbase.vendor_details says in which fields
    addresses: tuple[PostalAddress, ...] = ()  # likewise
    bank_mark: str | None = None  # of its bank details, salted: they are never read themselves


class LineField(Record, frozen=True, kw_only=True):
    """A further field of an order's line, as this tenant calls it: a number, or a day."""

    name: str
    number: Decimal | None = None
    day: date | None = None

    @property
    def value(self) -> Decimal | str | None:
        return self.day.isoformat() if self.day else self.number


class OrderLine(Record, frozen=True, kw_only=True):
    """A line of an order: a quantity at a price, on a GL account where the ERP names one."""

    where: str  # "line 1/1", for reasons
    key: str  # "P1/1/1"
    number: int  # its place in the order, from 1
    description: str | None
    quantity: Decimal | None
    price: Decimal | None
    stated: Decimal | None  # the ERP's amount
    account: str | None = None  # erp_reference_id of the account
    more: tuple[LineField, ...] = ()

    def total(self, decimals: int) -> Decimal:
        return round_half_up(times(self.quantity or Decimal(0), self.price or Decimal(0)), decimals)


class PurchaseOrder(Record, frozen=True, kw_only=True):
    """A purchase order with its lines."""

    key: str  # the ERP's order number: erp_reference_id
    company: str
    subsidiary: str  # erp_reference_id; empty: the company has none in Airbase
    supplier_no: str | None
    supplier_id: str | None  # Airbase's; None: not delivered
    currency: str | None
    decimals: int  # of its currency
    order_date: date | None = None
    remark: str | None = None
    stated_total: Decimal | None = None
    lines: tuple[OrderLine, ...] = ()
    status: str | None = None  # Airbase's, where mlc.yaml has one for the ERP's state

    @property
    def tells_progress(self) -> bool:
        return any(line.more for line in self.lines)

    def amount_lines(self) -> tuple[OrderLine, ...]:
        return self.lines

    def total(self) -> Decimal:
        return sum([line.total(self.decimals) for line in self.lines], Decimal(0))

    def totals(self) -> Iterator[tuple[str, Decimal | None, Decimal]]:
        yield "total", self.stated_total, self.total()

    def required(self) -> Iterator[tuple[str, object]]:
        yield "Currency", self.currency
        yield "OrderDate", self.order_date
        yield "at least one line", self.lines
        for line in self.lines:
            yield f"{line.where}, Description", line.description

    def texts(self) -> Iterator[tuple[str, str | None, int]]:
        yield "OrderNo", self.key, TEXT
        yield "Notes", self.remark, LONG_TEXT
        for line in self.lines:
            yield f"{line.where}, description", line.description, TEXT

    def numbers(self) -> Iterator[tuple[str, str, Decimal | None, int, Decimal, Decimal]]:
        for line in self.lines:
            yield line.where, "quantity", line.quantity, DECIMALS, LEAST, MOST
            yield line.where, "price", line.price, DECIMALS, LEAST, MOST


class Account(Record, frozen=True, kw_only=True):
    """The chart of accounts in Airbase, as it is now, beside which the ERP's is checked in both directions: account
    numbers (erp_reference_id), names, types, and the subsidiaries that may post to them.
    """

    airbase_id: str
    erp_reference_id: str | None = None
    name: str | None = None
    type: str | None = None
    is_active: bool = True
    subsidiaries: tuple[str, ...] = ()  # erp_reference_ids; none: all may post to it

    @property
    def code(self) -> str:
        return self.erp_reference_id or ""


class Subsidiary(Record, frozen=True, kw_only=True):
    """The subsidiaries in Airbase, as they are now: each stands for a company of the ERP (erp_reference_id), with its
    name and currency.
    """

    airbase_id: str
    erp_reference_id: str | None = None
    name: str | None = None
    currency: str | None = None


VENDORS = Target("airbase", "vendors", Vendor, batch=100, shares=True)
PURCHASE_ORDERS = Target("airbase", "purchase_orders", PurchaseOrder, batch=100)

VENDOR_LIST = EntitySet(
    "airbase",
    "vendor_list",
    "",
    "vendors",
    ListedVendor,
    keys=("airbase_id",),
    modified=None,
    delta="sweep",
    description=ListedVendor.__doc__ or "",
)
