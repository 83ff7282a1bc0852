"""C15: the source's schema drifts: by policy, and never a null over a value in the target."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import pytest

from mlc_dagster.orchestration.assets.sources import SCHEMA
from mlc_dagster.pipeline import READABLE
from mlc_dagster.sandbox import Tenant
from mlc_dagster_tests.orchestration.conftest import World, check, metadata

AT = datetime(2026, 11, 5, 9, tzinfo=UTC)
PREPARED, LOADED = "cin7/suppliers_prepared", "cin7/suppliers"


def put(world: World, minutes: int = 0, **fields: Any) -> None:
    row = next(row for row in world.box.ifs.rows("SupplierSet") if row["SupplierId"] == "S1")
    world.box.ifs.put("SupplierSet", {**row, **fields}, modified=AT + timedelta(minutes=minutes))


def remove_field(world: World, name: str) -> None:
    """From now on the tenant has no such field, in rows and in $metadata."""
    rows = world.box.ifs.sets["SupplierSet"]
    rows.kind = replace(rows.kind, fields={known: kind for known, kind in rows.kind.fields.items() if known != name})
    row = next(row for row in world.box.ifs.rows("SupplierSet") if row["SupplierId"] == "S1")
    world.box.ifs.put("SupplierSet", {known: value for known, value in row.items() if known != name}, modified=AT)


def email(world: World) -> str:
    (supplier,) = world.box.cin7.suppliers.values()
    return str(supplier["Contacts"][0]["Email"])


def begun(world: World) -> None:
    world.chart()
    put(world)
    assert world.run("cin7").success
    assert email(world) == "S1@example.test"
    world.box.forget_calls()


@pytest.mark.promise("C15", "a field added by the tenant")
def test_c15_a_new_field_is_named_and_changes_nothing(world: World) -> None:
    begun(world)
    put(world, 1, Cf_Rating="A")
    result = world.run("cin7")
    found = check(result, "ifs/supplier_set", SCHEMA)
    assert result.success and found.passed and "Cf_Rating" in str(found.metadata["new"].value)
    assert metadata(result, LOADED)["unchanged"] == 1 and world.box.journal("cin7") == []


@pytest.mark.promise(
    "C15", "a mapped field removed, with and without $metadata; then prepare and load materialized alone"
)
@pytest.mark.parametrize(
    "world", [(Tenant(), {}), (Tenant(metadata=False), {})], ids=["metadata", "none"], indirect=True
)
def test_c15_a_removed_field_never_writes_null_over_a_value_in_the_target(world: World) -> None:
    begun(world)
    remove_field(world, "Email")
    put(world, 1, Name="Renamed AB")

    result = world.run("cin7")
    alone = world.run("cin7", only=[PREPARED, LOADED])

    assert not result.success, "a mapped field that is gone stops the day"
    assert alone.success
    assert email(world) == "S1@example.test"
    assert world.box.journal("cin7") == []


@pytest.mark.promise("C15", "a mapped field removed: the check names it")
def test_c15_the_check_names_the_field_that_is_gone(world: World) -> None:
    begun(world)
    remove_field(world, "Email")
    found = check(world.run("cin7"), "ifs/supplier_set", SCHEMA)
    assert not found.passed and found.severity is dg.AssetCheckSeverity.ERROR
    assert "Email" in str(found.metadata["gone"].value)


@pytest.mark.promise("C15", "a field of another type: a number where a code was, a text where an amount was")
@pytest.mark.parametrize("fields", [{"PaymentTerms": 30}, {"CreditLimit": "plenty"}, {"Blocked": "FALSE"}])
def test_c15_a_value_of_another_type_is_held_with_its_reason_and_the_others_go_on(
    world: World, fields: dict[str, Any]
) -> None:
    begun(world)
    world.put_supplier("S2")
    put(world, 1, **fields)
    result = world.run("cin7")
    assert result.success and metadata(result, LOADED)["created"] == 1
    (hold,) = world.ledger.open_holds(LOADED)
    assert (hold.key, hold.problems[0].rule) == ("S1", READABLE)
    assert next(iter(fields)) in hold.problems[0].reason
    assert email_of(world, "Supplier S1") == "S1@example.test"


def email_of(world: World, name: str) -> str:
    (found,) = (each for each in world.box.cin7.suppliers.values() if each["Name"] == name)
    return str(found["Contacts"][0]["Email"])


@pytest.mark.promise("C15", "a new enum value in ObjState")
def test_c15_a_state_that_nobody_knows_ends_in_one_visible_state(world: World) -> None:
    world.chart()
    world.put_order("P1", ObjState="Hibernating")
    world.put_order("P2")
    result = world.run("cin7")
    prepared, loaded = metadata(result, "cin7/purchases_prepared"), metadata(result, "cin7/purchases")
    assert result.success and prepared["rows_read"] == 2
    assert loaded["created"] + prepared["held"] == 2
    assert loaded["created"] == 2, "a state is held where mlc.yaml names it, and only there"
