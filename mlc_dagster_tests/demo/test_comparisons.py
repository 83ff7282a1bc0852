"""The demo's own comparisons could fail: a cent, a double and a gap in the books of each system are named."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest

from mlc_dagster.core.vocabulary import ERP
from mlc_dagster.demo.comparisons import airbase, cin7, hubspot, ifs, monday, vouchers
from mlc_dagster.demo.comparisons.compared import Compared
from mlc_dagster_tests.promises.journey import flow_of
from mlc_dagster_tests.promises.kinds import now
from mlc_dagster_tests.promises.ledgered_room import Room, room_on

FLOWS = (
    *("cin7/suppliers", "cin7/purchases", "cin7/purchase_invoices"),
    *("hubspot/supplier_companies", "hubspot/invoices", "airbase/vendors", "airbase/purchase_orders"),
    *("monday/suppliers", "monday/invoices", "ifs/suppliers_from_procurify", "ifs/vouchers_from_airbase_payments"),
)
CENT = Decimal("0.01")
State = dict[str, Any]


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    """Two of a kind in each system, delivered."""
    folder = tmp_path_factory.mktemp("comparisons")
    with room_on(f"sqlite:///{folder}/ledger.db", folder) as made:
        made.box.procurify.put_vendor(id=81, name="Vendor 1", country="Sweden", currency="SEK", dateModified=now())
        for number in (1, 2):
            made.supplier(f"S{number}")
            made.order(f"P{number}")
            made.proposal(number)
            made.box.airbase.add_entry(airbase_id=f"pay-{number}", total_amount="12.50", invoice_number=f"I-{number}")
        for flow in FLOWS:
            made.go(flow)
        yield made


def compared(room: Room, *broken: tuple[str, Callable[[State], None]]) -> Compared:
    """As the systems are, but for what is broken in a copy of their books."""
    states = {name: copy.deepcopy(system.state()) for name, system in room.box.systems.items()}
    for system, act in broken:
        act(states[system])
    return Compared(states.__getitem__, [flow_of(name) for name in FLOWS], room.ledger, room.store)


def every_line(found: Compared, room: Room) -> list[str]:
    ours = [line for system in (cin7, hubspot, airbase, vouchers, monday) for line in system.disagreements(found)]
    return [*ours, *ifs.disagreements(found, room.settings)]


def test_books_that_nobody_broke_agree_and_all_of_them_are_compared(room: Room) -> None:
    found = compared(room)
    assert every_line(found, room) == []
    assert all(len(list(found.newest(flow))) >= 1 for flow in found.flows), "each flow has delivered something"


def more(name: str) -> Callable[[State], None]:
    """A cent more on the first document."""

    def act(row: State) -> None:
        row[name] = type(row[name])(Decimal(row[name]) + CENT)

    return act


def purchase_of_a_cent_more(state: State) -> None:
    more("Total")(state["purchases"][0]["Order"])


def purchase_invoice_of_a_cent_more(state: State) -> None:
    billed = [each for each in state["purchases"] if each["Invoice"][0]["InvoiceNumber"]]
    more("Total")(billed[0]["Invoice"][0])


def voucher_of_a_cent_more(state: State) -> None:
    more("CurrencyAmount")(state["documents"]["VoucherSet"][0]["VoucherRows"][-1])


def voucher_that_does_not_balance(state: State) -> None:
    rows = state["documents"]["VoucherSet"][0]["VoucherRows"]
    more("DebitAmount")(next(row for row in rows if row["DebitAmount"]))


def item_of_a_cent_more(state: State) -> None:
    items = (item for board in state["boards"].values() for item in board if item.get("Amount"))
    more("Amount")(next(items))


BY_A_CENT = {
    "cin7 purchase": ("cin7", purchase_of_a_cent_more, "cin7/purchases P1: Total is 21.01"),
    "cin7 invoice": ("cin7", purchase_invoice_of_a_cent_more, "cin7/purchase_invoices 0010/"),
    "hubspot": ("hubspot", lambda s: more("hs_amount_billed")(s["invoices"][0]["properties"]), "hs_amount_billed is 1"),
    "airbase": ("airbase", lambda s: more("total_amount")(s["purchase_orders"][0]), "total_amount is 21.01"),
    "monday": ("monday", item_of_a_cent_more, "Amount is 100.01"),
    "voucher": (ERP, voucher_of_a_cent_more, "ifs/vouchers_from_airbase_payments"),
    "balance": (ERP, voucher_that_does_not_balance, "does not balance"),
}


@pytest.mark.parametrize("name", BY_A_CENT)
def test_a_cent_is_named(room: Room, name: str) -> None:
    system, act, said = BY_A_CENT[name]
    assert any(said in line for line in every_line(compared(room, (system, act)), room))


def shelf(*path: str) -> Callable[[State], list[State]]:
    def found(state: State) -> list[State]:
        for name in path:
            state = state[name]
        return state  # type: ignore[return-value]

    return found


def board(state: State) -> list[State]:
    found: list[State] = next(board for board in state["boards"].values() if board)
    return found


SHELVES: dict[str, tuple[str, Callable[[State], list[State]], str]] = {
    "cin7 purchases": ("cin7", shelf("purchases"), "ID"),
    "hubspot companies": ("hubspot", shelf("companies"), "id"),
    "hubspot invoices": ("hubspot", shelf("invoices"), "id"),
    "airbase vendors": ("airbase", shelf("vendors"), "airbase_id"),
    "airbase orders": ("airbase", shelf("purchase_orders"), "airbase_id"),
    "monday items": ("monday", board, "id"),
    "vouchers": (ERP, shelf("documents", "VoucherSet"), "VoucherNo"),
}


@pytest.mark.parametrize("name", SHELVES)
def test_a_document_that_is_missing_is_named(room: Room, name: str) -> None:
    system, rows, _ = SHELVES[name]
    lines = every_line(compared(room, (system, lambda state: rows(state).pop(0) and None)), room)
    assert any("does not have" in line for line in lines), lines


@pytest.mark.parametrize("name", SHELVES)
def test_a_document_that_is_doubled_is_named(room: Room, name: str) -> None:
    system, rows, identity = SHELVES[name]

    def act(state: State) -> None:
        first = rows(state)[0]
        rows(state).append({**first, identity: type(first[identity])(99999)})

    lines = every_line(compared(room, (system, act)), room)
    assert any("99999" in line and "that no flow delivered" in line for line in lines), lines


def test_a_supplier_of_another_name_and_one_that_is_missing_are_named(room: Room) -> None:
    def rename(state: State) -> None:
        state["suppliers"][-1]["Name"] = "Another AB"

    def lose(state: State) -> None:
        del state["suppliers"][-1]

    assert any("Name is Another AB" in line for line in every_line(compared(room, (ERP, rename)), room))
    assert any("IFS has no supplier" in line for line in every_line(compared(room, (ERP, lose)), room))
