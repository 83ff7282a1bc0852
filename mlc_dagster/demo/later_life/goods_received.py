"""The stores receive goods: no stamp of their order moves, and its item on the board says so all the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, ClassVar

import yaml

from mlc_dagster.core.vocabulary import ERP
from mlc_dagster.demo.later_life.event import Books, Document, Outcome, Records, picked
from mlc_dagster.demo.later_life.in_the_source import delivered_orders
from mlc_dagster.demo.orders_alive import ORDER_COLUMNS

RECEIPTS = "ReceiptInfoSet"
STATE, WORTH = ORDER_COLUMNS["receipt_state"], ORDER_COLUMNS["received_amount"]


def are_read(books: Books) -> bool:
    """Whether the demo's tenant shows receipts, and its mlc.yaml names them."""
    content = yaml.safe_load(books.place.config.read_text(encoding="utf-8"))
    return "receipt_info_set" in content["ifs"].get("entity_sets", {})


@dataclass(frozen=True)
class GoodsReceived:
    """All of an order's first line, of which nothing was there before."""

    order: Document
    amount: Decimal
    currency: str
    what: ClassVar[str] = "goods are received"
    where: ClassVar[str] = "IFS"
    differs: ClassVar[Records] = ()
    carried: ClassVar[Records] = ()

    @classmethod
    def happens(cls, books: Books, taken: set[str]) -> GoodsReceived:
        known: list[dict[str, Any]] = books.place.control("GET", f"{ERP}/{RECEIPTS}")
        begun = {row["SourceRef1"] for row in known}
        number = picked(
            (each for each in delivered_orders(books, taken) if each not in begun), "order of which nothing came"
        )
        order = books.orders()[number]
        books.place.control("PUT", f"{ERP}/{RECEIPTS}", _receipt(order, 1 + max(_numbers(known), default=0)))
        return cls(order, order["PurchaseOrderLines"][0]["LineAmount"], order["CurrencyCode"])

    @property
    def document(self) -> str:
        return f"order {self.order['OrderNo']}, line 1"

    def judged(self, books: Books) -> Outcome:
        return Outcome("its item on the board says what came, and its worth", [*self._faults(books)])

    def _faults(self, books: Books) -> Iterator[str]:
        now = books.orders()[self.order["OrderNo"]]
        if now["LastModified"] != self.order["LastModified"]:
            yield f"its header is stamped {now['LastModified']}"
        wanted = "Received" if len(self.order["PurchaseOrderLines"]) == 1 else "Partly received"
        shown = [(item.get(STATE), Decimal(str(item.get(WORTH) or 0))) for item in books.monday_orders(now)]
        if shown != [(wanted, self.amount)]:
            told = ", ".join(f"{state} {worth}" for state, worth in shown)
            yield f"monday.com says {told or 'nothing'} of it, and {wanted} {self.amount} is right"


def _numbers(rows: list[dict[str, Any]]) -> Iterator[int]:
    return (int(row["ReceiptSequence"]) for row in rows)


def _receipt(order: Document, sequence: int) -> dict[str, Any]:
    line, now = order["PurchaseOrderLines"][0], datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    keys = {"SourceRef1": order["OrderNo"], "SourceRef2": line["LineNo"], "SourceRef3": line["ReleaseNo"]}
    told = {"SourceQtyArrived": line["BuyQtyDue"], "SourceUnitMeas": line["BuyUnitMeas"], "ArrivalDate": now}
    kind = {"SourceRefTypeDb": "PURCHASE_ORDER", "ObjState": "Received", "LastModified": now}
    return {"ReceiptSequence": sequence, "ReceiptNo": 1, **keys, **told, **kind}
