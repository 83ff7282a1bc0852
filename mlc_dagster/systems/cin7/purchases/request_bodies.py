"""Purchases and invoices as Cin7 takes them: bodies to send, and what of them tells whether anything differs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from mlc_dagster.systems.cin7.api import Document, stamp
from mlc_dagster.systems.cin7.purchases.invoiced_products import Allocation, body_of
from mlc_dagster.systems.cin7.records import Charge, Line, OrderLine, Purchase, PurchaseDocument, PurchaseInvoice

OPEN = ("DRAFT", "NOT AVAILABLE")
"""The states in which Cin7 lets an order or an invoice be overwritten."""

_KEPT = ("Approach", "Contact", "Phone", "TaxRule", "Terms", "BlindReceipt")
_ADDRESSES = ("BillingAddress", "ShippingAddress")
_ORDER_LINE = (
    "ProductID",
    "SKU",
    "Name",
    "Quantity",
    "Price",
    "Discount",
    "Tax",
    "TaxRule",
    "SupplierSKU",
    "Comment",
    "Total",
)
_CHARGE = ("Description", "Reference", "Quantity", "Price", "Discount", "Tax", "TaxRule", "Total")


def header(document: PurchaseDocument) -> dict[str, Any]:
    """What we say of a purchase's header. OrderNumber, OrderDate and Currency are Cin7's own: it takes none.

    The marker stands in an attribute, and in the note, since which attributes exist is set up in each account.
    """
    said = {
        "SupplierID": document.supplier_id,
        "Location": document.location,
        "TaxCalculation": "Exclusive",
        "RequiredBy": stamp(document.required_by),
        "CurrencyRate": document.currency_rate,
        "Note": document.note(),
        "AdditionalAttributes": _attributes(document) or None,
    }
    return {name: value for name, value in said.items() if value is not None}


def _attributes(document: PurchaseDocument) -> dict[str, str]:
    return {**({document.slot: document.marker} if document.slot else {}), **document.attributes()}


def compared_header(document: PurchaseDocument) -> dict[str, Any]:
    """What a header in Cin7 must cover to be equal to ours: not the attribute, which an account may not have."""
    ours = {name: value for name, value in header(document).items() if name != "AdditionalAttributes"}
    if told := document.attributes():
        ours["AdditionalAttributes"] = told
    return {**ours, "RequiredBy": stamp(document.required_by)} if isinstance(document, Purchase) else ours


def kept_header(document: PurchaseDocument) -> dict[str, Any]:
    """What an answer must have kept of a header: not the rate, of which Cin7 may keep fewer digits."""
    return {name: value for name, value in compared_header(document).items() if name != "CurrencyRate"}


def new_header(document: PurchaseDocument) -> dict[str, Any]:
    """The body of the first step. Invoices come before the goods, as in IFS; charges alone are a service purchase."""
    kind = {
        "Approach": "INVOICE",
        "PurchaseType": "Advanced",
        "IsServiceOnly": not document.parts(),
        "BlindReceipt": False,
    }
    return {**kind, **header(document)}


def changed_header(document: PurchaseDocument, theirs: Document) -> dict[str, Any]:
    """The body of PUT: whether Cin7 keeps what is left out is not documented, so theirs is sent along."""
    kept = {name: theirs[name] for name in _KEPT if theirs.get(name) is not None}
    kept |= addresses(theirs)
    ours = header(document)
    if isinstance(document, Purchase) and document.required_by is None:
        ours["RequiredBy"] = None  # it was taken out in the ERP: left out, Cin7 would keep it
    slots = {**(theirs.get("AdditionalAttributes") or {}), **ours.get("AdditionalAttributes", {})}
    return {"ID": theirs["ID"], **kept, **ours, "AdditionalAttributes": slots}


def addresses(theirs: Document) -> dict[str, Any]:
    """Its addresses as PUT takes them, those that it takes."""
    return {name: address for name in _ADDRESSES if (address := _address(theirs.get(name) or {}))}


def _address(theirs: Document) -> dict[str, Any]:
    """An address as PUT takes it; empty where Line1 or Country is missing, which answers leave null and PUT requires.

    How Cin7 displays an address is its own.
    """
    if not (theirs.get("Line1") and theirs.get("Country")):
        return {}
    return {name: value for name, value in theirs.items() if not name.startswith("Display") and value is not None}


def order(
    document: PurchaseDocument, purchase_id: str, products: Mapping[str, Document], status: str, *, taxed: bool
) -> dict[str, Any]:
    """The body of the second step: all lines, each time. `taxed`: totals hold the tax, where Cin7 expects that."""
    return {
        "TaskID": purchase_id,
        "CombineAdditionalCharges": False,
        "Memo": f"IFS {document.marker}",
        "Status": status,
        "Lines": [{**order_line(line), **_product(line, products), **_total(line, taxed)} for line in document.parts()],
        "AdditionalCharges": [{**order_charge(charge), **_total(charge, taxed)} for charge in document.charges],
    }


def compared_order(document: PurchaseDocument) -> dict[str, Any]:
    """What an order in Cin7 must cover to be equal to ours."""
    return {
        "Lines": [order_line(line) for line in document.parts()],
        "AdditionalCharges": [order_charge(charge) for charge in document.charges],
    }


def authorised(theirs: Document) -> dict[str, Any]:
    """An order of Cin7's as it is, sent back to be authorised."""
    was = theirs["Order"]
    return {
        "TaskID": theirs["ID"],
        "CombineAdditionalCharges": False,
        "Memo": was.get("Memo") or "",
        "Status": "AUTHORISED",
        "Lines": [_picked(line, _ORDER_LINE) for line in was.get("Lines") or []],
        "AdditionalCharges": [_picked(charge, _CHARGE) for charge in was.get("AdditionalCharges") or []],
    }


