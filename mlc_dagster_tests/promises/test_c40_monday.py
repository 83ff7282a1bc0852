"""C40: what people do to delivered items in monday.com is told by the next look, and nothing comes back by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mlc_dagster.sandbox.monday.seed import BOARDS, DEMO_MONDAY
from mlc_dagster_tests.promises.ledgered_room import Room, room_on, rules_of

INVOICES, ORDERS, SUPPLIERS = "monday/invoices", "monday/purchase_orders", "monday/suppliers"


@pytest.fixture
def room(ledger_url: str, tmp_path: Path) -> Iterator[Room]:
    with room_on(ledger_url, tmp_path) as made:
        made.supplier()
        for number in (1, 2):
            made.order(f"P{number}")
            made.proposal(number)
        made.go(SUPPLIERS, ORDERS, INVOICES)
        yield made


def items(room: Room, board: str) -> dict[str, str]:
    """The key -> the item's id."""
    return {row["IFS key"]: row["id"] for row in room.box.monday.rows(BOARDS[board][0])}


FLOWS = {SUPPLIERS: ("suppliers", 1), ORDERS: ("purchase_orders", 2), INVOICES: ("invoices", 2)}


@pytest.mark.promise("C40", "a target that nobody touched is in agreement, on every board")
@pytest.mark.parametrize("flow", FLOWS)
def test_what_nobody_touched_agrees_at_the_first_look_and_the_second(room: Room, flow: str) -> None:
    for _ in range(2):
        account = room.look(flow)
        assert (account.checked, account.there, account.unknown) == (FLOWS[flow][1], FLOWS[flow][1], 0)
        assert not room.said(flow)


@pytest.mark.promise("C40", "a hundred items are looked at in one request")
def test_a_look_is_one_request_for_a_hundred_items(room: Room) -> None:
    room.box.forget_calls()
    room.look(INVOICES)
    assert sum(room.box.calls("monday").values()) <= 3, "the board, its items, and those that are newest on it"


@pytest.mark.promise("C40", "an edit by hand is told with both values and the amount, and closes when it is undone")
def test_an_amount_that_a_person_edits_is_told_until_both_agree(room: Room) -> None:
    item = items(room, "invoices")["0010/1"]
    room.look(INVOICES)
    room.box.monday.change_item(item, Amount="999")

    room.look(INVOICES)
    assert room.said(INVOICES) == [("0010/1", "edited_in_the_target", "Amount", "100", "999")]
    (difference,) = room.ledger.differences.open(INVOICES)
    assert (difference.amount, difference.currency) == ("899", "SEK")

    room.box.monday.change_item(item, Amount="100")
    room.look(INVOICES)
    assert not room.said(INVOICES)


@pytest.mark.promise("C40", "a field that a person empties is told")
def test_a_cell_that_a_person_empties_and_a_name_that_a_person_changes_are_told(room: Room) -> None:
    first, second = sorted(items(room, "invoices").values())
    room.box.monday.change_item(first, Amount=None)
    room.box.monday.change_item(second, name="Do not pay")
    room.look(INVOICES)
    assert sorted(room.said(INVOICES)) == [
        ("0010/1", "edited_in_the_target", "Amount", "100", None),
        ("0010/2", "edited_in_the_target", "name", "F-2", "Do not pay"),
    ]


def archive(room: Room, item: str) -> None:
    room.box.monday.archive_item(item)


def trash(room: Room, item: str) -> None:
    room.box.monday.delete_item(item)


def delete_for_ever(room: Room, item: str) -> None:
    room.box.monday.delete_item(item, for_ever=True)


def move(room: Room, item: str) -> None:
    room.box.monday.move_item(item, BOARDS["suppliers"][0])


AWAY: dict[str, tuple[Callable[[Room, str], None], str, str, str]] = {
    "archived": (archive, "deleted_in_the_target", "archived in monday", "deleted_in_the_target"),
    "in the trash": (trash, "deleted_in_the_target", "in monday's trash", "deleted_in_the_target"),
    "gone": (delete_for_ever, "deleted_in_the_target", "", "deleted_in_the_target"),
    "moved": (move, "moved_in_the_target", "board Suppliers (1800000001)", "item_is_on_its_board"),
}


