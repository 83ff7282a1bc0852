"""monday's flows through Dagster: by day and by company, held accounts, and nothing but reads the second time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import dagster as dg
import pytest
from cryptography.fernet import Fernet

from mlc_dagster.sandbox.monday.oauth import CLIENT_ID, CLIENT_SECRET, PATH, REFRESH_TOKEN
from mlc_dagster.systems.monday.connect import APP_SECRETS
from mlc_dagster.systems.monday.connect import REFRESH_TOKEN as REFRESH_NAME
from mlc_dagster.systems.monday.settings import MondaySettings
from mlc_dagster_tests.orchestration.conftest import World, check, metadata

AT = datetime(2026, 11, 5, 9, tzinfo=UTC)
COLUMNS = {
    "suppliers": {"Supplier no": "text"},
    "invoices": {"Amount": "numbers", "Account": "text"},
    "journal_entries": {"Account": "dropdown", "Department": "dropdown", "Debit": "numbers"},
    "accounts": {"Account": "text", "Company": "text"},
}
BOARDS = {
    "suppliers": {"board": "1", "columns": {"supplier_no": "Supplier no"}},
    "invoices": {"board": "2", "columns": {"amount": "Amount", "accounts": "Account", "supplier": "Supplier"}},
    "journal_entries": {
        "board": "3",
        "columns": {"accounts": "Account", "departments": "Department", "debit": "Debit"},
    },
    "accounts": {"board": "4", "columns": {"account": "Account", "company": "Company"}},
}


@pytest.fixture
def monday(world: World) -> World:
    """A world whose monday is on, with four boards of six; a proposal and a voucher of the day."""
    for number, (name, columns) in enumerate(COLUMNS.items(), 1):
        world.box.monday.add_board(str(number), name, {"IFS key": "text", **columns})
    found = MondaySettings(base_url=f"{world.box.url}/monday", create_columns=True, boards=BOARDS)
    put_proposal(world, 1)
    put_voucher(world, 17)
    return replace(world, settings=world.settings.model_copy(update={"monday": found}))


def put_proposal(world: World, number: int, account: str = "4010") -> None:
    line = {"Company": "0010", "ProposalId": number, "RowId": 1, "Amount": Decimal(100), "Account": account}
    row = {
        "Company": "0010",
        "ProposalId": number,
        "InvoiceNo": f"F-{number}",
        "SupplierId": "S1",
        "InvoiceDate": "2026-11-04",
        "CurrencyCode": "SEK",
        "GrossAmount": Decimal("125.50"),
        "ObjState": "Open",
        "PostingProposalLines": [line],
    }
    world.box.ifs.put("PostingProposalHeadSet", row, modified=AT)


def put_voucher(world: World, number: int) -> None:
    keys = {"Company": "0010", "VoucherType": "A", "AccountingYear": 2026, "VoucherNo": number}
    rows = [{**keys, "RowNo": 1, "Account": "4010", "CodeB": "CC100", "DebitAmount": Decimal("9.90")}]
    world.box.ifs.put("VoucherSet", {**keys, "VoucherDate": "2026-11-04", "VoucherRows": rows}, modified=AT)


def test_each_board_gets_its_items(monday: World) -> None:
    monday.chart()
    assert monday.run("monday").success
    (supplier,) = monday.box.monday.rows("1")
    (invoice,) = monday.box.monday.rows("2")
    (entry,) = monday.box.monday.rows("3")
    assert (supplier["name"], supplier["Supplier no"]) == ("Supplier S1", "S1")
    assert (invoice["IFS key"], invoice["Amount"], invoice["Account"]) == ("0010/1", "125.5", "4010")
    assert invoice["Supplier"] == [supplier["id"]], "the column was made by the load, and links to the item"
    assert (entry["Account"], entry["Department"], entry["Debit"]) == (["4010"], ["CC100"], "9.9")


def test_signed_in_as_an_app_a_day_runs_and_its_refresh_token_is_kept(
    monday: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, app = Fernet.generate_key().decode(), monday.box.monday.app
    monkeypatch.setenv("MLC_MASTER_KEY", key)
    monkeypatch.delenv("MONDAY_TOKEN")
    signs_in = {"oauth": True, "token_url": f"{monday.box.url}{PATH}"}
    section = monday.settings.section("monday").model_copy(update=signs_in)
    as_app = replace(monday, settings=monday.settings.model_copy(update={"monday": section}))
    with monday.ledger as ledger:
        for name, value in zip(APP_SECRETS, (CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN), strict=True):
            ledger.vault(key).set(name, value)
    as_app.chart()
    assert as_app.run("monday").success
    app.expire_all()
    assert as_app.run("monday").success
    assert len(monday.box.monday.rows("2")) == 1
    with monday.ledger as ledger:
        assert ledger.vault(key).get(REFRESH_NAME) == app.refresh_token != REFRESH_TOKEN


def test_the_second_load_of_the_same_day_sends_nothing(monday: World) -> None:
    monday.chart()
    monday.run("monday")
    monday.box.forget_calls()
    again = monday.run("monday")
    assert metadata(again, "monday/invoices")["unchanged"] == 1
    whose = {("POST", "/monday/v2"): 1}  # a run asks once which account it leads to: unchanged is said of that one
    assert monday.box.calls("monday") == whose and monday.box.journal("monday") == []


def test_a_proposal_whose_account_is_unknown_is_held_by_gl_accounts_exist(monday: World) -> None:
    put_proposal(monday, 2, account="4O10")
    monday.chart()
    result = monday.run("monday")
    found = check(result, "monday/invoices_prepared", "gl_accounts_exist")
    assert not found.passed and found.metadata["held"].value == 1 and found.metadata["asked"].value == 2
    with monday.ledger as ledger:
        (hold,) = ledger.open_holds("monday/invoices")
    assert hold.key == "0010/2" and "4O10" in str(hold)
    assert [row["IFS key"] for row in monday.box.monday.rows("2")] == ["0010/1"]


def test_accounts_go_by_company_with_a_job_of_their_own(monday: World) -> None:
    monday.put_account("6110")
    assert monday.run("monday_by_company", "0010").success
    assert sorted(row["IFS key"] for row in monday.box.monday.rows("4")) == ["0010/4010", "0010/6110"]
    specs = {spec.key.to_user_string(): spec for spec in monday.defs.resolve_all_asset_specs()}
    for key in ("monday/accounts", "monday/accounts_prepared"):
        assert isinstance(specs[key].partitions_def, dg.StaticPartitionsDefinition), key
    assert isinstance(specs["monday/invoices"].partitions_def, dg.DailyPartitionsDefinition)


def test_a_flow_without_a_board_is_off_and_nothing_waits_for_it(monday: World) -> None:
    keys = {spec.key.to_user_string() for spec in monday.defs.resolve_all_asset_specs()}
    assert "monday/invoices" in keys and "monday/customer_orders" not in keys
    boards = {name: board for name, board in BOARDS.items() if name == "journal_entries"}
    off = monday.settings.model_copy(update={"monday": MondaySettings(boards=boards)})
    dg.Definitions.validate_loadable(replace(monday, settings=off).defs)


def test_the_location_with_monday_is_valid_and_shows_no_token(monday: World) -> None:
    from dagster._core.remote_representation.external_data import RepositorySnap

    dg.Definitions.validate_loadable(monday.defs)
    shown: Any = dg.serialize_value(RepositorySnap.from_def(monday.defs.get_repository_def()))
    assert "sandbox-monday-token" not in shown and "MONDAY_TOKEN" in shown
    context = dg.build_schedule_context(scheduled_execution_time=AT, repository_def=monday.defs.get_repository_def())
    ticked = monday.defs.resolve_schedule_def("monday_by_company").evaluate_tick(context)
    assert [request.partition_key for request in ticked.run_requests or []] == ["0010"]
    assert not any("accounts_exist_in_monday" in str(check) for check in monday.defs.asset_checks or [])


def test_a_board_is_asked_for_within_minutes_of_a_change_and_each_quarter_of_an_hour(monday: World) -> None:
    sensor = monday.defs.resolve_sensor_def("monday_changes")
    assert sensor.minimum_interval_seconds == 60, "the ERP is asked each minute what changed"
    assert monday.defs.resolve_schedule_def("monday_running_day").cron_schedule == "*/15 * * * *"
