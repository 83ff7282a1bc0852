"""What a supplier in Cin7 is compared by; the list shows all of it, a thousand with a call."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from mlc_dagster.core.outcomes import Delivered, Seen, Shown
from mlc_dagster.core.shown_values import Value, flat
from mlc_dagster.systems.cin7.api import Document
from mlc_dagster.systems.cin7.records import Supplier
from mlc_dagster.systems.cin7.suppliers.supplier_fields import OF_SUPPLIER, shared_fields

_COMPARED = ("Name", "Currency", "PaymentTerm", "TaxRule", "AccountPayable", "Status", "TaxNumber", "Comments")

SHOWN_AS = {**OF_SUPPLIER, "email": "Email", "country": "Country"}
"""Shared field -> its name among what is compared."""


def plain_fields(supplier: Supplier) -> dict[str, Any]:
    """The fields of the supplier itself as Cin7 names them, without addresses, contacts and attributes."""
    return {
        "Name": supplier.name,
        "Currency": supplier.currency,
        "PaymentTerm": supplier.payment_term,
        "TaxRule": supplier.tax_rule,
        "AccountPayable": supplier.payable_account,
        "Status": supplier.status,
        "TaxNumber": supplier.tax_number,
        "Comments": supplier.comments,
    }


def expected_supplier(supplier: Supplier) -> Shown:
    """What IFS has a value for: the rest Cin7 keeps as its own."""
    email = supplier.contact.email if supplier.contact else None
    said: dict[str, Value] = {**plain_fields(supplier), "Email": email, "Country": supplier.country}
    return {name: value for name, value in said.items() if value is not None}


def shown_supplier(row: Document) -> Shown:
    """Its own fields, the address of its contact and its country."""
    shared = shared_fields(row)
    more = {"Email": shared.get("email") or None, "Country": shared.get("country") or None}
    return {**flat(row, _COMPARED), **more}


def seen_suppliers(
    rows: Sequence[Document], by_id: Callable[[str], Document | None], delivered: Sequence[Delivered]
) -> Iterator[Seen]:
    """By the list; by id what the list does not show."""
    listed = {str(row["ID"]).casefold(): row for row in rows}
    for one in delivered:
        row = listed.get(one.remote_id.casefold()) or by_id(one.remote_id)
        if row is None:
            yield Seen(one.key, one.remote_id, "deleted")
        else:
            yield Seen(one.key, one.remote_id, "there", shown_supplier(row), detail=str(row.get("Name") or ""))
