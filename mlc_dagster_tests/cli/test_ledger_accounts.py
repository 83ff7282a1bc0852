"""`mlc ledger same-account` and `new-account`, on both databases, against a sandbox that becomes another account."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import Result
from typer.testing import CliRunner

from mlc_dagster.cli.app import app
from mlc_dagster.core.errors import Misconfigured, MlcError
from mlc_dagster.ledger import Ledger
from mlc_dagster.ledger.entries import Event
from mlc_dagster.sandbox import Sandbox
from mlc_dagster_tests.orchestration.conftest import SECRETS
from mlc_dagster_tests.promises.accounts import Company, becomes_another, content_of, filled, kind_of
from mlc_dagster_tests.promises.kinds import PLENTY, RECORDS

COMPANIES, VENDORS = kind_of("hubspot/supplier_companies"), kind_of("airbase/vendors")
WHY = ("--reason", "the trial is over", "--who", "anna")


def mlc(*words: str, typed: str | None = None) -> Result:
    return CliRunner().invoke(app, list(words), input=typed)


@pytest.fixture
def company(
    ledger_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[Company]:
    """Its suppliers are companies in the portal 147000001; mlc.yaml and the ledger are where commands look."""
    kind = getattr(request, "param", COMPANIES)
    monkeypatch.chdir(tmp_path)
    for name, value in {**SECRETS, "MLC_DATABASE_URL": ledger_url, "MLC_CONFIG": str(tmp_path / "mlc.yaml")}.items():
        monkeypatch.setenv(name, value)
    with Sandbox(seed="empty", limits=PLENTY) as box, Ledger.open(ledger_url) as ledger:
        company = Company(box, ledger, tmp_path)
        filled(box, kind)
        company.deliver(kind)
        write_settings(company)
        yield company


def write_settings(company: Company) -> None:
    (company.folder / "mlc.yaml").write_text(yaml.safe_dump(text_of(content_of(company.settings))), encoding="utf-8")


def text_of(value: Any) -> Any:
    """As mlc.yaml wants numbers: as text."""
    if isinstance(value, dict):
        return {name: text_of(each) for name, each in value.items()}
    if isinstance(value, list):
        return [text_of(each) for each in value]
    return value if isinstance(value, str | bool) else str(value)


def refused(result: Result, words: str) -> None:
    assert result.exit_code != 0 and isinstance(result.exception, MlcError | SystemExit), result.output
    assert re.search(words, f"{result.exception} {result.output}"), f"{result.exception} {result.output}"


def test_the_same_account_under_another_id_is_taken_once_its_number_is_typed(company: Company) -> None:
    becomes_another(company.box, "hubspot")
    with pytest.raises(Misconfigured):
        company.go(COMPANIES.flow)
    company.box.forget_calls()
    result = mlc("ledger", "same-account", "hubspot", typed=f"{RECORDS}\n")
    assert result.exit_code == 0, (result.output, result.exception)
    assert f"It concerns {RECORDS} record(s): they stay as delivered there" in result.output
    loaded = company.go(COMPANIES.flow)
    assert loaded.unchanged == RECORDS and company.writes() == 0
    known = company.ledger.accounts.known("hubspot")
    assert known and known.identity == "147000099"


@pytest.mark.parametrize("typed", ["1\n", ""])
def test_another_number_or_none_changes_nothing(typed: str, company: Company) -> None:
    becomes_another(company.box, "hubspot")
    assert mlc("ledger", "same-account", "hubspot", typed=typed).exit_code != 0
    assert mlc("ledger", "new-account", "hubspot", *WHY, typed=typed).exit_code != 0
    refused(mlc("ledger", "new-account", "hubspot", *WHY, "--records", "1"), rf"{RECORDS} record\(s\), not 1")
    known = company.ledger.accounts.known("hubspot")
    assert known and known.identity == "147000001"
    assert len(company.ledger.remote_ids(COMPANIES.flow)) == RECORDS


def test_same_account_is_refused_where_one_of_three_is_not_there(company: Company) -> None:
    becomes_another(company.box, "hubspot")
    sampled = company.ledger.accounts.sample([COMPANIES.flow])
    company.box.hubspot.objects.rows["companies"].pop(sampled[1][2])
    result = mlc("ledger", "same-account", "hubspot", "--records", str(RECORDS))
    refused(result, r"Of 3 records that were delivered, 1 are not there: .*Nothing has changed")
    known = company.ledger.accounts.known("hubspot")
    assert known and known.identity == "147000001"


# --- what people deleted there ---------------------------------------------------------------------------------------

GONE = ("--reason", "the test vendors were deleted", "--who", "anna")


def deleted(company: Company, keys: list[str]) -> None:
    """In Airbase, by people."""
    ids = company.ledger.remote_ids(VENDORS.flow)
    for key in keys:
        company.box.airbase.delete("vendors", ids[key])


def latest(company: Company, count: int) -> list[str]:
    return [key for _, key, _ in company.ledger.accounts.sample([VENDORS.flow], count)]


@pytest.mark.parametrize("company", [VENDORS], indirect=True, ids=str)
def test_where_the_three_latest_were_deleted_a_persons_word_opens_the_flows_of_an_account_without_an_id(
    company: Company,
) -> None:
    gone = latest(company, 3)
    deleted(company, gone)
    with pytest.raises(Misconfigured, match=r"(?s)nothing was found.*deleted these there: mlc ledger same-account"):
        company.go(VENDORS.flow)
    refused(mlc("ledger", "same-account", "airbase", "--records", str(RECORDS)), "Of 3 records .* 3 are not there")
    assert mlc("ledger", "same-account", "airbase", "--reason", " ", "--records", str(RECORDS)).exit_code != 0
    result = mlc("ledger", "same-account", "airbase", *GONE, typed=f"{RECORDS}\n")
    assert result.exit_code == 0, (result.output, result.exception)
    assert "delivered last, 3 are not there" in result.output
    assert all(f"airbase/vendors {key} (" in " ".join(result.output.split()) for key in gone)
    loaded = company.go(VENDORS.flow)
    assert loaded.unchanged == RECORDS and company.writes() == 0
    for key in gone:
        (said,) = [each for each in company.ledger.trail(VENDORS.flow, key) if each.event == Event.ABSENT]
        assert "by anna: the test vendors were deleted" in said.detail
    deleted(company, latest(company, 3))
    with pytest.raises(Misconfigured, match="nothing was found"):  # the word was of those three alone
        company.go(VENDORS.flow)


@pytest.mark.parametrize("company", [VENDORS], indirect=True, ids=str)
def test_where_all_that_was_delivered_is_deleted_a_persons_word_is_enough(company: Company) -> None:
    keys = list(company.ledger.remote_ids(VENDORS.flow))
    deleted(company, keys)
    with pytest.raises(Misconfigured, match="nothing was found"):
        company.go(VENDORS.flow)
    result = mlc("ledger", "same-account", "airbase", *GONE, "--records", str(RECORDS))
    assert result.exit_code == 0, (result.output, result.exception)
    assert company.ledger.accounts.sample([VENDORS.flow]) == []
    assert company.go(VENDORS.flow).unchanged == RECORDS and company.writes() == 0


def test_an_account_that_names_itself_another_one_needs_a_witness_whatever_a_person_says(company: Company) -> None:
    becomes_another(company.box, "hubspot")
    rows = company.box.hubspot.objects.rows["companies"]
    ids = list(company.ledger.remote_ids(COMPANIES.flow).values())
    for each in ids[1:]:
        rows.pop(each)
    last = rows.pop(ids[0])
    refused(mlc("ledger", "same-account", "hubspot", *GONE, "--records", str(RECORDS)), "none is there")
    rows[ids[0]] = last
    assert mlc("ledger", "same-account", "hubspot", *GONE, "--records", str(RECORDS)).exit_code == 0


def test_a_new_account_gets_every_record_anew_and_the_one_before_is_kept_in_the_trail(company: Company) -> None:
    with Sandbox(seed="empty", limits=PLENTY) as production:
        filled(production, COMPANIES)
        production.serve({"ifs": company.box.ifs.tokens.realm})
        company.box = production
        write_settings(company)
        with pytest.raises(Misconfigured):
            company.go(COMPANIES.flow)
        result = mlc("ledger", "new-account", "hubspot", *WHY, typed=f"{RECORDS}\n")
        assert result.exit_code == 0, (result.output, result.exception)
        assert f"{RECORDS} record(s) of the account before are set aside" in result.output
        loaded = company.go(COMPANIES.flow)
        assert loaded.created == RECORDS and len(production.hubspot.live("companies")) == RECORDS
    told = [each.event for each in company.ledger.trail(COMPANIES.flow, "S1")]
    assert told.count(Event.CREATED) == 2
    assert [each.identity for each in company.ledger.accounts.history("hubspot")] == ["147000002", "147000001"]


@pytest.mark.parametrize("company", [COMPANIES, VENDORS, kind_of("cin7/purchases")], indirect=True, ids=str)
def test_a_new_account_that_has_the_records_already_adopts_them(company: Company) -> None:
    """Another installation delivered there: nothing is doubled."""
    kinds = (COMPANIES, VENDORS, kind_of("cin7/purchases"))
    kind = next(kind for kind in kinds if company.ledger.remote_ids(kind.flow))
    flows, before = [*kind.first, kind.flow], kind.held(company.box)
    company.box.serve({"hubspot": "147000099"})
    company.forget_accounts()
    company.ledger.accounts.note(kind.system, "somewhere else", "the trial", "a test")
    count = company.ledger.accounts.concerned(kind.system, flows)
    result = mlc("ledger", "new-account", kind.system, *WHY, "--records", str(count))
    assert result.exit_code == 0, (result.output, result.exception)
    for flow in flows:
        loaded = company.go(flow)
        assert loaded.adopted == RECORDS and not loaded.created, (flow, loaded)
    assert kind.held(company.box) == before


def test_neither_command_changes_anything_where_the_account_is_the_known_one(company: Company) -> None:
    result = mlc("ledger", "same-account", "hubspot")
    assert result.exit_code == 0 and "Nothing has changed: hubspot leads to portal 147000001" in result.output
    refused(mlc("ledger", "new-account", "hubspot", *WHY), "nothing has changed")
    assert len(company.ledger.remote_ids(COMPANIES.flow)) == RECORDS


def test_a_connection_that_there_is_not_is_refused_with_the_nearest(company: Company) -> None:
    refused(mlc("ledger", "same-account", "hubspto"), "no connection that is on is called 'hubspto'; nearest: hubspot")


def test_ping_says_which_account_each_connection_leads_to_and_whether_the_ledger_knows_it(company: Company) -> None:
    before = " ".join(mlc("ping", "--within", "60").output.split())
    assert "portal 147000001 (SANDBOX), as the ledger knows it" in before
    assert "realm sandbox at" in before and "the first load tells the ledger" in before
    assert "Airbase does not tell which account this is" in before
    becomes_another(company.box, "hubspot")
    result = mlc("ping", "--within", "60")
    assert result.exit_code == 1
    said = " ".join(result.output.split())
    assert "portal 147000099 (SANDBOX), and the ledger knows portal 147000001 (SANDBOX): no load starts" in said
    assert "mlc ledger new-account hubspot" in said
