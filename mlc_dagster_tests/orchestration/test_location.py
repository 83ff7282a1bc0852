"""What Dagster is given: lineage, groups, schedules, the sensor, and no secret."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import dagster as dg
import pytest

from mlc_dagster.orchestration.location import build
from mlc_dagster.orchestration.resources import LedgerResource
from mlc_dagster.settings import Environment
from mlc_dagster_tests.orchestration.conftest import DAY, QUIET, World, settings_for
from mlc_dagster_tests.receivers import webhook


@pytest.fixture(scope="module")
def defs() -> dg.Definitions:
    return build(settings_for("http://127.0.0.1:9"), Environment())


def specs(defs: dg.Definitions) -> dict[str, dg.AssetSpec]:
    return {spec.key.to_user_string(): spec for spec in defs.resolve_all_asset_specs()}


def test_the_location_is_valid(defs: dg.Definitions) -> None:
    dg.Definitions.validate_loadable(defs)


def test_lineage_goes_from_the_erp_over_prepared_to_the_target(defs: dg.Definitions) -> None:
    upstream = {key: {dep.asset_key.to_user_string() for dep in spec.deps} for key, spec in specs(defs).items()}
    assert upstream["cin7/purchases"] == {"cin7/purchases_prepared"}
    assert upstream["cin7/purchases_prepared"] == {"ifs/purchase_order_set", "ifs/account_set", "cin7/suppliers"}
    assert upstream["ifs/purchase_order_set"] == set()


def test_suppliers_of_the_target_are_read_after_the_erps_are_delivered_there(defs: dg.Definitions) -> None:
    upstream = {key: {dep.asset_key.to_user_string() for dep in spec.deps} for key, spec in specs(defs).items()}
    assert upstream["cin7/supplier_list"] == {"cin7/suppliers"}
    assert upstream["ifs/suppliers_from_cin7_prepared"] == {"cin7/supplier_list"}
    assert upstream["ifs/supplier_set"] == set()


def test_every_asset_says_what_finance_wants_to_know(defs: dg.Definitions) -> None:
    for key, spec in specs(defs).items():
        assert len(spec.description or "") > 40, key
        assert spec.group_name in {"ifs", "cin7", "ifs_inbound", "close"} and spec.owners and spec.kinds, key
        is_a_look = key.endswith(("_verified", "_reversed", "/month_end"))  # rows of its own it has none
        assert (
            spec.metadata.get("dagster/column_schema")
            or is_a_look
            or key
            in {
                "cin7/suppliers",
                "cin7/purchases",
                "cin7/purchase_invoices",
                "ifs/suppliers_from_cin7",
            }
        ), key


def test_eight_entity_sets_are_partitioned_by_day_or_by_company(defs: dg.Definitions) -> None:
    found = {key: type(spec.partitions_def).__name__ for key, spec in specs(defs).items() if spec.group_name == "ifs"}
    by_company = {key for key, kind in found.items() if kind == "StaticPartitionsDefinition"}
    assert len(found) == 8 and by_company == {"ifs/account_set", "ifs/code_part_value_set"}


def test_every_rule_is_a_check_of_its_own_with_words(defs: dg.Definitions) -> None:
    checks = {
        spec.name: spec
        for asset in defs.assets or []
        for spec in getattr(asset, "check_specs", [])
        if spec.asset_key.path[-1] == "purchases_prepared"
    }
    assert {
        "gl_accounts_exist",
        "company_is_mapped",
        "supplier_is_delivered",
        "amounts_add_up",
        "record_is_readable",
    } <= set(checks)
    assert all(spec.description for spec in checks.values())
    assert [name for name, spec in checks.items() if spec.blocking] == ["run_may_load"]


def test_the_running_day_is_a_partition(defs: dg.Definitions) -> None:
    partitions = specs(defs)["ifs/supplier_set"].partitions_def
    assert partitions is not None
    assert datetime.now(UTC).date().isoformat() in partitions.get_partition_keys()


def test_schedules_ask_for_the_running_day_and_for_yesterday(defs: dg.Definitions, sqlite_url: str) -> None:
    at = datetime(2026, 11, 6, 0, 15, tzinfo=UTC)

    def asked(name: str) -> list[str | None]:
        ledger = LedgerResource(database_url=sqlite_url)
        with dg.build_schedule_context(
            scheduled_execution_time=at, repository_def=defs.get_repository_def(), resources={"ledger": ledger}
        ) as context:
            ticked = defs.resolve_schedule_def(name).evaluate_tick(context)
        return [request.partition_key for request in ticked.run_requests or []]

    assert asked("cin7_running_day") == ["2026-11-06"]
    assert asked("cin7_yesterday") == ["2026-11-05"]
    assert asked("chart_of_accounts") == ["0010"]


def test_no_secret_stands_in_what_the_ui_is_shown(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    repository = world.defs.get_repository_def()
    from dagster._core.remote_representation.external_data import RepositorySnap

    shown = dg.serialize_value(RepositorySnap.from_def(repository))
    for name in ("sandbox-secret", "sandbox-key-1", "sandbox-account"):
        assert name not in shown
    assert "IFS_CLIENT_SECRET" in shown, "the name of the variable is shown, so the search would have found the value"


def test_a_column_says_where_it_comes_from_in_the_words_of_its_system(defs: dg.Definitions) -> None:
    columns = specs(defs)["ifs/purchase_order_set"].metadata["dagster/column_schema"].columns
    told = {column.name: column.description for column in columns}
    assert told["order_no"] == "OrderNo of PurchaseOrderSet" and all(told.values()), told
    assert told["lines[].account"] == "Account of PurchaseOrderLineSet"
    assert told["contract"] == "Contract of PurchaseOrderSet. The site"
    assert told["lines[].base_amount"].startswith("Not there: PurchaseOrderLineSet does not have it in this tenant")
    assert defs.metadata["mlc-dagster"].value


def test_a_column_of_a_target_says_what_it_is_and_what_it_is_made_of(defs: dg.Definitions) -> None:
    for key in ("cin7/purchases_prepared", "cin7/purchases"):
        metadata = specs(defs)[key].metadata
        told = {column.name: column.description for column in metadata["dagster/column_schema"].columns}
        assert told["required_by"] == "From wanted_receipt_date of ifs/purchase_order_set"
        assert told["marker"].startswith('The ERP\'s key: "0010/P1"; in an attribute and in the note. From order_no')


def test_column_lineage_leads_from_the_erps_columns_to_the_targets(defs: dg.Definitions) -> None:
    """Every column that it names is one of an asset's own: the tenant's lines are separate, and have no base_amount."""
    every = specs(defs)
    columns = {
        key: {column.name for column in spec.metadata["dagster/column_schema"].columns}
        for key, spec in every.items()
        if "dagster/column_schema" in spec.metadata
    }
    flows = [key for key in every if key.startswith("cin7/purchase") and not key.endswith("_verified")]
    made = {key: every[key].metadata["dagster/column_lineage"] for key in flows}
    rate = made["cin7/purchases_prepared"].deps_by_column["currency_rate"]
    assert [each.column_name for each in rate] == ["company", "currency_code", "currency_rate"]
    assert {each.asset_key.to_user_string() for each in rate} == {"ifs/purchase_order_set"}
    (loaded,) = made["cin7/purchases"].deps_by_column["lines[].price"]
    assert (loaded.asset_key.to_user_string(), loaded.column_name) == ("cin7/purchases_prepared", "lines[].price")
    for key, lineage in made.items():
        for column, deps in lineage.deps_by_column.items():
            assert column in columns[key], (key, column)
            strange = [each for each in deps if each.column_name not in columns[each.asset_key.to_user_string()]]
            assert not strange, (key, column, strange)


SUPPLIERS = ("ifs/supplier_set", "cin7/suppliers_prepared", "cin7/suppliers")


def test_no_run_can_send_the_tenants_secrets_to_another_address(world: World) -> None:
    world.chart()
    world.put_supplier()
    with webhook() as stranger:
        elsewhere = {**world.settings.cin7.model_dump(mode="json"), "base_url": stranger.url()}
        typed = {"resources": {"cin7": {"config": {"section": elsewhere}}}}
        job = world.defs.resolve_job_def("cin7")
        tags = {"dagster/asset_partition_range_start": DAY, "dagster/asset_partition_range_end": DAY}
        keys = [dg.AssetKey(name.split("/")) for name in SUPPLIERS]
        ran = job.execute_in_process(
            instance=world.instance,
            tags=tags,
            run_config={**QUIET, **typed},
            asset_selection=keys,
            raise_on_error=False,
        )
    assert ran.success and stranger.bodies == [], "what was typed counts for nothing"
    assert [each["Name"] for each in world.box.cin7.suppliers.values()] == ["Supplier S1"]


def test_the_sensor_requests_the_days_that_changed_and_only_once(world: World) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    world.put_order("P1", at=now)
    world.put_supplier("S2")
    sensor = world.defs.resolve_sensor_def("cin7_changes")

    def tick(cursor: str | None) -> Any:
        resources = world.defs.get_repository_def().get_top_level_resources()
        with dg.build_sensor_context(
            instance=world.instance, cursor=cursor, repository_def=world.defs.get_repository_def(), resources=resources
        ) as context:
            return sensor.evaluate_tick(context)

    first = tick(None)
    second = tick(first.cursor)

    assert [request.partition_key for request in first.run_requests] == [now.date().isoformat()]
    keys = [request.run_key for request in first.run_requests]
    assert [request.run_key for request in second.run_requests] == keys, (
        "the look-back sees the same rows: Dagster skips the key"
    )
    world.put_order("P2", at=now)
    assert [request.run_key for request in tick(second.cursor).run_requests] != keys
    assert set(json.loads(first.cursor)) == {"supplier_set", "purchase_order_set", "posting_proposal_head_set"}
