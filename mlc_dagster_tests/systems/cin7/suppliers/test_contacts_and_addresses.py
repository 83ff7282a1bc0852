"""Contact persons and addresses of suppliers, between the ERP's child entities and Cin7: real HTTP, a real ledger."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from mlc_dagster.core.flows import Flow
from mlc_dagster.ledger import Ledger
from mlc_dagster.orchestration.location import tenants_flows
from mlc_dagster.sandbox import Sandbox
from mlc_dagster.sandbox.ifs.part import CHILDREN
from mlc_dagster.systems.configuration import erp_settings
from mlc_dagster.systems.ifs.records import catalogue_for
from mlc_dagster_tests.promises.kinds import PLENTY
from mlc_dagster_tests.systems.rounds import Rounds

ANNA = {"ContactId": "C1", "Name": "Anna Berg", "Phone": "08-1", "Email": "anna@s1.test", "IsPrimary": True}
VISIT = {"AddressId": "A1", "AddressType": "Visit", "Address1": "Kungsgatan 1", "City": "Stockholm", "Country": "SE"}
THERE, BACK = "cin7/suppliers", "ifs/suppliers_from_cin7"


class Office(Rounds):
    """A pair whose ERP keeps contacts and addresses in child entities that mlc.yaml names."""

    children: list[dict[str, Any]] = CHILDREN

    @property
    def there(self) -> Flow:
        """As the code location has it: the source under the tenant's names."""
        (named,) = tenants_flows((super().there,), catalogue_for(erp_settings(self.settings)))
        return named

    def erp(self) -> dict[str, Any]:
        return {"entity_sets": {"supplier_set": {"children": self.children}}}

    def child(self, of: str, row: dict[str, Any], number: str = "S1") -> None:
        self.box.ifs.put(f"Supplier{of}Set", {"SupplierId": number, **row}, modified=datetime.now(UTC))

    def rows(self, of: str) -> list[dict[str, Any]]:
        return [
            {name: value for name, value in row.items() if value and name not in ("@odata.etag", "LastModified")}
            for row in self.box.ifs.rows(f"Supplier{of}Set")
        ]

    def theirs(self) -> dict[str, Any]:
        return next(iter(self.box.cin7.suppliers.values()))

    def people(self) -> dict[str, dict[str, Any]]:
        """But for our own contact."""
        return {row["Name"]: row for row in self.theirs()["Contacts"] if not (row["Comment"] or "").startswith("IFS ")}

    def touch(self) -> None:
        """A person saves the supplier in Cin7, later than any save before."""
        self.box.cin7.change_supplier(self.theirs()["ID"])

    def edit(self, name: str, **fields: Any) -> None:
        self.people()[name].update(fields)
        self.touch()

    def settles(self) -> None:
        """Two rounds more write nothing."""
        before = self.writes()
        self.once()
        self.once()
        assert self.writes() == before


@pytest.fixture
def office(sqlite_ledger: Ledger) -> Iterator[Office]:
    with Sandbox(seed="empty", limits=PLENTY) as box:
        made = Office(box, sqlite_ledger, "cin7", {"supplier_details": "true"})
        made.put("S1", ago=60)
        made.child("Contact", ANNA)
        made.child("Address", VISIT)
        yield made


def test_they_go_there_whole_and_nothing_comes_back(office: Office) -> None:
    office.once()
    anna = office.people()["Anna Berg"]
    assert (anna["Phone"], anna["Email"]) == ("08-1", "anna@s1.test")
    (place,) = office.theirs()["Addresses"]
    assert (place["Type"], place["Line1"], place["City"], place["Country"]) == (
        "Business",
        "Kungsgatan 1",
        "Stockholm",
        "Sweden",
    )
    assert office.holds() == {} and len(office.rows("Contact")) == len(office.rows("Address")) == 1
    office.settles()


def test_what_changes_on_one_side_is_written_to_the_other_with_its_etag(office: Office) -> None:
    office.once()
    office.edit("Anna Berg", Phone="08-2")
    office.theirs()["Contacts"].append(
        {**office.people()["Anna Berg"], "ID": "new", "Name": "Bo", "Email": "bo@s1.test"}
    )
    office.theirs()["Addresses"][0]["City"] = "Solna"
    office.touch()
    office.child("Contact", {**ANNA, "Mobile": "070-1"})
    office.once()
    office.once()
    found = {row["Name"]: row for row in office.rows("Contact")}
    assert (found["Anna Berg"]["Phone"], found["Anna Berg"]["Mobile"], found["Bo"]["Phone"]) == (
        "08-2",
        "070-1",
        "08-2",
    )
    assert office.rows("Address")[0]["City"] == "Solna" and office.people()["Anna Berg"]["MobilePhone"] == "070-1"
    assert office.holds() == {}
    changed = {call["path"].rpartition("/")[2]: call["body"] for call in office.box.journal("ifs")}
    row = "SupplierContactSet(SupplierId='S1',ContactId='C1')"
    assert changed[row] == {"Phone": "08-2"}, "the field alone; the sandbox refuses a change without its ETag"
    office.settles()


