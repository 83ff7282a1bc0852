"""A room with one order of two services, delivered to an Airbase that takes bills."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mlc_dagster_tests.promises.ledgered_room import Room, room_on

PATHS = {
    "purchase_orders": "/v1/accounting/purchase_orders/",
    "purchase_orders_bulk": "/v1/accounting/purchase_orders/bulk_upsert/",
    "bills": "/v1/accounting/bills/",
    "bills_bulk": "/v1/accounting/bills/bulk_upsert/",
}


@pytest.fixture
def room(sqlite_url: str, tmp_path: Path) -> Iterator[Room]:
    with room_on(sqlite_url, tmp_path) as made:
        made.says("airbase", paths=PATHS)
        made.supplier("S1")
        made.order("P1", "200.00")
        made.go("airbase/vendors", "airbase/purchase_orders")
        yield made


def bills(room: Room) -> dict[str, dict[str, Any]]:
    """The ERP's key, or the id of what has none -> bill."""
    return {row["erp_reference_id"] or row["airbase_id"]: row for row in room.box.airbase.bills.values()}


def vendor(room: Room) -> dict[str, str]:
    (row,) = [row for row in room.box.airbase.vendors.values() if row["erp_reference_id"] == "S1"]
    return {"airbase_id": row["airbase_id"]}


def by_hand(room: Room, **changes: Any) -> str:
    """A bill that a person entered in Airbase; its id."""
    given: dict[str, Any] = {"vendor": vendor(room), "invoice_number": "F-1", "entry_date": "2026-11-04"}
    given |= {"subsidiary": {"erp_reference_id": "0010"}, "currency": {"iso_code": "SEK"}, "total_amount": "100.00"}
    given |= {"expense_list": [{"description": "Service", "amount": "100.00", "account": None}]}
    return room.box.airbase.add_bill(**{**given, **changes})
