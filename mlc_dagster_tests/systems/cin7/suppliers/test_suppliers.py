"""Suppliers over real HTTP against the sandbox: adopted, merged, never doubled."""

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from mlc_dagster.core.outcomes import Draft, Refused, Saved, Unanswered
from mlc_dagster.sandbox import Sandbox
from mlc_dagster.systems.cin7.mapping import supplier_from_ifs
from mlc_dagster.systems.cin7.records import SUPPLIERS, Supplier
from mlc_dagster_tests.systems.cin7.samples import EVER, client_on, facts, save, supplier

THERE = {"Currency": "SEK", "PaymentTerm": "30 days", "TaxRule": "Tax Exempt", "AccountPayable": "800"}
BOB = {"Name": "Bob Partridge", "Phone": "02 2024455", "Email": "bob@nordic.example", "Default": True}


def draft(remote_id: str | None = None, **changes: Any) -> Draft:
    record = supplier_from_ifs(supplier(**changes), facts())
    return Draft(record.key, record, remote_id, None if remote_id else EVER)


def saved(box: Sandbox, one: Draft) -> Saved:
    (outcome,) = save(client_on(box), SUPPLIERS, one)
    assert isinstance(outcome, Saved), outcome
    return outcome


def refused(box: Sandbox, one: Draft) -> str:
    (outcome,) = save(client_on(box), SUPPLIERS, one)
    assert isinstance(outcome, Refused), outcome
    return outcome.reason


def test_a_new_supplier_has_everything_and_its_key(box: Sandbox) -> None:
    outcome = saved(box, draft())
    there = box.cin7.suppliers[outcome.remote_id]
    assert outcome.action == "created" and outcome.detail == "Nordic Bolts AB"
    assert (there["AdditionalAttribute1"], there["AttributeSet"]) == ("S100", "IFS")
    assert (there["PaymentTerm"], there["TaxNumber"], there["Comments"]) == ("30 days", "SE556", "Since 1998")
    assert [row["Country"] for row in there["Addresses"]] == ["Sweden"]
    assert [row["Email"] for row in there["Contacts"]] == ["orders@nordic.example"]


def test_a_supplier_that_is_there_under_its_key_is_adopted_without_a_write(box: Sandbox) -> None:
    first = saved(box, draft())
    box.forget_calls()
    assert replace(saved(box, draft()), agreed=None) == Saved(draft(), first.remote_id, "adopted", "Nordic Bolts AB")
    assert box.journal("cin7") == []


def test_a_supplier_is_found_by_its_name_whatever_its_case(box: Sandbox) -> None:
    there = box.cin7.add_supplier(Name="  NORDIC bolts ab ", Contacts=[BOB], **THERE)
    outcome = saved(box, draft())
    assert (outcome.remote_id, outcome.action) == (there, "updated")
    assert len(box.cin7.suppliers) == 1
    assert box.cin7.suppliers[there]["AdditionalAttribute1"] == "S100"


def test_the_start_of_a_name_is_not_the_name(box: Sandbox) -> None:
    box.cin7.add_supplier(Name="Nordic Bolts AB Holding", **THERE)
    assert saved(box, draft()).action == "created"


def test_contacts_and_addresses_are_never_doubled_and_people_are_kept(box: Sandbox) -> None:
    there = box.cin7.add_supplier(Name="Nordic Bolts AB", Contacts=[BOB], Discount=5, **THERE)
    for email in ("one@nordic.example", "two@nordic.example", "three@nordic.example"):
        saved(box, draft(there, email=email, name=f"Nordic {email[:3]}"))
    now = box.cin7.suppliers[there]
    assert [row["Email"] for row in now["Contacts"]] == ["bob@nordic.example", "three@nordic.example"]
    assert [row["Name"] for row in now["Contacts"]] == ["Bob Partridge", "Nordic thr"]
    assert now["Contacts"][0]["Phone"] == "02 2024455" and now["Contacts"][0]["Default"] is True
    assert len(now["Addresses"]) == 1 and now["Discount"] == 5


def test_a_person_with_the_suppliers_address_keeps_the_name(box: Sandbox) -> None:
    there = box.cin7.add_supplier(Name="Nordic Bolts AB", Contacts=[BOB], **THERE)
    saved(box, draft(there, email="BOB@nordic.example"))
    (contact,) = box.cin7.suppliers[there]["Contacts"]
    assert contact["Name"] == "Bob Partridge"


