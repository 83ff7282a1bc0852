"""C55: our own value is no edit: a target that cuts, lowers or strips what it is sent has edited nothing."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from mlc_dagster.core.outcomes import Seen
from mlc_dagster.ledger.records.looks import Look, Remembered
from mlc_dagster.pipeline.agreed_values import AgreedValues
from mlc_dagster.sandbox.cin7.fields import now_text
from mlc_dagster_tests.promises.kinds import now, orders, suppliers
from mlc_dagster_tests.promises.later_life import World, world

COMPANIES, SUPPLIERS, PURCHASES = "hubspot/supplier_companies", "cin7/suppliers", "cin7/purchases"
LOOK = Look("P1", "c-1", "2026-11-05", now())


@pytest.fixture
def here(ledger_url: str, tmp_path: Path) -> Iterator[World]:
    with world(ledger_url, tmp_path) as made:
        yield made


@pytest.mark.promise("C55", "what a target makes of a text by itself is no edit; another text, and another amount, is")
@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("Info@Example.Test", "info@example.test"),
        ("  two   blanks ", "two blanks"),
        ("a long text that is cut", "a long text"),
        ("", None),
        (Decimal("21.00"), Decimal(21)),
    ],
)
def test_c55_what_a_target_makes_of_a_value_by_itself_is_no_edit(ours, theirs) -> None:
    first = AgreedValues({"field": ours}, is_agreed=False)
    assert first.unlike({"field": theirs}) == []
    seen = Seen("P1", "c-1", "there", {"field": theirs})
    agreed = first.after(LOOK, seen, [])
    assert AgreedValues(agreed.shown).unlike({"field": theirs}) == []


@pytest.mark.promise("C55", "from the first look on another case or a cut is an edit: what was shown is agreed")
@pytest.mark.parametrize(
    ("ours", "theirs"),
    [("4010", "4010 B"), ("0010", "10"), ("Nordlys AB", "Nordlys"), (Decimal("21.00"), Decimal("21.01")), ("x", None)],
)
def test_c55_what_is_agreed_is_compared_by_its_letters(ours, theirs) -> None:
    [edit] = AgreedValues({"field": ours}).unlike({"field": theirs})
    assert (edit.ours, edit.theirs) == (ours, theirs)


def test_c55_amounts_are_exact_from_the_first_look_on() -> None:
    first = AgreedValues({"Total": Decimal("21.00"), "Name": "Nordlys"}, is_agreed=False)
    assert [each.field for each in first.unlike({"Total": Decimal("21.01"), "Name": "NORDLYS"})] == ["Total"]


def test_c55_what_an_answer_said_is_agreed_and_compared_by_its_letters() -> None:
    look = Look("P1", "c-1", "", now(), shown={"Name": "Nordlys"}, by="answer")
    base = AgreedValues.of(look, {"Name": "Nordlys Shipping AB", "Total": Decimal(1)})
    assert base.unlike({"Name": "Nordlys", "Total": Decimal(1)}) == []
    assert [each.theirs for each in base.unlike({"Name": "nordlys"})] == ["nordlys"]


def test_c55_a_field_that_the_target_does_not_show_proves_nothing() -> None:
    assert AgreedValues({"Note": "IFS 0010/P1", "Total": Decimal(1)}).unlike({"Total": Decimal(1)}) == []


@pytest.mark.promise("C55", "an accepted value is compared with theirs as long as the source has what it had")
def test_c55_an_accepted_value_is_agreed_until_the_source_changes() -> None:
    look = Look("P1", "c-1", "", now(), accepted={"Price": (Decimal(3), Decimal(4))})
    as_it_was = AgreedValues.of(look, {"Price": Decimal("3.00")})
    assert as_it_was.unlike({"Price": Decimal(4)}) == [] and as_it_was.accepted
    changed = AgreedValues.of(look, {"Price": Decimal(5)})
    assert [each.theirs for each in changed.unlike({"Price": Decimal(4)})] == [Decimal(4)]
    assert not changed.accepted


@pytest.mark.promise("C55", "Cin7 lowers and cuts what we send: no edit is seen, nothing is sent back")
def test_c55_a_supplier_that_cin7_keeps_in_its_own_words_is_no_edit(here: World) -> None:
    suppliers(here.box, [1, 2])
    here.go(SUPPLIERS)
    with here.box.lock:
        for supplier in here.box.cin7._suppliers.by_id.values():
            supplier["Name"] = supplier["Name"].upper()
            for contact in supplier["Contacts"]:
                contact["Email"] = contact["Email"].lower()
    assert here.look(SUPPLIERS).agrees and here.open(SUPPLIERS) == []
    before = here.writes("cin7")
    here.go(SUPPLIERS)
    assert here.look(SUPPLIERS).agrees and here.writes("cin7") == before


@pytest.mark.promise("C55", "what sales keeps on a company that we did not make is agreed, and told as kept alone")
def test_c55_what_people_keep_on_an_adopted_company_is_no_edit(here: World) -> None:
    suppliers(here.box, [1])
    with here.box.lock:
        properties = {"name": "Our old friend", "domain": "example.test"}
        theirs = here.box.hubspot.objects.write("companies", properties, None)
    here.settings = here.settings.model_copy(
        update={"hubspot": here.settings.hubspot.model_copy(update={"companies": {"SUPPLIER/S1": theirs["id"]}})}
    )
    assert here.go(COMPANIES)[COMPANIES].delivered == 1
    assert here.look(COMPANIES).agrees
    assert {one.kind for one in here.open(COMPANIES)} == {"kept_in_the_target"}
    with here.box.lock:
        here.box.hubspot.objects.rows["companies"][theirs["id"]]["properties"]["name"] = "Our new friend"
    assert here.look(COMPANIES).different == 1


@pytest.mark.promise("C55", "both sides edited to the same value: nothing differs, and nothing bounces")
def test_c55_both_edited_to_the_same_value_agree(here: World) -> None:
    orders(here.box)
    here.go(SUPPLIERS, PURCHASES)
    here.look(PURCHASES)
    [row] = [dict(each) for each in here.box.ifs.rows("PurchaseOrderSet") if each["OrderNo"] == "P3"]
    [line] = row["PurchaseOrderLines"]
    lines = [{**line, "BuyUnitPrice": Decimal(4), "LineAmount": Decimal(8)}]
    here.box.ifs.put(
        "PurchaseOrderSet", {**row, "PurchaseOrderLines": lines, "TotalAmount": Decimal(8)}, modified=now()
    )
    with here.box.lock:
        kept = here.box.cin7._purchases.by_id.values()
        [purchase] = [each for each in kept if each["Note"].startswith("IFS 0010/P3")]
        [charge] = purchase["Order"]["AdditionalCharges"]
        charge["Price"], charge["Total"] = Decimal(4), Decimal(8)
        purchase["Order"]["TotalBeforeTax"] = purchase["Order"]["Total"] = Decimal(8)
        purchase["LastUpdatedDate"] = now_text()
    before = here.writes("cin7")
    assert here.go(PURCHASES)[PURCHASES].adopted == 1 and here.writes("cin7") == before
    assert here.look(PURCHASES).agrees


def test_c55_what_is_remembered_comes_back_as_it_was(here: World) -> None:
    orders(here.box)
    here.go(SUPPLIERS, PURCHASES)
    values = {"Total": Decimal("21.00"), "Code": "0010", "Note": "a\x00b ß€", "Empty": None}
    kept = Remembered(values, {"Total": (Decimal("21.00"), Decimal(22))}, {"Total": ("999",)})
    here.ledger.looks.saw(PURCHASES, {"P1": kept}, here.ledger.looks.now())
    [look] = here.ledger.looks.of(PURCHASES, ["P1"])
    assert look.shown == values and type(look.shown["Code"]) is str
    assert (look.accepted, look.restored, look.is_whole) == (kept.accepted, {"Total": ("999",)}, True)