@pytest.mark.promise("C40", "an item deleted, archived or moved is told, its neighbour is not touched, none comes back")
@pytest.mark.parametrize("how", AWAY)
@pytest.mark.parametrize("flow, board", [(ORDERS, "purchase_orders"), (INVOICES, "invoices")])
def test_an_item_that_people_put_away_is_told_and_does_not_come_back(
    room: Room, flow: str, board: str, how: str
) -> None:
    act, kind, words, rule = AWAY[how]
    key, item = sorted(items(room, board).items())[0]
    act(room, item)

    account = room.look(flow)
    ((told_key, told_kind, field, _, theirs),) = room.said(flow)
    assert (told_key, told_kind, field) == (key, kind, "") and words in (theirs or "")
    assert account.checked == 2 and len(items(room, board)) == 1

    room.order("P1", amount="31.00")
    room.proposal(1, amount="110.00")
    room.go(flow)
    assert len(items(room, board)) == 1, "nothing that people put away comes back by itself"
    assert rules_of(room.holds(flow)) == {key: [rule]}
    assert [kind for _, kind, *_ in room.said(flow)] == [kind], "no load closes a difference"


@pytest.mark.promise("C40", "an item that is restored closes its difference")
def test_an_item_that_is_restored_agrees_again(room: Room) -> None:
    item = items(room, "invoices")["0010/1"]
    room.box.monday.archive_item(item)
    room.look(INVOICES)
    room.box.monday.restore_item(item)
    room.look(INVOICES)
    assert not room.said(INVOICES)


@pytest.mark.promise("C40", "an item with a key of ours that nobody delivered is told")
def test_a_copy_of_an_item_is_extra(room: Room) -> None:
    room.box.monday.add_item(BOARDS["invoices"][0], "F-1 (copy)", IFS_key="0010/1")
    room.look(INVOICES)
    ((key, kind, *_),) = room.said(INVOICES)
    assert (key, kind) == ("0010/1", "extra_in_the_target")


def another_board(room: Room) -> None:
    """A new year, a new board, in mlc.yaml."""
    columns = dict(BOARDS["purchase_orders"][2].values())
    room.box.monday.add_board("777", "POs 2027", {"IFS key": "text", **columns})
    boards: dict[str, Any] = DEMO_MONDAY["boards"]
    room.says("monday", boards={**boards, "purchase_orders": {**boards["purchase_orders"], "board": "777"}})


@pytest.mark.promise("C40", "a board changed in mlc.yaml: new records go there, no old one is doubled, each is told")
def test_a_new_board_gets_what_is_new_and_what_is_on_the_old_one_is_told(room: Room) -> None:
    another_board(room)
    room.order("P1", amount="31.00")
    room.order("P3")
    room.go(ORDERS)

    assert [row["IFS key"] for row in room.box.monday.rows("777")] == ["P3"]
    assert sorted(items(room, "purchase_orders")) == ["P1", "P2"], "none is on both"
    ((rule, reason),) = room.holds(ORDERS)["P1"]
    assert rule == "item_is_on_its_board" and "mlc.yaml names board POs 2027 (777)" in reason

    room.look(ORDERS)
    assert sorted((key, kind) for key, kind, *_ in room.said(ORDERS)) == [
        ("P1", "moved_in_the_target"),
        ("P2", "moved_in_the_target"),
    ]


@pytest.mark.promise("C40", "the way back from a changed board: its items are moved there, and all agrees again")
def test_what_is_moved_to_the_new_board_is_delivered_and_agrees(room: Room) -> None:
    another_board(room)
    room.order("P1", amount="31.00")
    room.go(ORDERS)
    for item in items(room, "purchase_orders").values():
        room.box.monday.move_item(item, "777")
    room.order("P2", amount="41.00")
    room.order("P1", amount="32.00")
    room.go(ORDERS)
    assert not room.holds(ORDERS)
    amounts = {row["IFS key"]: row["Amount"] for row in room.box.monday.rows("777")}
    assert amounts == {"P1": "32", "P2": "41"} and not items(room, "purchase_orders")
    room.look(ORDERS)
    assert not room.said(ORDERS)
