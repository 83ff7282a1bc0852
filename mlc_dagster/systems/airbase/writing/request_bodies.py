"""Vendors and orders as Airbase takes them: bodies to send, over what is there already."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from mlc_dagster.systems.airbase.api import Document, amount_of, reference_of
from mlc_dagster.systems.airbase.records import OrderLine, PurchaseOrder, Vendor


def vendor(
    record: Vendor, theirs: Document | None, subsidiary_ids: Mapping[str, str], left_out: Collection[str] = ()
) -> dict[str, Any]:
    """The vendor as it should be; subsidiaries that people added in Airbase stay.

    `subsidiary_ids`: the ERP's key of a subsidiary -> Airbase's id. Who writes to Airbase in public names both.
    `left_out`: fields that this tenant does not take.
    """
    body: dict[str, Any] = {"erp_reference_id": record.key, "name": record.name, "is_active": record.is_active}
    if record.email is not None:
        body["email"] = record.email
    if record.payment_term is not None:
        body["payment_terms"] = record.payment_term
    if subsidiaries := _subsidiaries(record, theirs, subsidiary_ids):
        body["subsidiary_reference_ids"] = subsidiaries
    return {name: value for name, value in body.items() if name not in left_out}


def _subsidiaries(record: Vendor, theirs: Document | None, ids: Mapping[str, str]) -> list[dict[str, Any]]:
    there = [dict(each) for each in (theirs or {}).get("subsidiary_reference_ids") or []]
    known = {reference_of(each) for each in there}
    new = [each for each in record.subsidiaries if each not in known]
    return [*there, *({**({"airbase_id": ids[each]} if each in ids else {}), "erp_reference_id": each} for each in new)]


def order(record: PurchaseOrder, theirs: Document | None) -> dict[str, Any]:
    """The order with all its lines. Its state is set once: afterwards it is Airbase's business, unless mlc.yaml has a
    status for the ERP's.
    """
    status = record.status or ("open" if theirs is None else None)
    return {
        "erp_reference_id": record.key,
        "po_number": record.key,
        "vendor": {"airbase_id": record.supplier_id},
        **({"subsidiary": {"erp_reference_id": record.subsidiary}} if record.subsidiary else {}),
        "currency": {"iso_code": record.currency},
        **({"status": status} if status else {}),
        "order_date": record.order_date.isoformat() if record.order_date else None,
        "total_amount": record.total(),
        "notes": record.remark or "",
        "line_items": [_line(line, record.decimals) for line in record.lines],
    }


def _line(line: OrderLine, decimals: int) -> dict[str, Any]:
    return {
        "erp_reference_id": line.key,
        "line_number": line.number,
        "description": line.description,
        "quantity": line.quantity,
        "unit_price": line.price,
        "amount": line.total(decimals),
        "account": {"erp_reference_id": line.account} if line.account else None,
        **{field.name: field.value for field in line.more},
    }


def total_fault(record: PurchaseOrder, document: Document) -> str:
    """Airbase's own sum, where it gives one, is ours."""
    theirs: Any = document.get("total_amount")
    if theirs is None or amount_of(theirs) == record.total():
        return ""
    return (
        f"Airbase keeps total_amount {theirs} for {record.key}, and IFS says {record.total()}. Correct it in Airbase."
    )
