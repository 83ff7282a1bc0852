"""A room in which the stores receive what was ordered: orders with their receipts, on a board that shows both."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from mlc_dagster.core.flows import Flow
from mlc_dagster.ledger import Ledger
from mlc_dagster.orchestration.location import tenants_flows
from mlc_dagster.orchestration.storage.row_store import RowStore
from mlc_dagster.pipeline import Loaded
from mlc_dagster.pipeline.sweeping import Swept
from mlc_dagster.sandbox import Sandbox
from mlc_dagster.sandbox.monday.seed import BOARDS
from mlc_dagster.systems import configuration
from mlc_dagster.systems.ifs.records import catalogue_for
from mlc_dagster_tests.promises.journey import Journey, content_at, flow_of
from mlc_dagster_tests.promises.kinds import PLENTY, books, now
from mlc_dagster_tests.promises.later import Room, swept

ORDERS, SALES = "monday/purchase_orders", "monday/customer_orders"
RECEIPTS = {"receipt_info_set": {"set": "ReceiptInfoSet"}}
COLUMNS = {
    "purchase_orders": {
        "received": "Received",
        "receipt_state": "Receipts",
        "received_quantity": "Quantity in",
        "ordered_quantity": "Quantity",
        "received_amount": "Worth",
        "received_on": "Last in",
        "promised_date": "Promised",
        "next_delivery": "Next",
        "supplier_name": "Supplier name",
    },
    "customer_orders": {"shipped": "Shipped", "shipment_state": "Shipment", "shipped_quantity": "Quantity out"},
}


def content(url: str, **sections: Any) -> dict[str, Any]:
    """mlc.yaml with receipts, and columns for what becomes of orders; `sections`: over those that there are."""
    found = content_at(url)
    found["ifs"] = {**found["ifs"], "entity_sets": RECEIPTS}
    boards = dict(found["monday"]["boards"])
    for flow, columns in COLUMNS.items():
        boards[flow] = {**boards[flow], "columns": {**boards[flow]["columns"], **columns}}
    found["monday"] = {**found["monday"], "boards": boards}
    for name, more in sections.items():
        found[name] = {**found.get(name, {}), **more}
    return found


@dataclass
class Stores(Room):
    """The flows are those of a tenant whose receipts are read."""

    def flow(self, name: str) -> Flow:
        catalogue = catalogue_for(configuration.erp_settings(self.settings))
        return tenants_flows((flow_of(name),), catalogue)[0]

    def go(self, *flows: str) -> Loaded:
        loaded = Loaded()
        for name in flows:
            self.runs += 1
            loaded = Journey(self.flow(name), self.settings, self.ledger, self.store, f"run{self.runs}").make()
        return loaded

    def sweep(self, *names: str, **limits: Any) -> Swept:
        flows = [self.flow(name) for name in names]
        return swept(flows[0].source, flows, self.settings, self.ledger, self._ask, **limits)

    def says(self, **sections: Any) -> None:
        self.settings = configuration.parse(content(self.box.url, **sections), "mlc.yaml")

    def item(self, key: str = "P1", flow: str = ORDERS) -> dict[str, Any]:
        """The item of a key, by the titles of its columns."""
        board = BOARDS[flow.partition("/")[2]][0]
        (found,) = [row for row in self.box.monday.rows(board) if row["IFS key"] == key]
        return found

    def why(self, flow: str = ORDERS, key: str = "P1") -> dict[str, str]:
        """Rule -> reason, of a hold."""
        held = [hold for hold in self.ledger.open_holds(flow, limit=None) if hold.key == key]
        return {each.rule: each.reason for hold in held for each in hold.problems}

    def buys(self, number: str = "P1", at: datetime | None = None, lines: int = 1, **more: Any) -> None:
        """An order of five pieces at 10.00 on each line, the first promised for the first of December."""
        keys = {"OrderNo": number, "ReleaseNo": "1", "Company": "0010", "TaxCode": "V0", "Account": "4010"}
        money = {"BuyQtyDue": Decimal(5), "BuyUnitPrice": Decimal("10.00"), "LineAmount": Decimal("50.00")}
        told = {"Description": "Service", "BuyUnitMeas": "pcs"}
        rows = [
            {**keys, **money, **told, "LineNo": str(line), "PromisedDeliveryDate": f"2026-12-0{line}"}
            for line in range(1, lines + 1)
        ]
        order = {"TotalAmount": Decimal(50 * lines), "PurchaseOrderLines": rows, **more}
        self.order(number, at=at, **order)

    def receives(
        self,
        sequence: int,
        quantity: object = 3,
        line: str = "1",
        order: str = "P1",
        at: datetime | None = None,
        **more: Any,
    ) -> None:
        """The stores enter a receipt: no stamp but its own moves."""
        row = {"ReceiptSequence": sequence, "ReceiptNo": 1, "SourceRef1": order, "SourceRef2": line, "SourceRef3": "1"}
        row |= {"SourceRefTypeDb": "PURCHASE_ORDER", "SourceQtyArrived": quantity, "SourceUnitMeas": "pcs"}
        row |= {"ArrivalDate": "2026-11-20T14:05:00Z", "ObjState": "Received"}
        self.box.ifs.put("ReceiptInfoSet", {**row, **more}, modified=at or now())


@contextmanager
def stores_at(ledger_url: str, folder: Path) -> Iterator[Stores]:
    """With a supplier that is delivered."""
    with Sandbox(seed="empty", limits=PLENTY) as box, Ledger.open(ledger_url) as ledger:
        books(box)
        settings = configuration.parse(content(box.url), "mlc.yaml")
        room = Stores(box, ledger, RowStore(f"{folder}/rows", ledger.stored), settings)
        room.supplier()
        room.go("monday/suppliers")
        yield room
