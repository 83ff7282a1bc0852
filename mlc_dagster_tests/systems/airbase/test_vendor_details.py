"""The contact and the address of a vendor, where a tenant's vendors have them: both ways, with the ERP's children."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import ValidationError

from mlc_dagster.ledger import Ledger
from mlc_dagster.sandbox import Sandbox
from mlc_dagster.systems.airbase.settings import AirbaseSettings
from mlc_dagster_tests.promises.kinds import PLENTY
from mlc_dagster_tests.systems.cin7.suppliers.test_contacts_and_addresses import ANNA, VISIT, Office

PATHS = {
    "contact_name": "contact.name",
    "contact_phone": "contact.phone",
    "address1": "address.line1",
    "city": "address.city",
    "country": "address.country",
}
THERE = "airbase/vendors"


@pytest.fixture
def office(sqlite_ledger: Ledger) -> Iterator[Office]:
    with Sandbox(seed="empty", limits=PLENTY, profiles=("airbase.vendor_details=contact,address",)) as box:
        made = Office(box, sqlite_ledger, "airbase", {"vendor_details": PATHS})
        made.put("S1", ago=60)
        made.child("Contact", ANNA)
        made.child("Address", VISIT)
        yield made


def vendor(office: Office) -> dict[str, Any]:
    (found,) = office.box.airbase.vendors.values()
    return found


def enters(office: Office, **fields: Any) -> None:
    office.box.airbase.change_vendor(vendor(office)["airbase_id"], **fields)


def test_both_ways_and_nothing_bounces(office: Office) -> None:
    office.once()
    assert vendor(office)["contact"] == {"name": "Anna Berg", "phone": "08-1"}
    assert vendor(office)["address"] == {"line1": "Kungsgatan 1", "city": "Stockholm", "country": "SE"}
    office.settles()
    enters(
        office, contact={"name": "Anna Berg", "phone": "08-7"}, address={**vendor(office)["address"], "city": "Kista"}
    )
    office.once()
    assert (office.rows("Contact")[0]["Phone"], office.rows("Address")[0]["City"]) == ("08-7", "Kista")
    assert office.holds() == {}
    office.settles()


def test_another_person_in_the_one_place_is_a_new_contact_and_renames_nobody(office: Office) -> None:
    office.once()
    enters(office, contact={"name": "Bo Ek", "phone": "08-5"})
    office.load(office.back, office.prepared(office.back))
    assert {row["Name"]: row["Phone"] for row in office.rows("Contact")} == {"Anna Berg": "08-1", "Bo Ek": "08-5"}


def test_who_is_primary_in_the_erp_from_now_on_gets_nobody_elses_phone(office: Office) -> None:
    office.once()
    office.child("Contact", {**ANNA, "IsPrimary": False})
    office.child("Contact", {"ContactId": "C2", "Name": "Cia", "IsPrimary": True})
    office.once()
    assert vendor(office)["contact"] == {"name": "Cia", "phone": ""}
    office.settles()
    assert len(office.rows("Contact")) == 2


def test_a_stranger_in_the_one_place_at_the_first_meeting_is_held(office: Office) -> None:
    office.box.airbase.add_vendor(name="Supplier S1", contact={"name": "Carl"})
    office.once()
    assert vendor(office)["contact"] == {"name": "Carl"}
    assert "'Carl' stands there; in IFS it is 'Anna Berg'" in office.holds()[THERE, "S1"]


@pytest.mark.parametrize("paths", [{"contact_phone": "phone"}, {"address1": "bank_account.street"}])
def test_paths_that_could_not_be_meant_are_refused(paths: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match=r"contact_name|bank details"):
        AirbaseSettings.model_validate({"vendor_details": paths})
