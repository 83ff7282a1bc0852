"""C45: what is stale is named by the run of any day, shown by mlc plan, and sent by a person's word alone."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest
import yaml

from mlc_dagster.orchestration.assets.stale import CHECK
from mlc_dagster.settings.guards import GuardSettings
from mlc_dagster_tests.cli.test_holds import PURCHASES, mlc
from mlc_dagster_tests.cli.test_holds import place as place
from mlc_dagster_tests.orchestration.conftest import DAY, World, check


def say(world: World, account: str, **guards: float) -> None:
    """What gl_accounts and the guards of mlc.yaml say from now on, in the file and in the code location."""
    path = Path("mlc.yaml")
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    content["cin7"]["gl_accounts"] = {"4010": account}
    content["guards"] = {PURCHASES: guards} if guards else {}
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    cin7 = world.settings.section("cin7").model_copy(update={"gl_accounts": {"4010": account}})
    limits = {PURCHASES: GuardSettings.model_validate(guards)} if guards else {}
    world.settings = world.settings.model_copy(update={"cin7": cin7, "guards": limits})


def accounts(world: World) -> set[str]:
    with world.box.lock:
        purchases = world.box.cin7.purchases.values()
        return {each["Order"]["AdditionalCharges"][0]["Reference"].rpartition(" ")[2] for each in purchases}


@pytest.mark.promise("C45", "named by another day's run, shown by mlc plan, sent by mlc replay --also-unchanged")
def test_c45_a_run_of_another_day_names_it_and_a_person_sends_it(world: World) -> None:
    world.box.cin7.add_account("5010", "Right one")
    world.chart()
    for number in range(20):
        world.put_order(f"P{number:02}")
    assert world.run("cin7").success
    say(world, "5010", max_update_share=0.5)

    found = check(world.run("cin7", "2026-11-06"), f"{PURCHASES}_prepared", CHECK)

    assert not found.passed and found.severity is dg.AssetCheckSeverity.WARN
    said = found.description or ""
    assert "20 delivered record(s) would be made otherwise today" in said and "--also-unchanged" in said
    assert [each.key for each in world.ledger.stale.of(PURCHASES, 2)] == ["P00", "P01"]
    shown = mlc("plan", "--flow", PURCHASES, "--partition", DAY, "--detailed-exitcode")
    assert shown.exit_code == 0 and "20 stale" in shown.output, "there is nothing that a load would write by itself"
    words = ("replay", "--flow", PURCHASES, "--partition", DAY, "--who", "ann")
    assert mlc(*words).exit_code == 0 and accounts(world) == {"4010"}
    refused = mlc(*words, "--also-unchanged")
    assert refused.exit_code == 1 and "max_update_share is 0.5" in refused.output and accounts(world) == {"4010"}
    say(world, "5010")
    sent = mlc(*words, "--also-unchanged")
    assert sent.exit_code == 0, sent.output
    assert accounts(world) == {"5010"} and world.ledger.stale.count() == {}