def test_what_ifs_does_not_say_is_left_as_it_is(box: Sandbox) -> None:
    there = box.cin7.add_supplier(Name="Nordic Bolts AB", Comments="ask for Eva", TaxNumber="SE1", **THERE)
    saved(box, draft(there, notes=None, vat_no=None, email=None, country=None))
    now = box.cin7.suppliers[there]
    assert (now["Comments"], now["TaxNumber"], now["Contacts"], now["Addresses"]) == ("ask for Eva", "SE1", [], [])


def test_a_name_that_belongs_to_another_key_is_refused_with_both(box: Sandbox) -> None:
    saved(box, draft(supplier_id="S200"))
    reason = refused(box, draft())
    assert "carries the key S200, not S100" in reason
    assert [row["AdditionalAttribute1"] for row in box.cin7.suppliers.values()] == ["S200"]


def test_two_suppliers_with_one_key_are_refused_and_named(box: Sandbox) -> None:
    for name in ("Nordic", "Bolts"):
        box.cin7.add_supplier(Name=name, AttributeSet="IFS", AdditionalAttribute1="S100", **THERE)
    reason = refused(box, draft())
    assert "Nordic (" in reason and "Bolts (" in reason


def test_an_attribute_set_of_peoples_own_is_not_taken_from_them(box: Sandbox) -> None:
    box.cin7.books.add_attribute_set("Steel", "Grade")
    attributes = {"AttributeSet": "Steel", "AdditionalAttribute1": "8.8"}
    there = box.cin7.add_supplier(Name="Nordic Bolts AB", **attributes, **THERE)
    assert saved(box, draft()).remote_id == there
    assert box.cin7.suppliers[there]["AdditionalAttribute1"] == "8.8"


def test_a_deprecated_supplier_is_found_and_made_active_again(box: Sandbox) -> None:
    there = box.cin7.add_supplier(Name="Nordic Bolts AB", Status="Deprecated", **THERE)
    assert saved(box, draft()).remote_id == there
    assert box.cin7.suppliers[there]["Status"] == "Active"


def test_cin7s_own_words_are_the_reason(box: Sandbox) -> None:
    stale = msgspec.structs.replace(draft().record, payment_term="90 days")
    (outcome,) = save(client_on(box), SUPPLIERS, Draft("S100", stale, None, EVER))
    assert isinstance(outcome, Refused)
    assert outcome.reason == (
        "Cin7 answered 400 to POST /cin7/ExternalApi/v2/supplier: Payment term '90 days' not found or not active"
    )


@pytest.mark.parametrize("method, there", [("POST", None), ("PUT", "Nordic Bolts AB")])
def test_a_lost_answer_is_looked_up_and_nothing_is_doubled(box: Sandbox, method: str, there: str | None) -> None:
    remote_id = box.cin7.add_supplier(Name=there, **THERE) if there else None
    one = draft(remote_id)
    box.faults.add(system="cin7", method=method, path="supplier", drop="after")
    client = client_on(box)
    assert isinstance(save(client, SUPPLIERS, one)[0], Unanswered)
    (again,) = save(client, SUPPLIERS, Draft(one.key, one.record, remote_id, EVER))
    assert isinstance(again, Saved) and again.action == "adopted"
    (now,) = box.cin7.suppliers.values()
    assert len(now["Contacts"]) == len(now["Addresses"]) == 1


def test_ten_new_suppliers_cost_one_listing(box: Sandbox) -> None:
    drafts = [draft(supplier_id=f"S{number}", name=f"Supplier {number}", email=None) for number in range(10)]
    client = client_on(box)
    outcomes = [outcome for start in range(0, 10, 4) for outcome in client.save(SUPPLIERS, drafts[start : start + 4])]
    assert [type(outcome) for outcome in outcomes] == [Saved] * 10
    assert sum(box.calls("cin7").values()) == 11


def test_one_bad_supplier_does_not_stop_the_others(box: Sandbox) -> None:
    bad: Supplier = msgspec.structs.replace(draft().record, currency="kr")
    drafts = [draft(supplier_id="A", name="A"), Draft("bad", bad, None, EVER), draft(supplier_id="B", name="B")]
    assert [type(outcome) for outcome in save(client_on(box), SUPPLIERS, *drafts)] == [Saved, Refused, Saved]
