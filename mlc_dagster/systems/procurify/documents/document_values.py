"""A bill or a purchase order as Procurify answers it becomes the values of its record: allocations flat, in a row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from mlc_dagster.core.amounts import round_half_up, times
from mlc_dagster.systems.procurify.documents.billed_items import shares
from mlc_dagster.systems.procurify.documents.custom_fields import added_fields, common_fields
from mlc_dagster.systems.procurify.documents.departments import DepartmentIndex as DepartmentIndex
from mlc_dagster.systems.procurify.documents.departments import by_id_and_name as by_id_and_name
from mlc_dagster.systems.procurify.documents.departments import text as text
from mlc_dagster.systems.procurify.documents.line_amounts import TOTAL_DECIMALS
from mlc_dagster.systems.procurify.documents.local_dates import local_dates
from mlc_dagster.systems.shared.json_values import amount

Document = Mapping[str, Any]
Values = dict[str, Any]

WHOLE = "mlc_is_whole"
"""What the client writes beside the fields of a document that it asked for by itself, with its lines."""
FAULT = "mlc_fault"
"""Why it could not."""
BILLS = "mlc_bills"
"""What the client found of an order's bills."""
SUMMARY = "mlc_summary"
"""What the answer says of the whole document, beside it."""

DENIED_LINE, DRAFT_LINE = 7, 8
EXACT = 10
"""Decimals that an amount is kept with; it is rounded once, by its currency."""


# --- bills ----------------------------------------------------------------------------------------------------------


def bill_values(bill: Document, departments: DepartmentIndex) -> Values:
    """The values of records.Bill. Raises ValueError where the client could not read it whole."""
    if fault := bill.get(FAULT):
        raise ValueError(fault)
    orders = covered_orders(bill)
    rows = [*_item_rows(bill), *_cost_rows(bill)]
    return {
        **_document(bill, bill.get("vendor"), bill.get("currency"), bill.get("last_modified_datetime")),
        **_dates(bill, ("invoice_date", "due_date", "gl_post_date"), [row.get("budget") for row in rows], departments),
        "uuid": plain_uuid(bill.get("uuid")),
        "number": text(bill.get("id")),
        **{name: bill.get(name) for name in ("status", "type", "version", "invoice_total")},
        "other_currencies": _other_currencies(bill, "currency", [*(bill.get("items") or ()), *rows]),
        "has_multiple_currency": (bill.get(SUMMARY) or {}).get("has_multiple_currency") is True,
        "invoice_number": text(bill.get("invoice_number")),
        "note": text(bill.get("note")),
        "total_cost": bill.get("total_cost"),
        "exclusive_tax": _exclusive(bill),
        "shipping": bill.get("shipping_amount"),
        "payable": bill.get("total_cost_with_tax"),
        "orders": list(orders),
        "order_numbers": list(orders.values()),
        "order_currencies": sorted({str(each["currency"]) for each in _added(bill) if each.get("currency")}),
        "allocations": [*_of_items(bill, departments), *_of_costs(bill, departments)] if bill.get(WHOLE) else [],
    }


def covered_orders(bill: Document) -> dict[str, str]:
    """Key -> number, of all that the bill and its items name. A list has the items as ids alone."""
    items = [item.get("po") for item in bill.get("items") or () if isinstance(item, Mapping)]
    named = [each for each in (*_added(bill), *items) if each]
    return {str(each["id"]): str(each.get("number") or each["id"]) for each in named}


def _added(bill: Document) -> Sequence[Document]:
    return bill.get("added_purchase_orders") or ()


def _exclusive(bill: Document) -> Any:
    if bill.get("exclusive_tax_amount") is not None or bill.get("tax_amount") is None:
        return bill.get("exclusive_tax_amount")
    return _decimal(bill["tax_amount"]) - _decimal(bill.get("inclusive_tax_amount"))


def _of_items(bill: Document, departments: DepartmentIndex) -> Iterator[Values]:
    for item in bill.get("items") or ():
        inside = bool(item.get("tax_is_inclusive"))
        whole = {
            "line": text(item.get("id")) or "?",
            "text": text(item.get("description")),
            "net": item.get("total_cost"),
            "tax": 0 if inside else item.get("tax_amount"),
            "shipping": item.get("shipping_amount"),
            "is_cost": False,
            "order": text((item.get("po") or {}).get("id")),
            **added_fields(bill, item.get("orderitem"), item),
        }
        yield from ({**whole, **_coded(row, row.get("budget"), departments)} for row in _allocations_of(item))


