"""Bills and purchase orders with all members that Procurify's specification requires, whatever a test gave them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from mlc_dagster.sandbox.procurify.reference_data import Books, Row, floating

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
_NEVER_NULL = ("last_export_date", "po", "tax_name")
BILL_PERMISSIONS: Row = {"can_edit": False, "can_delete": False, "can_approve": False}

ORDER_PERMISSIONS: Row = {"can_edit": False, "can_delete": False, "permissions": {}}
"""At the top in the specification of 2024, below `permissions` in that of 2026."""


def summary(total: Any, currencies: Iterable[Row]) -> Row:
    """What the metadata sums up: of one bill, of its lines, and of a list, of all its bills."""
    return {"has_multiple_currency": len({each["name"] for each in currencies}) > 1, "total_cost": total}


def currencies(bill: Mapping[str, Any]) -> Iterator[Row]:
    """Its own, and those of its items and their allocations; `bill` is whole."""
    yield bill["currency"]
    for item in bill["items"]:
        yield item["currency"]
        yield from (each["currency"] for each in item["cost_allocations"] or () if each.get("currency"))


def listed_bill(shown: Mapping[str, Any]) -> Row:
    """A row of the list: no amounts but the payable one, of the vendor its id and its name."""
    vendor = {name: shown["vendor"][name] for name in ("id", "name")} if shown["vendor"] else None
    told = {name: value for name, value in _told(shown).items() if name not in _NOT_LISTED}
    return {**told, "user": USER, "approver": None, "vendor": vendor}


def _told(row: Mapping[str, Any]) -> Row:
    """What may not be null is left out where there is nothing to tell."""
    return {name: value for name, value in row.items() if value is not None or name not in _NEVER_NULL}


def bill(books: Books, shown: Mapping[str, Any]) -> Row:
    """One bill: its lines carry vendor and currency of their own, its costs and states the bill's number."""
    number = shown["id"]
    own = {"bill": number, "vendor": shown["vendor"], "currency": shown["currency"]}
    more = {**own, "expense": None, "creditcard_item": None}
    return {
        **{name: value for name, value in _told(shown).items() if name != "past_due"},
        "user": USER,
        "approver": None,
        "bill_statuses": [{**each, "bill": number, "user": USER} for each in shown["bill_statuses"]],
        "items": [{**more, **_told(each), "cost_allocations": _allocations(books, each)} for each in shown["items"]],
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
        "contract": {"id": 1, "uuid": "0d3c8a52-5c9e-4d0e-9a55-6a4f3d1f2b10", "name": "Standard"},
        "shipping_terms": "Standard",
        "shipping_method": "Standard",
        **shown,
        "promise_date": shown["promise_date"] or shown["date"],
        "tax": _modifier(shown["tax"]),
        "discount": _modifier(shown["discount"]),
        "most_recent_version": version + (not newest) if isinstance(newest, bool) else newest,
    }


def _modifier(row: Mapping[str, Any]) -> Row:
    return {**row, "value": floating(row["value"])}


def _line(whole: Mapping[str, Any], line: Mapping[str, Any]) -> Row:
    split = [{**each, "account": _spend_account(each["account"])} for each in line["spend_allocation"]]
    return {**whole, "approved_quantity": line["quantity"], **line, "spend_allocation": split}


def _spend_account(account: Mapping[str, Any]) -> Row:
    """The branch of a split is told with its currency and its telephone."""
    department = account["department"]
    if not department or "branch" not in department:
        return dict(account)
    branch = {**department["branch"], "localCurrency": 1, "phoneOne": ""}
    return {**account, "department": {**department, "branch": branch}}


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
        "order_items": [_line(lines, each) for each in shown["order_items"]],
    }
