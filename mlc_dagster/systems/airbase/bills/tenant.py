"""The bills of one Airbase tenant: how they are saved and read back, and its own, wherever it shows them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from mlc_dagster.core.flows import Target
from mlc_dagster.core.outcomes import Shown, Worth
from mlc_dagster.core.shown_values import shown_otherwise
from mlc_dagster.systems.airbase.api import AirbaseApi, Document, amount_of, id_of, reference_of
from mlc_dagster.systems.airbase.bills.bill_writer import BillWriter, bill_kind
from mlc_dagster.systems.airbase.bills.order_invoices import OrderInvoiceWriter, expected_on_order
from mlc_dagster.systems.airbase.bills.records import BILLS, ORDER_INVOICES, Bill, ListedBill, OrderInvoice
from mlc_dagster.systems.airbase.endpoints import Endpoints
from mlc_dagster.systems.airbase.spend.fields import PAYMENT, value_at
from mlc_dagster.systems.airbase.writing.read_back import RecordsReadBack, worth
from mlc_dagster.systems.airbase.writing.record_index import RecordIndex
from mlc_dagster.systems.airbase.writing.upserts import UpsertWriter
from mlc_dagster.systems.shared.draft_writer import DraftWriter

DONE = "sync_complete"


class TenantsBills:
    """What the client knows of bills."""

    def __init__(self, api: AirbaseApi, endpoints: Endpoints, clock: Callable[[], float]) -> None:
        self._api, self._at, self._clock, self._shape = api, endpoints, clock, endpoints.bill
        self.there = RecordsReadBack(api, endpoints.bills, self._shape.shown, self._shape.expected)
        self._on_orders = OrderInvoiceWriter(api, self._index(endpoints.purchase_orders), endpoints.order_invoices)

    def writers(self) -> dict[str, DraftWriter]:
        bills, orders = self._index(self._at.bills), self._index(self._at.purchase_orders)
        kind = bill_kind(self._shape, self._at.bills_bulk, self._otherwise)
        writer = UpsertWriter(self._api, kind, bills, self._at.batch_size)
        return {
            BILLS.name: BillWriter(writer, bills, orders, self._shape),
            ORDER_INVOICES.name: self._on_orders,
        }

    @property
    def read_back(self) -> Mapping[str, RecordsReadBack | OrderInvoiceWriter]:
        return {BILLS.name: self.there, ORDER_INVOICES.name: self._on_orders}

    def expected(self, record: Bill | OrderInvoice) -> Shown:
        return self._shape.expected(record) if isinstance(record, Bill) else expected_on_order(record)

    def worth(self, target: Target, values: Shown) -> Worth:
        if target.name == BILLS.name:
            return self._shape.worth(values)
        return worth({"total_amount": values.get("amount"), "currency": values.get("currency")})

    def _otherwise(self, record: Bill, row: Document) -> Shown:
        return shown_otherwise(self._shape.expected(record), self._shape.shown(row))

    def _index(self, path: str) -> RecordIndex:
        return RecordIndex(self._api, path, self._clock)

    # --- Airbase's own ------------------------------------------------------------------------------------------------

    def listed(self) -> Iterator[ListedBill]:
        """All of them where they have a list of their own; else the ledger entries of types that are bills, of those
        statuses that are asked for: what was voided no list of entries shows.
        """
        if self._at.bills:
            names = ("invoice_number", "subsidiary", "currency", "total_amount")
            own = {name: self._shape.path(name) for name in names}
            yield from (listed_bill(row, own) for row in self._api.pages(self._at.bills))
        elif self._at.ledger_entries:
            statuses = dict.fromkeys(filter(None, (self._at.ledger_status, DONE, self._at.failed_status)))
            rows = (row for status in statuses for row in self._api.pages(self._at.ledger_entries, status=status))
            seen: set[str] = set()
            paths: Mapping[str, str] = {**PAYMENT, **self._at.payment_fields}
            for row in rows:
                if value_at(row, paths["type"]) in self._at.bill_types and id_of(row) not in seen:
                    seen.add(id_of(row))  # one that moves from status to status meanwhile is seen twice
                    yield listed_bill(row, paths)


def listed_bill(row: Document, paths: Mapping[str, str]) -> ListedBill:
    """`paths`: our field -> where it stands in the document."""
    total = value_at(row, paths["total_amount"])
    vendor: Any = row.get("vendor")
    vendor = vendor if isinstance(vendor, Mapping) else {}
    return ListedBill(
        airbase_id=id_of(row),
        erp_reference_id=reference_of(row) or None,
        invoice_number=_text(row, paths["invoice_number"]),
        supplier=reference_of(vendor) or None,
        vendor=str(vendor.get("name") or "") or None,
        subsidiary=_text(row, paths["subsidiary"]),
        currency=_text(row, paths["currency"]),
        total_amount=amount_of(total),
        status=str(row.get("status") or "") or None,
        fault="" if amount_of(total) is not None else f"its total is {str(total)[:40]!r}",
    )


def _text(row: Document, path: str) -> str | None:
    return str(value_at(row, path) or "").strip() or None if path else None
