"""C40: what people do to a delivered record in the target is told by the next verify, and one command leads back."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from mlc_dagster_tests.promises.kinds import orders, proposals
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


@pytest.mark.promise(
    "C40", "what nobody touched agrees, at the first look and at the next, sums by company and currency"
)
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


@pytest.mark.promise(
    "C40", "a purchase's price edited in Cin7 is told with both amounts, and stays told until it agrees"
)
def test_c40_an_edited_price_is_told_with_what_it_is_off_by(here: World) -> None:
    orders(here.box)
    here.go(SUPPLIERS, PURCHASES)
    _price(here, "P3", 999)
    told = here.look(PURCHASES)
    assert (told.different, told.there, told.missing, told.opened) == (1, 7, 0, 3)
    [first, *_] = here.open(PURCHASES)
    assert (first.key, first.kind, first.amount, first.currency) == ("P3", "edited_in_the_target", "993.00", "SEK")
    fields = {field: (ours, theirs) for _, _, field, ours, theirs in here.said(PURCHASES)}
    assert fields["Order.Total"] == ("6", "999")
    [unlike] = told.unlike_sums.values()
    assert unlike.theirs - unlike.ours == 993
    assert here.look(PURCHASES).opened == 0
    _price(here, "P3", 6, per_unit=3)
    assert here.look(PURCHASES).closed == 3
    assert here.open(PURCHASES) == []


def _price(world: World, key: str, total: int, per_unit: int | None = None) -> None:
    """Somebody edits the one charge of a purchase in Cin7."""
    with world.box.lock:
        for purchase in world.box.cin7.purchases.values():
            if purchase["Note"].startswith(f"IFS 0010/{key}"):
                [charge] = purchase["Order"]["AdditionalCharges"]
                charge["Price"] = Decimal(per_unit or total)
                charge["Total"] = purchase["Order"]["TotalBeforeTax"] = purchase["Order"]["Total"] = Decimal(total)
