"""Purchases as Cin7 shows them: every member of its blueprint, those that nothing here fills in as the blueprint's
examples have them when they are empty.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from mlc_dagster.sandbox.cin7 import fields
from mlc_dagster.sandbox.cin7.reference_books import RefusedError
from mlc_dagster.sandbox.cin7.traits import Cin7Traits

Row = dict[str, Any]
USUAL = Cin7Traits()

_ADDRESS = {"Line1": 256, "Line2": 256, "City": 256, "State": 256, "Postcode": 20, "Country": 256}
_EMPTY_LISTS = ("PutAway", "ManualJournals", "Attachments", "InventoryMovements")


def purchase(kept: Mapping[str, Any], traits: Cin7Traits = USUAL) -> Row:
    """As GET, POST, PUT and DELETE /advanced-purchase answer it."""
    return {
        **{name: [] for name in _EMPTY_LISTS},
        "InventoryAccount": "",
        "RelatedDropShipSaleTask": None,
        **kept,
        "Status": _composed(kept) if traits.composed_statuses else kept["Status"],
        "BillingAddress": _address(kept.get("BillingAddress") or {}),
        "ShippingAddress": {**_address(kept.get("ShippingAddress") or {}), "ShipToOther": False},
        **combined(kept),
        "Order": {"Prepayments": [], **kept["Order"]},
        "Invoice": [_invoice_of_purchase(number, each, kept, traits) for number, each in enumerate(kept["Invoice"], 1)],
    }


def _composed(kept: Mapping[str, Any]) -> str:
    """As they were measured: RECEIVED / CREDITED, COMPLETED / CREDIT NOTE CLOSED."""
    return f"{kept['Status']} / CREDITED" if kept["Status"] in ("VOIDED", "INVOICED") else str(kept["Status"])


def invoices(kept: Mapping[str, Any]) -> Row:
    """As /advanced-purchase/invoice answers them: a model of its own, without payments."""
    return {"PurchaseID": kept["ID"], "Invoices": [_invoice(each) for each in kept["Invoice"]]}


def combined(kept: Mapping[str, Any]) -> Row:
    """The three states that a purchase is summed up in."""
    voided = kept["Status"] == "VOIDED"
    is_invoiced = any(invoice["Status"] in ("AUTHORISED", "PAID") for invoice in kept["Invoice"])
    return {
        "CombinedReceivingStatus": "VOIDED" if voided else "NOT RECEIVED",
        "CombinedInvoiceStatus": "VOIDED" if voided else "INVOICED" if is_invoiced else "NOT INVOICED",
        "CombinedPaymentStatus": "VOIDED" if voided else "UNPAID",
    }


def sent_address(body: Mapping[str, Any], name: str) -> Row | None:
    """An address as it may be kept: Line1 and Country are required, whoever echoes an empty one is refused."""
    given = body.get(name)
    if given is None:
        return None
    if not isinstance(given, dict):
        raise RefusedError(f"'{name}' must be an object")
    return {
        each: fields.text(given, each, most, required=each in ("Line1", "Country")) for each, most in _ADDRESS.items()
    }


def _address(kept: Mapping[str, Any]) -> Row:
    first = " ".join(filter(None, (kept.get("Line1"), kept.get("Line2"))))
    second = " ".join(filter(None, (kept.get(name) for name in ("City", "State", "Postcode", "Country"))))
    shown = {"DisplayAddressLine1": first, "DisplayAddressLine2": second}
    return {**shown, **{name: kept.get(name) for name in _ADDRESS}}


def _invoice_of_purchase(number: int, kept: Mapping[str, Any], of: Mapping[str, Any], traits: Cin7Traits) -> Row:
    """With a rate of its own where it is in a foreign currency: nobody can set it."""
    is_foreign = of["SupplierCurrency"] != of["BaseCurrency"]
    rate = Decimal(of["CurrencyRate"]) * (Decimal(str(traits.invoice_rate)) if is_foreign else 1)
    row = {"InvoicingAndReceivingNumber": number, "Payments": [], "Paid": Decimal(0), **kept}
    return {**row, "CurrencyRate": round(rate, 6)}


def _invoice(kept: Mapping[str, Any]) -> Row:
    totals = {"InvoiceTotalAmount": kept["Total"], "InvoiceTotalTaxAmount": kept["Tax"]}
    return {"CombineAdditionalCharges": False, **{n: v for n, v in kept.items() if n != "Paid"}, **totals}
