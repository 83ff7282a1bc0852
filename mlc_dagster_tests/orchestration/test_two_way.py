"""Suppliers in both directions through Dagster: one job reads, delivers there, reads again, and delivers back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import pytest

from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.systems import configuration as settings_file
from mlc_dagster.systems.ifs.supplier_records import SHARED
from mlc_dagster_tests.orchestration.conftest import World, check

SUPPLIERS = ("ifs/supplier_set", "cin7/suppliers_prepared", "cin7/suppliers", "cin7/supplier_list")
VENDORS = ("ifs/supplier_set", "airbase/vendors_prepared", "airbase/vendors", "airbase/vendor_list")
FROM_CIN7 = ("ifs/suppliers_from_cin7_prepared", "ifs/suppliers_from_cin7")
FROM_AIRBASE = ("ifs/suppliers_from_airbase_prepared", "ifs/suppliers_from_airbase")

Sync = Callable[[str], dg.ExecuteInProcessResult]


@pytest.fixture
def sync(world: World) -> Iterator[Sync]:
    """Runs both ways of a SaaS for yesterday and today: rows that people and we change are of now."""

    def run(system: str) -> dg.ExecuteInProcessResult:
        today = datetime.now(UTC).date()
        only = [*SUPPLIERS, *FROM_CIN7] if system == "cin7" else [*VENDORS, *FROM_AIRBASE]
        result = world.run(system, (today - timedelta(days=1)).isoformat(), today.isoformat(), only=only)
        assert result.success
        return result

    put(world, "S1")
    yield run


def put(world: World, number: str, **fields: Any) -> None:
    """A supplier, or a change of one, now."""
    known = next((row for row in world.box.ifs.rows("SupplierSet") if row["SupplierId"] == number), {})
    row = {
        "SupplierId": number,
        "Name": f"Supplier {number}",
        "Country": "SE",
        "CurrencyCode": "SEK",
        "PaymentTerms": "30",
        "Email": f"{number}@example.test",
        **{name: value for name, value in known.items() if name not in ("@odata.etag", "LastModified")},
    }
    world.box.ifs.put("SupplierSet", {**row, **fields}, modified=datetime.now(UTC))


def supplier(world: World, **wanted: Any) -> dict[str, Any]:
    (row,) = (
        row for row in world.box.ifs.rows("SupplierSet") if all(row[name] == value for name, value in wanted.items())
    )
    return row


def of_cin7(world: World) -> dict[str, Any]:
    (row,) = world.box.cin7.suppliers.values()
    return row


def with_settings(world: World, **sections: Any) -> None:
    content = world.settings.model_dump(mode="json", exclude={"cin7", "airbase"} & set(sections))
    known = {name: value for name, value in content.items() if value is not None}
    world.settings = settings_file.parse({**known, **sections}, "mlc.yaml")


def cin7(world: World, **section: Any) -> dict[str, Any]:
    assert world.settings.cin7
    return {**world.settings.cin7.model_dump(mode="json"), **section}


def with_airbase(world: World, **more: str) -> None:
    world.box.airbase.add_subsidiary("0010", "Company 0010", "SEK")
    section = {"base_url": f"{world.box.url}/airbase", "requests_per_minute": "100000", **more}
    with_settings(world, airbase=section)


def test_changes_on_both_sides_survive_one_run_and_the_next_run_writes_nothing(world: World, sync: Sync) -> None:
    sync("cin7")
    put(world, "S1", Name="Renamed AB")
    world.box.cin7.change_supplier(of_cin7(world)["ID"], contact={"Email": "new@example.test"})
    sync("cin7")
    row = supplier(world, SupplierId="S1")
    assert (row["Name"], row["Email"]) == ("Renamed AB", "new@example.test")
    assert (of_cin7(world)["Name"], of_cin7(world)["Contacts"][0]["Email"]) == ("Renamed AB", "new@example.test")
    writes = len(world.box.journal("ifs")) + len(world.box.journal("cin7"))
    for _ in range(3):
        sync("cin7")
    assert len(world.box.journal("ifs")) + len(world.box.journal("cin7")) == writes
    assert world.ledger.open_holds() == []


def test_a_field_that_both_changed_is_held_with_both_values_where_mlc_yaml_says_so(world: World, sync: Sync) -> None:
    with_settings(world, cin7=cin7(world, supplier_owners={"name": "hold"}))
    sync("cin7")
    put(world, "S1", Name="By IFS")
    world.box.cin7.change_supplier(of_cin7(world)["ID"], Name="By Cin7")
    sync("cin7")
    holds = {hold.flow: hold.problems[0] for hold in world.ledger.open_holds()}
    assert set(holds) == {"cin7/suppliers", "ifs/suppliers_from_cin7"}
    for problem in holds.values():
        assert problem.rule == "both_sides_agree" and "'By IFS'" in problem.reason and "'By Cin7'" in problem.reason
    assert supplier(world, SupplierId="S1")["Name"] == "By IFS" and of_cin7(world)["Name"] == "By Cin7"


def test_a_new_vendor_of_airbase_appears_in_the_erp_once_and_gets_its_key(world: World, sync: Sync) -> None:
    with_airbase(world, create_suppliers_in_ifs="true")
    vendor = world.box.airbase.add_vendor(name="Cloudberry AB", email="new@cloudberry.example")
    sync("airbase")
    number = supplier(world, Name="Cloudberry AB")["SupplierId"]
    sync("airbase")
    assert world.box.airbase.vendors[vendor]["erp_reference_id"] == number
    writes = len(world.box.journal("ifs")) + len(world.box.journal("airbase"))
    sync("airbase")
    assert len(world.box.journal("ifs")) + len(world.box.journal("airbase")) == writes
    assert len(world.box.airbase.vendors) == 2 and world.ledger.open_holds() == []


def test_a_payment_term_without_a_code_is_a_line_in_the_checks(world: World, sync: Sync) -> None:
    sync("cin7")
    world.box.cin7.books.add_payment_term("Cash", 0)
    world.box.cin7.change_supplier(of_cin7(world)["ID"], PaymentTerm="Cash")
    found = check(sync("cin7"), "ifs/suppliers_from_cin7_prepared", "payment_term_has_a_code")
    assert not found.passed and found.severity is dg.AssetCheckSeverity.WARN


def test_an_owner_of_a_field_that_is_not_shared_is_named_with_its_path(world: World) -> None:
    with pytest.raises(Misconfigured, match=r"cin7\.supplier_owners\.emial"):
        with_settings(world, cin7=cin7(world, supplier_owners={"emial": "ifs"}))
    with pytest.raises(Misconfigured, match=r"cin7\.supplier_owners\.email"):
        with_settings(world, cin7=cin7(world, supplier_owners={"email": "hubspot"}))
    with_settings(world, cin7=cin7(world, supplier_owners=dict.fromkeys(SHARED, "cin7")))
