"""Each event of `mlc demo --whole` is judged by what all systems hold: what was not told, or not mended, is named."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest

from mlc_dagster.core.difference_kinds import EDITED_IN_THE_TARGET, MERGED_IN_THE_TARGET, VOIDED_IN_THE_TARGET
from mlc_dagster.core.errors import MlcError
from mlc_dagster.core.terminal import terminal
from mlc_dagster.demo.later_life.event import Books, Event
from mlc_dagster.demo.later_life.goods_received import GoodsReceived
from mlc_dagster.demo.later_life.in_the_source import LineEdited, OrderDeleted, PaymentVoided
from mlc_dagster.demo.later_life.in_the_target import CompaniesMerged, EditedByHand
from mlc_dagster.demo.later_life.outage import RunFailed, another
from mlc_dagster.demo.later_life.story import conclude, strangers
from mlc_dagster.demo.later_life.table import unnamed
from mlc_dagster.demo.later_life.third_pass import Sum
from mlc_dagster.demo.orders_alive import ORDER_COLUMNS
from mlc_dagster.demo.place import Place
from mlc_dagster.ledger.records.differences import Found
from mlc_dagster.orchestration.location import tenants_flows
from mlc_dagster.sandbox.monday.seed import DEMO_MONDAY
from mlc_dagster.systems.configuration import erp_settings
from mlc_dagster.systems.ifs.records import catalogue_for
from mlc_dagster_tests.promises.journey import Journey, flow_of
from mlc_dagster_tests.promises.later import swept
from mlc_dagster_tests.promises.ledgered_room import Room, room_on

PURCHASES, COMPANIES, INVOICES = "cin7/purchases", "hubspot/supplier_companies", "hubspot/invoices"
PAYMENTS, VENDORS, ORDERS = "ifs/vouchers_from_airbase_payments", "airbase/vendors", "airbase/purchase_orders"
BOARD, DEALS = "monday/purchase_orders", "hubspot/deals"
MOVED = ("cin7/suppliers", PURCHASES, COMPANIES, VENDORS, ORDERS, "monday/suppliers", BOARD)


@dataclass(frozen=True)
class Beside(Place):
    """A sandbox in this process."""

    address: str = ""

    @property
    def url(self) -> str:
        return self.address


@pytest.fixture
def room(sqlite_url: str, tmp_path: Path) -> Iterator[Room]:
    with room_on(sqlite_url, tmp_path) as made:
        for number in (1, 2, 3):
            made.supplier(f"S{number}")
            made.order(f"P{number}")
        made.box.airbase.heeds_filters = False
        made.box.airbase.add_entry(airbase_id="pay-1", total_amount="12.50", invoice_number="I-1")
        made.go(*MOVED, PAYMENTS)
        yield made


def books(room: Room) -> Books:
    """As they are now."""
    return Books(Beside(Path(), room.box.url), room.ledger)


def faults(event: Event, room: Room) -> str:
    return "; ".join(event.judged(books(room)).faults)


def sweep(room: Room) -> None:
    for name in (PURCHASES, ORDERS, BOARD):
        swept(flow_of(name).source, [flow_of(name)], room.settings, room.ledger, lambda flow, days: None)


def test_a_voided_payment_is_right_once_it_is_told_and_wrong_before_and_where_its_voucher_is_doubled(
    room: Room,
) -> None:
    event = PaymentVoided.happens(books(room))
    assert "0 differences say that it was taken back" in faults(event, room)
    room.go(PAYMENTS)
    assert faults(event, room) == "" and (event.amount, event.currency) == (Decimal("12.50"), "SEK")
    [voucher] = room.box.ifs.rows("VoucherSet")
    room.box.ifs.put("VoucherSet", {**voucher, "VoucherNo": 99999})
    assert "99999" in faults(event, room)


def test_an_edited_line_is_right_once_all_three_targets_have_it_to_the_cent(room: Room) -> None:
    event = LineEdited.happens(books(room), set())
    assert event.amount == Decimal("31.50")
    assert "Cin7 has 21.00 of it, and 31.5" in faults(event, room)
    room.go(PURCHASES)
    told = ("Airbase has 21.00 of it, and 31.50 is right", "monday.com has 21 of it, and 31.50 is right")
    assert faults(event, room) == "; ".join(told)
    room.go(ORDERS)
    assert faults(event, room) == told[1]
    room.go(BOARD)
    assert faults(event, room) == ""
    [row] = [row for row in room.box.ifs.rows("PurchaseOrderSet") if row["OrderNo"] == "P1"]
    room.box.ifs.put("PurchaseOrderSet", {**row, "LastModified": "2026-11-29T00:00:00Z"})
    assert "its header is stamped 2026-11-29" in faults(event, room)


def test_goods_that_are_received_are_right_once_the_board_says_what_came(room: Room) -> None:
    room.says("ifs", entity_sets={"receipt_info_set": {"set": "ReceiptInfoSet"}})
    boards = dict(DEMO_MONDAY["boards"])
    columns = {**boards["purchase_orders"]["columns"], **ORDER_COLUMNS}
    columns.pop("account_links")
    room.says("monday", boards={**boards, "purchase_orders": {**boards["purchase_orders"], "columns": columns}})
    catalogue = catalogue_for(erp_settings(room.settings))
    (board,) = tenants_flows((flow_of(BOARD),), catalogue)

    def load() -> None:
        room.runs += 1
        Journey(board, room.settings, room.ledger, room.store, f"run{room.runs}", also_unchanged=True).make()

    load()
    event = GoodsReceived.happens(books(room), set())
    assert (event.document, event.amount) == ("order P1, line 1", Decimal("21.00"))
    assert "monday.com says Not received 0 of it, and Received 21.00 is right" in faults(event, room)
    load()
    assert faults(event, room) == ""


def test_a_deleted_order_is_right_once_each_flow_says_what_is_at_stake(room: Room) -> None:
    event = OrderDeleted.happens(books(room), set())
    for flow in (PURCHASES, ORDERS, BOARD):
        assert f"{flow} says nothing of it, and 21.00 SEK is at stake" in faults(event, room)
    sweep(room)
    assert faults(event, room) == ""
    with room.box.lock:
        next(iter(room.box.cin7._purchases.by_id.values()))["Note"] = "gone"
    assert "Cin7 has none of it" in faults(event, room)


def test_merged_companies_are_right_once_both_are_told_and_none_is_made_anew(room: Room) -> None:
    for number in (1, 2, 3):
        room.proposal(number, SupplierId=f"S{number}")
    room.go(INVOICES, DEALS)
    event = CompaniesMerged.happens(books(room))
    assert event.carried == tuple((flow, f"0010/{n}") for flow in (INVOICES, DEALS) for n in (1, 2))
    assert "S1: no difference" in faults(event, room) and "S2: no difference" in faults(event, room)
    room.look(COMPANIES)
    assert faults(event, room) == ""
    with room.box.lock:
        room.box.hubspot.objects.write("companies", {"name": "Made anew"}, None)
    assert faults(event, room) == "HubSpot has 3 companies, and 2 after the merger"
    with room.box.lock:
        room.box.hubspot.objects.archive("invoices", [room.ledger.remote_ids(INVOICES)["0010/1"]])
    assert f"{INVOICES} 0010/1: not as it hung on the two companies" in faults(event, room)


def test_an_edit_by_hand_is_right_once_it_is_told_and_as_long_as_nobody_writes_over_it(room: Room) -> None:
    event = EditedByHand.happens(books(room), set())
    assert (event.before, event.amount) == (Decimal("21.00"), Decimal("23.00"))
    assert "say nothing of it" in faults(event, room)
    room.look(PURCHASES)
    assert faults(event, room) == ""
    room.box.cin7.edit_price(event.remote_id, Decimal("10.50"))
    assert "Cin7 has 21.00 of it, and a person entered 23.00" in faults(event, room)


def test_a_failed_run_is_right_once_nothing_is_due_and_its_order_is_there_once(room: Room) -> None:
    order = another(books(room).orders()["P1"])
    room.ledger.work.ask(PURCHASES, ["2026-11-05"], "asked for")
    event = RunFailed(order, tuple(room.ledger.work.all()), Decimal("21.00"), "SEK")
    told = faults(event, room)
    assert "the run that failed left [('due', '')]" in told and "cin7/purchases of 2026-11-05 is due still" in told
    assert "Cin7 has none of it, and 21.00 is right" in told


def test_no_document_has_two_events(room: Room) -> None:
    taken = set[str]()
    events = [LineEdited.happens(books(room), taken), OrderDeleted.happens(books(room), taken)]
    edited = EditedByHand.happens(books(room), taken)
    assert [*(event.order["OrderNo"] for event in events), edited.key] == ["P1", "P2", "P3"]


def test_what_is_off_is_named_by_open_differences_to_the_cent_or_told(room: Room) -> None:
    sums = [Sum(PURCHASES, "0010", "SEK", "100.00", "103.00"), Sum(ORDERS, "0010", "SEK", "50.00", "29.00")]
    room.ledger.differences.see(PURCHASES, [Found("P1", EDITED_IN_THE_TARGET, "Total", "21", "24", "3.00", "SEK")])
    room.ledger.differences.see(ORDERS, [Found("P1", VOIDED_IN_THE_TARGET, "", "o", None, "21.00", "SEK")])
    named = room.ledger.differences.open()
    assert list(unnamed(sums, [], named, [])) == []
    off = [sums[0]._replace(theirs="103.01"), sums[1]]
    assert list(unnamed(off, [], named, [])) == [f"{PURCHASES} 0010 SEK: 3.01 is off, and the differences name 3.00"]
    assert list(unnamed(off, [], [], [])) == [
        f"{PURCHASES} 0010 SEK: 3.01 is off, and the differences name 0",
        f"{ORDERS} 0010 SEK: -21.00 is off, and the differences name 0",
    ]
    agreeing = [each._replace(theirs=each.ours) for each in sums]
    assert f"{PURCHASES} SEK: nothing is off, and the differences name 3.00" in unnamed(agreeing, [], named, [])


def test_lines_of_the_comparison_are_named_by_their_record_or_told(room: Room) -> None:
    room.ledger.differences.see(COMPANIES, [Found("S1", MERGED_IN_THE_TARGET, "", "7", "9")])
    lines = [f"{COMPANIES} S1: HubSpot does not have it", "HubSpot holds companies 9 that no flow delivered"]
    lines += [f"{INVOICES} 0010/1: it is on companies ['9'], delivered was 7"]
    other = [f"{COMPANIES} S11: HubSpot does not have it", "HubSpot holds companies 8 that no flow delivered"]
    other += [f"{INVOICES} 0010/1: it is on companies ['8'], delivered was 7"]
    other += [f"{INVOICES} 0010/2: it is on companies ['9'], delivered was 7"]
    carried = [(INVOICES, "0010/1")]
    assert list(unnamed([], [*lines, *other], room.ledger.differences.open(), carried)) == other


def test_a_difference_of_a_record_that_nobody_touched_is_a_stranger_and_so_is_one_of_what_was_mended(
    room: Room,
) -> None:
    taken = set[str]()
    events: list[Event] = [LineEdited.happens(books(room), taken), OrderDeleted.happens(books(room), taken)]
    found = [Found(key, EDITED_IN_THE_TARGET, "Total", "1", "2") for key in ("P1", "P2", "P3")]
    room.ledger.differences.see(PURCHASES, found)
    room.ledger.differences.see(INVOICES, found[1:2])  # another flow's record of the same key
    named = room.ledger.differences.open()
    expected = [f"{PURCHASES} P1", f"{PURCHASES} P3", f"{INVOICES} P2"]
    assert [line.split(":")[0] for line in strangers(named, [], events)] == expected
    assert list(strangers(named, {one.id for one in named}, events)) == []


def test_the_demo_fails_where_one_thing_is_not_as_it_should_be() -> None:
    out = terminal()
    conclude({"each event is as it should be": []}, out)
    with pytest.raises(MlcError, match="third pass"):
        conclude({"each event is as it should be": [], "nothing else differs": ["hubspot/deals 7: told"]}, out)
