"""Vendors between IFS and Airbase in both directions, over real HTTP and on a real ledger."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from mlc_dagster.ledger import Ledger
from mlc_dagster.sandbox import Limits, Sandbox
from mlc_dagster.systems.airbase.settings import AirbaseSettings
from mlc_dagster_tests.systems.rounds import Rounds

BACK = "ifs/suppliers_from_airbase"


@pytest.fixture
def rounds(sqlite_ledger: Ledger) -> Iterator[Rounds]:
    """Supplier S1, which both sides have."""
    with Sandbox(
        limits=Limits(
            cin7_calls_per_minute=100_000, ifs_requests_per_minute=100_000, airbase_requests_per_minute=100_000
        )
    ) as box:
        made = Rounds(box, sqlite_ledger, "airbase")
        made.put("S1", ago=60)
        made.once()
        yield made


def theirs(rounds: Rounds, number: str = "S1") -> dict[str, Any]:
    (row,) = (row for row in rounds.box.airbase.vendors.values() if row["erp_reference_id"] == number)
    return row


def edit(rounds: Rounds, **fields: Any) -> None:
    rounds.box.airbase.change_vendor(theirs(rounds)["airbase_id"], **fields)


def numbers(rounds: Rounds, name: str) -> list[str]:
    """Of the suppliers of this name in the ERP."""
    return [row["SupplierId"] for row in rounds.box.ifs.rows("SupplierSet") if row["Name"] == name]


def test_changes_on_both_sides_survive_and_then_nothing_is_written(rounds: Rounds) -> None:
    rounds.put(Name="Renamed AB")
    edit(rounds, email="new@example.test")
    rounds.once()
    assert (rounds.supplier()["Name"], rounds.supplier()["Email"]) == ("Renamed AB", "new@example.test")
    assert (theirs(rounds)["name"], theirs(rounds)["email"]) == ("Renamed AB", "new@example.test")
    rounds.once()
    before = rounds.writes()
    for _ in range(50):
        rounds.once()
    assert rounds.writes() == before and rounds.holds() == {}


def test_a_field_that_both_changed_is_the_owners_or_held(rounds: Rounds) -> None:
    rounds.section = {"supplier_owners": {"email": "airbase"}}
    rounds.put(Name="By IFS", Email="ifs@example.test")
    edit(rounds, name="By Airbase", email="airbase@example.test")
    rounds.once()
    assert (rounds.supplier()["Name"], rounds.supplier()["Email"]) == ("By IFS", "airbase@example.test")
    assert (theirs(rounds)["name"], theirs(rounds)["email"]) == ("By IFS", "airbase@example.test")
    rounds.section = {"supplier_owners": {"email": "hold"}}
    rounds.put(Email="ifs2@example.test")
    edit(rounds, email="airbase2@example.test")
    rounds.once()
    assert set(rounds.holds()) == {("airbase/vendors", "S1"), (BACK, theirs(rounds)["airbase_id"])}
    assert all(
        "'ifs2@example.test' in IFS and 'airbase2@example.test' in Airbase" in w for w in rounds.holds().values()
    )


def test_a_vendor_that_only_airbase_has_is_made_in_the_erp_once_and_gets_its_key(rounds: Rounds) -> None:
    vendor = rounds.box.airbase.add_vendor(name="Cloudberry AB", email="new@cloudberry.example")
    rounds.once()
    (number,) = numbers(rounds, "Cloudberry AB")
    assert rounds.supplier(number)["Email"] == "new@cloudberry.example"
    rounds.once()
    assert theirs(rounds, number)["airbase_id"] == vendor
    before = rounds.writes()
    for _ in range(3):
        rounds.once()
    assert numbers(rounds, "Cloudberry AB") == [number] and rounds.writes() == before
    assert len(rounds.box.airbase.vendors) == 2 and rounds.holds() == {}


def test_a_vendor_that_the_erp_has_by_name_is_that_supplier(rounds: Rounds) -> None:
    rounds.box.airbase.add_vendor(name="  supplier S9 ", email="")
    rounds.load(rounds.back, rounds.prepared(rounds.back)[:0])
    rounds.put("S9", ago=30)
    ready = rounds.prepared(rounds.back)
    rounds.load(rounds.back, ready)
    assert len(rounds.box.ifs.rows("SupplierSet")) == 2
    rounds.once()
    rounds.once()
    assert (theirs(rounds, "S9")["name"], theirs(rounds, "S9")["email"]) == ("Supplier S9", "S9@example.test")
    assert rounds.holds() == {}


def test_a_vendor_with_the_name_of_two_suppliers_is_held_and_names_both(rounds: Rounds) -> None:
    for number in ("S7", "S8"):
        rounds.put(number, Name="Twin Goods AB")
    vendor = rounds.box.airbase.add_vendor(name="TWIN GOODS AB")
    rounds.load(rounds.back, rounds.prepared(rounds.back))
    why = rounds.holds()[BACK, vendor]
    assert why.startswith("supplier_is_unique: IFS has 2 suppliers of the name TWIN GOODS AB: S7 and S8.")
    assert len(rounds.box.ifs.rows("SupplierSet")) == 3


def test_two_vendors_of_one_name_are_not_one_supplier(rounds: Rounds) -> None:
    first = rounds.box.airbase.add_vendor(name="Cloudberry AB")
    rounds.load(rounds.back, rounds.prepared(rounds.back))
    (number,) = numbers(rounds, "Cloudberry AB")
    second = rounds.box.airbase.add_vendor(name="Cloudberry AB")
    rounds.load(rounds.back, rounds.prepared(rounds.back))
    why = rounds.holds()[BACK, second]
    assert f"{number}, and it belongs to airbase-vendor-{first}" in why and why.startswith("supplier_is_unique")
    assert numbers(rounds, "Cloudberry AB") == [number]


def test_a_vendor_whose_key_the_erp_does_not_have_is_held(rounds: Rounds) -> None:
    vendor = rounds.box.airbase.add_vendor(name="Ghost AB", erp_reference_id="S404")
    rounds.load(rounds.back, rounds.prepared(rounds.back))
    assert "supplier_exists: Supplier S404 stands on" in rounds.holds()[BACK, vendor]
    assert numbers(rounds, "Ghost AB") == []


def test_new_vendors_wait_where_mlc_yaml_makes_none(rounds: Rounds) -> None:
    rounds.section = {"create_suppliers_in_ifs": "false"}
    vendor = rounds.box.airbase.add_vendor(name="Cloudberry AB")
    rounds.once()
    assert "supplier_exists: IFS has no supplier Cloudberry AB" in rounds.holds()[BACK, vendor]
    rounds.put("S5", Name="Cloudberry AB")
    rounds.once()
    rounds.once()
    assert theirs(rounds, "S5")["airbase_id"] == vendor and rounds.holds() == {}


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_supplier_whose_creation_was_not_answered_is_found_and_not_doubled(rounds: Rounds, when: str) -> None:
    rounds.box.airbase.add_vendor(name="Cloudberry AB", email="new@cloudberry.example")
    rounds.box.faults.add(system="ifs", method="POST", path="SupplierSet", drop=when)
    loaded = rounds.load(rounds.back, rounds.prepared(rounds.back))
    assert len(numbers(rounds, "Cloudberry AB")) == 1 and loaded.delivered == 1
    for _ in range(3):
        rounds.once()
    assert len(numbers(rounds, "Cloudberry AB")) == 1 and rounds.holds() == {}


def test_a_vendor_that_was_renamed_while_its_creation_was_in_doubt_is_held_and_not_doubled(rounds: Rounds) -> None:
    vendor = rounds.box.airbase.add_vendor(name="Cloudberry AB", email="new@cloudberry.example")
    rounds.box.faults.add(system="ifs", method="POST", path="SupplierSet", drop="after")
    rounds.box.faults.add(system="ifs", method="GET", path="SupplierSet", status=503, times=None)
    ready = rounds.prepared(rounds.back)
    rounds.box.faults.clear()
    rounds.box.faults.add(system="ifs", method="POST", path="SupplierSet", drop="after", times=1)
    room = rounds.client("ifs")
    rounds.ledger.begin(BACK, [(one, None) for one in ready if one.key == vendor], run=_run())
    with pytest.raises(Exception, match="SupplierSet"):
        room.create(_suppliers(), {"name": "Cloudberry AB", "email": "new@cloudberry.example"})
    rounds.box.airbase.change_vendor(vendor, name="Cloudberry Software AB")
    rounds.load(rounds.back, rounds.prepared(rounds.back))
    assert numbers(rounds, "Cloudberry Software AB") == []
    assert "from an attempt that was not answered" in rounds.holds()[BACK, vendor]


def _run() -> Any:
    from mlc_dagster.ledger import Run

    return Run("earlier", "2026-11-05")


def _suppliers() -> Any:
    from mlc_dagster.systems.ifs.records import SUPPLIERS

    return SUPPLIERS


def test_payment_terms_are_shared_where_the_tenants_vendors_have_them(rounds: Rounds) -> None:
    edit(rounds, email="a@example.test")
    rounds.once()
    assert rounds.supplier()["PaymentTerms"] == "30", "this tenant has none, and the ERP keeps its own"
    rounds.box.airbase.has_payment_terms = True
    rounds.put(VatNo="SE1", CostCenter="CC100", Name="Renamed AB")
    rounds.once()
    assert theirs(rounds)["payment_terms"] == "30 days"
    edit(rounds, payment_terms="45 days")
    rounds.once()
    assert rounds.supplier()["PaymentTerms"] == "45"
    rounds.put(PaymentTerms="30")
    rounds.once()
    assert theirs(rounds)["payment_terms"] == "30 days" and rounds.holds() == {}


def test_a_linked_vendor_that_is_not_active_is_out_of_scope_both_ways_and_told(rounds: Rounds) -> None:
    before = rounds.supplier()
    edit(rounds, is_active=False, email="new@example.test")
    rounds.once()
    assert rounds.supplier() == before, "what people change of it is no matter of the ERP's"
    rounds.put(Name="Renamed AB")
    rounds.once()
    assert theirs(rounds)["name"] != "Renamed AB" and theirs(rounds)["is_active"] is False
    assert rounds.holds() == {}
    (told,) = rounds.ledger.differences.open("airbase/vendors")
    assert (told.kind, told.ours, told.theirs) == ("inactive_in_the_target", "true", "false")
    edit(rounds, is_active=True)
    rounds.put(Name="Renamed again AB")
    rounds.once()
    assert theirs(rounds)["name"] == "Renamed again AB" and rounds.ledger.differences.open("airbase/vendors") == []


def test_suppliers_are_not_made_and_orders_not_sent_by_default() -> None:
    assert AirbaseSettings().create_suppliers_in_ifs is False
    assert AirbaseSettings().paths.purchase_orders == AirbaseSettings().paths.purchase_orders_bulk == ""


def test_a_vendor_that_is_not_active_makes_no_supplier_and_is_not_held(rounds: Rounds) -> None:
    which = rounds.box.airbase.add_vendor(name="Closed AB")
    rounds.box.airbase.change_vendor(which, is_active=False)
    rounds.once()
    assert numbers(rounds, "Closed AB") == [] and rounds.holds() == {}
    rounds.box.airbase.change_vendor(which, is_active=True)
    rounds.once()
    assert len(numbers(rounds, "Closed AB")) == 1
