"""A room in which what happens after a delivery is played: the journey of each flow, and the nightly sweep."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from mlc_dagster.core.flows import Flow
from mlc_dagster.core.vocabulary import EntitySet
from mlc_dagster.ledger import Ledger, Run
from mlc_dagster.ledger.records.differences import Difference
from mlc_dagster.orchestration.storage.row_store import RowStore
from mlc_dagster.pipeline import Loaded
from mlc_dagster.pipeline.sweeping import EntitySweep, Limits, Swept
from mlc_dagster.sandbox import Sandbox
from mlc_dagster.settings import Settings
from mlc_dagster_tests.promises.journey import Journey, client_of, flow_of, settings_at
from mlc_dagster_tests.promises.kinds import PLENTY, books, now

AMOUNT = Decimal("21.00")


@dataclass
class Room:
    """A sandbox, a ledger and a store; each run has clients of its own, as a run in Dagster has."""

    box: Sandbox
    ledger: Ledger
    store: RowStore
    settings: Settings
    runs: int = 0
    asked: dict[str, set[str]] = field(default_factory=dict)  # flow -> partitions that sweeps asked for

    def go(self, *flows: str) -> Loaded:
        """Read, prepare and load yesterday and today; the account of the last one."""
        loaded = Loaded()
        for name in flows:
            self.runs += 1
            loaded = Journey(flow_of(name), self.settings, self.ledger, self.store, f"run{self.runs}").make()
        return loaded

    def sweep(self, *names: str, **limits: Any) -> Swept:
        """The nightly look at the entity set of these flows."""
        flows = [flow_of(name) for name in names]
        return swept(flows[0].source, flows, self.settings, self.ledger, self._ask, **limits)

    def _ask(self, flow: str, partitions: Iterable[str]) -> None:
        self.asked.setdefault(flow, set()).update(partitions)

    def holds(self, flow: str) -> dict[str, tuple[str, ...]]:
        return {hold.key: hold.rules for hold in self.ledger.open_holds(flow)}

    def open(self, flow: str) -> dict[str, Difference]:
        """The differences that are open, by key."""
        return {each.key: each for each in self.ledger.differences.open(flow)}

    # --- what people do in the ERP ------------------------------------------------------------------------------------

    def supplier(self, number: str = "S1", **more: Any) -> None:
        row = {"SupplierId": number, "Name": f"Supplier {number}", "Country": "SE", "CurrencyCode": "SEK"}
        row |= {"PaymentTerms": "30", "Email": f"{number}@example.test", **more}
        self.box.ifs.put("SupplierSet", row, modified=now())

    def customer(self, number: str = "C1") -> None:
        row = {"CustomerId": number, "Name": f"Customer {number}", "Country": "SE", "CurrencyCode": "SEK"}
        self.box.ifs.put("CustomerSet", row, modified=now())

    def order(self, number: str = "P1", quantity: int = 2, at: datetime | None = None, **more: Any) -> None:
        amount = quantity * Decimal("10.50")
        keys = {"OrderNo": number, "LineNo": "1", "ReleaseNo": "1", "Company": "0010", "Description": "Service"}
        money = {"BuyQtyDue": Decimal(quantity), "BuyUnitPrice": Decimal("10.50"), "LineAmount": amount}
        line = {**keys, **money, "TaxCode": "V0", "Account": "4010"}
        row = {"OrderNo": number, "Company": "0010", "Contract": "A", "VendorNo": "S1", "OrderDate": "2026-11-04"}
        row |= {"CurrencyCode": "SEK", "CurrencyRate": Decimal(1), "TotalAmount": amount, "ObjState": "Released"}
        self.box.ifs.put("PurchaseOrderSet", {**row, "PurchaseOrderLines": [line], **more}, modified=at or now())

    def sale(self, number: str = "C100", quantity: int = 2, at: datetime | None = None) -> None:
        amount = quantity * Decimal("10.50")
        line = {"OrderNo": number, "LineNo": "1", "RelNo": "1", "CatalogNo": "A1", "Description": "A part"}
        line |= {"BuyQtyDue": Decimal(quantity), "SaleUnitPrice": Decimal("10.50"), "LineAmount": amount}
        row = {"OrderNo": number, "Company": "0010", "Contract": "A", "CustomerNo": "C1", "OrderDate": "2026-11-04"}
        row |= {"CurrencyCode": "SEK", "TotalAmount": amount, "ObjState": "Released", "CustomerOrderLines": [line]}
        self.box.ifs.put("CustomerOrderSet", row, modified=at or now())

    def proposal(
        self, key: int = 1, net: str = "100.00", number: str = "", at: datetime | None = None, **more: Any
    ) -> None:
        keys, amount = {"Company": "0010", "ProposalId": key}, Decimal(net)
        line = {**keys, "RowId": 1, "Amount": amount, "CurrencyAmount": amount, "Quantity": Decimal(1)}
        line |= {"TaxCode": "V0", "Account": "4010", "Text": "Service"}
        row = {**keys, "InvoiceId": 900 + key, "InvoiceNo": number or f"F-{key}", "SupplierId": "S1"}
        row |= {"ObjState": "Balanced", "CurrencyCode": "SEK", "CurrencyRate": Decimal(1), "VatAmount": Decimal(0)}
        row |= {"NetAmount": amount, "GrossAmount": amount, "InvoiceDate": "2026-11-04", "DueDate": "2026-12-04"}
        row |= {"PostingProposalLines": [line], **more}
        self.box.ifs.put("PostingProposalHeadSet", row, modified=at or now())

    def voucher(self, number: int = 1, debit: str = "50.00", at: datetime | None = None) -> None:
        keys = {"Company": "0010", "VoucherType": "M", "AccountingYear": 2026, "VoucherNo": number}
        sides = ({"DebitAmount": Decimal(debit)}, {"CreditAmount": Decimal(debit)})
        rows = [{**keys, "RowNo": n, "Account": "4010", "CurrencyCode": "SEK", **side} for n, side in enumerate(sides)]
        row = {**keys, "AccountingPeriod": 11, "VoucherDate": "2026-11-04", "ObjState": "Approved", "VoucherRows": rows}
        self.box.ifs.put("VoucherSet", row, modified=at or now())

    def delete(self, set_name: str, **keys: Any) -> None:
        self.box.ifs.delete(set_name, **keys)


@contextmanager
def room_at(ledger_url: str, folder: Path) -> Iterator[Room]:
    with Sandbox(seed="empty", limits=PLENTY) as box, Ledger.open(ledger_url) as ledger:
        books(box)
        yield Room(box, ledger, RowStore(f"{folder}/rows", ledger.stored), settings_at(box.url))


def swept(
    entity: EntitySet,
    flows: Sequence[Flow],
    settings: Settings,
    ledger: Ledger,
    ask: Callable[[str, Iterable[str]], None],
    **limits: Any,
) -> Swept:
    """The sweep of one entity set, as the job makes it."""
    client = client_of("ifs", settings, ledger.budget)
    facts = {flow.name: settings.facts_for(flow.spoke) for flow in flows}
    said = replace(Limits(), **limits)
    return EntitySweep(entity, flows, client, ledger, Run("sweep"), said, facts, ask).make()
