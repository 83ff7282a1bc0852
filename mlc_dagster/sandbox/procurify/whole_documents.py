"""Bills and purchase orders with all members that Procurify's specification requires, whatever a test gave them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlc_dagster.sandbox.procurify.reference_data import Books, Row

_DEPARTMENT = {"id": 11, "name": "Operations", "external_id": "CC100", "branch": {"id": 1, "name": "Stockholm"}}
_NAMED = {"id": 7, "email": "service@example.test", "firstName": "Service", "lastName": "User"}
USER: Row = {**_NAMED, "user": 7, "department": _DEPARTMENT}
_ADDRESS = {
    "name": "Sandbox",
    "contact": "Service User",
    "addressLineOne": "1 Main Street",
    "postalCode": "111 20",
    "city": "Stockholm",
    "country": "Sweden",
}
_PARTIES: Row = {f"{party}_{name}": told for party in ("buyer", "receiver") for name, told in _ADDRESS.items()}
_TERM: Row = {"id": 1, "name": "Standard", "active": True, "description": None}
_NOT_LISTED = (
    *("subtotal_cost", "total_cost", "tax_amount", "inclusive_tax_amount", "exclusive_tax_amount", "shipping_amount"),
    *("converted_total_cost", "active", "note", "payment_method_name", "payment_terms", "vendor_name"),
)
BILL_PERMISSIONS: Row = {"can_edit": False, "can_delete": False, "can_approve": False}


def summary(total: Any = 0) -> Row:
    """What the metadata of bills sums up. No bill of the sandbox has two currencies."""
    return {"has_multiple_currency": False, "total_cost": total}


def listed_bill(shown: Mapping[str, Any]) -> Row:
    """A row of the list: no amounts but the payable one, of the vendor its id and its name."""
    vendor = {name: shown["vendor"][name] for name in ("id", "name")} if shown["vendor"] else None
    return {**{n: v for n, v in shown.items() if n not in _NOT_LISTED}, "user": USER, "vendor": vendor}


def bill(books: Books, shown: Mapping[str, Any]) -> Row:
    """One bill: its lines carry vendor and currency of their own, its costs and states the bill's number."""
    number = shown["id"]
    own = {"bill": number, "vendor": shown["vendor"], "currency": shown["currency"]}
    more = {**own, "expense": None, "creditcard_item": None}
    return {
        **{name: value for name, value in shown.items() if name != "past_due"},
        "user": USER,
        "bill_statuses": [{**each, "bill": number} for each in shown["bill_statuses"]],
        "items": [{**more, **each, "cost_allocations": _allocations(books, each)} for each in shown["items"]],
        "costs": [_cost(books, number, each) for each in shown["costs"]],
    }


def _allocations(books: Books, item: Mapping[str, Any]) -> Any:
    given = item.get("cost_allocations")
    return [_allocation(books, each) for each in given] if isinstance(given, list) else given


def _cost(books: Books, number: int, cost: Mapping[str, Any]) -> Row:
    told = cost.get("cost_allocation")
    return {"bill": number, **cost, **({"cost_allocation": _allocation(books, told)} if told else {})}


def _allocation(books: Books, row: Mapping[str, Any]) -> Row:
    """Its currency is a whole one, with its rate."""
    name = (row.get("currency") or {}).get("name")
    return {**row, "currency": books.currency(name)} if name else dict(row)


def order(shown: Mapping[str, Any]) -> Row:
    """A purchase order as the list has it. Of a version that was replaced the newest is another number."""
    newest, version = shown["most_recent_version"], shown["version"]
    return {
        **_PARTIES,
        "buyer_address": {"id": 1, **_ADDRESS},
        "receiver_address": {"id": 1, **_ADDRESS},
        "purchaser": USER,
        "contract": None,
        "shipping_terms": "Standard",
        "shipping_method": "Standard",
        **shown,
        "promise_date": shown["promise_date"] or shown["date"],
        "most_recent_version": version + (not newest) if isinstance(newest, bool) else newest,
    }


def whole_order(shown: Mapping[str, Any]) -> Row:
    """One purchase order: its lines are whole as well."""
    lines = {
        **dict.fromkeys(("catalog_item", "recurrence"), None),
        "attachments": [],
        "item_attachments": [],
        "purchaser": USER,
        "pref_vendor": shown["pref_vendor"],
        "currency": shown["purchased_currency"],
    }
    return {
        **order(shown),
        "shipping_method": _TERM,
        "shipping_term": _TERM,
        "creditcard": None,
        "creditcard_is_editable": False,
        "order_items": [{**lines, "approved_quantity": each["quantity"], **each} for each in shown["order_items"]],
    }
