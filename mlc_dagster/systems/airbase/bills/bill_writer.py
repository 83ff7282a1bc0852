"""Saves bills beside their orders; what is billed beyond an order is told, with both amounts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from mlc_dagster.core.outcomes import Disagreement, Draft, Outcome, Saved, Shown
from mlc_dagster.systems.airbase.api import Document, amount_of
from mlc_dagster.systems.airbase.bills.records import Bill
from mlc_dagster.systems.airbase.bills.shape import BillShape, named, same_bill
from mlc_dagster.systems.airbase.writing.namesakes import Alike
from mlc_dagster.systems.airbase.writing.read_back import ended
from mlc_dagster.systems.airbase.writing.record_index import RecordIndex
from mlc_dagster.systems.airbase.writing.upserts import UpsertKind, UpsertWriter

MORE = "invoiced_more_than_ordered"
"""The kind of difference: the invoices of an order come to more than the order."""


def bill_kind(shape: BillShape, bulk: str, otherwise: Callable[[Any, Document], Shown]) -> UpsertKind:
    """Bills, as the writer of vendors and orders takes them."""

    def total_fault(bill: Bill, document: Document) -> str:
        theirs = shape.total(document)
        if theirs is None or theirs == bill.total():
            return ""
        return f"Airbase keeps a total of {theirs} for {bill.key}, and IFS says {bill.total()}. Correct it in Airbase."

    alike = Alike(
        lambda bill: same_bill(bill.supplier_id, bill.invoice_number),
        shape.identity,
        "by vendor and number",
        claimed_too=True,
        why_not=lambda bill, document: _other_amount(bill, document, shape),
    )
    cure = "Correct the field's path in airbase.bill_fields, or leave it empty where this tenant has none."
    return UpsertKind("bill", shape.body, bulk, alike, fault=total_fault, otherwise=otherwise, cure=cure)


def _other_amount(bill: Bill, document: Document, shape: BillShape) -> str:
    ours, theirs = (bill.total(), bill.currency), (shape.total(document), shape.currency(document))
    if ours == theirs or ended(document):
        return ""
    return (
        f"Airbase's {named(document)} has the vendor and the number of this invoice, {bill.invoice_number}, and says "
        f"{theirs[0]} {theirs[1]}; IFS says {ours[0]} {ours[1]}. Correct the one that is wrong."
    )


class BillWriter:
    """Bills in bulk; beside each order that they name, what all of its bills come to."""

    def __init__(self, writer: UpsertWriter, bills: RecordIndex, orders: RecordIndex, shape: BillShape) -> None:
        self._writer, self._bills, self._orders, self._shape = writer, bills, orders, shape

    def save(self, drafts: Sequence[Draft]) -> Iterator[Outcome]:
        """One outcome for each draft. Raises as UpsertWriter.save."""
        outcomes = list(self._writer.save(drafts))
        saved = [one for one in outcomes if isinstance(one, Saved) and one.draft.record.purchase_id]
        if saved and self._orders.path:
            self._orders.refresh({one.draft.record.order_no for one in saved}, None)
        billed = self._billed() if saved else {}
        for one in outcomes:
            record = one.draft.record
            if isinstance(one, Saved) and record.purchase_id and (order := self._orders.with_id(record.purchase_id)):
                yield replace(one, **beyond(order, billed.get(record.purchase_id, Decimal(0)), record.currency))
            else:
                yield one

    def _billed(self) -> dict[str, Decimal]:
        """Airbase's id of an order -> what its bills come to without tax, but for those that are void."""
        sums: dict[str, Decimal] = {}
        for row in self._bills.every():
            if (order := self._shape.order(row)) and not ended(row):
                sums[order] = sums.get(order, Decimal(0)) + self._shape.net(row)
        return sums


def beyond(order: Document, invoiced: Decimal, currency: str | None) -> dict[str, Any]:
    """What a `Saved` says of it. `invoiced`: without tax, as the total of an order is."""
    ordered = amount_of(order.get("total_amount"))
    if ordered is None or invoiced <= ordered:
        return {"looked_for": (MORE,)}
    told = Disagreement(MORE, "total_amount", f"{invoiced:f}", f"{ordered:f}", f"{invoiced - ordered:f}", currency)
    return {"looked_for": (MORE,), "disagreements": (told,)}