def test_a_contact_that_is_renamed_is_the_same_contact(office: Office) -> None:
    office.once()
    office.edit("Anna Berg", Name="Anna Lind")
    office.once()
    assert [row["Name"] for row in office.rows("Contact")] == ["Anna Lind"]
    office.settles()


def test_a_contact_removed_on_one_side_and_edited_on_the_other_waits_for_a_person(office: Office) -> None:
    office.once()
    people = office.theirs()["Contacts"]
    people.remove(office.people()["Anna Berg"])
    office.touch()
    office.once()
    assert [row["Name"] for row in office.rows("Contact")] == ["Anna Berg"], "it is told, and stays where it is"
    assert office.holds() == {}
    office.settles()
    office.child("Contact", {**ANNA, "Phone": "08-9"})
    before = office.writes()
    office.once()
    assert set(office.holds()) == {(THERE, "S1")} and office.writes() == before
    assert "'Anna Berg' was removed in the other system, and edited in IFS (phone)" in office.holds()[THERE, "S1"]


def test_two_contacts_of_one_name_are_told_apart_by_their_mail_or_held(office: Office) -> None:
    for number, mail in (("C2", "a@info.test"), ("C3", "b@info.test")):
        office.child("Contact", {"ContactId": number, "Name": "Info", "Email": mail})
    office.once()
    infos = [row for row in office.theirs()["Contacts"] if row["Name"] == "Info"]
    assert sorted(row["Email"] for row in infos) == ["a@info.test", "b@info.test"]
    office.settles()
    first = next(row for row in infos if row["Email"] == "b@info.test")
    first["Phone"] = "08-3"
    office.touch()
    office.once()
    assert {row["ContactId"]: row.get("Phone") for row in office.rows("Contact")}["C3"] == "08-3"
    for number in ("C8", "C9"):
        office.child("Contact", {"ContactId": number, "Name": "Orders"})
    before = office.writes()
    office.once()
    assert "nothing tells which is which" in office.holds()[THERE, "S1"] and office.writes() == before


def test_an_address_type_that_the_erp_does_not_have_is_held_with_the_table(office: Office) -> None:
    office.section["address_types"] = {"Visit": "Business", "Pay": ""}
    office.once()
    place = {**office.theirs()["Addresses"][0], "ID": "x", "Type": "Shipping", "Line1": "Dock 4"}
    office.theirs()["Addresses"].append(place)
    office.touch()
    before = office.writes()
    office.once()
    assert set(office.holds()) == {(BACK, office.theirs()["ID"])} and office.writes() == before
    (reason,) = office.holds().values()
    assert reason.startswith("address_type_is_mapped") and "Shipping of Cin7" in reason
    assert "cin7.address_types" in reason and len(office.rows("Address")) == 1
    office.child("Address", {"AddressId": "A9", "AddressType": "Pay", "Address1": "Box 1", "Country": "SE"})
    office.once()
    assert not [row for row in office.theirs()["Addresses"] if row["Line1"] == "Box 1"], "left out by mlc.yaml"
    office.child("Address", {"AddressId": "A8", "AddressType": "Odd", "Address1": "Box 2", "Country": "SE"})
    office.once()
    assert "address type Odd of IFS" in office.holds()[THERE, "S1"]


def test_a_tenant_that_lets_nobody_write_them_is_told_and_not_written(office: Office) -> None:
    office.children = [{**child, "writes": "false"} for child in CHILDREN]
    office.once()
    office.edit("Anna Berg", Phone="08-2")
    before = len(office.box.journal("ifs"))
    office.once()
    assert len(office.box.journal("ifs")) == before and office.rows("Contact")[0]["Phone"] == "08-1"
    told = [line.detail or "" for line in office.ledger.trail(BACK, office.theirs()["ID"])]
    assert any("contacts are not written" in each for each in told)


def test_off_by_default_nothing_of_them_is_read_or_written(office: Office) -> None:
    office.section.clear()
    office.once()
    assert office.people() == {} and office.theirs()["Addresses"][0]["Line1"] == "Supplier S1"
    office.settles()
    assert office.holds() == {}
