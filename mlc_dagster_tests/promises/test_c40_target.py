"""C40: what people do to a delivered record in the target is told by the next verify, and one command leads back."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from mlc_dagster.ledger import Run
from mlc_dagster.pipeline.ways_back import WordRefused
from mlc_dagster.sandbox.cin7.fields import now_text
from mlc_dagster_tests.promises.kinds import now, orders, proposals, suppliers
from mlc_dagster_tests.promises.later_life import World, world

COMPANIES, INVOICES, DEALS = "hubspot/supplier_companies", "hubspot/invoices", "hubspot/deals"
SUPPLIERS, PURCHASES, PURCHASE_INVOICES = "cin7/suppliers", "cin7/purchases", "cin7/purchase_invoices"


@pytest.fixture
def here(ledger_url: str, tmp_path: Path) -> Iterator[World]:
    with world(ledger_url, tmp_path) as made:
        yield made


@pytest.fixture
def room(sqlite_url: str, tmp_path: Path) -> Iterator[World]:
    with world(sqlite_url, tmp_path) as made:
        yield made


@pytest.mark.promise("C40", "what nobody touched agrees at the first look and the next, sums too")
def test_c40_what_nobody_touched_agrees_and_the_sums_are_equal_to_the_cent(here: World) -> None:
    proposals(here.box)
    flows = (SUPPLIERS, PURCHASES, PURCHASE_INVOICES, COMPANIES, INVOICES, DEALS)
    loads = here.go(*flows)
    for name in flows:
        first, second = here.look(name), here.look(name)
        assert first.agrees and second.agrees, (
            name,
            first.examples,
            dict(first.sums),
            dict(second.sums),
            here.said(name),
        )
        assert (first.checked, first.there, first.unknown, first.left) == (loads[name].delivered, 8, 0, 0), name
        assert second.there == 8 and here.open(name) == []
    sums = here.look(PURCHASES).sums
    assert {place: (each.ours, each.theirs) for place, each in sums.items()} == {("0010", "SEK"): (Decimal(72),) * 2}


@pytest.mark.promise("C40", "a price edited in Cin7 is told with what it is off by, until it agrees")
def test_c40_an_edited_price_is_told_with_what_it_is_off_by(here: World) -> None:
    orders(here.box)
    here.go(SUPPLIERS, PURCHASES)
    _price(here, "P3", 999)
    told = here.look(PURCHASES)
    assert (told.different, told.there, told.missing, told.opened) == (1, 7, 0, 3)
    [first, *_] = here.open(PURCHASES)
    assert (first.key, first.kind, first.amount, first.currency) == ("P3", "edited_in_the_target", "993.00", "SEK")
    fields = {field: (ours, theirs) for _, _, field, ours, theirs in here.said(PURCHASES)}
    assert fields["Order.Total"] == ("6.00", "999")
    [unlike] = told.unlike_sums.values()
    assert unlike.theirs - unlike.ours == 993
    assert here.look(PURCHASES).opened == 0
    _price(here, "P3", 6, per_unit=3)
    assert here.look(PURCHASES).closed == 3
    assert here.open(PURCHASES) == []


@pytest.mark.promise("C40", "restore sends one record again as it was delivered, and touches no neighbour")
def test_c40_restore_puts_one_record_back_and_touches_no_neighbour(here: World) -> None:
    orders(here.box)
    here.go(SUPPLIERS, PURCHASES)
    _price(here, "P3", 999)
    here.look(PURCHASES)
    before = here.writes("cin7")
    done = here.way(PURCHASES).restore("P3")
    assert (done.closed, done.still_open) == (3, 0)
    assert here.writes("cin7") == before + 1
    assert _total(here, "P3") == 6 and here.look(PURCHASES).agrees
    told = [event for event in here.events(PURCHASES, "P3") if event in ("asked_again", "sent", "updated")]
    assert told[-3:] == ["asked_again", "sent", "updated"]
    [line] = [each for each in here.ledger.trail(PURCHASES, "P3") if each.event.value == "asked_again"]
    assert line.detail == "restore by kari: agreed on the phone"


@pytest.mark.promise("C40", "what a person accepted stays through a load of another field, until the source changes it")
def test_c40_an_accepted_value_stays_until_the_source_changes_that_very_field(here: World) -> None:
    orders(here.box)
    here.go(SUPPLIERS, PURCHASES)
    _price(here, "P3", 8, per_unit=4)
    here.look(PURCHASES)
    assert here.way(PURCHASES).accept("P3").still_open == 0
    assert here.look(PURCHASES).agrees
    _change(here, "P3", Notes="call before you come")
    assert here.go(PURCHASES)[PURCHASES].updated == 1
    assert _total(here, "P3") == 8 and here.look(PURCHASES).agrees, here.said(PURCHASES)
    _change(here, "P3", price=5)
    assert here.go(PURCHASES)[PURCHASES].updated == 1
    assert _total(here, "P3") == 10 and here.look(PURCHASES).agrees


@pytest.mark.promise("C40", "a voided purchase is told; recreate makes it again, once, and nothing else does")
def test_c40_a_voided_purchase_comes_back_by_one_command_alone(here: World) -> None:
    orders(here.box)
    here.go(SUPPLIERS, PURCHASES)
    here.box.cin7._purchases.void(_purchase(here, "P3")["ID"], void=True)
    told = here.look(PURCHASES)
    assert (told.missing, told.there) == (1, 7)
    [one] = here.open(PURCHASES)
    assert (one.key, one.kind, one.amount, one.currency) == ("P3", "voided_in_the_target", "6.00", "SEK")
    _change(here, "P3", Notes="changed")
    assert here.go(PURCHASES)[PURCHASES].held == 1
    assert len(here.box.cin7.purchases) == 8
    done = here.way(PURCHASES).recreate("P3")
    assert done.still_open == 0 and len(here.box.cin7.purchases) == 9
    assert here.look(PURCHASES).agrees
    with pytest.raises(WordRefused, match="nothing is made twice"):
        here.way(PURCHASES).recreate("P3")
    here.go(PURCHASES)
    assert len(here.box.cin7.purchases) == 9 and here.look(PURCHASES).agrees


@pytest.mark.promise("C40", "a company deleted in HubSpot is told, its load is held, and one command makes it again")
def test_c40_a_deleted_company_is_told_held_and_made_again_by_one_command(here: World) -> None:
    suppliers(here.box)
    here.go(COMPANIES)
    company = _company(here, "S3")
    with here.box.lock:
        here.box.hubspot.objects.archive("companies", [company])
    told = here.look(COMPANIES)
    assert (told.missing, told.there) == (1, 7)
    assert here.said(COMPANIES) == [
        ("S3", "deleted_in_the_target", "", "Supplier 3", f"archived as {company}"),
    ]
    _rename(here, "S3")
    assert here.go(COMPANIES)[COMPANIES].held == 1
    assert len(here.box.hubspot.live("companies")) == 7
    assert here.way(COMPANIES).recreate("S3").still_open == 0
    assert len(here.box.hubspot.live("companies")) == 8 and here.look(COMPANIES).agrees
    assert here.go(COMPANIES)[COMPANIES].updated == 1
    assert len(here.box.hubspot.live("companies")) == 8 and here.look(COMPANIES).agrees


@pytest.mark.promise("C40", "companies merged in HubSpot are told, both, and a person says which is which")
def test_c40_merged_companies_are_told_and_relinked_as_one(here: World) -> None:
    suppliers(here.box)
    here.go(COMPANIES)
    with here.box.lock:
        survivor = here.box.hubspot.merge("companies", _company(here, "S3"), _company(here, "S4"))
    told = here.look(COMPANIES)
    assert (told.different, told.missing, told.there) == (2, 0, 6)
    assert {(one.key, one.kind, one.theirs) for one in here.open(COMPANIES)} == {
        ("S3", "merged_in_the_target", survivor),
        ("S4", "merged_in_the_target", survivor),
    }
    assert here.way(COMPANIES).relink("S3", survivor).still_open == 0
    with pytest.raises(WordRefused, match="S3 of hubspot/supplier_companies already"):
        here.way(COMPANIES).relink("S4", survivor)
    assert here.way(COMPANIES).relink("S4", survivor, shared=True).still_open == 0
    assert here.look(COMPANIES).agrees


@pytest.mark.promise("C40", "what carries our key, and the ledger does not know, is told until it is gone")
def test_c40_what_carries_our_key_and_is_unknown_is_told_until_it_is_gone(here: World) -> None:
    suppliers(here.box)
    here.go(COMPANIES)
    with here.box.lock:
        properties = {"name": "A copy", "ifs_external_key": "SUPPLIER/S99", "ifs_number": "S99"}
        copy = here.box.hubspot.objects.write("companies", properties, None)
        here.box.hubspot.reindex()
    assert here.look(COMPANIES).extra == 1
    assert here.said(COMPANIES) == [("S99", "extra_in_the_target", copy["id"], None, "SUPPLIER/S99")]
    with here.box.lock:
        here.box.hubspot.objects.archive("companies", [copy["id"]])
        here.box.hubspot.reindex()
    assert here.look(COMPANIES).agrees and here.open(COMPANIES) == []


@pytest.mark.promise("C40", "an invoice paid in HubSpot, and a line edited there, are told")
def test_c40_an_invoice_that_is_paid_or_edited_in_hubspot_is_told(room: World) -> None:
    proposals(room.box)
    room.go(COMPANIES, INVOICES)
    first, second, third = sorted(room.box.hubspot.live("invoices"))[:3]
    with room.box.lock:
        objects = room.box.hubspot.objects
        objects.rows["invoices"][first]["properties"]["hs_invoice_status"] = "paid"
        [line] = objects.of("invoices", "line_items", second)
        objects.rows["line_items"][line]["properties"]["price"] = "77"
        objects._compute("line_items", objects.rows["line_items"][line])
        objects.rows["invoices"][third]["properties"]["hs_invoice_status"] = "voided"
    told = room.look(INVOICES)
    assert (told.different, told.missing, told.there) == (2, 1, 5)
    said = {(kind, field): (ours, theirs) for _, kind, field, ours, theirs in room.said(INVOICES)}
    assert said["edited_in_the_target", "hs_invoice_status"] == ("open", "paid")
    assert said["edited_in_the_target", "hs_amount_billed"][1] == "77"
    assert [one.amount for one in room.open(INVOICES) if one.field == "hs_amount_billed"] == ["75"]
    assert any(kind == "voided_in_the_target" for kind, _ in said)


@pytest.mark.promise("C40", "policy restore: sent again once for each value; then someone insists, and it stays")
def test_c40_restore_by_itself_is_once_for_each_value(here: World) -> None:
    orders(here.box)
    here.go(SUPPLIERS, PURCHASES)
    _price(here, "P3", 999)
    before = here.writes("cin7")
    assert here.look(PURCHASES, restores=True).restored == 1
    assert (_total(here, "P3"), here.open(PURCHASES), here.writes("cin7")) == (6, [], before + 1)
    _price(here, "P3", 999)
    told = here.look(PURCHASES, restores=True)
    assert (told.restored, told.different, _total(here, "P3")) == (0, 1, 999)
    assert {one.kind for one in here.open(PURCHASES)} == {"someone_insists"}
    _price(here, "P3", 500)
    assert here.look(PURCHASES, restores=True).restored == 1
    assert _total(here, "P3") == 6 and here.writes("cin7") == before + 2


@pytest.mark.promise("C40", "policy hold: the record's next load is held until a person decides")
def test_c40_policy_hold_keeps_the_next_load_back_until_a_person_decides(room: World) -> None:
    orders(room.box)
    room.go(SUPPLIERS, PURCHASES)
    _price(room, "P3", 8, per_unit=4)
    room.look(PURCHASES)
    _change(room, "P3", Notes="changed")
    room.policy = "hold"
    assert room.go(PURCHASES)[PURCHASES].held == 1
    assert _total(room, "P3") == 8
    [hold] = room.ledger.open_holds(PURCHASES)
    assert hold.rules == ("target_is_as_delivered",)
    room.ledger.decisions.release(hold, "kari", "ours counts", Run("cli"))
    assert room.go(PURCHASES)[PURCHASES].updated == 1
    assert _total(room, "P3") == 6 and room.look(PURCHASES).agrees


@pytest.mark.promise("C40", "what a person forgets is none of ours: the next load looks for it, and finds it")
def test_c40_what_is_forgotten_is_found_again_by_the_next_load(room: World) -> None:
    orders(room.box)
    room.go(SUPPLIERS, PURCHASES)
    room.way(PURCHASES).forget("P3")
    assert room.look(PURCHASES).checked == 7
    assert room.go(PURCHASES)[PURCHASES].adopted == 1
    assert len(room.box.cin7.purchases) == 8


def _purchase(world: World, key: str) -> dict[str, Any]:
    """The newest that carries the key."""
    kept = world.box.cin7._purchases.by_id.values()
    found = [each for each in kept if each["Note"].startswith(f"IFS 0010/{key}")]
    return max(found, key=lambda each: each["OrderNumber"])


def _total(world: World, key: str) -> Decimal:
    return Decimal(_purchase(world, key)["Order"]["Total"])


def _company(world: World, number: str) -> str:
    rows = world.box.hubspot.live("companies").items()
    return next(each for each, row in rows if row["properties"]["ifs_number"] == number)


def _change(world: World, key: str, price: int | None = None, **fields: Any) -> None:
    """The order in the ERP, changed now."""
    [row] = [dict(each) for each in world.box.ifs.rows("PurchaseOrderSet") if each["OrderNo"] == key]
    if price is not None:
        [line] = row["PurchaseOrderLines"]
        amount = Decimal(2 * price)
        row |= {"PurchaseOrderLines": [{**line, "BuyUnitPrice": Decimal(price), "LineAmount": amount}]}
        row |= {"TotalAmount": amount}
    world.box.ifs.put("PurchaseOrderSet", {**row, **fields}, modified=now())


def _rename(world: World, number: str) -> None:
    [row] = [dict(each) for each in world.box.ifs.rows("SupplierSet") if each["SupplierId"] == number]
    world.box.ifs.put("SupplierSet", {**row, "Name": f"{row['Name']} AB"}, modified=now())


def _price(world: World, key: str, total: int, per_unit: int | None = None) -> None:
    """Somebody edits the one charge of a purchase in Cin7."""
    with world.box.lock:
        purchase = _purchase(world, key)
        [charge] = purchase["Order"]["AdditionalCharges"]
        charge["Price"] = Decimal(per_unit or total)
        charge["Total"] = purchase["Order"]["TotalBeforeTax"] = purchase["Order"]["Total"] = Decimal(total)
        purchase["LastUpdatedDate"] = now_text()
