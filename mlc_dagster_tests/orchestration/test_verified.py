"""The look at what was delivered, as an asset with its checks, a nightly schedule, and commands beside it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml

from mlc_dagster.cli import app as cli
from mlc_dagster.orchestration.automation.verifying import tonight
from mlc_dagster.sandbox.cin7.fields import now_text
from mlc_dagster.settings.verify import VerifySettings
from mlc_dagster_tests.orchestration.conftest import DAY, World, check, metadata

ASSET = "cin7/purchases_verified"
Mlc = Callable[..., tuple[int, str]]


@pytest.fixture
def delivered(world: World) -> World:
    for number in ("P1", "P2", "P3"):
        world.put_order(number)
    world.chart()
    assert world.run("cin7").success
    return world


@pytest.fixture
def mlc(delivered: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Mlc:
    """A command in the place of that world; its exit code, and what it printed."""
    monkeypatch.setenv("MLC_CONFIG", "mlc.yaml")
    monkeypatch.setenv("MLC_STORAGE", delivered.environment.storage)
    monkeypatch.setenv("COLUMNS", "1000")
    monkeypatch.chdir(tmp_path)
    Path("mlc.yaml").write_text(yaml.safe_dump(delivered.settings.model_dump(mode="json", exclude_none=True)))

    def run(*words: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["mlc", *words])
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        printed = capsys.readouterr()
        return int(stopped.value.code or 0), printed.out

    return run


def edit(world: World, key: str, total: int) -> None:
    with world.box.lock:
        kept = world.box.cin7._purchases.by_id.values()
        [purchase] = [each for each in kept if each["Note"].startswith(f"IFS 0010/{key}")]
        [charge] = purchase["Order"]["AdditionalCharges"]
        charge["Price"] = Decimal(total) / 2
        charge["Total"] = purchase["Order"]["TotalBeforeTax"] = purchase["Order"]["Total"] = Decimal(total)
        purchase["LastUpdatedDate"] = now_text()


def verdicts(result: dg.ExecuteInProcessResult) -> dict[str, bool]:
    return {name: check(result, ASSET, name).passed for name in ("missing", "extra", "different", "sums")}


def test_what_nobody_touched_passes_every_check_and_is_counted_by_day(delivered: World) -> None:
    result = delivered.run("cin7_verified", "2026-11-04", DAY)
    assert result.success
    assert verdicts(result) == dict.fromkeys(("missing", "extra", "different", "sums"), True)
    assert metadata(result, ASSET)["there"] == 3


def test_an_edit_fails_the_checks_that_it_concerns_and_names_the_record(delivered: World) -> None:
    edit(delivered, "P2", 50)
    result = delivered.run("cin7_verified")
    assert result.success
    assert verdicts(result) == {"missing": True, "extra": True, "different": False, "sums": False}
    [row] = check(result, ASSET, "different").metadata["records"].value.records
    assert row.data["record"] == "P2" and "Order.Total is 50, was 21.00" in row.data["what"]
    [sums] = check(result, ASSET, "sums").metadata["sums"].value.records
    assert sums.data == {
        "company": "0010", "currency": "SEK", "ours": "63.00", "theirs": "92.00", "difference": "29.00"
    }  # fmt: skip


def test_where_the_policy_is_restore_the_look_puts_it_back(delivered: World) -> None:
    verify = VerifySettings(flows={"cin7/purchases": "restore"})
    delivered.settings = delivered.settings.model_copy(update={"verify": verify})
    edit(delivered, "P2", 50)
    result = delivered.run("cin7_verified")
    assert metadata(result, ASSET)["restored"] == 1 and all(verdicts(result).values())
    totals = {purchase["Order"]["Total"] for purchase in delivered.box.cin7.purchases.values()}
    assert totals == {Decimal(21)}


def test_a_look_is_no_part_of_the_usual_jobs(delivered: World) -> None:
    usual = delivered.defs.resolve_job_def("cin7")
    assert dg.AssetKey(ASSET.split("/")) not in usual.asset_layer.executable_asset_keys


def test_the_nights_look_at_the_open_window_and_at_what_is_older_in_turn(delivered: World) -> None:
    verify = VerifySettings(days=10, rotation_days=3)
    settings = delivered.settings.model_copy(update={"verify": verify})
    flows = [flow for flow in _flows(delivered) if flow.name == "cin7/purchases"]
    nights = [datetime(2026, 11, day, 1, 30, tzinfo=UTC) for day in (25, 26, 27)]
    asked = [tonight(at, settings, delivered.ledger, flows) for at in nights]
    assert [each[0] for each in asked] == [
        ("2026-11-15", "2026-11-25"), ("2026-11-16", "2026-11-26"), ("2026-11-17", "2026-11-27")
    ]  # fmt: skip
    assert [span for each in asked for span in each[1:]] == [(DAY, DAY)]


def _flows(world: World) -> Any:
    from mlc_dagster.orchestration.automation.replaying import flows_on

    return flows_on(world.settings).values()


def test_reconcile_ends_with_0_where_both_agree_and_with_1_where_they_do_not(mlc: Mlc, delivered: World) -> None:
    code, printed = mlc("reconcile")
    assert code == 0 and "Both sides agree." in printed
    edit(delivered, "P2", 50)
    code, printed = mlc("reconcile", "--flow", "cin7/purchases", "--period", "2026-11", "--json")
    [found] = json.loads(printed)["flows"]
    assert code == 1
    assert {name: found[name] for name in ("delivered", "there", "missing", "extra", "different")} == {
        "delivered": 3, "there": 2, "missing": 0, "extra": 0, "different": 1
    }  # fmt: skip
    assert found["sums"] == [{"company": "0010", "currency": "SEK", "ours": "63.00", "theirs": "92.00"}]
    assert mlc("reconcile", "--period", "2026-10")[0] == 0


@pytest.mark.parametrize(("command", "total"), [("restore", 21), ("accept", 50)])
def test_one_command_leads_back_with_who_and_why_in_the_trail(
    mlc: Mlc, delivered: World, command: str, total: int
) -> None:
    edit(delivered, "P2", 50)
    assert mlc("reconcile")[0] == 1
    code, printed = mlc(command, "cin7/purchases", "P2", "--reason", "the buyer says so", "--who", "kari")
    assert code == 0 and "difference(s) closed" in printed
    assert mlc("reconcile")[0] == 0
    [two] = [each for each in delivered.box.cin7.purchases.values() if each["Note"].startswith("IFS 0010/P2")]
    assert two["Order"]["Total"] == total
    told = [each.detail for each in delivered.ledger.trail("cin7/purchases", "P2")]
    assert any("by kari: the buyer says so" in detail for detail in told)
    assert list(delivered.ledger.history.verify()) == []
