"""`mlc audit verify`: intact, or each line that is not."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from mlc_dagster.cli.app import app
from mlc_dagster.core.errors import MlcError
from mlc_dagster.core.vocabulary import Pull
from mlc_dagster.ledger import Ledger, Run
from mlc_dagster_tests.ledger.samples import FLOW, deliver, ready


@pytest.fixture
def delivered(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ledger]:
    """Four lines of one flow."""
    monkeypatch.setenv("MLC_DATABASE_URL", sqlite_url)
    monkeypatch.setenv("COLUMNS", "200")
    with Ledger.open(sqlite_url) as ledger:
        deliver(ledger, ready("P1"), ready("[P2]"))
        yield ledger


def mlc(*words: str) -> Result:
    return CliRunner().invoke(app, ["audit", "verify", *words])


def attack(ledger: Ledger, statement: str) -> None:
    with ledger._database.writing() as connection:
        for verb in ("update", "delete"):
            connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS attempts_no_{verb}")
        connection.exec_driver_sql(statement)


def test_an_untouched_trail_is_intact(delivered: Ledger) -> None:
    result = mlc()
    assert (result.exit_code, result.stdout) == (0, "4 lines of 1 flows: intact\n")


def test_an_edited_line_is_named_by_flow_line_key_and_time(delivered: Ledger) -> None:
    attack(delivered, "UPDATE attempts SET remote_id = 'c-2' WHERE seq = 4")
    result = mlc("--flow", FLOW)
    at = delivered.trail(FLOW, "[P2]")[1].at
    assert result.exit_code == 1
    row = next(line for line in result.output.splitlines() if line.startswith(FLOW))
    assert row.split() == [FLOW, "4", "4", "edited", "[P2]", f"{at:%Y-%m-%dT%H:%M:%S.%fZ}"]
    assert "4 lines of 1 flows: NOT intact, 1 fault" in result.output


def test_deleted_lines_are_named_by_their_places(delivered: Ledger) -> None:
    attack(delivered, "DELETE FROM attempts WHERE seq > 2")
    result = mlc()
    assert result.exit_code == 1
    row = next(line for line in result.output.splitlines() if line.startswith(FLOW))
    assert row.split() == [FLOW, "3-4", "missing"]


def test_json_has_every_fault_and_the_last_hash_of_each_flow(delivered: Ledger) -> None:
    attack(delivered, "UPDATE attempts SET detail = 'x' WHERE seq = 2")
    result = mlc("--json")
    found = json.loads(result.stdout)
    assert result.exit_code == 1
    assert (found["intact"], found["lines"], found["faults"]) == (False, 4, 1)
    assert found["heads"][FLOW]["line"] == 4
    assert len(found["heads"][FLOW]["hash"]) == 32
    assert [(each["seq"], each["what"], each["key"]) for each in found["found"]] == [(2, "edited", "[P2]")]


def test_a_flow_that_never_did_anything_is_no_success(delivered: Ledger) -> None:
    result = mlc("--flow", "cin7/purchase")
    assert isinstance(result.exception, MlcError)
    assert "there is no flow cin7/purchase; nearest: cin7/purchases" in str(result.exception)
    result = mlc("--flow", "cin7/suppliers")
    assert isinstance(result.exception, MlcError) and "no line of cin7/suppliers" in str(result.exception)


def test_an_empty_trail_is_not_intact(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLC_DATABASE_URL", sqlite_url)
    Ledger.open(sqlite_url).close()
    result = mlc()
    assert isinstance(result.exception, MlcError) and "no record ever moved" in str(result.exception)


# --- the rows beside the trail, the reads, and what an auditor takes along --------------------------------------------


def read(ledger: Ledger) -> None:
    pull = Pull("ifs/purchase_order_set", "2026-11-05", read_number=1)
    pull.rows, pull.requests, pull.ended_at = 240, 3, datetime(2026, 11, 5, 10, tzinfo=UTC)
    ledger.record_pull(pull, run=Run("run-2", "2026-11-05", "schedule cin7_running_day"))


def audit(*words: str) -> Result:
    return CliRunner().invoke(app, ["audit", *words])


def test_a_remote_id_that_was_changed_beside_the_trail_is_named(delivered: Ledger) -> None:
    attack(delivered, "UPDATE deliveries SET remote_id = 'c-77' WHERE key = 'P1'")
    result = mlc()
    assert result.exit_code == 1
    assert "4 lines of 1 flows: intact" in result.output
    assert "delivery: another remote id" in result.output
    assert json.loads(mlc("--json").stdout)["rows"] == [
        {"flow": FLOW, "key": "P1", "what": "delivery: another remote id"}
    ]


def test_a_read_is_listed_with_who_started_it(delivered: Ledger) -> None:
    read(delivered)
    told = json.loads(audit("pulls", "--json").stdout)
    named = {name: told[0][name] for name in ("entity", "partition", "rows", "requests", "by", "read_number")}
    assert named == {
        "entity": "ifs/purchase_order_set",
        "partition": "2026-11-05",
        "rows": 240,
        "requests": 3,
        "by": "schedule cin7_running_day",
        "read_number": 1,
    }
    shown = audit("pulls", "--entity", "ifs/purchase_order_set").output
    assert "schedule cin7_running_day" in shown and "240" in shown


def test_a_source_that_was_never_read_is_an_error_with_the_nearest_name(delivered: Ledger) -> None:
    read(delivered)
    result = audit("pulls", "--entity", "ifs/purchase_orders_set")
    assert result.exit_code != 0
    assert "ifs/purchase_order_set" in str(result.exception)


def test_the_trail_of_a_period_is_a_sheet_with_every_hash(delivered: Ledger, tmp_path: Path) -> None:
    read(delivered)
    month, out = f"{datetime.now(UTC):%Y-%m}", tmp_path / "trail.csv"
    assert audit("export", "--period", month, "--out", str(out)).exit_code == 0
    with out.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["flow"], row["line"], row["what"]) for row in rows] == [
        *((FLOW, str(place), what) for place, what in enumerate(("sent", "sent", "created", "created"), 1)),
        ("pulls", "1", "read"),
    ]
    heads = json.loads(mlc("--json").stdout)["heads"]
    assert {flow: head["hash"] for flow, head in heads.items()} == {row["flow"]: row["hash"] for row in rows}
    again = audit("export", "--period", month, "--out", str(out))
    assert "is there already" in str(again.exception), "an auditor may have signed it"


def test_what_a_spreadsheet_would_reckon_is_text_in_the_sheet(sqlite_url: str, delivered: Ledger) -> None:
    deliver(delivered, ready("=1+1"))
    assert "'=1+1" in audit("export", "--period", f"{datetime.now(UTC):%Y-%m-%d}").stdout


@pytest.mark.parametrize("period", ["november", "2026-13", "2026", "2026-11-31"])
def test_a_period_that_is_none_is_an_error_that_says_what_is_one(delivered: Ledger, period: str) -> None:
    result = audit("export", "--period", period)
    assert isinstance(result.exception, MlcError) and "2026-11-03" in str(result.exception)
