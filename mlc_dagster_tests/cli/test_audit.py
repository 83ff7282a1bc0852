"""`mlc audit verify`: intact, or each line that is not."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from click.testing import Result
from typer.testing import CliRunner

from mlc_dagster.cli.app import app
from mlc_dagster.core.errors import MlcError
from mlc_dagster.ledger import Ledger
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
