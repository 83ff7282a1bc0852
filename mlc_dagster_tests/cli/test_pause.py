"""Pause, resume and status, by the command line alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from mlc_dagster_tests.cli.test_holds import PURCHASES, mlc, refusal, told
from mlc_dagster_tests.cli.test_holds import place as place
from mlc_dagster_tests.orchestration.conftest import DAY, World
from mlc_dagster_tests.orchestration.conftest import world as world


@pytest.fixture(autouse=True)
def made(world: World) -> None:
    """The ledger is there, as after a first run."""
    world.ledger.close()


ANNA = ("--who", "anna", "--reason", "month end")


def test_a_pause_says_what_it_does_and_how_to_go_on_and_the_status_shows_it(world: World) -> None:
    said = mlc("pause", "cin7", *ANNA)
    assert said.exit_code == 0 and "cin7 is paused by anna since" in said.output and "UTC: month end." in said.output
    assert "nothing is written after it. Reading and preparing go on." in said.output
    assert "To go on: mlc resume cin7" in said.output
    shown = mlc("status")
    assert shown.exit_code == 0 and "cin7 is paused" not in mlc("status", "--json").output.split('"systems"')[0]
    assert "paused by anna since" in shown.output and "month end" in shown.output
    again = mlc("pause", "cin7", "--who", "bo", "--reason", "wrong prices")
    assert again.exit_code == 0 and "Nothing has changed: cin7 is paused by anna" in again.output

    resumed = mlc("resume", "cin7", "--who", "bo")

    assert "cin7 goes on; anna had paused it since" in resumed.output and "No load waits." in resumed.output
    assert mlc("resume", "cin7").stdout.strip() == "cin7 is not paused."
    (kept,) = world.ledger.pauses.history()
    assert (kept.who, kept.reason, kept.lifted_by) == ("anna", "month end", "bo")


def test_all_stops_every_system_and_all_lets_them_go_on(world: World) -> None:
    assert mlc("pause", "hubspot", "--who", "bo", "--reason", "their upgrade").exit_code == 0
    assert mlc("pause", "--all", *ANNA).exit_code == 0
    every = {"ifs", "cin7", "airbase", "monday", "hubspot", "procurify"}
    assert {name: pause.who for name, pause in world.ledger.pauses.standing().items()} == {
        **dict.fromkeys(every, "anna"),
        "hubspot": "bo",
    }
    assert mlc("resume", "--all").output.count("goes on") == 6
    assert mlc("resume", "--all").stdout.strip() == "Nothing is paused." and world.ledger.pauses.standing() == {}


@pytest.mark.parametrize(
    "words, says",
    [
        (("pause", "cin", *ANNA), "no system is called 'cin'; nothing has changed\n  Nearest: cin7."),
        (("pause", "salesforce", *ANNA), "There is: ifs, airbase, cin7, hubspot, monday, procurify."),
        (("pause", *ANNA), "it is not said which system\n  mlc pause ifs | airbase | cin7"),
        (("pause", "cin7", "--all", *ANNA), "cin7 and --all at once"),
        (("pause", "cin7", "--reason", " "), "it is not said why"),
        (("resume", "cinn7"), "Nearest: cin7."),
    ],
)
def test_what_is_not_clear_changes_nothing_and_says_what_was_expected(
    words: tuple[str, ...], says: str, world: World
) -> None:
    assert says in refusal(*words) and world.ledger.pauses.history() == []


def test_a_pause_where_there_is_no_ledger_says_so_and_makes_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLC_DATABASE_URL", f"sqlite:///{tmp_path / 'other.db'}")
    assert "there is no ledger at" in refusal("pause", "cin7", *ANNA) and not (tmp_path / "other.db").exists()


def test_a_misspelt_system_and_a_missing_reason_exit_with_2(tmp_path: Path) -> None:
    for words, says in ((("pause", "cin", *ANNA), "Nearest: cin7."), (("pause", "cin7"), "Missing option '--reason'")):
        command = [sys.executable, "-m", "mlc_dagster", *words]
        ended = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
        assert ended.returncode == 2 and says in ended.stderr, ended.stderr


def test_what_waits_is_told_by_the_status_and_by_resume_and_a_replay_says_why_it_does_not_go(world: World) -> None:
    world.chart()
    world.put_order("P1")
    world.put_order("P2", account="4711")
    assert world.run("cin7", only=["ifs/supplier_set", "cin7/suppliers_prepared", "cin7/suppliers"]).success
    assert mlc("pause", "cin7", *ANNA).exit_code == 0
    assert not world.run("cin7").success
    systems = {each["system"]: each for each in told("status")["systems"]}
    flows = {each["flow"]: each for each in told("status")["flows"]}
    assert (systems["cin7"]["on"], systems["cin7"]["loads_waiting"], systems["hubspot"]["on"]) == (True, 2, False)
    assert systems["cin7"]["paused"]["by"] == "anna" and systems["ifs"]["paused"] is None
    assert flows[PURCHASES]["on_hold"] == 1 and flows[PURCHASES]["oldest_hold"] and not flows[PURCHASES]["last_load"]
    assert flows["cin7/suppliers"]["last_loaded"] == DAY and flows["cin7/suppliers"]["on_hold"] == 0
    replayed = mlc("replay", "--flow", PURCHASES, "--partition", DAY)
    assert replayed.exit_code == 1 and "cin7 is paused by anna since" in replayed.output

    resumed = mlc("resume", "cin7").output

    assert "2 loads wait. The sensor `due` requests them within a minute; at once" in resumed
    assert f"one by one: mlc replay --flow cin7/purchase_invoices --partition {DAY}" in resumed
    assert "2 loads wait for the sensor `due`" in mlc("status").output
    assert mlc("replay", "--flow", PURCHASES, "--partition", DAY).exit_code == 0
    assert world.order_markers() == ["0010/P1"]
    after = mlc("status").output
    assert "1 load waits" in after and "never" in after, "purchase invoices were never loaded"
