"""Supplier invoices of the ERP as Airbase has them: bills, or what is invoiced on an order; and Airbase's own bills."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from mlc_dagster.core.amounts import round_half_up
from mlc_dagster.core.flows import Target
from mlc_dagster.core.vocabulary import EntitySet, Record
from mlc_dagster.systems.airbase.records import DECIMALS, LEAST, LONG_TEXT, MOST, TEXT

ONE = Decimal(1)


class BillLine(Record, frozen=True, kw_only=True):
    """An amount of a bill on a GL account; tax stands in a line of its own."""

    where: str  # "line 1", for reasons
    key: str  # "0010/77/1"
    number: int  # its place in the bill, from 1
    description: str | None
    price: Decimal | None  # in the invoice's currency
    stated: Decimal | None  # the ERP's amount
    account: str | None = None  # erp_reference_id of the account
    is_tax: bool = False

    @property
    def quantity(self) -> Decimal:
        return ONE

    def total(self, decimals: int) -> Decimal:
        return round_half_up(self.price or Decimal(0), decimals)


class Bill(Record, frozen=True, kw_only=True):
    """A supplier invoice of the ERP as a bill, beside the purchase order that it names."""

    key: str  # of its posting proposal in the ERP, "0010/77": erp_reference_id
    company: str
    subsidiary: str  # erp_reference_id; empty: the company has none in Airbase
    supplier_no: str | None
    supplier_id: str | None  # Airbase's; None: not delivered
    invoice_number: str | None
    order_no: str | None
    purchase_id: str | None  # Airbase's id of the order; None: it names none, or that is not delivered
    currency: str | None
    decimals: int  # of its currency
    invoice_date: date | None = None
    due_date: date | None = None
    state: str | None = None  # the ERP's
    remark: str | None = None
    stated_net: Decimal | None = None
    stated_tax: Decimal | None = None
    stated_gross: Decimal | None = None
    lines: tuple[BillLine, ...] = ()

    def amount_lines(self) -> tuple[BillLine, ...]:
        return self.lines

    def total(self) -> Decimal:
        return self._sum(self.lines)

    def totals(self) -> Iterator[tuple[str, Decimal | None, Decimal]]:
        yield "net", self.stated_net, self._sum(line for line in self.lines if not line.is_tax)
        yield "gross", self.stated_gross, self.total()

    def _sum(self, lines: object) -> Decimal:
        return sum([line.total(self.decimals) for line in lines], Decimal(0))  # type: ignore[attr-defined]

    def required(self) -> Iterator[tuple[str, object]]:
        yield "InvoiceNo", self.invoice_number
        yield "Currency", self.currency
        yield "InvoiceDate", self.invoice_date
        yield "at least one line", self.lines

    def texts(self) -> Iterator[tuple[str, str | None, int]]:
        yield "InvoiceNo", self.invoice_number, TEXT
        yield "Text", self.remark, LONG_TEXT
        for line in self.lines:
            yield f"{line.where}, text", line.description, TEXT

    def numbers(self) -> Iterator[tuple[str, str, Decimal | None, int, Decimal, Decimal]]:
        for line in self.lines:
            yield line.where, "amount", line.price, DECIMALS, LEAST, MOST


class OrderInvoice(Record, frozen=True, kw_only=True):
    """One supplier invoice as it stands on its order: number, amount and state; a cancelled one counts for nothing."""

    key: str  # of its posting proposal in the ERP, "0010/77"
    company: str
    order_no: str | None
    purchase_id: str | None  # Airbase's id of the order; None: not delivered
    supplier_no: str | None
    invoice_number: str | None
    amount: Decimal | None  # what is payable, with tax
    net: Decimal | None  # without it
    currency: str | None
    decimals: int  # of its currency
    state: str | None
    counts: bool = True  # False: cancelled in the ERP

    def required(self) -> Iterator[tuple[str, object]]:
        yield "InvoiceNo", self.invoice_number
        yield "GrossAmount", self.amount
        yield "Currency", self.currency

    def texts(self) -> Iterator[tuple[str, str | None, int]]:
        yield "InvoiceNo", self.invoice_number, TEXT


class ListedBill(Record, frozen=True, kw_only=True):
    """Airbase's own bills, as they are now, beside which the ERP's supplier invoices are compared: vendor, number,
    amount, order, and the ERP's key where they carry one.
    """

    airbase_id: str
    erp_reference_id: str | None = None
    invoice_number: str | None = None
    supplier: str | None = None  # erp_reference_id of the vendor
    vendor: str | None = None  # its name
    subsidiary: str | None = None  # erp_reference_id
    currency: str | None = None
    total_amount: Decimal | None = None
    status: str | None = None
    fault: str = ""  # why it cannot be compared; empty: it can


BILLS = Target("airbase", "bills", Bill, batch=100)
ORDER_INVOICES = Target("airbase", "order_invoices", OrderInvoice, batch=50)

BILL_LIST = EntitySet(
    "airbase",
    "bill_list",
    "",
    "bills",
    ListedBill,
    keys=("airbase_id",),
    modified=None,
    delta="sweep",
    description=ListedBill.__doc__ or "",
)
