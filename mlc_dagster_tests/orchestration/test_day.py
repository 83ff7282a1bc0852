"""A day through Dagster: read, prepare, check, load, replay."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest

from mlc_dagster_tests.orchestration.conftest import DAY, World, check, metadata


def test_an_order_becomes_a_purchase_and_the_second_run_sends_nothing(world: World) -> None:
    world.chart()
    world.put_order("P1")
    first = world.run("cin7")
    assert first.success
    assert world.order_markers() == ["0010/P1"]
    assert metadata(first, "cin7/purchases")["created"] == 1
    writes = len(world.box.journal("cin7"))

    second = world.run("cin7")

    assert second.success
    assert len(world.box.journal("cin7")) == writes
    assert metadata(second, "cin7/purchases")["unchanged"] == 1


def test_a_held_order_names_the_account_and_is_delivered_once_when_the_account_appears(world: World) -> None:
    world.chart()
    world.put_order("P1")
    world.put_order("P2", account="4711")
    world.put_account("4711")
    world.chart()
    result = world.run("cin7")
    found = check(result, "cin7/purchases_prepared", "gl_accounts_exist")
    assert result.success and not found.passed and found.severity is dg.AssetCheckSeverity.WARN
    (held,) = found.metadata["held_records"].records
    assert held.data["record"] == "P2" and "4711" in held.data["reason"]
    assert world.order_markers() == ["0010/P1"]
    assert [hold.key for hold in world.ledger.open_holds("cin7/purchases")] == ["P2"]

    world.box.cin7.add_account("4711", "Services")
    again = world.run("cin7", only=["cin7/purchases_prepared", "cin7/purchases"])

    assert again.success and check(again, "cin7/purchases_prepared", "gl_accounts_exist").passed
    assert world.order_markers() == ["0010/P1", "0010/P2"]
    assert world.ledger.open_holds("cin7/purchases") == []


def test_with_an_empty_chart_of_accounts_nothing_is_sent(world: World) -> None:
    world.chart()
    world.put_order("P1")
    for code in list(world.box.cin7.accounts):
        world.box.cin7.remove_account(code)
    result = world.run("cin7")
    found = check(result, "cin7/purchases_prepared", "gl_accounts_exist")
    assert not result.success and not found.passed and found.severity is dg.AssetCheckSeverity.ERROR
    assert "empty" in (found.description or "")
    assert world.box.cin7.purchases == {}

    alone = world.run("cin7", only=["cin7/purchases"])

    assert alone.success and world.box.cin7.purchases == {}, "a load that runs alone has nothing to send"
    assert [hold.key for hold in world.ledger.open_holds("cin7/purchases")] == ["P1"]


def test_without_the_erps_chart_of_accounts_the_load_does_not_start(world: World) -> None:
    world.put_order("P1")
    result = world.run("cin7")
    found = check(result, "cin7/purchases_prepared", "gl_accounts_exist")
    assert not result.success and found.severity is dg.AssetCheckSeverity.ERROR
    assert "materialize ifs/account_set" in (found.description or "")
    assert world.box.cin7.purchases == {}


def test_a_stale_chart_of_accounts_stops_the_load(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.chart()
    world.put_order("P1")
    policies = world.settings.policies.model_copy(update={"accounts_max_age_hours": 1e-9})
    world.settings = world.settings.model_copy(update={"policies": policies})
    result = world.run("cin7")
    found = check(result, "cin7/purchases_prepared", "gl_accounts_exist")
    assert not result.success and "older than" in (found.description or "")
    assert world.box.cin7.purchases == {}


def test_block_partition_lets_one_wrong_account_stop_its_day(world: World) -> None:
    world.chart()
    world.put_order("P1")
    world.put_order("P2", account="4711")
    policies = world.settings.policies.model_copy(update={"gl_policy": "block_partition"})
    world.settings = world.settings.model_copy(update={"policies": policies})
    result = world.run("cin7")
    assert not result.success
    assert world.box.cin7.purchases == {}
    assert {hold.key for hold in world.ledger.open_holds("cin7/purchases")} == {"P1", "P2"}
    assert world.run("cin7", only=["cin7/purchases"]).success and world.box.cin7.purchases == {}


def test_a_range_of_days_is_one_run_with_counts_for_each_day(world: World) -> None:
    world.chart()
    for day in range(1, 6):
        world.put_order(f"P{day}", at=datetime(2026, 11, day, 12, tzinfo=UTC))
    result = world.run("cin7", "2026-11-01", "2026-11-05")
    assert result.success
    assert world.order_markers() == [f"0010/P{day}" for day in range(1, 6)]
    assert [metadata(result, "cin7/purchases", f"2026-11-0{day}")["created"] for day in range(1, 6)] == [1] * 5


def test_an_older_version_replayed_never_overwrites_a_newer_one(world: World) -> None:
    world.chart()
    world.put_order("P1", price="10.00")
    assert world.run("cin7").success
    world.put_order("P1", price="12.00", at=datetime(2026, 11, 6, 9, tzinfo=UTC))
    assert world.run("cin7", "2026-11-06").success
    writes = len(world.box.journal("cin7"))

    replay = world.run("cin7", only=["cin7/purchases_prepared", "cin7/purchases"])

    assert replay.success and metadata(replay, "cin7/purchases")["superseded"] == 1
    assert len(world.box.journal("cin7")) == writes
    assert "superseded" in [str(line.event) for line in world.ledger.trail("cin7/purchases", "P1")]


def test_an_order_whose_supplier_is_missing_is_held_and_heals(world: World) -> None:
    world.chart()
    world.put_order("P1", VendorNo="S9")
    result = world.run("cin7")
    assert result.success and not check(result, "cin7/purchases_prepared", "supplier_is_delivered").passed
    world.put_supplier("S9")
    assert world.run("cin7").success
    assert world.order_markers() == ["0010/P1"]
    assert world.ledger.open_holds("cin7/purchases") == []


def test_the_voucher_check_names_accounts_that_cin7_does_not_have(world: World) -> None:
    rows = [
        {"RowNo": n, "Account": account, "DebitAmount": debit, "CreditAmount": credit}
        for n, (account, debit, credit) in enumerate([("4010", 5, None), ("9999", None, 5)], 1)
    ]
    voucher = {
        "Company": "0010",
        "VoucherType": "M",
        "AccountingYear": 2026,
        "VoucherNo": 7,
        "VoucherDate": "2026-11-05",
        "VoucherRows": rows,
    }
    world.box.ifs.put("VoucherSet", voucher, modified=datetime(2026, 11, 5, 9, tzinfo=UTC))
    result = world.run("ifs")
    found = check(result, "ifs/voucher_set", "accounts_exist_in_cin7")
    assert result.success and not found.passed
    (held,) = found.metadata["vouchers"].records
    assert held.data["record"] == "0010/M/2026/7" and held.data["about"] == "9999"


def test_every_source_row_ends_in_one_state(world: World) -> None:
    world.chart()
    world.put_order("P1")
    world.put_order("P2", account="4711")
    world.put_order("P3", Company="0099")
    world.put_order("P4", ObjState="Cancelled")
    result = world.run("cin7")
    prepared, loaded = metadata(result, "cin7/purchases_prepared"), metadata(result, "cin7/purchases")
    assert prepared["rows_read"] == 4 and prepared["held"] == 3 and loaded["created"] == 1


def test_the_schema_check_stops_a_field_that_the_tenant_no_longer_has(world: World) -> None:
    catalogue = {"purchase_order_set": {"fields": {"vendor_no": "SupplierNumber"}}}
    from mlc_dagster_tests.orchestration.conftest import settings_for

    world.settings = settings_for(world.box.url, entity_sets=catalogue)
    world.put_order("P1")
    result = world.run("ifs")
    found = check(result, "ifs/purchase_order_set", "schema_as_expected")
    assert not result.success and "SupplierNumber" in str(found.metadata["gone"].value)


def test_rows_from_the_day_before_stay_out_of_the_day(world: World) -> None:
    world.chart()
    end = datetime(2026, 11, 6, tzinfo=UTC)
    world.put_order("LAST", at=end - timedelta(seconds=1))
    world.put_order("NEXT", at=end)
    assert world.run("cin7", DAY).success
    assert world.order_markers() == ["0010/LAST"]
