"""What a test or a seed says of a line, and the line as Procurify's bills and purchase orders carry it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from mlc_dagster.sandbox.procurify.reference_data import DEPARTMENT, Amount, Books, Row, floating, text

Split = tuple[str | None, str | None, Amount]
"""Account code, department's name, amount; None leaves that side open."""


@dataclass(frozen=True)
class Line:
    """`amount` is without shipping and exclusive tax; a tax that is inclusive is inside it.

    `splits=None` books it all on `account` and `department`; () books it nowhere. `fields` are on the wire as they are.
    """

    amount: Amount
    account: str | None = "4010"
    department: str | None = DEPARTMENT
    tax: Amount = "0"
    tax_inclusive: bool = False
    shipping: Amount = "0"
    quantity: Amount = "1"
    description: str = "Goods"
    po: int | None = None  # the purchase order that a bill's line belongs to
    status: int = 5  # of a purchase order's line
    splits: Sequence[Split] | None = None
    custom: Mapping[str, str | bool] = field(default_factory=dict)  # custom field: what people filled in
    fields: Mapping[str, Any] = field(default_factory=dict)

    @property
    def exclusive_tax(self) -> Decimal:
        return Decimal(0) if self.tax_inclusive else Decimal(self.tax)

    @property
    def unit_price(self) -> Decimal:
        return Decimal(self.amount) / Decimal(self.quantity) if Decimal(self.quantity) else Decimal(0)


@dataclass(frozen=True)
class Cost:
    """A cost of the whole bill, such as freight."""

    name: str
    amount: Amount
    account: str | None = "4310"
    department: str | None = DEPARTMENT


def total(amounts: Iterable[Amount]) -> Decimal:
    return sum((Decimal(amount) for amount in amounts), Decimal(0))


def bill_item(books: Books, line: Line, number: int, currency: str, order: Row | None) -> Row:
    splits = [(line.account, line.department, line.amount)] if line.splits is None else line.splits
    percent = Decimal(line.tax) * 100 / Decimal(line.amount) if Decimal(line.amount) else Decimal(0)
    return {
        "id": number,
        "description": line.description,
        "sku": "",
        "unit": "ea",
        "quantity": text(line.quantity),
        "unit_cost": floating(round(line.unit_price, 8)),
        "total_cost": floating(line.amount),
        "tax_name": "VAT" if Decimal(line.tax) else None,
        "tax_percentage": text(percent),
        "tax_amount": floating(line.tax),
        "tax_is_inclusive": line.tax_inclusive,
        "shipping_amount": text(line.shipping, currency),
        "total_cost_with_tax": floating(Decimal(line.amount) + line.exclusive_tax),
        "po": order and {"id": order["procurify_PO"], "number": order["number"], "uuid": order["uuid"]},
        "cost_allocations": [
            allocation(books, split, number * 10 + place, currency) for place, split in enumerate(splits)
        ],
        **_added(line, number),
        **line.fields,
    }


def bill_cost(books: Books, cost: Cost, number: int, currency: str) -> Row:
    split = (cost.account, cost.department, cost.amount)
    return {
        "id": number,
        "name": cost.name,
        "amount": text(cost.amount, currency),
        "currency": books.currency(currency)["id"],
        "cost_allocation": allocation(books, split, number * 10, currency),
    }


def allocation(books: Books, split: Split, number: int, currency: str) -> Row:
    account, department, amount = split
    budget = books.budget(account, department)
    return {"id": number, "amount": text(amount, currency), "currency": {"name": currency}, "budget": budget}


def order_item(books: Books, line: Line, number: int, place: int, currency: str) -> Row:
    quantity = Decimal(line.quantity)
    return {
        "id": number,
        "PO_line_num": place,
        "name": line.description,
        "sku": "",
        "num": "",
        "quantity": floating(quantity),
        "unit": "ea",
        "price": text(line.unit_price, places=8),
        "total_cost": text(line.amount),
        "tax_amount": text(line.tax, currency),
        "shipping_amount": text(line.shipping, currency),
        "status": line.status,
        "type": 0,
        "receivedPassQty": floating(quantity if line.status == 6 else 0),
        "receivedFailQty": floating(quantity if line.status == 4 else 0),
        "external_id": "",
        "account": books.budget(line.account, line.department),
        "spend_allocation": [
            _spend(books, split, number * 10 + row, currency) for row, split in enumerate(line.splits or ())
        ],
        **_added(line, number),
        **line.fields,
    }


def _added(line: Line, number: int) -> Row:
    """Custom fields with their definitions, as the specification of 2026 has them."""
    return {
        "custom_fields": [
            {"id": number * 10 + place, "value": value, "field": _field(place, name, value)}
            for place, (name, value) in enumerate(sorted(line.custom.items()))
        ]
    }


def _field(number: int, name: str, value: str | bool) -> Row:
    kind = "CHECKBOX" if isinstance(value, bool) else "TEXT"
    return {"id": number, "name": name, "content_type": 1, "field_type": kind, "field_label": name, "is_active": True}


def _spend(books: Books, split: Split, number: int, currency: str) -> Row:
    account, department, amount = split
    return {"id": number, "amount": text(amount, currency), "account": books.budget(account, department)}
