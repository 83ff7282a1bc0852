"""Cin7's list of suppliers, as it is read for the way into the ERP."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from mlc_dagster.core.vocabulary import Pull, Scope
from mlc_dagster.systems.cin7.api import Cin7Api, Document, same_id
from mlc_dagster.systems.cin7.suppliers.supplier_fields import shared_fields
from mlc_dagster.systems.cin7.suppliers.supplier_lists import addresses_in, contacts_in
from mlc_dagster.systems.cin7.suppliers.supplier_writer import key_in


def supplier_pages(api: Cin7Api, scope: Scope, pull: Pull) -> Iterator[Document]:
    """All that changed since the day began, deprecated ones too; the filter has no end, so later ones come as well."""
    params = {"IncludeDeprecated": "true"}
    if scope.window:
        params["ModifiedSince"] = scope.window.start.strftime("%Y-%m-%dT%H:%M:%S")
    pull.filter = "&".join(f"{name}={value}" for name, value in params.items())
    return api.pages("/supplier", "SupplierList", **params)


def suppliers_of(api: Cin7Api, supplier_id: str) -> list[Document]:
    """The supplier of this id, deprecated or not; none where there is none."""
    rows = api.get("/supplier", ID=supplier_id, IncludeDeprecated="true").get("SupplierList") or []
    return [row for row in rows if same_id(row["ID"], supplier_id)]


def listed_supplier(options: Mapping[str, str], row: Document) -> dict[str, Any]:
    """Record field -> what Cin7 says. `options`: the slot of the ERP's key, and its attribute set."""
    attribute_set, values = options.get("attribute_set", ""), shared_fields(row)
    return {
        "id": row["ID"],
        "erp_key": key_in(row, options.get("external_key", ""), attribute_set) or None,
        "uses_other_attributes": bool(row.get("AttributeSet")) and row.get("AttributeSet") != attribute_set,
        "name": values.get("name"),
        "currency": values.get("currency_code"),
        "payment_term": values.get("payment_terms"),
        "tax_number": values.get("vat_no"),
        "email": values.get("email"),
        "country": values.get("country"),
        "status": row.get("Status"),
        **(_lists(row) if options.get("supplier_details") == "true" else {}),
        "last_modified_on": row.get("LastModifiedOn"),
    }


def _lists(row: Document) -> dict[str, Any]:
    lists = {"contacts": contacts_in(row), "addresses": addresses_in(row)}
    return {of: [msgspec.structs.asdict(each) for each in entries] for of, entries in lists.items()}
