"""What the demo's stores have received: all of an order that is received or closed, a part of some that are confirmed.

Drawn from a random of its own, so that what stands in the rest of the ERP stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from random import Random
from typing import Any

from mlc_dagster.sandbox.ifs.api import IfsSandbox
from mlc_dagster.sandbox.seed.partners import Season

ARRIVED = ("Received", "Closed")
TAKEN_BACK, TOO_MUCH = "receipt taken back", "receipt of more than was ordered"

Row = dict[str, Any]


def sow_receipts(ifs: IfsSandbox, season: Season, orders: list[Row]) -> None:
    """Each order with its lines; what is received has the order's own stamp, in the order's own currency and unit."""
    rng, sequence = Random(20261130), 0
    for order in orders:
        for receipt in _of_order(order, rng):
            sequence += 1
            ifs.put("ReceiptInfoSet", {"ReceiptSequence": sequence, **receipt})
            for flaw in (TAKEN_BACK, TOO_MUCH):
                if receipt.get("NoteText") == flaw:
                    season.flawed(flaw, order["OrderNo"])


def _of_order(order: Row, rng: Random) -> Iterator[Row]:
    lines = order["PurchaseOrderLines"]
    if order["ObjState"] == "Confirmed" and rng.random() < 0.3:
        half = (lines[0]["BuyQtyDue"] / 2).quantize(Decimal("0.1"), ROUND_HALF_UP)
        yield _receipt(order, lines[0], half)
        if rng.random() < 0.2:  # entered twice, and one of them taken back
            yield {**_receipt(order, lines[0], half), "ObjState": "Cancelled", "NoteText": TAKEN_BACK}
    for line in lines if order["ObjState"] in ARRIVED else ():
        more = line is lines[0] and rng.random() < 0.03
        quantity = line["BuyQtyDue"] + (1 if more else 0)
        yield {**_receipt(order, line, quantity), **({"NoteText": TOO_MUCH} if more else {})}


def _receipt(order: Row, line: Row, quantity: Decimal) -> Row:
    arrived = date.fromisoformat(order["OrderDate"]) + timedelta(days=3)
    return {
        "ReceiptNo": 1,
        "SourceRef1": order["OrderNo"],
        "SourceRef2": line["LineNo"],
        "SourceRef3": line["ReleaseNo"],
        "SourceRefTypeDb": "PURCHASE_ORDER",
        "Contract": order["Contract"],
        "SourcePartNo": line["PartNo"],
        "SourceQtyArrived": quantity,
        "SourceUnitMeas": line["BuyUnitMeas"],
        "ArrivalDate": f"{arrived.isoformat()}T14:05:00Z",
        "ObjState": "Received",
        "LastModified": order["LastModified"],
    }
