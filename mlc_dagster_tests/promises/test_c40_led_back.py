"""C40: one command leads back, in each target: what was deleted is made again once, what was edited is as it was."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mlc_dagster.sandbox.monday.seed import BOARDS
from mlc_dagster_tests.promises.ledgered_room import Room, room_on

INVOICES = "monday/invoices"
PAYMENTS = "ifs/vouchers_from_airbase_payments"


@pytest.fixture
def room(ledger_url: str, tmp_path: Path) -> Iterator[Room]:
    with room_on(ledger_url, tmp_path) as made:
        made.supplier()
        made.order()
        made.proposal()
        made.box.airbase.add_entry(airbase_id="pay-1", total_amount="12.50", invoice_number="I-1")
        made.go(
            "monday/suppliers", INVOICES, "airbase/vendors", "airbase/purchase_orders", "procurify/vendors", PAYMENTS
        )
        yield made


def items(room: Room) -> list[dict[str, Any]]:
    return room.box.monday.rows(BOARDS["invoices"][0])


def orders(room: Room) -> list[dict[str, Any]]:
    return [row for row in room.box.airbase.purchase_orders.values() if row["status"] == "open"]


def vendors(room: Room) -> list[dict[str, Any]]:
    return [row for row in room.box.procurify.vendors.values() if row["external_id"]]


def vouchers(room: Room) -> list[dict[str, Any]]:
    return [row for row in room.box.ifs.rows("VoucherSet") if row["ObjState"] != "Cancelled"]


def cancel(room: Room) -> None:
    (row,) = vouchers(room)
    room.box.ifs.put("VoucherSet", {**row, "ObjState": "Cancelled"})


Live = Callable[[Room], list[dict[str, Any]]]
ENDS: dict[str, tuple[str, Live, Callable[[Room], None]]] = {
    "0010/1": (INVOICES, items, lambda room: room.box.monday.archive_item(items(room)[0]["id"])),
    "P1": (
        "airbase/purchase_orders",
        orders,
        lambda room: room.box.airbase.delete("purchase_orders", orders(room)[0]["airbase_id"]),
    ),
    "S1": ("procurify/vendors", vendors, lambda room: room.box.procurify.deactivate_vendor(vendors(room)[0]["id"])),
    "pay-1": (PAYMENTS, vouchers, cancel),
}


@pytest.mark.promise("C40", "what people deleted or cancelled is made again by one command, once, and all agrees")
@pytest.mark.parametrize("key", ENDS)
def test_recreate_makes_it_again_once(room: Room, key: str) -> None:
    flow, live, end = ENDS[key]
    room.look(flow)
    end(room)
    room.look(flow)
    assert room.said(flow) and not live(room)

    room.world.way(flow).recreate(key)
    assert len(live(room)) == 1
    room.look(flow)
    room.go(flow)
    assert len(live(room)) == 1 and not room.said(flow) and not room.holds(flow)


@pytest.mark.promise("C40", "what people edited is as it was by one command")
def test_restore_puts_back_what_was_edited(room: Room) -> None:
    room.look(INVOICES)
    room.box.monday.change_item(items(room)[0]["id"], Amount="999")
    room.look(INVOICES)
    room.world.way(INVOICES).restore("0010/1")
    room.look(INVOICES)
    assert items(room)[0]["Amount"] == "100" and not room.said(INVOICES)
