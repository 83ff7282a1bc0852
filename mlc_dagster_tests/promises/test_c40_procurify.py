"""C40: what people do to vendors in Procurify is told by the next look, and nothing comes back by itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mlc_dagster_tests.promises.ledgered_room import Room, room_on, rules_of

VENDORS = "procurify/vendors"


@pytest.fixture
def room(ledger_url: str, tmp_path: Path) -> Iterator[Room]:
    with room_on(ledger_url, tmp_path) as made:
        for number in ("S1", "S2"):
            made.supplier(number)
        assert made.go(VENDORS)["created"] == 2
        yield made


def vendor(room: Room, key: str) -> int:
    (number,) = (number for number, row in room.box.procurify.vendors.items() if row["external_id"] == key)
    return number


@pytest.mark.promise("C40", "a target that nobody touched is in agreement, read by one list")
def test_what_nobody_touched_agrees_by_one_list(room: Room) -> None:
    for _ in range(2):
        room.box.forget_calls()
        account = room.look(VENDORS)
        assert (account.checked, account.there, account.unknown) == (2, 2, 0), room.said(VENDORS)
        paths = [path for _, path in room.box.calls("procurify")]
        assert not [path for path in paths if path.rstrip("/").rpartition("/")[2].isdigit()], "none by its id"


@pytest.mark.promise("C40", "an edited vendor is told with both values, a mail address that a person added is none")
def test_an_edit_is_told_and_a_second_mail_address_is_none(room: Room) -> None:
    first, second = vendor(room, "S1"), vendor(room, "S2")
    room.box.procurify.touch_vendor(first, name="Supplier One AB")
    room.box.procurify.touch_vendor(second, email=["S2@example.test", "orders@example.test"])
    room.look(VENDORS)
    assert room.said(VENDORS) == [("S1", "edited_in_the_target", "name", "Supplier S1", "Supplier One AB")]
    room.box.procurify.touch_vendor(first, name="Supplier S1")
    room.look(VENDORS)
    assert not room.said(VENDORS)


@pytest.mark.promise("C40", "the supplier's number taken away or given to another vendor is told")
def test_a_number_that_a_person_takes_away_is_told(room: Room) -> None:
    room.box.procurify.touch_vendor(vendor(room, "S1"), external_id=None)
    room.look(VENDORS)
    assert room.said(VENDORS) == [("S1", "edited_in_the_target", "external_id", "S1", None)]


@pytest.mark.promise("C40", "a vendor deactivated or gone is told, and does not come back with the next change")
@pytest.mark.parametrize("how", ["deactivated", "gone"])
def test_a_vendor_that_people_end_is_told_and_does_not_come_back(room: Room, how: str) -> None:
    number = vendor(room, "S1")
    if how == "deactivated":
        room.box.procurify.deactivate_vendor(number)
    else:
        room.box.procurify.delete_vendor(number)
    there = len(room.box.procurify.vendors)
    room.look(VENDORS)
    ((key, kind, field, _, theirs),) = room.said(VENDORS)
    assert (key, kind, field) == ("S1", "deleted_in_the_target", "")
    assert theirs == ("deactivated in Procurify" if how == "deactivated" else None)

    room.supplier("S1", Name="Another AB")
    room.go(VENDORS)
    assert len(room.box.procurify.vendors) == there
    assert rules_of(room.holds(VENDORS)) == {"S1": ["deleted_in_the_target"]}
    assert [kind for _, kind, *_ in room.said(VENDORS)] == ["deleted_in_the_target"]
