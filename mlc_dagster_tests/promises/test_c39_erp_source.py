"""C39, where the ERP is the source: deleted, cancelled, registered anew, after it was delivered."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from mlc_dagster.core.difference_kinds import GONE_IN_THE_SOURCE
from mlc_dagster_tests.promises.later import Room, room_at

pytestmark = pytest.mark.promise(
    "C39", "what the ERP takes back after delivery is a difference, once, until both agree"
)

ORDERS, INVOICES, COMPANIES = "cin7/purchases", "hubspot/invoices", "hubspot/supplier_companies"


@pytest.fixture
def room(ledger_url: str, tmp_path: Path) -> Iterator[Room]:
    """On both databases."""
    with room_at(ledger_url, tmp_path) as made:
        yield made


@pytest.fixture
def small(sqlite_url: str, tmp_path: Path) -> Iterator[Room]:
    """On SQLite alone."""
    with room_at(sqlite_url, tmp_path) as made:
        yield made


@dataclass(frozen=True)
class Kind:
    """A flow, how two records of it are entered, and how the second is deleted."""

    flow: str
    put: Callable[[Room, int], None]
    delete: Callable[[Room, int], None]
    first: tuple[str, ...] = ()
    key: str = "P2"
    amount: str | None = None


def _orders(room: Room, number: int) -> None:
    room.order(f"P{number}")


def _without_order(room: Room, number: int) -> None:
    room.delete("PurchaseOrderSet", OrderNo=f"P{number}")


def _without_proposal(room: Room, number: int) -> None:
    room.delete("PostingProposalHeadSet", Company="0010", ProposalId=number)


KINDS = (
    Kind(ORDERS, _orders, _without_order, ("cin7/suppliers",), amount="21"),
    Kind("airbase/purchase_orders", _orders, _without_order, ("airbase/vendors",), amount="21"),
    Kind("monday/purchase_orders", _orders, _without_order, ("monday/suppliers",), amount="21"),
    Kind(
        "cin7/purchase_invoices", Room.proposal, _without_proposal, ("cin7/suppliers", ORDERS), "0010/2", amount="100"
    ),
    Kind(INVOICES, Room.proposal, _without_proposal, (COMPANIES,), "0010/2", amount="100"),
    Kind("monday/invoices", Room.proposal, _without_proposal, ("monday/suppliers",), "0010/2", amount="100"),
    Kind(
        "monday/customer_orders",
        lambda room, number: room.sale(f"P{number}"),
        lambda room, number: room.delete("CustomerOrderSet", OrderNo=f"P{number}"),
        amount="21",
    ),
    Kind(
        COMPANIES,
        lambda room, number: room.supplier(f"P{number}"),
        lambda room, number: room.delete("SupplierSet", SupplierId=f"P{number}"),
    ),
    Kind(
        "hubspot/customer_companies",
        lambda room, number: room.customer(f"P{number}"),
        lambda room, number: room.delete("CustomerSet", CustomerId=f"P{number}"),
    ),
)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.flow)
def test_what_is_deleted_after_delivery_is_told_once_with_number_amount_and_link(small: Room, kind: Kind) -> None:
    small.supplier()
    for number in (1, 2):
        kind.put(small, number)
    assert small.go(*kind.first, kind.flow).delivered >= 2
    assert small.sweep(kind.flow).gone == 0
    kind.delete(small, 2)
    told = small.sweep(kind.flow)
    assert (told.gone, told.new, told.fault) == (1, 1, "")
    (difference,) = small.ledger.differences.open(kind.flow)
    assert (difference.key, difference.kind, difference.amount) == (kind.key, GONE_IN_THE_SOURCE, kind.amount)
    assert difference.currency == ("SEK" if kind.amount else None) and difference.ours
    again = small.sweep(kind.flow)
    assert (again.gone, again.new) == (1, 0) and len(small.ledger.differences.history(kind.flow, kind.key)) == 1
