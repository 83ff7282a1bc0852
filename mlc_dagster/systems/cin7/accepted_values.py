"""A record that is sent again so that values which a person accepted, as Cin7 has them, stay as they are. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from mlc_dagster.core.outcomes import Shown
from mlc_dagster.core.shown_values import Value, same
from mlc_dagster.systems.cin7.purchases import request_bodies
from mlc_dagster.systems.cin7.purchases.shown_purchase import marked
from mlc_dagster.systems.cin7.records import Contact, PurchaseDocument, Supplier

_OF_A_SUPPLIER = {
    "Name": "name",
    "Currency": "currency",
    "PaymentTerm": "payment_term",
    "TaxRule": "tax_rule",
    "AccountPayable": "payable_account",
    "Status": "status",
    "TaxNumber": "tax_number",
    "Comments": "comments",
    "Country": "country",
}
_OF_A_ROW = {
    "Quantity": "quantity",
    "Price": "price",
    "Discount": "discount",
    "Tax": "tax",
    "TaxRule": "tax_rule",
    "Description": "description",
    "Account": "account",
}
_NAMED = re.compile(r"(?:Order\.)?(Lines|AdditionalCharges)\[(.+)\]\.(\w+)", re.DOTALL)
_NOT_SENT = ("Paid",)


def with_accepted(record: Any, kept: Shown, expected: Callable[[Any], Shown]) -> Any | None:
    """The record with theirs in place of ours; None where it cannot be sent so. `expected`: as Cin7 would show it."""
    made = _supplier(record, kept) if isinstance(record, Supplier) else _document(record, kept)
    if made is None:
        return None
    now = expected(made)
    left = {name: value for name, value in kept.items() if name not in _NOT_SENT}
    return made if all(name in now and same(now[name], value) for name, value in left.items()) else None


def _supplier(supplier: Supplier, kept: Shown) -> Supplier:
    changes: dict[str, Any] = {_OF_A_SUPPLIER[name]: value for name, value in kept.items() if name in _OF_A_SUPPLIER}
    if "Email" in kept and supplier.contact is not None:
        email = str(kept["Email"] or "")
        changes["contact"] = Contact(name=supplier.contact.name, email=email, mark=supplier.contact.mark)
    return msgspec.structs.replace(supplier, **changes)


def _document(document: PurchaseDocument, kept: Shown) -> PurchaseDocument | None:
    """Rows by their marks; totals follow from them."""
    rows: dict[str, dict[str, dict[str, Value]]] = {"Lines": {}, "AdditionalCharges": {}}
    for name, value in kept.items():
        if found := _NAMED.fullmatch(name):
            if found[3] not in _OF_A_ROW:
                return None
            rows[found[1]].setdefault(found[2], {})[_OF_A_ROW[found[3]]] = value
    changes: dict[str, Any] = {
        "charges": _changed(document.charges, request_bodies.order_charge, rows["AdditionalCharges"])
    }
    if document.parts():
        changes["lines"] = _changed(document.parts(), request_bodies.order_line, rows["Lines"])
    return msgspec.structs.replace(document, **changes)


def _changed(
    lines: Sequence[Any], body: Callable[[Any], Mapping[str, Any]], kept: Mapping[str, Mapping[str, Value]]
) -> tuple[Any, ...]:
    marks = [mark for mark, _ in marked([body(line) for line in lines])]
    return tuple(
        msgspec.structs.replace(line, **kept[mark]) if mark in kept else line
        for mark, line in zip(marks, lines, strict=True)
    )
