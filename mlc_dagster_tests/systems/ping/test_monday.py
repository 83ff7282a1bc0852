"""Boards that are archived, deleted or not there, link columns that point elsewhere: each is told apart."""

from __future__ import annotations

from typing import Any

from mlc_dagster.sandbox import Sandbox
from mlc_dagster_tests.systems.ping.conftest import Ask, only

SUPPLIERS, ACCOUNTS, ORDERS, INVOICES = "1800000001", "1800000002", "1800000003", "1800000004"


def test_boards_that_are_archived_deleted_or_not_there_are_told_apart(
    box: Sandbox, content: dict[str, Any], ask: Ask
) -> None:
    box.monday.put_away(ACCOUNTS, "archived")
    box.monday.put_away(ORDERS, "deleted")
    content["monday"]["boards"]["invoices"]["board"] = "77"
    found = {each.answer.partition("\n")[0]: each.answer for each in ask(only(content, "monday"))}
    assert list(found) == [
        "monday has no board 77 that this token may see",
        "board Purchase orders (1800000003) is deleted",
        "board Chart of accounts (1800000002) is archived",
    ], "in the order of mlc.yaml"
    archived = found["board Chart of accounts (1800000002) is archived"]
    assert "Restore it in monday, or name another board" in archived and "monday.boards.accounts.board" in archived


def test_a_link_column_that_points_to_another_board_is_named(box: Sandbox, content: dict[str, Any], ask: Ask) -> None:
    boards = box.monday.boards
    boards.add_column(ORDERS, "Supplier", "board_relation", {"boardIds": [int(ACCOUNTS)]})
    boards.add_column(INVOICES, "Supplier", "board_relation", {"boardIds": []})
    orders, invoices = sorted(ask(only(content, "monday")), key=lambda each: "Purchase" not in each.answer)
    assert f"'Supplier' of board Purchase orders ({ORDERS}) links to board {ACCOUNTS}" in orders.answer
    assert f"supplier is on {SUPPLIERS}" in orders.answer
    assert "Make another link column, and name it under monday.boards.purchase_orders.columns" in orders.answer
    assert "links to no board" in invoices.answer


def test_a_link_column_that_points_to_the_suppliers_among_others_is_right(
    box: Sandbox, content: dict[str, Any], ask: Ask
) -> None:
    both = {"boardIds": [int(ACCOUNTS), int(SUPPLIERS)]}
    box.monday.boards.add_column(ORDERS, "Supplier", "board_relation", both)
    assert ask(only(content, "monday")) == []


def test_columns_of_a_type_that_does_not_fit_are_named_on_every_board(
    box: Sandbox, content: dict[str, Any], ask: Ask
) -> None:
    content["monday"]["boards"]["suppliers"]["columns"]["email"] = "Status"
    content["monday"]["boards"]["invoices"]["columns"]["due_date"] = "Amount"
    box.monday.boards.add_column(ORDERS, "Currency", "text")
    found = [each.answer for each in ask(only(content, "monday"))]
    assert len(found) == 3, found
    assert "'Amount' of board Supplier invoices" in found[0] and "due_date needs date or text" in found[0]
    assert "has two columns 'Currency'" in found[1] and "by its id" in found[1]
    assert "is of type status, and email needs email or text" in found[2]
