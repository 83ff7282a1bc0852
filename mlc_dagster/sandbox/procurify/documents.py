"""Purchase orders and bills of the sandboxed Procurify, whole: totals are computed from the lines unless given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

from mlc_dagster.sandbox.procurify.lines import Cost, Line, bill_cost, bill_item, order_item, total
from mlc_dagster.sandbox.procurify.reference_data import Amount, Books, Row, converted, floating, text

_FLOATS = (
    "subtotal_cost",
    "total_cost",
    "tax_amount",
    "inclusive_tax_amount",
    "exclusive_tax_amount",
    "shipping_amount",
    "total_cost_with_tax",
    "converted_total_cost",
    "invoice_total",
)
_USER = {"id": 7, "email": "service@example.test", "firstName": "Service", "lastName": "User"}


def stamp(moment: datetime | None = None) -> str:
    """A moment as Procurify writes it; now unless given."""
    return (moment or datetime.now(UTC)).astimezone(UTC).isoformat().replace("+00:00", "Z")


def plain(fields: Mapping[str, Any]) -> Row:
    """Given fields as they stand on the wire: moments and dates as text."""
    return {name: _plain(value) for name, value in fields.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return stamp(value)
    return value.isoformat() if isinstance(value, date) else value


def floats(fields: Mapping[str, Any]) -> Row:
    """Given fields of a bill, whose amounts are JSON floats."""
    return {name: floating(value) if name in _FLOATS else value for name, value in plain(fields).items()}


def order(books: Books, number: int, vendor: Row, lines: Sequence[Line], currency: str, given: Row) -> Row:
    """A purchase order as GET of one answers it; `given` wins."""
    money, dated = books.currency(currency), plain(given).get("date") or stamp()
    items = [order_item(books, line, number * 100 + place, place, currency) for place, line in enumerate(lines, 1)]
    return {
        **_order_header(number, dated),
        "pref_vendor": vendor,
        "vendor_name": vendor["name"],
        "purchased_currency": money,
        "purchased_currency_rate": text(money["rate"], places=6),
        **_order_totals(books, lines, money, given),
        "order_items": [{"approved_datetime": dated, **item} for item in items],
        **plain(given),
    }


def _order_header(number: int, dated: str) -> Row:
    return {
        "procurify_PO": number,
        "number": f"PF{number}",
        "PO_Num": None,
        "uuid": str(uuid4()),
        "state": 0,
        "fulfilment_status": "empty",
        "version": 1,
        "most_recent_version": True,
        "active": True,
        "date": dated,
        "last_modified": dated,
        "closed_date": None,
        "payment_terms": "Net 30",
        "payment_term": {"name": "Net 30"},
        "promise_date": None,
        "comment": "",
        "custom_fields": [],
    }


def _order_totals(books: Books, lines: Sequence[Line], money: Row, given: Row) -> Row:
    name = money["name"]
    """`freight` and `other` are amounts, and part of the total. Totals have two decimals, whatever the currency has."""
    freight, other = (given.pop(each, "0") for each in ("freight", "other"))
    subtotal, tax = total(line.amount for line in lines), total(line.exclusive_tax for line in lines)
    cost = subtotal + tax + total((freight, other, *(line.shipping for line in lines)))
    return {
        "subtotal": text(subtotal),
        "freight": text(freight, name),
        "other": text(other, name),
        "tax": {"value": text(tax, name), "type": "amount"},
        "discount": {"value": "0", "type": "amount"},
        "total": text(cost),
        "cost_details": {
            "subtotal": text(subtotal, name),
            "tax_amount": text(tax, name),
            "total_cost": text(cost, name),
            "total_cost_in_base_currency": text(
                converted(cost, money, books.base_currency), books.base_currency["name"]
            ),
        },
    }


def bill(
    books: Books,
    number: int,
    vendor: Row,
    lines: Sequence[Line],
    costs: Sequence[Cost],
    shipping: Amount,
    currency: str,
    orders: Mapping[int, Row],
    given: Row,
) -> Row:
    """A bill as GET of one answers it; `orders` are the purchase orders that it covers, `given` wins."""
    money = books.currency(currency)
    return {
        **_bill_header(number, given.get("status", 2), plain(given).get("last_modified_datetime") or stamp()),
        "vendor": vendor,
        "vendor_name": vendor["name"],
        "currency": money,
        **_bill_totals(books, lines, costs, Decimal(shipping), money),
        "added_purchase_orders": [_covered(each) for each in orders.values()],
        "items": _bill_items(books, number, lines, currency, orders),
        "costs": [bill_cost(books, cost, number * 100 + 50 + place, currency) for place, cost in enumerate(costs)],
        **floats(given),
    }


def _bill_items(
    books: Books, number: int, lines: Sequence[Line], currency: str, orders: Mapping[int, Row]
) -> list[Row]:
    numbered = enumerate(lines, number * 100 + 1)
    return [bill_item(books, line, each, currency, orders[line.po] if line.po else None) for each, line in numbered]


def _bill_header(number: int, status: int, at: str) -> Row:
    return {
        "id": number,
        "uuid": str(uuid4()),
        "status": status,
        "type": 0,
        "version": 1,
        "locked": status in (2, 4, 6, 7, 8),
        "active": True,
        "invoice_number": f"INV-{number}",
        **dict.fromkeys(("invoice_date", "due_date", "gl_post_date", "submitted_date", "last_modified_datetime"), at),
        "last_export_date": None,
        "payment_terms": "Net 30",
        "payment_method_name": "EFT",
        "note": "",
        "group": None,
        "past_due": False,
        "approver": _USER,
        "creator": _USER,
        "bill_statuses": [{"id": number, "date": at, "status": status, "user": _USER}],
        "invoice_attachments": [],
    }


def _bill_totals(books: Books, lines: Sequence[Line], costs: Sequence[Cost], shipping: Decimal, money: Row) -> Row:
    subtotal, exclusive = total(line.amount for line in lines), total(line.exclusive_tax for line in lines)
    tax = total(line.tax for line in lines)
    cost, shipped = subtotal + total(each.amount for each in costs), shipping + total(line.shipping for line in lines)
    payable = cost + exclusive + shipped
    return floats(
        {
            "subtotal_cost": subtotal,
            "total_cost": cost,
            "tax_amount": tax,
            "inclusive_tax_amount": tax - exclusive,
            "exclusive_tax_amount": exclusive,
            "shipping_amount": shipped,
            "total_cost_with_tax": payable,
            "invoice_total": payable,
            "converted_total_cost": converted(payable, money, books.base_currency),
        }
    )


def _covered(order: Row) -> Row:
    return {
        "id": order["procurify_PO"],
        "number": order["number"],
        "currency": order["purchased_currency"]["name"],
        "total_amount": order["total"],
    }
