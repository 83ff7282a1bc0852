"""GET /purchaseList of the sandboxed Cin7: a row for each purchase, and its filters."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

from mlc_dagster.sandbox.cin7 import documents
from mlc_dagster.sandbox.cin7.reference_books import paged
from mlc_dagster.sandbox.cin7.traits import Cin7Traits
from mlc_dagster.sandbox.wire import Answer

_AS_THEY_ARE = [
    "ID",
    "OrderNumber",
    "Status",
    "Type",
    "IsServiceOnly",
    "BlindReceipt",
    "Supplier",
    "SupplierID",
    "OrderDate",
    "BaseCurrency",
    "SupplierCurrency",
    "RequiredBy",
    "LastUpdatedDate",
]
_SEARCHED = ("OrderNumber", "Status", "Supplier", "InvoiceNumber", "CreditNoteNumber")  # no notes, no attributes

_FILTERS: dict[str, Callable[[Mapping[str, Any], str], bool]] = {
    "search": lambda row, text: any(text.lower() in str(row[name] or "").lower() for name in _SEARCHED),
    "updatedsince": lambda row, since: row["LastUpdatedDate"][:19] >= since[:19],
    "orderstatus": lambda row, state: row["OrderStatus"].lower() == state.lower(),
    "invoicestatus": lambda row, state: row["InvoiceStatus"].lower() == state.lower(),
    "status": lambda row, state: row["Status"].lower() == state.lower(),
    "requiredby": lambda row, day: bool(row["RequiredBy"]) and row["RequiredBy"][:10] <= day[:10],
}


def page(
    purchases: Iterable[Mapping[str, Any]], options: Mapping[str, str], traits: Cin7Traits = documents.USUAL
) -> Answer:
    """A page of the purchases that meet every filter, by number; parameters that Cin7 does not know are ignored."""
    rows = []
    for purchase in sorted(purchases, key=lambda each: str(each["OrderNumber"])):
        row = {**summary(purchase), "Status": documents.purchase(purchase, traits)["Status"]}
        if all(keeps(row, options[name]) for name, keeps in _FILTERS.items() if options.get(name)):
            rows.append(row)
    return paged("PurchaseList", rows, options)


def summary(purchase: Mapping[str, Any]) -> dict[str, Any]:
    """A purchase as the list shows it; the invoice columns are those of the first real invoice."""
    invoices = [invoice for invoice in purchase["Invoice"] if invoice["Status"] != "NOT AVAILABLE"]
    first = invoices[0] if invoices else {}
    return {
        **{name: purchase[name] for name in _AS_THEY_ARE},
        "OrderStatus": purchase["Order"]["Status"],
        "InvoiceStatus": first.get("Status", "NOT AVAILABLE"),
        **dict.fromkeys(("StockReceivedStatus", "UnstockStatus", "CreditNoteStatus"), "NOT AVAILABLE"),
        **documents.combined(purchase),
        **{name: first.get(name) for name in ("InvoiceNumber", "InvoiceDate", "InvoiceDueDate")},
        "InvoiceAmount": sum((invoice["Total"] for invoice in invoices), Decimal(0)),
        "PaidAmount": Decimal(0),
        "CreditNoteNumber": None,
        "DropShipTaskID": None,
    }
