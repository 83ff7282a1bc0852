"""Two active items with one key on a board: found for all boards together, byte for byte, whatever their age."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mlc_dagster.core.duplicates import doubles, sentence
from mlc_dagster.core.errors import Misconfigured, TransientError
from mlc_dagster.core.flows import Target
from mlc_dagster.sandbox import Sandbox
from mlc_dagster.systems.monday.records import INVOICES, PURCHASE_ORDERS, SUPPLIERS
from mlc_dagster_tests.systems.monday.samples import INVOICE_BOARD, SUPPLIER_BOARD, client_on

NOW = datetime.now(UTC)
SINCE, LONG_AGO = NOW - timedelta(hours=26), NOW - timedelta(days=400)


def told(box: Sandbox, target: Target = INVOICES, **changes: Any) -> list[str]:
    assert target.twice is not None
    looked = client_on(box, **changes).scan_documents(target, SINCE, lambda flow: {})
    return [sentence(target.twice, double) for double in doubles(looked.documents)]


def put(box: Sandbox, key: str, at: datetime = NOW, board: str = INVOICE_BOARD, **cells: str) -> str:
    return box.monday.add_item(board, f"Invoice {key}", at, **{"IFS_key": key, **cells})


@pytest.mark.parametrize("age", [NOW, LONG_AGO], ids=["both new", "one of last year"])
def test_two_items_with_one_key_are_told_with_both_numbers(box: Sandbox, age: datetime) -> None:
    first, second = put(box, "0010/7", age, Amount="125.5"), put(box, "0010/7", Amount="125.5")
    put(box, "0010/8")
    assert told(box) == [
        f"monday has two items on board Invoices for IFS posting proposal 0010/7: item {first} and item {second} "
        "(125.50 each). Delete one of them."
    ]


def test_an_archived_twin_is_not_told(box: Sandbox) -> None:
    put(box, "0010/7")
    box.monday.archive_item(put(box, "0010/7"))
    assert told(box) == []


@pytest.mark.parametrize("other", ["0010/A", "0010/a ", " 0010/a"])
def test_a_key_in_another_case_or_with_blanks_is_another_key(box: Sandbox, other: str) -> None:
    put(box, "0010/a")
    put(box, other)
    assert told(box) == []


def test_items_without_a_key_are_peoples_own(box: Sandbox) -> None:
    for _ in range(2):
        box.monday.add_item(INVOICE_BOARD, "by hand")
    assert told(box) == []


def test_one_key_on_two_boards_is_two_items(box: Sandbox) -> None:
    put(box, "7")
    put(box, "7", board=SUPPLIER_BOARD)
    assert told(box) == [] == told(box, SUPPLIERS)


def test_all_boards_of_a_quiet_hour_are_two_requests(box: Sandbox) -> None:
    put(box, "0010/7", LONG_AGO)
    client = client_on(box)
    for target in (INVOICES, SUPPLIERS):
        assert client.scan_documents(target, SINCE, lambda flow: {}).compared == 0
    assert client.traffic.requests == 2, "what columns there are, and the newest items"


def test_a_busy_hour_is_three_requests_for_some_five_hundred_keys(box: Sandbox) -> None:
    for number in range(450):
        put(box, f"0010/{number}")
    for number in range(40):
        put(box, f"S{number}", board=SUPPLIER_BOARD)
    client = client_on(box)
    assert client.scan_documents(INVOICES, SINCE, lambda flow: {}).compared == 450
    assert client.scan_documents(SUPPLIERS, SINCE, lambda flow: {}).compared == 40
    assert client.traffic.requests == 3


def test_pages_beyond_the_first_are_read(box: Sandbox) -> None:
    put(box, "0010/1")
    for number in range(700):
        put(box, f"0010/{number}")
    assert len(told(box)) == 1


def test_a_board_that_comes_in_no_order_is_read_to_its_end(box: Sandbox) -> None:
    box.monday.boards.heeds_order = False
    for number in range(600):
        put(box, f"old {number}", LONG_AGO)
    first, second = put(box, "0010/7"), put(box, "0010/7")
    (words,) = told(box)
    assert first in words and second in words


def test_a_board_without_the_key_column_or_that_is_down_is_an_error(box: Sandbox) -> None:
    with pytest.raises(Misconfigured, match="has no column 'Another key'"):
        told(box, key_column="Another key")
    with pytest.raises(Misconfigured, match="purchase_orders is not set"):
        told(box, PURCHASE_ORDERS)
    box.faults.add(system="monday", status=502)
    with pytest.raises(TransientError):
        told(box, max_attempts=1)


def test_a_look_writes_nothing(box: Sandbox) -> None:
    put(box, "0010/7")
    box.forget_calls()
    told(box)
    assert box.journal("monday") == []
