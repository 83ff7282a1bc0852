"""C43: what is dated before the cut-over is adopted without a write where the target has it, and else never sent."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from mlc_dagster.ledger import Ledger
from mlc_dagster.orchestration.storage.row_store import RowStore
from mlc_dagster.pipeline import Loaded
from mlc_dagster.sandbox.procurify.lines import Line
from mlc_dagster_tests.promises.journey import Journey, flow_of
from mlc_dagster_tests.promises.kinds import now
from mlc_dagster_tests.promises.ledgered_room import Room, room_on

pytestmark = pytest.mark.promise("C43", "documents from before the cut-over are adopted or out of scope, never sent")
CUT_OVER = date(2026, 11, 20)
PURCHASES, INVOICES, ITEMS = "cin7/purchases", "hubspot/invoices", "monday/purchase_orders"
PAYMENTS, BILLS = "ifs/vouchers_from_airbase_payments", "ifs/supplier_invoices_from_procurify"
BEFORE = {
    PURCHASES: ("cin7/suppliers",),
    INVOICES: ("hubspot/supplier_companies",),
    ITEMS: ("monday/suppliers",),
    PAYMENTS: (),
    BILLS: ("ifs/suppliers_from_procurify",),
}


def fill(room: Room) -> None:
    """A document of each kind, in all sources; each dated before the cut-over."""
    room.supplier()
    room.order("P1")
    room.proposal(1)
    room.box.procurify.put_vendor(id=81, name="Vendor 1", country="Sweden", currency="SEK", dateModified=now())
    room.box.airbase.add_entry(airbase_id="pay-1", total_amount="12.50", invoice_number="I-1")
    bill(room, 1)


def bill(room: Room, number: int) -> None:
    dated = {"invoice_date": "2026-11-04T00:00:00Z", "due_date": "2026-12-04T00:00:00Z"}
    line, uuid = Line("100.00", "4010", "Operations"), f"{number:032x}"
    room.box.procurify.put_bill(
        81, [line], uuid=uuid, last_modified_datetime=now(), invoice_number=f"B-{number}", **dated
    )


@contextmanager
def another_ledger(room: Room, tmp_path: Path, url: str) -> Iterator[Room]:
    """The same systems, and a ledger that is empty."""
    with Ledger.open(url) as ledger:
        yield Room(room.box, ledger, RowStore(f"{tmp_path}/other", ledger.stored), room.settings)


def go(room: Room, name: str, run: str) -> Loaded:
    flow = replace(flow_of(name), cut_over=CUT_OVER)
    return Journey(flow, room.settings, room.ledger, room.store, run).make()


@pytest.mark.parametrize("flow", list(BEFORE))
def test_c43_what_the_target_has_is_adopted_and_nothing_is_written(flow: str, ledger_url: str, tmp_path: Path) -> None:
    with room_on(f"sqlite:///{tmp_path}/first.db", tmp_path) as room:
        fill(room)
        room.go(*BEFORE[flow], flow)
        before = room.ledger.remote_ids(flow)
        with another_ledger(room, tmp_path, ledger_url) as empty:
            empty.go(*BEFORE[flow])
            system = flow_of(flow).target.system
            writes = len(room.box.journal(system))
            assert go(empty, flow, "first").delivered == 0
            assert empty.ledger.remote_ids(flow) == before and len(before) == 1
            assert go(empty, flow, "second").unchanged == 1
            assert len(room.box.journal(system)) == writes and empty.holds(flow) == {}
            (key,) = before
            assert [line.event.value for line in empty.ledger.trail(flow, key)] == ["adopted"]


@pytest.mark.parametrize("flow", list(BEFORE))
def test_c43_what_the_target_does_not_have_is_never_sent(flow: str, sqlite_url: str, tmp_path: Path) -> None:
    with room_on(sqlite_url, tmp_path) as room:
        fill(room)
        room.go(*BEFORE[flow])
        writes = len(room.box.journal(flow_of(flow).target.system))
        for run in ("first", "second"):
            assert go(room, flow, run).delivered == 0
        assert len(room.box.journal(flow_of(flow).target.system)) == writes
        assert room.ledger.remote_ids(flow) == {} and room.holds(flow) == {}


def test_c43_an_invoice_that_a_person_entered_under_its_number_is_adopted(sqlite_url: str, tmp_path: Path) -> None:
    with room_on(f"sqlite:///{tmp_path}/first.db", tmp_path) as room:
        fill(room)
        room.go(*BEFORE[BILLS], BILLS)
        (row,) = room.box.ifs.rows("SupplierInvoiceSet")
        room.box.ifs.put("SupplierInvoiceSet", {**row, "ExternalRef": None})
        with another_ledger(room, tmp_path, sqlite_url) as empty:
            empty.go(*BEFORE[BILLS])
            go(empty, BILLS, "first")
            assert list(empty.ledger.remote_ids(BILLS).values()) == [f"{row['Company']}/{row['InvoiceId']}"]
            assert len(room.box.ifs.rows("SupplierInvoiceSet")) == 1
