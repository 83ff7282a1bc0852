"""C40: a company deleted in HubSpot whose supplier still sends invoices: none stands there without a company."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mlc_dagster_tests.promises.ledgered_room import Room, room_on, rules_of

COMPANIES, INVOICES = "hubspot/supplier_companies", "hubspot/invoices"


@pytest.fixture
def room(sqlite_url: str, tmp_path: Path) -> Iterator[Room]:
    """One invoice of one supplier is in HubSpot; then a person deletes the company, and a second invoice comes."""
    with room_on(sqlite_url, tmp_path) as made:
        made.supplier()
        made.proposal(1)
        made.go(COMPANIES, INVOICES)
        (company,) = made.box.hubspot.live("companies")
        with made.box.lock:
            made.box.hubspot.objects.archive("companies", [company])
        made.proposal(2)
        yield made


def companies_of(room: Room) -> dict[str, list[str]]:
    """Invoice number -> the companies it is tied to."""
    box = room.box.hubspot
    return {
        row["properties"]["hs_number"]: box.of("invoices", "companies", each)
        for each, row in box.live("invoices").items()
    }


@pytest.mark.promise("C40", "an invoice of a company that was deleted in HubSpot waits, and says what to do")
def test_c40_an_invoice_of_a_deleted_company_is_held(room: Room) -> None:
    room.go(COMPANIES, INVOICES)
    assert rules_of(room.holds(INVOICES)) == {"0010/2": ["company_is_in_the_target"]}
    assert "mlc recreate" in room.holds(INVOICES)["0010/2"][0][1]
    assert set(companies_of(room)) == {"F-1"} and not room.box.hubspot.live("companies"), "nothing came back by itself"


@pytest.mark.promise(
    "C40", "a company made again by mlc recreate, or by hubspot.on_deleted: its invoices are tied to it"
)
@pytest.mark.parametrize("way", ["mlc recreate", "on_deleted"])
def test_c40_the_invoices_follow_the_company_that_is_made_again(room: Room, way: str) -> None:
    if way == "on_deleted":
        room.says("hubspot", on_deleted="recreate")
        room.supplier(Name="Supplier S1 AB")
        room.go(COMPANIES)
    else:
        room.look(COMPANIES)
        assert room.world.way(COMPANIES).recreate("S1").still_open == 0
    room.go(INVOICES)
    (company,) = room.box.hubspot.live("companies")
    assert companies_of(room) == {"F-1": [company], "F-2": [company]} and not room.holds(INVOICES)
