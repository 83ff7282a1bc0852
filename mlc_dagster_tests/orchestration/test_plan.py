"""What a load would do is told field by field, writes nothing anywhere, and is done as told or not at all."""

from __future__ import annotations

import json
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from mlc_dagster.cli.app import app
from mlc_dagster.orchestration.automation import planning
from mlc_dagster_tests.orchestration.conftest import DAY, World

FLOW = "cin7/purchases"


def planned(world: World, flow: str = FLOW, partition: str = DAY) -> dict[str, Any]:
    return planning.run(world.defs.resolve_job_def(planning.JOB), flow, partition)


def step(plan: dict[str, Any], key: str) -> dict[str, Any]:
    (found,) = [each for each in plan["steps"] if each["key"] == key]
    return found


def everything_in(world: World) -> list[str]:
    """The whole ledger as text."""
    path = world.environment.database_url.removeprefix("sqlite:///")
    with sqlite3.connect(path) as connection:
        return list(connection.iterdump())


@pytest.fixture
def loaded(world: World) -> World:
    """One order delivered, then changed; one new; one on an account that nobody has."""
    world.chart()
    world.put_order("P1", price="10.50")
    assert world.run("cin7").success
    world.put_order("P1", price="12.00", at=datetime(2026, 11, 5, 10, tzinfo=UTC))
    world.put_order("P2")
    world.put_order("P3", account="9999")
    assert world.run("ifs", only=["ifs/purchase_order_set"]).success
    world.box.forget_calls()
    return world


@pytest.mark.promise("C17", "a plan of a changed, a new and a bad record: the targets' journals, the ledger as text")
def test_c17_a_plan_tells_fields_and_changes_nothing_anywhere(loaded: World) -> None:
    before = everything_in(loaded)
    plan = planned(loaded)
    assert plan["counts"] == {"change": 1, "create": 1, "held": 1} and plan["writes"] == 2
    changes = {each["field"]: (each["before"], each["after"]) for each in step(plan, "P1")["changes"]}
    assert changes["charges[0].price"] == ("10.5", "12") and changes["stated_total"] == ("21", "24")
    assert all(each["before"] is None for each in step(plan, "P2")["changes"])
    assert "GL account 9999" in step(plan, "P3")["why"]
    assert everything_in(loaded) == before
    assert loaded.box.journal("cin7") == [] and loaded.box.journal("ifs") == []


def test_what_the_target_has_already_is_nothing_to_do(world: World) -> None:
    world.chart()
    world.put_order("P1")
    assert world.run("cin7").success
    plan = planned(world)
    assert (plan["counts"], plan["writes"]) == ({"nothing": 1}, 0)


def test_equal_worlds_have_equal_plans_and_another_record_another_plan(loaded: World) -> None:
    assert planned(loaded)["digest"] == planned(loaded)["digest"]
    first = planned(loaded)["digest"]
    loaded.put_order("P2", price="99.00")
    assert loaded.run("ifs", only=["ifs/purchase_order_set"]).success
    assert planned(loaded)["digest"] != first


class Shell:
    """The command line, on the world's settings."""

    def __init__(self, world: World, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        config, home = folder / "mlc.yaml", folder / "home"
        content = world.settings.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
        config.write_text(yaml.safe_dump(content))
        home.mkdir()
        (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
        found = {"MLC_CONFIG": config, "MLC_STORAGE": world.environment.storage, "DAGSTER_HOME": home}
        for name, value in found.items():
            monkeypatch.setenv(name, str(value))
        self.file = folder / "plan.json"

    def __call__(self, *words: str) -> tuple[int, str]:
        result = CliRunner().invoke(app, list(words))
        return result.exit_code, result.output


@pytest.fixture
def shell(loaded: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    return Shell(loaded, tmp_path, monkeypatch)


def test_a_plan_is_applied_as_it_was_shown(loaded: World, shell: Shell) -> None:
    code, said = shell("plan", "--flow", FLOW, "--partition", DAY, "--out", str(shell.file), "--detailed-exitcode")
    assert code == 2 and "charges[0].price" in said and "Nothing was written" in said
    code, said = shell("apply", str(shell.file))
    assert code == 0 and "1 created" in said and "1 updated" in said and "1 held" in said
    assert loaded.order_markers() == ["0010/P1", "0010/P2"]
    assert shell("plan", "--flow", FLOW, "--partition", DAY, "--detailed-exitcode")[0] == 0


def test_a_plan_is_refused_when_a_record_has_moved_since(loaded: World, shell: Shell) -> None:
    shell("plan", "--flow", FLOW, "--partition", DAY, "--out", str(shell.file))
    loaded.put_order("P2", price="99.00")
    assert loaded.run("ifs", only=["ifs/purchase_order_set"]).success
    code, said = shell("apply", str(shell.file))
    assert code == 3 and "P2" in said and "refused" in said
    assert loaded.box.journal("cin7") == []


def test_a_plan_is_refused_when_the_ledger_has_moved_since(loaded: World, shell: Shell) -> None:
    shell("plan", "--flow", FLOW, "--partition", DAY, "--out", str(shell.file))
    assert loaded.run("cin7").success, "another run was faster"
    loaded.box.forget_calls()
    code, said = shell("apply", str(shell.file))
    assert code == 3 and "create" in said and "nothing" in said
    assert loaded.box.journal("cin7") == []


def test_what_is_no_plan_and_what_was_never_read_is_said_plainly(loaded: World, shell: Shell) -> None:
    shell.file.write_text(json.dumps({"flow": FLOW}))
    result = CliRunner().invoke(app, ["apply", str(shell.file)])
    assert "is no plan" in str(result.exception)
    result = CliRunner().invoke(app, ["plan", "--flow", FLOW, "--partition", "2026-11-19"])
    assert "was never read for 2026-11-19" in str(result.exception)
