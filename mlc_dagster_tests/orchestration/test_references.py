"""Airbase's chart beside the ERP's, as Dagster shows it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from mlc_dagster.ledger.credentials import sealed
from mlc_dagster.orchestration.location import build
from mlc_dagster.sandbox import Limits, Sandbox
from mlc_dagster.settings import Environment, Settings
from mlc_dagster.systems import configuration as settings_file
from mlc_dagster.systems.ping import ping_all
from mlc_dagster_tests.orchestration.conftest import QUIET, SECRETS, World, check

ORDERS = {
    "purchase_orders": "/v1/accounting/purchase_orders/",
    "purchase_orders_bulk": "/v1/accounting/purchase_orders/bulk_upsert/",
}
PLENTY = Limits(cin7_calls_per_minute=100_000, ifs_requests_per_minute=100_000, airbase_requests_per_minute=100_000)


def settings_for(url: str, **airbase: Any) -> Settings:
    content = {
        "partitions_start": "2026-11-01",
        "companies": {"0010": {"currency": "SEK"}},
        "ifs": {
            "base_url": f"{url}/ifs",
            "token_url": f"{url}/ifs/auth/realms/sandbox/protocol/openid-connect/token",
        },
        "airbase": {"base_url": f"{url}/airbase", "paths": ORDERS, **airbase},
    }
    return settings_file.parse(content, "mlc.yaml")


@pytest.fixture
def beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """One company; account 4010 on both sides."""
    environment = Environment(storage=str(tmp_path / "storage"), database_url=f"sqlite:///{tmp_path / 'ledger.db'}")
    for name, value in {**SECRETS, "MLC_DATABASE_URL": environment.database_url}.items():
        monkeypatch.setenv(name, value)
    with Sandbox(seed="empty", limits=PLENTY) as box, dg.DagsterInstance.ephemeral() as instance:
        world = World(box, settings_for(box.url), environment, instance)
        world.put_account("4010")
        box.airbase.add_account("4010", "Raw materials")
        box.airbase.add_subsidiary("0010", "Company 0010", "SEK")
        yield world


def references(world: World) -> dg.ExecuteInProcessResult:
    world.chart()
    job = world.defs.resolve_job_def("airbase_references")
    return job.execute_in_process(instance=world.instance, run_config=QUIET, raise_on_error=False)


def table(evaluation: dg.AssetCheckEvaluation) -> list[dict[str, Any]]:
    return [dict(row.data) for row in evaluation.metadata["what_is_missing"].value.records]


def test_charts_that_agree_pass_in_both_directions(beside: World) -> None:
    result = references(beside)
    for name in ("ifs_accounts_are_in_airbase", "airbase_accounts_are_in_ifs"):
        assert check(result, "airbase/accounts", name).passed
    assert check(result, "airbase/subsidiaries", "companies_are_subsidiaries").passed


def test_each_direction_lists_what_is_missing_on_which_side(beside: World) -> None:
    beside.put_account("5020")
    beside.box.airbase.add_account("9100", "Card spend")
    beside.box.airbase.add_subsidiary("US", "America", "USD")
    result = references(beside)
    (absent,) = table(check(result, "airbase/accounts", "ifs_accounts_are_in_airbase"))
    (strange,) = table(check(result, "airbase/accounts", "airbase_accounts_are_in_ifs"))
    (company,) = table(check(result, "airbase/subsidiaries", "companies_are_subsidiaries"))
    assert (absent["missing_in"], absent["company"], absent["code"]) == ("Airbase", "0010", "5020")
    assert (strange["missing_in"], strange["code"], strange["name"]) == ("IFS", "9100", "Card spend")
    assert (company["missing_in"], company["code"]) == ("IFS", "US")


def test_an_empty_chart_is_an_error_and_not_an_agreement(beside: World) -> None:
    beside.box.airbase.remove_account("4010")
    found = check(references(beside), "airbase/accounts", "ifs_accounts_are_in_airbase")
    assert not found.passed and found.severity == dg.AssetCheckSeverity.ERROR


def test_a_day_goes_to_airbase_and_the_same_again_sends_nothing(beside: World) -> None:
    beside.put_supplier()
    beside.put_order()
    references(beside)
    assert beside.run("airbase").success
    assert [row["erp_reference_id"] for row in beside.box.airbase.purchase_orders.values()] == ["P1"]
    before = len(beside.box.journal("airbase"))
    assert beside.run("airbase").success
    assert len(beside.box.journal("airbase")) == before == 2


def test_an_empty_path_takes_its_assets_and_checks_away(beside: World) -> None:
    paths = {"accounts": "", "purchase_orders": "", "ledger_entries": ""}
    defs = build(settings_for(beside.box.url, paths=paths), beside.environment)
    keys = {spec.key.to_user_string() for spec in defs.resolve_all_asset_specs()}
    assert {key for key in keys if key.startswith("airbase/")} == {
        "airbase/vendors",
        "airbase/vendors_prepared",
        "airbase/vendors_verified",
        "airbase/vendor_list",
        "airbase/subsidiaries",
    }
    dg.Definitions.validate_loadable(defs)
    off = {"vendors": "", "accounts": "", "subsidiaries": "", "ledger_entries": ""}
    without = build(settings_for(beside.box.url, paths=off), beside.environment)
    dg.Definitions.validate_loadable(without)
    assert not any(spec.key.path[0] == "airbase" for spec in without.resolve_all_asset_specs())


def test_ping_says_which_feature_is_off_and_which_path_is_wrong(beside: World) -> None:
    paths = {"vendors_bulk": "", "purchase_orders": "", "accounts": "/v1/accounting/nowhere"}
    found = {
        each.what: each
        for each in ping_all(settings_for(beside.box.url, paths=paths), sealed)
        if each.system == "airbase"
    }
    assert found["vendors"].ok and found["subsidiaries"].ok
    assert found["vendors_bulk"].ok and "switched off: airbase.paths.vendors_bulk" in found["vendors_bulk"].answer
    assert "orders are not sent" in found["purchase_orders"].answer
    assert not found["accounts"].ok and "airbase.paths" in found["accounts"].answer


def test_ping_suggests_the_other_scheme(beside: World) -> None:
    found = [
        each
        for each in ping_all(settings_for(beside.box.url, auth_scheme="Bearer"), sealed)
        if each.system == "airbase"
    ]
    assert len(found) == 1 and not found[0].ok and "auth_scheme" in found[0].answer


def test_types_of_entries_that_wait_are_an_asset_and_those_without_a_meaning_a_check(
    beside: World,
) -> None:
    settings = settings_for(beside.box.url, payments_into_ifs=True, types={"bill": "bill"})
    world = World(beside.box, settings, beside.environment, beside.instance)
    for kind in ("bill", "cashback"):
        line = {"account": "4010", "amount": "7.00"}
        beside.box.airbase.add_entry(type=kind, subsidiary="0010", currency="SEK", expense_list=[line])
    result = references(world)
    told = check(result, "airbase/ledger_entry_types", "airbase_entry_types_are_mapped")
    assert not told.passed
    (row,) = table(told)
    assert (row["code"], row["name"]) == ("cashback", "SEK")
    assert "1 that come to 7 SEK" in row["reason"] and "airbase.types" in row["reason"]
    assert result.asset_materializations_for_node("airbase__ledger_entry_types")
    mapped = settings_for(beside.box.url, payments_into_ifs=True, types={"bill": "bill", "cashback": "ignore"})
    again = references(World(beside.box, mapped, beside.environment, beside.instance))
    assert check(again, "airbase/ledger_entry_types", "airbase_entry_types_are_mapped").passed