def invoice(
    document: PurchaseInvoice, rows: Allocation, purchase_id: str, task_id: str, *, taxed: bool
) -> dict[str, Any]:
    """The body of an invoice: products of its order as lines, what is no product as a charge; each on its account."""
    return {
        "PurchaseID": purchase_id,
        "TaskID": task_id,
        "CombineAdditionalCharges": False,
        **_invoice_head(document),
        "Status": document.status,
        "Lines": [{**body_of(each), "Total": each.total + (each.tax if taxed else 0)} for each in rows.products],
        "AdditionalCharges": [{**invoice_charge(charge), **_total(charge, taxed)} for charge in rows.charges],
    }


def compared_invoice(document: PurchaseInvoice, rows: Allocation) -> dict[str, Any]:
    """What an invoice in Cin7 must cover to be equal to ours."""
    return {
        **_invoice_head(document),
        "Lines": [body_of(each) for each in rows.products],
        "AdditionalCharges": [invoice_charge(charge) for charge in rows.charges],
    }


def _invoice_head(document: PurchaseInvoice) -> dict[str, Any]:
    dates: dict[str, date | None] = {"InvoiceDate": document.invoice_date, "InvoiceDueDate": document.due_date}
    return {"InvoiceNumber": document.invoice_number, **{name: stamp(day) for name, day in dates.items()}}


def order_line(line: OrderLine) -> dict[str, Any]:
    return {"SKU": line.sku, "Comment": line.comment, **_amounts(line)}


def order_charge(charge: Charge) -> dict[str, Any]:
    """Charges have no comment; their reference takes its place."""
    return {"Description": charge.description, "Reference": charge.comment, **_amounts(charge)}


def invoice_charge(charge: Charge) -> dict[str, Any]:
    return {**order_charge(charge), "Account": charge.account}


def _amounts(line: Line) -> dict[str, Any]:
    return {
        "Quantity": line.quantity,
        "Price": line.price,
        "Discount": line.discount,
        "Tax": line.tax,
        "TaxRule": line.tax_rule,
    }


def _total(line: Line, taxed: bool) -> dict[str, Any]:
    """Cin7 refuses a line whose total is not what it computes itself."""
    return {"Total": line.total() + line.tax if taxed else line.total()}


def _product(line: OrderLine, products: Mapping[str, Document]) -> dict[str, Any]:
    """Id and name as Cin7 has them, so that no product is renamed; an unknown part is left for Cin7 to refuse."""
    known = products.get(line.sku)
    return {"ProductID": known["ID"], "Name": known["Name"]} if known else {"Name": line.name}


def _picked(row: Document, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: row[name] for name in names if row.get(name) is not None}
