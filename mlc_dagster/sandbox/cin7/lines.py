"""Lines of orders and invoices in the sandboxed Cin7: totals are checked against what Cin7 computes itself."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from mlc_dagster.sandbox.cin7 import fields
from mlc_dagster.sandbox.cin7.reference_books import Books, RefusedError

_HUNDRED = Decimal(100)


def judged_lines(books: Books, body: Mapping[str, Any], *, with_account: bool) -> dict[str, Any]:
    """{"Lines", "AdditionalCharges", "TotalBeforeTax", "Tax", "Total"} as they may be kept. Raises RefusedError."""
    lines = [_line(books, line, with_account) for line in _list(body, "Lines")]
    if books.products_once and len({line["SKU"] for line in lines}) < len(lines):
        raise RefusedError("Cannot add duplicate value in lines")
    charges = [_charge(books, charge, with_account) for charge in _list(body, "AdditionalCharges")]
    before_tax = sum((row["Total"] for row in [*lines, *charges]), Decimal(0))
    tax = _tax(books, [*lines, *charges])
    totals = {"TotalBeforeTax": before_tax, "Tax": tax, "Total": before_tax + tax}
    return {"Lines": lines, "AdditionalCharges": charges, **totals}


def _tax(books: Books, rows: list[dict[str, Any]]) -> Decimal:
    """Of the lines, as they were sent; or of the document, each rule's rows together."""
    if books.traits.tax_method != "Total":
        return sum((row["Tax"] for row in rows), Decimal(0))
    by_rule: dict[str, Decimal] = {}
    for row in rows:
        by_rule[row["TaxRule"]] = by_rule.get(row["TaxRule"], Decimal(0)) + row["Total"]
    percents = {rule: Decimal(books.tax_rules[rule]["TaxPercent"]) for rule in by_rule}
    return sum((fields.cents(total * percents[rule] / _HUNDRED) for rule, total in by_rule.items()), Decimal(0))


def _list(body: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    rows = body.get(name) or []
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise RefusedError(f"'{name}' must be a list of objects")
    return rows


def _line(books: Books, line: Mapping[str, Any], with_account: bool) -> dict[str, Any]:
    product = _product(books, line)
    return {
        "ProductID": product["ID"],
        "SKU": product["SKU"],
        "Name": fields.text(line, "Name", 1024) or product["Name"],
        **_amounts(books, line),
        **({} if with_account else {"SupplierSKU": fields.text(line, "SupplierSKU", 50)}),
        "Comment": fields.text(line, "Comment", 256),
        **_account(books, line, with_account),
    }


def _charge(books: Books, charge: Mapping[str, Any], with_account: bool) -> dict[str, Any]:
    return {
        "Description": fields.text(charge, "Description", 256, required=True),
        "Reference": fields.text(charge, "Reference", 256),
        **_amounts(books, charge),
        **_account(books, charge, with_account),
    }


def _account(books: Books, line: Mapping[str, Any], with_account: bool) -> dict[str, str]:
    if not with_account:
        return {}
    return {"Account": fields.posting_account(books, fields.text(line, "Account", 50, required=True))}


def _product(books: Books, line: Mapping[str, Any]) -> Mapping[str, Any]:
    """By SKU or by ID; both must be one product where both are given."""
    sku, wanted = fields.text(line, "SKU", 50), fields.text(line, "ProductID", 36)
    if not sku and not wanted:
        raise RefusedError("'SKU' or 'ProductID' is required")
    for product in [books.products.get(sku)] if sku else books.products.values():
        if product and (not wanted or product["ID"].lower() == wanted.lower()):
            return product
    raise RefusedError(f"Product with SKU '{sku}' or ID '{wanted}' not found", code=404)


def _amounts(books: Books, line: Mapping[str, Any]) -> dict[str, Any]:
    """Quantity, price, discount, tax and total; the total must be what Cin7 computes."""
    quantity, price = fields.number(line, "Quantity"), fields.number(line, "Price")
    discount, tax = fields.number(line, "Discount", Decimal(0)), fields.number(line, "Tax", Decimal(0))
    least = Decimal(str(books.traits.least_quantity))
    if quantity < least:
        raise RefusedError(f"'Quantity' must be greater than or equal to {least}; found {quantity}")
    if not 0 <= discount <= _HUNDRED:
        raise RefusedError(f"'Discount' must be from 0 to 100; found {discount}")
    expected = fields.cents(quantity * price * (1 - discount / _HUNDRED))
    total = fields.number(line, "Total")
    if total != expected:
        raise RefusedError(f"attribute 'Total' doesn't match with calculated value. Expected value is: {expected}")
    rule = fields.tax_rule(books, fields.text(line, "TaxRule", 50, required=True))
    amounts = {"Quantity": quantity, "Price": price, "Discount": discount, "Tax": fields.cents(tax)}
    return {**amounts, "TaxRule": rule, "Total": expected}
