"""C55: a side that keeps what it is sent in other letters has edited nothing, and nothing bounces."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mlc_dagster.ledger import Ledger
from mlc_dagster.sandbox import Sandbox
from mlc_dagster_tests.promises.kinds import PLENTY, now
from mlc_dagster_tests.promises.ledgered_room import Room, room_on
from mlc_dagster_tests.systems.rounds import Rounds

SPOKES = ("airbase", "cin7")
OUT, BACK = "procurify/vendors", "ifs/suppliers_from_procurify"


@contextmanager
def rounds_on(ledger_url: str, spoke: str, *profiles: str) -> Iterator[Rounds]:
    """Supplier S1, which both sides have."""
    with Sandbox(limits=PLENTY, profiles=profiles) as box, Ledger.open(ledger_url) as ledger:
        made = Rounds(box, ledger, spoke)
        made.put("S1", ago=60)
        made.once()
        yield made


def settles(rounds: Rounds) -> None:
    """After a round nothing is written any more, and nothing is on hold."""
    rounds.once()
    before = rounds.writes()
    for _ in range(5):
        rounds.once()
    assert rounds.writes() == before and rounds.holds() == {}


def mail_in(rounds: Rounds) -> str:
    if rounds.spoke == "airbase":
        (vendor,) = rounds.box.airbase.vendors.values()
        return str(vendor["email"])
    (supplier,) = rounds.box.cin7.suppliers.values()
    return str(supplier["Contacts"][0]["Email"])


def edit_mail(rounds: Rounds, mail: str) -> None:
    if rounds.spoke == "airbase":
        (vendor,) = rounds.box.airbase.vendors
        rounds.box.airbase.change_vendor(vendor, email=mail)
    else:
        (supplier,) = rounds.box.cin7.suppliers.values()
        contacts = [{**supplier["Contacts"][0], "Email": mail}]
        rounds.box.cin7.change_supplier(supplier["ID"], Contacts=contacts)


@pytest.mark.promise("C55", "a target that keeps mail addresses in lower case changes nothing in the ERP")
def test_a_lowered_mail_address_is_no_edit_of_the_other_side(ledger_url: str) -> None:
    with rounds_on(ledger_url, "airbase", "airbase.lowers_mail=true") as rounds:
        rounds.section = {"supplier_owners": {"email": "airbase"}}
        settles(rounds)
        assert (rounds.supplier()["Email"], mail_in(rounds)) == ("S1@example.test", "s1@example.test")
        rounds.put(Email="Orders@Example.test")
        settles(rounds)
        assert (rounds.supplier()["Email"], mail_in(rounds)) == ("Orders@Example.test", "orders@example.test")
        edit_mail(rounds, "new@example.test")
        settles(rounds)
        assert rounds.supplier()["Email"] == "new@example.test", "what a person enters there is an edit all the same"


@pytest.mark.promise("C55", "an ERP that keeps names in capitals changes nothing in the other system")
def test_a_name_that_the_erp_keeps_in_capitals_does_not_come_back(ledger_url: str) -> None:
    with rounds_on(ledger_url, "airbase", "ifs.upper_names=true") as rounds:
        (vendor,) = rounds.box.airbase.vendors
        rounds.box.airbase.change_vendor(vendor, name="Acme and Sons")
        settles(rounds)
        assert rounds.supplier()["Name"] == "ACME AND SONS"
        assert rounds.box.airbase.vendors[vendor]["name"] == "Acme and Sons"
        rounds.put(Name="Acme Ltd")
        settles(rounds)
        assert rounds.box.airbase.vendors[vendor]["name"] == "Acme Ltd"


@pytest.mark.promise("C55", "both sides edited to the same value write nothing")
@pytest.mark.parametrize("spoke", SPOKES)
def test_both_sides_edited_to_the_same_value_bounce_nothing(ledger_url: str, spoke: str) -> None:
    with rounds_on(ledger_url, spoke) as rounds:
        settles(rounds)
        rounds.put(Email="same@example.test")
        edit_mail(rounds, "same@example.test")
        before = rounds.writes()
        rounds.once()
        assert rounds.writes() == before and rounds.holds() == {}
        settles(rounds)
        assert (rounds.supplier()["Email"], mail_in(rounds)) == ("same@example.test", "same@example.test")


@pytest.mark.promise("C55", "a field that is made empty by its owner is empty on both sides, and stays so")
@pytest.mark.parametrize("spoke", SPOKES)
def test_a_field_that_its_owner_empties_is_empty_on_both_sides(ledger_url: str, spoke: str) -> None:
    with rounds_on(ledger_url, spoke) as rounds:
        rounds.section = {"supplier_owners": {"email": spoke}}
        settles(rounds)
        edit_mail(rounds, "")
        settles(rounds)
        assert not rounds.supplier()["Email"] and not mail_in(rounds)


@pytest.mark.promise("C55", "a field that another than its owner empties is held, and neither side is written")
@pytest.mark.parametrize("spoke", SPOKES)
def test_a_field_that_another_than_its_owner_empties_is_held_and_bounces_nothing(ledger_url: str, spoke: str) -> None:
    with rounds_on(ledger_url, spoke) as rounds:
        settles(rounds)
        edit_mail(rounds, "")
        rounds.once()
        before = rounds.writes()
        for _ in range(3):
            rounds.once()
        assert rounds.writes() == before
        assert [words.split(":")[0] for words in rounds.holds().values()] == ["both_sides_agree"]
        assert rounds.supplier()["Email"] == "S1@example.test" and not mail_in(rounds)


# --- Procurify, and the look at the target ---------------------------------------------------------------------------


@pytest.fixture
def room(ledger_url: str, tmp_path: Path) -> Iterator[Room]:
    with room_on(ledger_url, tmp_path, "procurify.lowers_mail=true", "airbase.lowers_mail=true") as made:
        made.supplier("S1")
        yield made


@pytest.mark.promise("C55", "what a target lowers is no edit at the next look, and writes nothing back")
@pytest.mark.parametrize(
    "out, back", [(OUT, BACK), ("airbase/vendors", "ifs/suppliers_from_airbase")], ids=["procurify", "airbase"]
)
def test_what_a_target_lowers_opens_no_difference_and_changes_nothing_in_the_erp(
    room: Room, out: str, back: str
) -> None:
    assert room.go(out)["created"] == 1 and not room.holds(out)
    for _ in range(3):
        room.go(back, out)
        account = room.look(out)
        assert (account.there, room.said(out)) == (1, [])
    (supplier,) = room.box.ifs.rows("SupplierSet")
    assert supplier["Email"] == "S1@example.test"
    assert not room.box.journal("ifs"), "nothing was written into the ERP"


@pytest.mark.promise("C55", "both sides edited to the same value open no difference once both flows have run")
def test_both_sides_edited_to_the_same_value_agree_at_the_next_look(room: Room) -> None:
    room.go(OUT)
    room.look(OUT)
    (number,) = room.box.procurify.vendors
    room.box.procurify.touch_vendor(number, name="Same AB", dateModified=now())
    room.supplier("S1", Name="Same AB")
    room.go(OUT)
    room.look(OUT)
    assert not room.said(OUT) and not room.holds(OUT)


# --- a value of theirs that goes to the ERP, and a person who says that ours counts -----------------------------------

WAYS = (
    ("airbase/vendors", "name", "ifs/suppliers_from_airbase"),
    ("cin7/suppliers", "Name", "ifs/suppliers_from_cin7"),
    (OUT, "name", BACK),
)
"""Flow, the name of the name there, and the flow that leads it back."""


def rename(room: Room, out: str) -> None:
    if out == "airbase/vendors":
        (vendor,) = room.box.airbase.vendors
        room.box.airbase.change_vendor(vendor, name="By hand")
    elif out == "cin7/suppliers":
        (number,) = (row["ID"] for row in room.box.cin7.suppliers.values() if row["AdditionalAttribute1"] == "S1")
        room.box.cin7.change_supplier(number, Name="By hand")
    else:
        (number,) = room.box.procurify.vendors
        room.box.procurify.touch_vendor(number, name="By hand", dateModified=now())


@pytest.mark.promise("C40", "what people renamed in a target stays told until the ERP has taken it, whatever is sent")
@pytest.mark.parametrize("out, field, back", WAYS, ids=["airbase", "cin7", "procurify"])
def test_a_name_that_the_erp_has_not_taken_yet_is_told_whatever_is_sent_meanwhile(
    room: Room, out: str, field: str, back: str
) -> None:
    room.go(out)
    rename(room, out)
    room.look(out)
    room.supplier("S1", Email="new@example.test")
    assert room.go(out)["updated"] == 1
    room.look(out)
    assert [each[2:] for each in room.said(out)] == [(field, "Supplier S1", "By hand")]
    room.go(back, out)
    room.look(out)
    assert not room.said(out) and room.box.ifs.rows("SupplierSet")[0]["Name"] == "By hand"


@pytest.mark.promise("C40", "restore puts back the name of a supplier that both sides may change")
@pytest.mark.parametrize("out, field, back", WAYS, ids=["airbase", "cin7", "procurify"])
def test_a_person_who_restores_a_supplier_of_both_sides_has_ours_sent(
    room: Room, out: str, field: str, back: str
) -> None:
    room.go(out)
    rename(room, out)
    room.look(out)
    ours = next(each[3] for each in room.said(out) if each[2] == field)
    room.world.way(out).restore("S1")
    assert not room.said(out)
    room.go(back)
    assert room.box.ifs.rows("SupplierSet")[0]["Name"] == ours


@pytest.mark.promise("C40", "restore puts back a supplier of the ERP that both sides may change")
def test_a_person_who_restores_a_supplier_of_the_erp_has_the_vendors_name_written(room: Room) -> None:
    back = "ifs/suppliers_from_airbase"
    room.box.airbase.add_vendor(name="Made there", email="there@example.test")
    room.go(back)
    ((key, number),) = room.world.ledger.remote_ids(back).items()
    room.supplier(number, Name="Renamed", Email="there@example.test")
    room.look(back)
    assert ("Made there", "Renamed") in {each[3:] for each in room.said(back)}
    room.world.way(back).restore(key)
    assert {row["SupplierId"]: row["Name"] for row in room.box.ifs.rows("SupplierSet")}[number] == "Made there"
    assert not room.said(back)
