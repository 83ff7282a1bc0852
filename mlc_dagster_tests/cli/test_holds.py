"""Holds, their story and a replay, by the command line alone."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import Result
from typer.testing import CliRunner

from mlc_dagster.cli.app import app
from mlc_dagster.core.errors import MlcError
from mlc_dagster.ledger.records.differences import Found
from mlc_dagster_tests.orchestration.conftest import DAY, World
from mlc_dagster_tests.orchestration.conftest import world as world

PURCHASES = "cin7/purchases"


@pytest.fixture(autouse=True)
def place(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with mlc.yaml and a Dagster instance, as a person would have it."""
    content = world.settings.model_dump(mode="json", exclude_unset=True)
    (tmp_path / "mlc.yaml").write_text(yaml.safe_dump(content))
    home = tmp_path / "home"
    home.mkdir()
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLC_CONFIG", "mlc.yaml")
    monkeypatch.setenv("MLC_STORAGE", world.environment.storage)
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    monkeypatch.setenv("COLUMNS", "400")


def mlc(*words: str, says: str | None = None) -> Result:
    return CliRunner().invoke(app, list(words), input=says)


def told(*words: str) -> Any:
    result = mlc(*words, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def refusal(*words: str) -> str:
    result = mlc(*words)
    assert isinstance(result.exception, MlcError), result.output
    return str(result.exception)


@pytest.fixture
def two_held(world: World) -> World:
    """P1 is stopped in the ERP, and may be released; P2 is on an account that nobody knows."""
    world.chart()
    world.put_order("P1", ObjState="Stopped")
    world.put_order("P2", account="4711")
    assert world.run("cin7").success
    return world


def test_a_held_order_is_found_understood_and_released_then_posted_once(two_held: World) -> None:
    listed = told("holds", "list")
    assert listed["summary"] == [
        {"flow": PURCHASES, "rule": "gl_accounts_exist", "holds": 1},
        {"flow": PURCHASES, "rule": "order_is_a_purchase", "holds": 1},
    ]
    assert {hold["key"]: hold["can_be_released"] for hold in listed["holds"]} == {"P1": True, "P2": False}
    shown = mlc("holds", "show", "P1").output
    assert "is Stopped in the ERP" in shown and "vendor_no" in shown and "held" in shown
    assert 'mlc holds release P1 --flow cin7/purchases --reason "..."' in shown

    released = mlc("holds", "release", "P1", "--reason", "the buyer confirmed it", "--who", "ann")
    assert released.exit_code == 0 and "released by ann" in released.output
    replayed = mlc("replay", "--key", "P1")
    assert replayed.exit_code == 0 and "created" in replayed.output, replayed.output
    assert mlc("replay", "--key", "P1").exit_code == 0

    assert two_held.order_markers() == ["0010/P1"]
    assert len(two_held.box.cin7.purchases) == 1
    (story,) = told("audit", "show", "P1")["flows"]
    assert sum(each["what"] == "started" for each in story["happened"]) >= 2, "each replay is told, by whom"
    assert [each["what"] for each in story["happened"] if each["what"] != "started"] == [
        "read",
        "held",
        "released",
        "closed",
        "sent",
        "begun",
        "created",
    ]
    (released_line,) = [each for each in story["happened"] if each["what"] == "released"]
    assert released_line["detail"] == "by ann: the buyer confirmed it"
    assert story["decision"]["who"] == "ann"
    assert "by ann: the buyer confirmed it" in mlc("audit", "show", "P1").output


def test_a_discarded_order_is_never_sent(two_held: World) -> None:
    assert mlc("holds", "discard", "P1", "--reason", "ordered twice", "--who", "bo").exit_code == 0
    replayed = mlc("replay", "--flow", PURCHASES, "--partition", DAY, "--read-again")
    assert replayed.exit_code == 0 and "discarded" in replayed.output
    assert two_held.order_markers() == [] and [hold.key for hold in two_held.ledger.open_holds()] == ["P2"]
    (story,) = told("audit", "show", "P1")["flows"]
    assert "by bo: ordered twice" in [each["detail"] for each in story["happened"] if each["what"] == "discarded"]
    assert [hold["closed_how"] for hold in story["holds"]] == ["discarded"]


def test_what_cannot_be_released_says_why_and_what_helps(two_held: World) -> None:
    said = refusal("holds", "release", "P2", "--reason", "please")
    assert "gl_accounts_exist cannot be waived" in said and "heals by itself" in said
    assert "cannot be released" in mlc("holds", "show", "P2").output


def test_a_reason_is_asked_for(two_held: World) -> None:
    assert mlc("holds", "release", "P1").exit_code == 2
    assert "why" in refusal("holds", "release", "P1", "--reason", " ")
    assert len(two_held.ledger.open_holds()) == 2


def test_an_unknown_key_names_the_nearest_ones(two_held: World) -> None:
    assert "P1" in refusal("holds", "show", "P1x")
    assert "P1" in refusal("audit", "show", "P1x")
    assert "P1" in refusal("replay", "--key", "P1x")


def test_a_key_on_hold_in_two_flows_asks_which(two_held: World) -> None:
    ledger = two_held.ledger
    (first, _) = ledger.open_holds()
    from mlc_dagster.ledger import Held, Run

    again = Held("P1", first.version, first.problems, first.row, DAY, first.content)
    ledger.hold("monday/purchase_orders", [again], run=Run("run-1", DAY))
    said = refusal("holds", "show", "P1")
    assert "cin7/purchases, monday/purchase_orders" in said and "--flow" in said
    assert told("holds", "show", "P1", "--flow", "monday/purchase_orders")["flow"] == "monday/purchase_orders"
    assert [hold["key"] for hold in told("holds", "list", "--system", "monday")["holds"]] == ["P1"]


def test_many_are_decided_on_at_once_after_a_question(two_held: World) -> None:
    words = ("holds", "discard", "--flow", PURCHASES, "--rule", "order_is_a_purchase", "--reason", "all cancelled")
    assert mlc(*words, says="n\n").exit_code == 1 and len(two_held.ledger.open_holds()) == 2
    assert mlc(*words, says="y\n").exit_code == 0
    assert [hold.key for hold in two_held.ledger.open_holds()] == ["P2"]
    refused = mlc("holds", "release", "--flow", PURCHASES, "--rule", "gl_accounts_exist", "--reason", "x", "--yes")
    assert refused.exit_code == 1 and len(two_held.ledger.open_holds()) == 1


def test_a_replay_by_rule_moves_what_heals_and_says_so(two_held: World) -> None:
    two_held.put_account("4711")
    two_held.box.cin7.add_account("4711", "Services")
    two_held.chart()
    planned = mlc("replay", "--rule", "gl_accounts_exist", "--dry-run")
    assert planned.exit_code == 0 and DAY in planned.output and two_held.order_markers() == []
    assert mlc("replay", "--rule", "gl_accounts_exist").exit_code == 0
    assert two_held.order_markers() == ["0010/P2"]


@pytest.mark.promise("C17", "a dry replay, a list and a story of held records: the journals, the ledger as text")
def test_c17_a_dry_replay_and_a_look_change_nothing_anywhere(two_held: World) -> None:
    with sqlite3.connect(two_held.environment.database_url.removeprefix("sqlite:///")) as connection:
        before = list(connection.iterdump())
    two_held.box.forget_calls()
    looks = (("replay", "--all-held", "--dry-run"), ("holds", "list"), ("holds", "show", "P1"), ("audit", "show", "P1"))
    for words in (*looks, ("audit", "verify")):
        assert mlc(*words).exit_code == 0
    assert all(two_held.box.journal(name) == [] for name in two_held.box.systems)
    with sqlite3.connect(two_held.environment.database_url.removeprefix("sqlite:///")) as connection:
        assert list(connection.iterdump()) == before


def test_a_replay_by_run_finds_what_the_run_touched(two_held: World) -> None:
    run_id = two_held.ledger.open_holds()[0].run_id
    planned = mlc("replay", "--run", run_id, "--dry-run").output
    assert "cin7/purchases" in planned and "cin7/suppliers" in planned and "cin7/purchase_invoices" in planned
    assert "no run" in refusal("replay", "--run", "unknown")


def test_neighbouring_days_are_one_run(two_held: World) -> None:
    planned = mlc("replay", "--flow", PURCHASES, "--partition", "2026-11-03", "--to", DAY, "--dry-run").output
    assert f"2026-11-03 to {DAY}" in planned
    assert "no partition" in refusal("replay", "--flow", PURCHASES, "--partition", "2020-01-01")


def test_a_replay_that_fails_says_why_and_ends_with_1(two_held: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CIN7_APPLICATION_KEYS", "wrong")
    result = mlc("replay", "--all-held")
    assert result.exit_code == 1 and "CIN7_APPLICATION_KEYS" in result.output


@pytest.mark.parametrize(
    "words, said",
    [
        ((), "what to replay"),
        (("--key", "P1", "--all-held"), "both"),
        (("--flow", "cin7/x", "--all-held"), "no flow"),
        (("--partition", DAY), "--flow cin7/suppliers"),
        (("--key", "P1", "--to", DAY), "--partition"),
        (("--flow", PURCHASES, "--partition", "2026-11-5"), "2026-11-05"),
        (("--rule", "gl_account_exist"), "nearest: gl_accounts_exist"),
    ],
)
def test_a_replay_that_is_not_clear_asks(two_held: World, words: tuple[str, ...], said: str) -> None:
    assert said in refusal("replay", *words)


def test_nothing_on_hold_is_said_in_words_and_of_what(world: World) -> None:
    with world.ledger:
        assert "Nothing is on hold: no record ever moved by this ledger." in mlc("holds", "list").output
    assert "nothing to replay" in mlc("replay", "--all-held").output
    world.chart()
    world.put_order("P1")
    assert world.run("cin7").success
    assert mlc("holds", "list").stdout == "Nothing is on hold.\n"
    assert mlc("holds", "list", "--system", "ifs").stdout == "Nothing is on hold of ifs.\n"
    by_rule = mlc("holds", "list", "--flow", PURCHASES, "--rule", "gl_accounts_exist").stdout
    assert by_rule == "Nothing is on hold in cin7/purchases by gl_accounts_exist.\n"


def test_each_command_says_which_ledger_it_read_and_json_stays_json(two_held: World) -> None:
    for words in (("holds", "list"), ("holds", "show", "P1"), ("audit", "show", "P1"), ("audit", "verify")):
        result = mlc(*words, "--json")
        assert json.loads(result.stdout) and result.stderr == "ledger: ledger.db\n", words
    assert "ledger: ledger.db" in mlc("replay", "--all-held", "--dry-run").stderr


def test_the_holds_of_every_system_are_the_erps(two_held: World) -> None:
    assert {hold["key"] for hold in told("holds", "list", "--system", "ifs")["holds"]} == {"P1", "P2"}


@pytest.mark.parametrize(
    "words, said",
    [
        (("--flow", "cin7/purchase"), "there is no flow cin7/purchase; nearest: cin7/purchases"),
        (("--flow", "purchases"), "there is no flow purchases; nearest: cin7/purchases"),
        (("--flow", "monday/invoices"), "monday/invoices is switched off: mlc.yaml has no section `monday:`"),
        (("--rule", "gl_account_exist"), "there is no rule gl_account_exist; nearest: gl_accounts_exist"),
        (("--flow", PURCHASES, "--rule", "voucher_balances"), "cin7/purchases has no rule voucher_balances"),
        (("--system", "hubspott"), "there is no system hubspott; nearest: hubspot"),
        (("--system", "hubspot"), "hubspot is switched off: mlc.yaml has no section `hubspot:`"),
    ],
)
def test_what_is_asked_about_and_is_not_there_is_named_with_the_nearest(
    two_held: World, words: tuple[str, ...], said: str
) -> None:
    assert said in refusal("holds", "list", *words)


def test_a_flow_that_is_off_now_and_moved_once_is_answered_from_the_ledger(two_held: World, tmp_path: Path) -> None:
    file = tmp_path / "mlc.yaml"
    content = yaml.safe_load(file.read_text())
    file.write_text(yaml.safe_dump({name: value for name, value in content.items() if name != "cin7"}))
    result = mlc("holds", "list", "--flow", PURCHASES, "--json")
    assert {hold["key"] for hold in json.loads(result.stdout)["holds"]} == {"P1", "P2"}
    assert "mlc.yaml has no section `cin7:`" in result.stderr and "what the ledger has of it" in result.stderr
    assert "cin7/purchases is switched off" in refusal("replay", "--flow", PURCHASES, "--all-held")
    assert "no flow that is on" in refusal("replay", "--key", "P1")
    left = mlc("replay", "--all-held")
    assert left.exit_code == 0 and "left out: 2 on hold of cin7/purchases" in left.stderr


def test_a_flow_that_no_release_knows_any_more_is_answered_from_the_ledger(two_held: World) -> None:
    from mlc_dagster.ledger import Held, Run

    first = two_held.ledger.open_holds()[0]
    again = Held("P7", first.version, first.problems, first.row, DAY, first.content)
    two_held.ledger.hold("cin7/orders", [again], run=Run("run-1", DAY))
    result = mlc("holds", "list", "--flow", "cin7/orders", "--json")
    assert [hold["key"] for hold in json.loads(result.stdout)["holds"]] == ["P7"]
    assert "this release has no flow of this name" in result.stderr


def test_settings_with_mistakes_do_not_keep_the_holds_from_being_seen(two_held: World, tmp_path: Path) -> None:
    (tmp_path / "mlc.yaml").write_text("companies: [")
    result = mlc("holds", "list", "--flow", PURCHASES, "--json")
    assert len(json.loads(result.stdout)["holds"]) == 2 and "has mistakes" in result.stderr


def test_nothing_to_release_at_once_is_no_success(two_held: World) -> None:
    words = ("--flow", PURCHASES, "--rule", "texts_fit", "--reason", "x", "--yes")
    assert "nothing of cin7/purchases is held by texts_fit" in refusal("holds", "release", *words)


def test_a_key_that_was_delivered_is_among_the_nearest(two_held: World) -> None:
    two_held.put_order("P100311")
    assert two_held.run("cin7").success
    assert "Nearest in the trail: P100311" in refusal("audit", "show", "P100312")


def test_a_run_is_found_by_the_part_of_its_id_that_tables_show(two_held: World) -> None:
    run_id = two_held.ledger.open_holds()[0].run_id
    assert f"Give the whole id: {run_id}" in refusal("replay", "--run", run_id[:8])


@pytest.mark.parametrize(
    "home, said",
    [("/not/there", "DAGSTER_HOME names /not/there, and there is no such folder"), ("here", "absolute path")],
)
def test_a_replay_without_its_instance_makes_none(
    two_held: World, monkeypatch: pytest.MonkeyPatch, home: str, said: str
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", home)
    assert said in refusal("replay", "--all-held") and not Path(home).exists()


@pytest.mark.parametrize("words", [("holds", "list"), ("holds", "release"), ("audit", "show"), ("replay",)])
def test_every_command_has_an_example(words: tuple[str, ...]) -> None:
    assert "Example" in mlc(*words, "--help").output


def test_the_list_and_what_is_open_tell_of_each_cause_how_much_since_when_and_whose(two_held: World) -> None:
    gone = Found("P9", "gone_in_the_source", "", "PO-9", None, "21.50", "SEK")
    two_held.ledger.differences.see(PURCHASES, [gone])
    listed = told("holds", "list")
    assert {tuple(each["rules"]): (each["items"], each["amounts"]) for each in listed["causes"]} == {
        ("order_is_a_purchase",): (1, {"SEK": "21.00"}), ("gl_accounts_exist",): (1, {"SEK": "21.00"})
    }  # fmt: skip
    assert listed["totals"]["amounts"] == {"SEK": "42.00"} and listed["totals"]["items"] == 2
    assert all(each["owners"] and each["oldest"] and each["company"] == "0010" for each in listed["causes"])
    both = told("open")
    assert both["totals"] | {"oldest": None} == {
        "items": 3, "causes": 3, "amounts": {"SEK": "63.50"}, "oldest": None
    }  # fmt: skip
    (difference,) = [each for each in both["causes"] if each["kind"] == "difference"]
    assert difference["rules"] == ["gone_in_the_source"] and difference["amounts"] == {"SEK": "21.50"}
    shown = mlc("open", "--system", "cin7").output
    assert "63.50 SEK" in shown and "gl_accounts_exist: 4711 (cin7)" in shown


def test_what_needs_two_people_is_proposed_by_the_shell_and_not_decided(two_held: World, tmp_path: Path) -> None:
    content = yaml.safe_load((tmp_path / "mlc.yaml").read_text())
    (tmp_path / "mlc.yaml").write_text(yaml.safe_dump({**content, "policies": {"two_people": {"limits": {"SEK": 1}}}}))
    words = refusal("holds", "release", "P1", "--reason", "agreed with the buyer", "--who", "kari")
    assert "kari has proposed to release it" in words
    again = refusal("holds", "release", "P1", "--reason", "agreed with the buyer", "--who", "ola")
    assert "ola has proposed" in again, "a second word by the shell is no confirmation"
    assert "has proposed to discard it" in refusal(
        "holds", "discard", "P2", "--reason", "paid by hand", "--who", "kari"
    )
    assert [(one.key, one.action) for one in two_held.ledger.proposals.standing()] == [
        ("P1", "release"),
        ("P2", "discard"),
    ]
    assert len(two_held.ledger.open_holds()) == 2
