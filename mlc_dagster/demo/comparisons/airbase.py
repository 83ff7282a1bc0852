"""Are the vendors, orders and bills in the sandboxed Airbase there once, and do they come to what was prepared?"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from mlc_dagster.demo.comparisons.compared import Compared, Document
from mlc_dagster.systems.airbase.bills.records import Bill
from mlc_dagster.systems.airbase.records import PurchaseOrder, Vendor


def disagreements(compared: Compared) -> Iterator[str]:
    """One line for each record that is missing, doubled, or of another amount, and for each that nobody delivered."""
    state = compared.state("airbase")
    for flow in (each for each in compared.to("airbase") if each.target.name in state):
        rows = {row["airbase_id"]: row for row in state[flow.target.name]}
        yield from compared.doubled(flow, "a record in Airbase")
        for remote_id in sorted(set(rows) - set(compared.delivered(flow).values())):
            if rows[remote_id]["erp_reference_id"]:
                yield f"Airbase holds {flow.target.name} {remote_id} that no flow delivered"
        for key, remote_id, record in compared.newest(flow):
            if fault := _difference(record, rows.get(remote_id)):
                yield f"{flow.name} {key}: {fault}"


def _difference(record: Any, row: Document | None) -> str:
    if row is None:
        return "Airbase does not have it"
    pairs = _pairs(record, row)
    return ", ".join(f"{name} is {theirs}, delivered was {ours}" for name, theirs, ours in pairs if theirs != ours)


def _pairs(record: Vendor | PurchaseOrder | Bill, row: Document) -> Iterator[tuple[str, Any, Any]]:
    yield "erp_reference_id", row["erp_reference_id"], record.key
    if isinstance(record, Vendor):
        yield "name", row["name"], record.name
        yield "is_active", row["is_active"], record.is_active
        return
    yield "vendor", row["vendor"]["airbase_id"], record.supplier_id
    if isinstance(record, Bill):
        yield from _pairs_of_a_bill(record, row)
        return
    yield "total_amount", Decimal(row["total_amount"]), record.total()
    theirs = [(Decimal(line["amount"]), (line["account"] or {}).get("erp_reference_id")) for line in row["line_items"]]
    yield "line_items", theirs, [(line.total(record.decimals), line.account) for line in record.lines]


def _pairs_of_a_bill(record: Bill, row: Document) -> Iterator[tuple[str, Any, Any]]:
    yield "invoice_number", row["invoice_number"], record.invoice_number
    yield "purchase_order", (row["purchase_order"] or {}).get("airbase_id"), record.purchase_id
    yield "total_amount", Decimal(row["total_amount"]), record.stated_gross
    theirs = [
        (Decimal(each["amount"]), (each.get("account") or {}).get("erp_reference_id")) for each in row["expense_list"]
    ]
    yield "expense_list", theirs, [(line.total(record.decimals), line.account) for line in record.lines]
