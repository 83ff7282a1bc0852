"""The seventh system by the real `mlc`, in a process that finds it as any installed package is found."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from mlc_dagster_tests.orchestration.conftest import DAY
from mlc_dagster_tests.seventh.conftest import World, command, connect, journal

pytestmark = pytest.mark.slow  # whole Dagster runs, or whole processes: a minute of them and more


def test_check_takes_its_section_and_names_a_mistake_in_it_by_line_and_path(
    books: World, site: Path, tmp_path: Path
) -> None:
    right = command(books, tmp_path, "check", site=site)
    assert right.returncode == 0 and "switched on: ifs, tally" in right.stdout, right.stderr
    config = tmp_path / "mlc.yaml"
    content = yaml.safe_load(config.read_text())
    content["tally"].update(voucher_typ="F", calls_per_minute="none")
    content["guards"] = {"tally/supplier": {"most": 5}}
    config.write_text(yaml.safe_dump(content))
    wrong = command(books, tmp_path, "check", site=site)
    assert wrong.returncode == 2
    assert "tally.voucher_typ: no setting of this name; nearest: voucher_type" in " ".join(wrong.stderr.split())
    assert "tally.calls_per_minute: found 'none'; expected" in " ".join(wrong.stderr.split())
    assert "nearest: tally/suppliers" in " ".join(wrong.stderr.split())


def test_without_the_package_nothing_of_it_is_there(books: World, tmp_path: Path) -> None:
    said = command(books, tmp_path, "check", site=None)
    assert said.returncode == 2 and "tally: no setting of this name" in said.stderr
    assert "tally" not in command(books, tmp_path, "schema", site=None).stdout
    listed = command(books, tmp_path, "credentials", "list", site=None).stdout
    assert "IFS_CLIENT_ID" in listed and "TALLY" not in listed


def test_the_schema_for_editors_has_its_section(books: World, site: Path, tmp_path: Path) -> None:
    schema = json.loads(command(books, tmp_path, "schema", site=site).stdout)
    assert "voucher_type" in schema["$defs"]["TallySettings"]["properties"]
    assert "tally" in schema["properties"]


def test_ping_asks_it_and_names_the_secret_of_a_connection_that_has_none(
    books: World, site: Path, tmp_path: Path
) -> None:
    connect(books, tally={}, tally_us={"system": "tally"})
    done = command(books, tmp_path, "ping", "--json", "--within", "60", site=site)
    found = [each for each in json.loads(done.stdout) if each["system"].startswith("tally")]
    told = {(each["system"], each["what"]): (each["ok"], each["answer"]) for each in found}
    assert told["tally", "sign-in"] == (True, "company Acme")
    assert "100000 calls a minute" in told["tally", "rate"][1]
    ok, answer = told["tally_us", "sign-in"]
    assert not ok and "TALLY_US_TOKEN is not set" in answer


def test_a_token_that_is_wrong_is_told_with_its_name(books: World, site: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("TALLY_TOKEN", "another-token")
    done = command(books, tmp_path, "ping", "--json", "--within", "60", site=site)
    (found,) = [each for each in json.loads(done.stdout) if each["system"] == "tally"]
    assert not found["ok"] and "401" in found["answer"] and "Check TALLY_TOKEN" in found["answer"]
    assert "another-token" not in done.stdout + done.stderr


def test_its_secret_can_be_sealed_and_is_listed_by_name(books: World, site: Path, tmp_path: Path) -> None:
    sealed = command(books, tmp_path, "credentials", "set", "TALLY_TOKEN", site=site, says="a-new-token\n")
    assert sealed.returncode == 0, sealed.stderr
    (line,) = [
        line
        for line in command(books, tmp_path, "credentials", "list", site=site).stdout.splitlines()
        if "TALLY_TOKEN" in line
    ]
    assert "a-new-token" not in line
    refused = command(books, tmp_path, "credentials", "set", "TALLY_TOKEM", site=site)
    assert refused.returncode == 2 and "no connection asks for" in refused.stderr


def test_a_plan_tells_what_a_load_would_do_and_holds_list_what_is_held(
    books: World, site: Path, tmp_path: Path
) -> None:
    books.put_supplier("S2", CurrencyCode=None)
    books.box.tally.put_journal(journal("J1", currency="EUR"))
    assert books.run("ifs", only=["ifs/supplier_set"]).success
    before = len(books.box.journal("tally"))
    planned = command(books, tmp_path, "plan", "--flow", "tally/suppliers", "--partition", DAY, "--json", site=site)
    plan = json.loads(planned.stdout)
    assert plan["counts"] == {"create": 1, "held": 1} and len(books.box.journal("tally")) == before
    assert books.run("tally").success
    held = command(books, tmp_path, "holds", "list", site=site)
    assert held.returncode == 0, held.stderr
    assert "currency_is_the_companys" in held.stdout and "required_fields_are_given" in held.stdout
    shown = command(books, tmp_path, "holds", "show", "J1", "--flow", "ifs/vouchers_from_tally", site=site)
    assert "The journal is in EUR, company 0010 in SEK" in " ".join(shown.stdout.split())


def test_a_replay_by_the_command_line_writes_nothing_again(books: World, site: Path, tmp_path: Path) -> None:
    books.box.tally.put_journal(journal("J1"))
    assert books.run("tally").success
    before = len(books.box.journal("tally")), len(books.box.journal("ifs"))
    for flow in ("tally/suppliers", "ifs/vouchers_from_tally"):
        done = command(books, tmp_path, "replay", "--flow", flow, "--partition", DAY, site=site)
        assert done.returncode == 0, done.stderr
    assert (len(books.box.journal("tally")), len(books.box.journal("ifs"))) == before


def test_its_flows_are_listed_with_what_they_are_held_by(books: World, site: Path, tmp_path: Path) -> None:
    told = json.loads(command(books, tmp_path, "flows", "--json", site=site).stdout)
    (found,) = [each for each in told if each["flow"] == "ifs/vouchers_from_tally"]
    assert (found["from"], found["to"], found["off"]) == ("tally/journals", "ifs/vouchers", "")
    assert "currency_is_the_companys" in found["rules"] and "Closed journals" in found["description"]
    (off,) = [each for each in told if each["flow"] == "cin7/purchases"]
    assert off["off"] == "mlc.yaml has no section `cin7:`"
    assert "tally" not in command(books, tmp_path, "flows", site=None).stdout
