"""C40: a supplier by name and by link, accounts as links: deleted items, and cells that people overwrite."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mlc_dagster.core.facts import Facts, LedgerAccount
from mlc_dagster.sandbox.monday.seed import BOARDS, DEMO_MONDAY
from mlc_dagster.systems.ifs import records as ifs
from mlc_dagster.systems.monday import mapping
from mlc_dagster.systems.monday.rules import accounts_are_linked
from mlc_dagster_tests.promises.ledgered_room import Room, room_on

INVOICES, ORDERS, SUPPLIERS, ACCOUNTS = (
    "monday/invoices",
    "monday/purchase_orders",
    "monday/suppliers",
    "monday/accounts",
)
NAMED = {"supplier_name": "Supplier name", "account_links": "Accounts", "supplier": "Supplier"}


@pytest.fixture
def room(ledger_url: str, tmp_path: Path) -> Iterator[Room]:
    """An order of a supplier whose name, link and accounts are on its item."""
    with room_on(ledger_url, tmp_path) as made:
        boards = dict(DEMO_MONDAY["boards"])
        for flow in ("purchase_orders", "invoices"):
            boards[flow] = {**boards[flow], "columns": {**boards[flow]["columns"], **NAMED}}
        made.says("monday", boards=boards)
        made.supplier()
        made.order()
        yield made


def row(room: Room, board: str, key: str) -> dict[str, Any]:
    (found,) = [each for each in room.box.monday.rows(BOARDS[board][0]) if each["IFS key"] == key]
    return found


def test_an_order_shows_its_suppliers_name_and_links_to_it_and_its_accounts() -> None:
    options = {f"purchase_orders.columns.{field}": title for field, title in NAMED.items()}
    options |= {"suppliers.board": "11", "accounts.board": "33"}
    lines = tuple(
        ifs.PurchaseOrderLine(line_no=str(n), release_no="1", account=code)
        for n, code in enumerate(("6110", "4010", "4010"))
    )
    order = ifs.PurchaseOrder(order_no="P1", company="0010", vendor_no="S1", lines=lines)
    there = {SUPPLIERS: {"S1": "900"}, ACCOUNTS: {"0010/4010": "41", "0010/6110": "61"}}
    facts = Facts(options=options, delivered=there, names={SUPPLIERS: {"S1": "Nordic Steel AB"}})
    item = mapping.item_from_order(order, facts)
    cells = {cell.field: (cell.values, cell.board) for cell in item.cells}
    assert cells["supplier"] == (("900",), "11") and cells["supplier_name"] == (("Nordic Steel AB",), "")
    assert cells["account_links"] == (("41", "61"), "33") and accounts_are_linked(order, item, facts) is None
    chart = {("0010", code): LedgerAccount("0010", code) for code in ("4010", "6110")}
    fewer = Facts(options=options, accounts=chart, delivered={SUPPLIERS: {"S1": "900"}, ACCOUNTS: {"0010/4010": "41"}})
    problem = accounts_are_linked(order, mapping.item_from_order(order, fewer), fewer)
    assert problem and problem.subject == "0010/6110" and "Load monday/accounts" in problem.reason
    unknown = replace(fewer, accounts={})  # no chart has it: another rule tells
    assert accounts_are_linked(order, mapping.item_from_order(order, unknown), unknown) is None
    plain = Facts(options={"purchase_orders.board": "22"}, accounts=chart)
    assert accounts_are_linked(order, mapping.item_from_order(order, plain), plain) is None


def test_an_order_waits_for_its_accounts_item_and_follows_by_itself(room: Room) -> None:
    room.go(SUPPLIERS, ORDERS)
    ((rule, reason),) = room.holds(ORDERS)["P1"]
    assert rule == "accounts_are_linked" and "Account 0010/4010" in reason
    room.go(ACCOUNTS)
    room.go(ORDERS)
    item = row(room, "purchase_orders", "P1")
    assert item["Supplier name"] == "Supplier S1" and item["Supplier"] == [row(room, "suppliers", "S1")["id"]]
    assert item["Accounts"] == [row(room, "accounts", "0010/4010")["id"]]


@pytest.fixture
def linked(room: Room) -> Room:
    room.go(SUPPLIERS, ACCOUNTS, ORDERS)
    room.look(ORDERS)
    return room


def test_a_supplier_that_people_delete_on_its_board_is_told_there_and_at_every_item_that_links_to_it(
    linked: Room,
) -> None:
    room, supplier = linked, row(linked, "suppliers", "S1")["id"]
    room.box.monday.delete_item(supplier)
    room.look(SUPPLIERS)
    room.look(ORDERS)
    assert [(key, kind) for key, kind, *_ in room.said(SUPPLIERS)] == [("S1", "deleted_in_the_target")]
    assert room.said(ORDERS) == [("P1", "edited_in_the_target", "Supplier", supplier, None)]

    room.order("P2")
    room.go(ORDERS)  # a new item that would link to it
    ((rule, reason),) = room.holds(ORDERS)["P2"]
    assert rule == "monday_kept_it" and f"Is item {supplier}, which it links to, deleted or archived?" in reason
    room.box.monday.restore_item(supplier)
    room.go(ORDERS)
    room.look(ORDERS)
    assert not room.holds(ORDERS) and not room.said(ORDERS)


def test_a_cell_that_a_person_overwrites_is_put_right_once_and_told_when_someone_insists(linked: Room) -> None:
    room, item = linked, row(linked, "purchase_orders", "P1")["id"]
    room.box.monday.change_item(item, Supplier_name="Somebody else")
    assert room.world.look(ORDERS, restores=True).restored == 1
    assert row(room, "purchase_orders", "P1")["Supplier name"] == "Supplier S1"

    room.box.monday.change_item(item, Supplier_name="Somebody else")
    assert room.world.look(ORDERS, restores=True).restored == 0
    assert row(room, "purchase_orders", "P1")["Supplier name"] == "Somebody else"
    ((key, kind, field, ours, theirs),) = room.said(ORDERS)
    assert (key, field, ours, theirs) == ("P1", "Supplier name", "Supplier S1", "Somebody else")
    assert kind == "someone_insists"


def test_a_cell_that_a_person_overwrites_is_only_told_where_the_policy_is_to_report(linked: Room) -> None:
    room, item = linked, row(linked, "purchase_orders", "P1")["id"]
    room.box.monday.change_item(item, Supplier_name="Somebody else")
    room.look(ORDERS)
    assert room.said(ORDERS) == [("P1", "edited_in_the_target", "Supplier name", "Supplier S1", "Somebody else")]
    assert row(room, "purchase_orders", "P1")["Supplier name"] == "Somebody else"