def _allocations_of(item: Document) -> Sequence[Document]:
    return item.get("cost_allocations") or [{"amount": item.get("total_cost")}]


def _allocation_of(cost: Document) -> Document:
    """Of a cost it is one, an object where items have a list."""
    return cost.get("cost_allocation") or {"amount": cost.get("amount")}


def _item_rows(bill: Document) -> Iterator[Document]:
    for item in bill.get("items") or ():
        yield from _allocations_of(item) if isinstance(item, Mapping) else ()


def _cost_rows(bill: Document) -> Iterator[Document]:
    yield from (_allocation_of(cost) for cost in bill.get("costs") or ())


def _of_costs(bill: Document, departments: DepartmentIndex) -> Iterator[Values]:
    added = common_fields(_of_items(bill, departments))
    for cost in bill.get("costs") or ():
        row = _allocation_of(cost)
        whole = {"line": f"cost {cost.get('id')}", "text": text(cost.get("name")), "net": cost.get("amount")}
        yield {**whole, **added, "is_cost": True, **_coded(row, row.get("budget"), departments)}


# --- purchase orders ------------------------------------------------------------------------------------------------


def order_values(order: Document, departments: DepartmentIndex) -> Values:
    """The values of records.PurchaseOrder. Raises ValueError where the client could not read it whole."""
    if fault := order.get(FAULT):
        raise ValueError(fault)
    items = list(order.get("order_items") or ()) if order.get(WHOLE) else []
    expected = [item for item in items if _is_expected(item)]
    costs = order.get("cost_details") or {}
    tax = costs.get("tax_amount")
    return {
        **_document(order, order.get("pref_vendor"), order.get("purchased_currency"), order.get("last_modified")),
        **_dates(order, ("date",), [row.get("account") for item in expected for row in _spent_on(item)], departments),
        "order_id": text(order.get("procurify_PO")),
        "number": text(order.get("PO_Num")) or text(order.get("number")),
        "state": order.get("state"),
        "version": order.get("version"),
        "is_most_recent": is_newest(order),
        "other_currencies": _other_currencies(order, "purchased_currency", items),
        "comment": text(order.get("comment")),
        "tax": _total(expected, "tax_amount") if tax is None or len(expected) < len(items) else tax,
        "extras": _decimal(order.get("freight")) + _decimal(order.get("other")) - _discount(order),
        "shipping": _total(expected, "shipping_amount"),
        "left_out": sum((_gross(item) for item in items if not _is_expected(item)), Decimal(0)),
        "total": order.get("total"),
        "billed": [row for bill in order.get(BILLS) or () for row in billed_values(bill, order, departments)],
        "allocations": [row for item in expected for row in _of_order_item(order, item, departments)],
    }


def billed_values(bill: Document, order: Document, departments: DepartmentIndex) -> Iterator[Values]:
    """The values of records.BilledItem of one order, which the bill takes something of, or did."""
    values, number = bill_values(bill, departments), text(order.get("procurify_PO"))
    of_bill = {"bill": values["uuid"], "status": values["status"], "type": values["type"], "order": number}
    items = [row for row in values["allocations"] if not row["is_cost"]]
    is_of_one = values["orders"] == [number] and not any(row["order"] for row in items)
    rows = [row for row in items if is_of_one or row["order"] == number]
    charges = charges_of(values) if values["orders"] == [number] else None
    nothing = {"line": "", "amount": 0, "tax": 0, "is_cost": False}
    for row, (net, tax) in zip(rows, shares(rows), strict=True):
        yield {**row, "amount": net, "tax": tax, "shipping": None, **of_bill}
    yield {**nothing, "charges": charges, **of_bill}


def charges_of(bill: Values) -> Decimal:
    """All that a bill has beside its items and tax."""
    costs = sum((_decimal(row.get("net")) for row in bill["allocations"] if row.get("is_cost")), Decimal(0))
    return costs + _decimal(bill.get("shipping"))


