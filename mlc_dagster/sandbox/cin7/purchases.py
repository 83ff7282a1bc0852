"""Purchases of the sandboxed Cin7, in its two steps: a header that gets a number, then order lines; invoices after."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

from mlc_dagster.sandbox.cin7 import documents, fields
from mlc_dagster.sandbox.cin7.lines import judged_lines
from mlc_dagster.sandbox.cin7.reference_books import NOBODY, Books, RefusedError
from mlc_dagster.sandbox.cin7.suppliers import Suppliers

_TASK_STATES = ("DRAFT", "AUTHORISED")
_OPEN = ("DRAFT", "NOT AVAILABLE")


class Purchases:
    """All purchases, by ID, as they are kept; documents.py shows them."""

    def __init__(self, books: Books, suppliers: Suppliers, base_currency: str) -> None:
        self.books, self.suppliers, self.base_currency = books, suppliers, base_currency
        self.by_id: dict[str, dict[str, Any]] = {}
        self.last_number = 0

    def _next_number(self) -> int:
        self.last_number += 1
        return self.last_number

    def recall(self, purchases: Iterable[dict[str, Any]], last_number: int) -> None:
        """Purchases of an earlier day, and the last number that was given."""
        self.by_id = {purchase["ID"].lower(): purchase for purchase in purchases}
        self.last_number = last_number

    def find(self, identity: Any) -> dict[str, Any]:
        purchase = self.by_id.get(str(identity or "").lower())
        if purchase is None:
            raise RefusedError("Purchase with specified ID not found", code=404)
        return purchase

    def create(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Step 1. Lines, OrderNumber, Currency and Status in the body are ignored, as the real one does."""
        header, identity = self._header(body, {}), str(uuid4())
        purchase = {
            "ID": identity,
            "OrderNumber": f"PO-{self._next_number():05d}",
            "Status": "DRAFT",
            **header,
            "BaseCurrency": self.base_currency,
            "OrderDate": datetime.now(UTC).strftime("%Y-%m-%dT00:00:00"),
            "Order": {"Memo": "", "Status": "NOT AVAILABLE", "Lines": [], "AdditionalCharges": [], **_nothing()},
            "Invoice": [_empty_invoice(identity)],
            "CreditNote": [],
            "StockReceived": [],
        }
        self.by_id[identity.lower()] = purchase
        return _touched(purchase)

    def update(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """A header again; the supplier cannot change once the order is authorised."""
        purchase = self.find(body.get("ID"))
        self._refuse_voided(purchase)
        header = self._header({**_as_sent(purchase), **body}, purchase)
        if header["SupplierID"] != purchase["SupplierID"] and purchase["Order"]["Status"] not in _OPEN:
            raise RefusedError("Supplier can't be changed: the order is authorised")
        if self.books.traits.loses_addresses:
            header |= dict.fromkeys(("BillingAddress", "ShippingAddress"))
        purchase.update(header)
        return _touched(purchase)

    def void(self, identity: Any, void: bool) -> dict[str, Any]:
        """DELETE: `Void=true` voids, without it the last authorisation is undone."""
        purchase = self.find(identity)
        self._refuse_voided(purchase)
        if any(invoice["Status"] in ("AUTHORISED", "PAID") for invoice in purchase["Invoice"]):
            raise RefusedError("Purchase has an authorised invoice; undo it first")
        if not self.books.traits.voids:
            return _touched(purchase)
        state = "VOIDED" if void else "DRAFT"
        purchase["Status"] = purchase["Order"]["Status"] = state
        for invoice in purchase["Invoice"] if void else []:
            invoice["Status"] = "VOIDED"
        return _touched(purchase)

    def void_invoice(self, identity: Any, task: str) -> dict[str, Any]:
        """DELETE /advanced-purchase/invoice with `Void=true`. Raises RefusedError."""
        purchase = self.find(identity)
        invoice = next((each for each in purchase["Invoice"] if each["TaskID"].lower() == task.lower()), None)
        if invoice is None:
            raise RefusedError("Invoice task with specified ID not found", code=404)
        if invoice["Paid"]:
            raise RefusedError("Invoice has payments; remove them first")
        invoice["Status"] = "VOIDED"
        return _touched(purchase)

    def _header(self, body: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
        supplier, dropped = self._supplier(body), self.books.traits.drops.split(",")
        return {
            **_kind(body, known),
            "SupplierID": supplier["ID"],
            "Supplier": supplier["Name"],
            "SupplierCurrency": supplier["Currency"],
            "Contact": fields.text(body, "Contact", 256),
            "Phone": fields.text(body, "Phone", 50),
            **self._terms(body, supplier),
            "RequiredBy": None if "RequiredBy" in dropped else fields.moment(body, "RequiredBy"),
            "CurrencyRate": fields.number(body, "CurrencyRate", Decimal(1)),
            "Note": "" if "Note" in dropped else fields.text(body, "Note", 1024),
            "AdditionalAttributes": _attributes(body.get("AdditionalAttributes") or {}),
            **{name: documents.sent_address(body, name) for name in ("BillingAddress", "ShippingAddress")},
        }

    def _terms(self, body: Mapping[str, Any], supplier: Mapping[str, Any]) -> dict[str, Any]:
        """What must be in the books; the supplier's own where nothing is sent."""
        term, tax = fields.text(body, "Terms", 256), fields.text(body, "TaxRule", 50)
        ways = {"TaxCalculation": "Exclusive", **body}
        return {
            "Location": fields.location(self.books, fields.text(body, "Location", 256, required=True)),
            "Terms": fields.payment_term(self.books, term) if term else supplier["PaymentTerm"],
            "TaxRule": fields.tax_rule(self.books, tax) if tax else supplier["TaxRule"],
            "TaxCalculation": fields.choice(ways, "TaxCalculation", ("Inclusive", "Exclusive")),
        }

    def _supplier(self, body: Mapping[str, Any]) -> dict[str, Any]:
        wanted, name = fields.text(body, "SupplierID", 36), fields.text(body, "Supplier", 256)
        if not wanted and not name:
            raise RefusedError("'SupplierID' or 'Supplier' is required")
        supplier = self.suppliers.by_id.get(wanted.lower()) if wanted else self.suppliers.named(name)
        if supplier is None:
            raise RefusedError("Supplier with specified ID or name not found", code=404)
        return supplier

    def _refuse_voided(self, purchase: Mapping[str, Any]) -> None:
        if purchase["Status"] == "VOIDED":
            raise RefusedError("Purchase is voided")

    # --- step 2: order lines ---

    def write_order(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Overwrites the order's lines, while it is DRAFT or NOT AVAILABLE."""
        purchase = self.find(body.get("TaskID"))
        self._refuse_voided(purchase)
        if purchase["Order"]["Status"] not in _OPEN:
            raise RefusedError(f"Order status is {purchase['Order']['Status']}; it must be DRAFT or NOT AVAILABLE")
        if purchase["BlindReceipt"]:
            raise RefusedError("A blind receipt has no order")
        state = fields.choice(body, "Status", _TASK_STATES)
        if purchase["IsServiceOnly"]:
            body = _as_charges(body)
        order = {"Memo": fields.text(body, "Memo", 1024), **judged_lines(self.books, body, with_account=False)}
        if state == "AUTHORISED" and not (order["Lines"] or order["AdditionalCharges"]):
            raise RefusedError("Order without lines can't be authorised")
        purchase["Order"] = {"Status": state, **order}
        purchase["Status"] = "ORDERED" if state == "AUTHORISED" else "ORDERING"
        _touched(purchase)
        return self.order(purchase, body.get("CombineAdditionalCharges") is True)

    def edit_price(self, identity: Any, price: Any) -> dict[str, Any]:
        """Undo, edit the first line, authorise again: what the user interface does in one step. Raises RefusedError."""
        purchase = self.find(identity)
        order = copy.deepcopy(purchase["Order"])
        rows = [*order["Lines"], *order["AdditionalCharges"]]
        if not rows:
            raise RefusedError("Order has no line")
        first, percent = rows[0], Decimal(self.books.tax_rules[rows[0]["TaxRule"]]["TaxPercent"])
        first["Price"] = fields.number({"Price": price}, "Price")
        first["Total"] = fields.cents(first["Quantity"] * first["Price"] * (1 - first["Discount"] / Decimal(100)))
        first["Tax"] = fields.cents(first["Total"] * percent / Decimal(100))
        purchase["Order"] = {**order, **judged_lines(self.books, order, with_account=False)}
        return _touched(purchase)

    def order(self, purchase: Mapping[str, Any], combine: bool = False) -> dict[str, Any]:
        return {"TaskID": purchase["ID"], "CombineAdditionalCharges": combine, **purchase["Order"]}

    # --- invoices ---

    def write_invoice(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Overwrites the invoice of that task while it is a draft; an absent or zero TaskID is a new invoice."""
        purchase = self.find(body.get("PurchaseID"))
        self._refuse_voided(purchase)
        if purchase["Order"]["Status"] != "AUTHORISED" and not purchase["BlindReceipt"]:
            raise RefusedError("Order must be authorised before an invoice is made")
        place = self._task(purchase, str(body.get("TaskID") or NOBODY).lower())
        invoice = self._invoice(body)
        if place is None:
            purchase["Invoice"].append({"TaskID": str(uuid4()), **invoice})
        else:
            purchase["Invoice"][place] = {"TaskID": purchase["Invoice"][place]["TaskID"], **invoice}
        if invoice["Status"] == "AUTHORISED":
            purchase["Status"] = "INVOICED"
        _touched(purchase)
        return documents.invoices(purchase)

    def _task(self, purchase: Mapping[str, Any], wanted: str) -> int | None:
        """Where the invoice of a task stands; None: a new one."""
        if wanted == NOBODY:
            return None
        for place, invoice in enumerate(purchase["Invoice"]):
            if invoice["TaskID"].lower() == wanted:
                if invoice["Status"] not in _OPEN:
                    raise RefusedError(f"Invoice status is {invoice['Status']}; it must be DRAFT or NOT AVAILABLE")
                return place
        raise RefusedError("Invoice task with specified ID not found", code=404)

    def _invoice(self, body: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "InvoiceNumber": fields.text(body, "InvoiceNumber", 256) or f"INV-{self._next_number():05d}",
            "InvoiceDate": fields.moment(body, "InvoiceDate", required=True),
            "InvoiceDueDate": fields.moment(body, "InvoiceDueDate", required=True),
            "Status": fields.choice(body, "Status", _TASK_STATES),
            **judged_lines(self.books, body, with_account=True),
            "Paid": Decimal(0),
        }


def _kind(body: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
    """The kind of purchase is fixed when it is made; a service purchase is always invoice first."""
    approach = fields.choice(body, "Approach", ("INVOICE", "STOCK"))
    kind = fields.choice({"PurchaseType": "Simple", **body}, "PurchaseType", ("Simple", "Advanced"))
    service = body.get("IsServiceOnly") is True
    return {
        "Type": known.get("Type") or ("Service Purchase" if service else f"{kind} Purchase"),
        "Approach": "INVOICE" if service else approach,
        "IsServiceOnly": service,
        "BlindReceipt": body.get("BlindReceipt") is True,
    }


def _touched(purchase: dict[str, Any]) -> dict[str, Any]:
    purchase["LastUpdatedDate"] = fields.now_text()
    return purchase


def _as_charges(body: Mapping[str, Any]) -> dict[str, Any]:
    """A service purchase has no lines: those that are sent become additional charges."""
    lines = [
        {"Description": line.get("Name"), "Reference": line.get("SKU"), **line} for line in body.get("Lines") or []
    ]
    return {**body, "Lines": [], "AdditionalCharges": [*lines, *(body.get("AdditionalCharges") or [])]}


def _nothing() -> dict[str, Decimal]:
    return {"TotalBeforeTax": Decimal(0), "Tax": Decimal(0), "Total": Decimal(0)}


def _empty_invoice(task: str) -> dict[str, Any]:
    dates = {"InvoiceNumber": None, "InvoiceDate": None, "InvoiceDueDate": None}
    return {"TaskID": task, **dates, "Status": "NOT AVAILABLE", "Lines": [], "AdditionalCharges": [], **_nothing()}


def _as_sent(purchase: Mapping[str, Any]) -> dict[str, Any]:
    """A kept purchase in the form in which a header is sent."""
    kind = "Advanced" if purchase["Type"] == "Advanced Purchase" else "Simple"
    return {**purchase, "PurchaseType": kind}


def _attributes(given: Any) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise RefusedError("'AdditionalAttributes' must be an object")
    names = [f"AdditionalAttribute{number}" for number in range(1, 11)]
    return {name: fields.text(given, name, 256) or None for name in names}
