"""What a purchase or an invoice in Cin7 is compared by, as it was sent and as Cin7 shows it. Pure.

Cin7 touches `LastUpdatedDate` with every change, and its list shows it: one that stands as at the last look needs no
reading.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from mlc_dagster.core.outcomes import Shown, Worth
from mlc_dagster.core.shown_values import Value, flat, value_of
from mlc_dagster.systems.cin7.api import Document, same_id, stamp
from mlc_dagster.systems.cin7.purchases import request_bodies
from mlc_dagster.systems.cin7.records import Purchase, PurchaseDocument, PurchaseInvoice

_MARK = re.compile(r"IFS (.+?)(?: account .*|: .*)?$", re.DOTALL)
STAMP, COMPANY = "@LastUpdatedDate", "company"
TOTALS = ("TotalBeforeTax", "Tax", "Total")
ROWS = ("Lines", "AdditionalCharges")
_OF_A_ROW = ("SKU", "Description", "Account", "Quantity", "Price", "Discount", "Tax", "TaxRule")
_HEADER = ("SupplierID", "Supplier", "SupplierCurrency", "RequiredBy", "Note")
_INVOICE = ("InvoiceNumber", "InvoiceDate", "InvoiceDueDate")
_IDS, _DAYS = ("SupplierID",), ("RequiredBy", "InvoiceDate", "InvoiceDueDate")


def expected_purchase(document: Purchase) -> Shown:
    """Of an order as it was sent: its header, each line by its place, and the totals that Cin7 makes of them."""
    head = {"SupplierID": document.supplier_id, "SupplierCurrency": document.currency, "Note": document.note()}
    head |= {"RequiredBy": stamp(document.required_by)}
    rows = _rows(request_bodies.compared_order(document), "Order.")
    return {**_plain(head, _HEADER), **rows, **_totals(document, "Order."), COMPANY: document.company}


def expected_invoice(document: PurchaseInvoice) -> Shown:
    """Of an invoice as it was sent. Which of its rows become products is decided by its order in Cin7."""
    dates = {"InvoiceDate": stamp(document.invoice_date), "InvoiceDueDate": stamp(document.due_date)}
    party = {"SupplierID": document.supplier_id, "SupplierCurrency": document.currency, "Paid": value_of(0)}
    head = {"InvoiceNumber": document.invoice_number, **dates, **party}
    rows: dict[str, Value] = {}
    if document.as_charges or document.order_no is None:
        sent = [request_bodies.invoice_charge(charge) for charge in document.charges]
        rows = _rows({"Lines": [], "AdditionalCharges": sent}, "")
    return {**_plain(head, tuple(head)), **rows, **_totals(document, ""), COMPANY: document.company}


def shown_purchase(purchase: Document, order: Document | None = None) -> Shown:
    """`order`: as an answer has it, newer than the purchase."""
    there = order if order is not None else purchase.get("Order") or {}
    return {
        **_plain(purchase, _HEADER),
        **_rows(there, "Order."),
        **flat(there, TOTALS, "Order."),
        **_stamp(purchase),
    }


def shown_invoice(purchase: Document, invoice: Document) -> Shown:
    """An invoice with the supplier and the currency of its purchase."""
    head = _plain(purchase, ("SupplierID", "SupplierCurrency"))
    money = flat(invoice, (*TOTALS, "Paid"))
    return {**head, **_plain(invoice, _INVOICE), **_rows(invoice, ""), **money, **_stamp(purchase)}


def worth_of(values: Shown) -> Worth:
    """Of a purchase or an invoice its total with tax; of a supplier nothing. Cin7 does not know the company."""
    total = values.get("Order.Total", values.get("Total"))
    amount = total if isinstance(total, Decimal) else None
    return Worth(str(values.get(COMPANY) or ""), amount, str(values.get("SupplierCurrency") or ""))


def invoice_of(purchase: Document, task_id: str) -> Document | None:
    invoices: Sequence[Document] = purchase.get("Invoice") or ()
    return next((each for each in invoices if same_id(each.get("TaskID"), task_id)), None)


def _stamp(purchase: Document) -> dict[str, Value]:
    return {STAMP: str(purchase["LastUpdatedDate"])} if purchase.get("LastUpdatedDate") else {}


def _totals(document: PurchaseDocument, before: str) -> dict[str, Value]:
    net, tax = document.net(), document.tax()
    return {f"{before}TotalBeforeTax": net, f"{before}Tax": tax, f"{before}Total": net + tax}


def _rows(stage: Mapping[str, Any], before: str) -> dict[str, Value]:
    """How many lines and charges there are, and what each says, by its mark."""
    return dict(_each_row(stage, before))


def _each_row(stage: Mapping[str, Any], before: str) -> Iterator[tuple[str, Value]]:
    for name in ROWS:
        rows: Sequence[Document] = stage.get(name) or ()
        yield f"{before}{name}", value_of(len(rows))
        for mark, row in marked(rows):
            yield from flat(row, _OF_A_ROW, f"{before}{name}[{mark}].").items()


def marked(rows: Sequence[Document]) -> Iterator[tuple[str, Document]]:
    """Each row by the ERP's key in its comment or reference, what people added by its place: rows move."""
    seen: Counter[str] = Counter()
    for place, row in enumerate(rows, 1):
        text = str(row.get("Comment") or row.get("Reference") or "").strip()
        mark = _MARK.match(text)
        named = mark[1] if mark else str(place)
        seen[named] += 1
        yield (f"{named} {seen[named]}" if seen[named] > 1 else named), row


def _plain(document: Mapping[str, Any], names: Sequence[str]) -> dict[str, Value]:
    """Ids in one case, days without their hour."""
    return {name: _one(name, value) for name, value in flat(document, names).items()}


def _one(name: str, value: Value) -> Value:
    if not isinstance(value, str):
        return value
    return value.casefold() if name in _IDS else value[:10] if name in _DAYS else value
