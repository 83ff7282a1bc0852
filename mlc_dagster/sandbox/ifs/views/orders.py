"""Purchase orders and customer orders: no totals, days at midnight, lines in arrays below each header."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from mlc_dagster.sandbox.ifs.rows import Stored
from mlc_dagster.sandbox.ifs.views.columns import Column, Source, columns, renamed, without
from mlc_dagster.sandbox.ifs.views.view import INT, Action, View, lines

_CODES = " ".join(f"Code{letter}" for letter in "BCDEFGHIJ")
_OPEN = ("Planned", "Released", "Confirmed")
_ACTIONS = (
    Action("PurchaseOrder_Release", ("Planned", "Stopped"), "Released"),
    Action("PurchaseOrder_Confirm", ("Released",), "Confirmed"),
    Action("PurchaseOrder_Cancel", _OPEN, "Cancelled"),
    Action("PurchaseOrder_Stop", _OPEN, "Stopped"),
)
_HEADER = columns(
    "OrderNo VendorNo Contract Company OrderDate:midnight BuyerCode AuthorizeCode CurrencyCode Objstate<ObjState:enum"
)


def in_base(name: str) -> tuple[str, Callable[[Source], Any]]:
    """A field of the line in the company's currency."""

    def value(source: Source) -> Any:
        amount, rate = source.get(name), source.head.fields.get("CurrencyRate")
        if amount is None or rate is None:
            return amount
        return (amount * rate).quantize(Decimal("0.0001"), ROUND_HALF_UP).normalize() + Decimal(0)

    return "decimal", value


def _line_columns() -> tuple[Column, ...]:
    """FbuyUnitPrice and NetAmtCurr are in the order's currency, BuyUnitPrice and NetAmountBase in the company's."""
    return columns(
        "OrderNo LineNo ReleaseNo PartNo Description BuyQtyDue:decimal BuyUnitMeas FbuyUnitPrice<BuyUnitPrice:decimal "
        "BuyUnitPriceInclTax:decimal NetAmtCurr<LineAmount:decimal TaxAmount:decimal TaxAmountBase:decimal "
        "GrossAmtCurr:decimal GrossAmtBase:decimal Discount:decimal=0 CurrencyCode PriceUnitMeas<BuyUnitMeas "
        "ConvFactor:decimal=1 PriceConvFactor:decimal=1 FeeCode<TaxCode TaxLiability WantedDeliveryDate:midnight "
        "PlannedDeliveryDate:midnight PlannedReceiptDate<WantedReceiptDate:midnight PlannedArrivalDate:midnight "
        "PromisedDeliveryDate:midnight LatestOrderDate:midnight DateEntered<OrderDate:midnight VendorNo Contract "
        f"PurchaseSite<Contract ProjectId ActivitySeq:int CodeA<Account {_CODES} Objstate<ObjState:enum RequisitionNo "
        "DemandCode InvoicingSupplier NoteText CloseCode QtyOnOrder:decimal CustomerOrderNo Cf_Batch",
        BuyUnitPrice=in_base("BuyUnitPrice"),
        NetAmountBase=in_base("LineAmount"),
    )


def _lines_that(fits: Callable[[Stored], bool]) -> Callable[[Stored], Iterator[Source]]:
    def found(head: Stored) -> Iterator[Source]:
        return (Source(head, line) for line in head.lines if fits(line))

    return found


def _is_rental(line: Stored) -> bool:
    return bool(line.fields.get("Rental"))


def _has_part(line: Stored) -> bool:
    return line.fields["PartNo"] is not None and not _is_rental(line)


def _has_no_part(line: Stored) -> bool:
    return line.fields["PartNo"] is None and not _is_rental(line)


def purchase_orders(projection: str = "PurchaseOrderHandling") -> View:
    """Three arrays of lines; that of lines without a part names its amount in the base currency otherwise."""
    whole = _line_columns()
    no_part = renamed(without(whole, "PartNo", "DateEntered", "PriceConvFactor"), NetAmountBase="NetAmtBase")
    arrays = (
        ("LinePartArray", "PurchaseOrderLinePart", whole, _has_part),
        ("LineNopartArray", "PurchaseOrderLineNopart", no_part, _has_no_part),
        ("LineRentalPartArray", "PurchaseOrderLineRentalPart", whole, _is_rental),
    )
    return View(
        projection,
        "PurchaseOrderSet",
        "PurchaseOrder",
        "PurchaseOrderSet",
        ("OrderNo",),
        _HEADER,
        arrays=tuple(
            _lines_view(projection, name, entity, found, sources=_lines_that(fits))
            for name, entity, found, fits in arrays
        ),
        writes=frozenset({"PATCH"}),
        actions=_ACTIONS,
    )


def lines_without_part(projection: str = "PurchaseOrderHandling") -> View:
    """The only set of lines on /main: those without a part."""
    no_part = renamed(without(_line_columns(), "PartNo", "DateEntered", "PriceConvFactor"), NetAmountBase="NetAmtBase")
    sources = _lines_that(_has_no_part)
    return _lines_view(projection, "PurchaseOrderLineNopartSet", "PurchaseOrderLineNopart", no_part, sources=sources)


def _lines_view(projection: str, name: str, entity: str, found: tuple[Column, ...], **also: Any) -> View:
    return View(projection, name, entity, "PurchaseOrderSet", ("OrderNo", "LineNo", "ReleaseNo"), found, **also)


def line_entity() -> View:
    """All lines as an entity service, on /int."""
    found = without(_line_columns(), "Cf_Batch")
    projection, name = "PurchaseOrderLineEntity", "PurchaseOrderLineSet"
    return _lines_view(projection, name, "PurchaseOrderLine", found, sources=lines, surface=INT)


_SALE_KEYS = ("OrderNo", "LineNo", "RelNo", "LineItemNo")


def _sales(projection: str, name: str) -> View:
    found = columns(
        "OrderNo LineNo RelNo LineItemNo:int=0 Contract CatalogNo CatalogDesc<Description PartNo<CatalogNo CustomerNo "
        "BuyQtyDue:decimal SalesUnitMeas=pcs WantedDeliveryDate:midnight PlannedDeliveryDate:midnight "
        "PromisedDeliveryDate:midnight ConfigurationId=* SaleUnitPrice:decimal NetAmountCurr<LineAmount:decimal "
        "Objstate<ObjState:enum Cf_Note"
    )
    return View(projection, name, "CustomerOrderLine", "CustomerOrderSet", _SALE_KEYS, found, sources=lines)


def customer_orders(projection: str = "CustomerOrderHandling") -> View:
    """No company and no total; the lines in OrderLinesArray."""
    header = columns("OrderNo Contract CustomerNo CustomerName CurrencyCode OrderDate:midnight Objstate<ObjState:enum")
    array = _sales(projection, "OrderLinesArray")
    return View(
        projection, "CustomerOrderSet", "CustomerOrder", "CustomerOrderSet", ("OrderNo",), header, arrays=(array,)
    )


def customer_order_lines(projection: str = "CustomerOrderHandling") -> View:
    """All lines, as a set."""
    return _sales(projection, "CustomerOrderLineSet")