def is_newest(order: Document) -> bool:
    """`most_recent_version` is the number of the newest version, null where there is no other; a boolean in old copies
    of the specification.
    """
    newest, version = order.get("most_recent_version"), order.get("version")
    if isinstance(newest, bool) or newest is None or version is None:
        return newest is not False
    return bool(int(version) >= int(newest))


def _is_expected(item: Document) -> bool:
    """A line rejected at receipt stands: the order's value does."""
    return item.get("status") not in (DENIED_LINE, DRAFT_LINE) and _decimal(item.get("quantity")) != 0


def _discount(order: Document) -> Decimal:
    found = order.get("discount") or {}
    value = _decimal(found.get("value"))
    return value * _decimal(order.get("subtotal")) / 100 if found.get("type") == "percentage" else value


def _of_order_item(order: Document, item: Document, departments: DepartmentIndex) -> Iterator[Values]:
    """The split, where there is one; it wins over the line's own account."""
    whole = {
        "line": text(item.get("PO_line_num")) or text(item.get("id")) or "?",
        "text": text(item.get("name")),
        "net": item.get("total_cost"),
        "tax": item.get("tax_amount"),
        "shipping": item.get("shipping_amount"),
        "is_cost": False,
        **added_fields(order, item),
    }
    yield from ({**whole, **_coded(row, row.get("account"), departments)} for row in _spent_on(item))


def _spent_on(item: Document) -> Sequence[Document]:
    return item.get("spend_allocation") or [{"amount": _cost(item), "account": item.get("account")}]


def _cost(item: Document) -> Any:
    """Quantity times price, where the line's total is just that in two decimals; else the total."""
    total, price = item.get("total_cost"), item.get("price")
    if total in (None, "") or price in (None, ""):
        return total
    exact = times(_decimal(item.get("quantity")), _decimal(price))
    return round_half_up(exact, EXACT) if round_half_up(exact, TOTAL_DECIMALS) == _decimal(total) else total


def _gross(item: Document) -> Decimal:
    return sum((_decimal(item.get(name)) for name in ("total_cost", "tax_amount", "shipping_amount")), Decimal(0))


# --- both -----------------------------------------------------------------------------------------------------------


def _document(document: Document, vendor: Document | None, currency: Document | None, modified: Any) -> Values:
    return {
        "vendor_id": text((vendor or {}).get("id")),
        "vendor_name": text((vendor or {}).get("name")) or text(document.get("vendor_name")),
        "vendor_external_id": text((vendor or {}).get("external_id")),
        "is_active": document.get("active") is not False,
        "currency": text((currency or {}).get("name")),
        "payment_terms": text(document.get("payment_terms")),
        "last_modified": modified,
        "is_whole": bool(document.get(WHOLE)),
    }


def _dates(
    document: Document, names: Sequence[str], accounts: Sequence[Document | None], departments: DepartmentIndex
) -> Values:
    """Of a document that is not whole only the dates that need no zone: it is not posted."""
    places = [place for account in accounts if (place := (account or {}).get("department"))]
    found = local_dates(document, names, sorted({departments.zone(place) for place in places}))
    field = {"date": "dated"}
    days = {field.get(name, name): day for name, day in found.days.items()}
    moments = {f"{field.get(name, name)}_moment": found.moments.get(name) for name in names}
    return {**days, **moments, "unsure_dates": found.unsure or None if document.get(WHOLE) else None}


def _other_currencies(document: Document, own: str, rows: Sequence[Any]) -> list[str]:
    """Those of items and allocations that are not the document's own; a list has its items as ids alone."""
    named = [text((row.get("currency") or {}).get("name")) for row in rows if isinstance(row, Mapping)]
    return sorted({each for each in named if each} - {text((document.get(own) or {}).get("name"))})


def _coded(row: Document, account: Document | None, departments: DepartmentIndex) -> Values:
    code = ((account or {}).get("account_code") or {}).get("code")
    return {"amount": row.get("amount"), "account": text(code), **departments.of((account or {}).get("department"))}


def plain_uuid(value: Any) -> str | None:
    """As the path of one bill wants it: lower case, without dashes."""
    return text(value) and str(value).replace("-", "").lower()


def _decimal(value: Any) -> Decimal:
    return Decimal(0) if value in (None, "") else amount(value)


def _total(items: Sequence[Document], name: str) -> Decimal:
    return sum((_decimal(item.get(name)) for item in items), Decimal(0))
