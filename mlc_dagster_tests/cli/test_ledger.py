"""`mlc ledger`: where it is, whether it is sound, backed up and put back, from the command line."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from mlc_dagster.cli.app import app
from mlc_dagster.core.arrow_columns import source_schema
from mlc_dagster.core.errors import MlcError
from mlc_dagster.ledger import Ledger, place_of
from mlc_dagster.orchestration.storage.row_store import RowStore
from mlc_dagster.systems.ifs.records import Account
from mlc_dagster_tests.ledger.samples import FLOW, deliver, ready

KEY, DAY = ("ifs", "account_set"), "2026-11-05"


def mlc(*words: str) -> Result:
    return CliRunner().invoke(app, ["ledger", *words])


def told(*words: str) -> Any:
    return json.loads(mlc(*words, "--json").stdout)


@pytest.fixture
def opened(ledger_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ledger]:
    """Two deliveries, and a day of rows."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLC_DATABASE_URL", ledger_url)
    monkeypatch.setenv("MLC_STORAGE", str(tmp_path / "rows"))
    with Ledger.open(ledger_url) as ledger:
        deliver(ledger, ready("P1"), ready("P2"))
        RowStore(str(tmp_path / "rows"), ledger.stored).write(KEY, DAY, source_schema(Account), [])
        yield ledger


def test_where_names_the_database_its_size_and_what_is_in_it(opened: Ledger, ledger_url: str, tmp_path: Path) -> None:
    found = told("where")
    assert found["place"] == place_of(ledger_url) and found["kind"] in ("SQLite", "PostgreSQL")
    assert found["rows"]["deliveries"] == 2 and found["rows"]["attempts"] == 4 and found["bytes"] > 10_000
    said = mlc("where").stdout
    assert place_of(ledger_url) in said and "2 deliveries" in said and str(tmp_path / "rows") in said


def test_where_never_tells_a_password(opened: Ledger, postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    Ledger.open(postgres_url).close()
    monkeypatch.setenv("MLC_DATABASE_URL", postgres_url.replace("postgres:@", "postgres:s3cr3t-marked@"))
    result = mlc("where")
    assert result.exit_code == 0 and "s3cr3t" not in result.output


def test_a_sound_ledger_is_said_to_be_sound(opened: Ledger) -> None:
    result = mlc("check")
    assert result.exit_code == 0 and result.stdout.endswith("The ledger is sound.\n"), result.output
    assert "4 lines of 1 flows" in result.stdout and "1 files at" in result.stdout
    assert told("check")["sound"] is True


def test_stored_rows_that_are_missing_or_altered_are_named_with_their_cure(opened: Ledger, tmp_path: Path) -> None:
    file = tmp_path / "rows" / "ifs" / "account_set" / f"{DAY}.parquet"
    whole = file.read_bytes()
    file.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    result = mlc("check")
    assert result.exit_code == 1 and "is not what was stored" in result.stdout
    assert f"Materialize ifs/account_set for {DAY} again: they are read again." in result.stdout
    assert result.stdout.endswith("The ledger is NOT sound: docs/keeping.md says what to do.\n")
    file.unlink()
    assert f"{file} is not there" in mlc("check").stdout
    assert mlc("check", "--no-rows").exit_code == 0


def test_files_of_another_release_are_counted_and_no_fault(opened: Ledger, tmp_path: Path) -> None:
    RowStore(str(tmp_path / "rows")).write(KEY, "0010", source_schema(Account), [])
    result = mlc("check")
    assert result.exit_code == 0 and "1 of another release or ledger, not compared" in result.stdout


@pytest.mark.parametrize(
    "harm, named",
    [
        ("DROP INDEX attempts_by_key", "attempts_by_key is missing"),
        ("ALTER TABLE deliveries ADD COLUMN extra TEXT", "extra is none of ours"),
        ("DROP TABLE alerts", "table alerts is missing"),
    ],
)
def test_tables_that_are_not_as_they_should_be_are_named(opened: Ledger, harm: str, named: str) -> None:
    with opened._database.writing() as connection:
        connection.exec_driver_sql(harm)
    result = mlc("check")
    assert result.exit_code == 1 and named in result.stdout, result.output


def test_a_trail_that_was_changed_or_can_be_is_named(opened: Ledger) -> None:
    lift = {
        "sqlite": ["DROP TRIGGER attempts_no_update"],
        "postgresql": ["ALTER TABLE attempts DISABLE TRIGGER attempts_no_change"],
    }
    with opened._database.writing() as connection:
        for statement in [*lift[connection.dialect.name], "UPDATE attempts SET detail = 'x' WHERE seq = 2"]:
            connection.exec_driver_sql(statement)
    result = mlc("check")
    assert result.exit_code == 1 and "the trail can be changed unnoticed" in result.stdout
    assert f"{FLOW}: line 2 edited, of P2" in result.stdout


def test_a_page_of_sqlite_that_is_damaged_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "ledger.db"
    with Ledger.open(f"sqlite:///{file}") as ledger:
        deliver(ledger, *(ready(f"P{number}") for number in range(500)))
    with closing(sqlite3.connect(file)) as connection:
        root = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'attempts_by_key'").fetchone()[0]
        size = connection.execute("PRAGMA page_size").fetchone()[0]
    with file.open("r+b") as opened:
        opened.seek((root - 1) * size)
        opened.write(b"\xff" * size)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLC_DATABASE_URL", f"sqlite:///{file}")
    result = mlc("check")
    assert result.exit_code == 1 and "✗  file" in result.stdout and "malformed" in result.stdout, result.output


def test_a_backup_and_its_restore_by_hand(opened: Ledger, tmp_path: Path) -> None:
    result = mlc("backup", "kept.zip")
    assert result.exit_code == 0 and "kept.zip: " in result.stdout and "MLC_MASTER_KEY" in result.stdout
    deliver(opened, ready("P3"))
    refused = mlc("restore", "kept.zip")
    assert isinstance(refused.exception, MlcError) and "--giving-up 1." in str(refused.exception)
    result = mlc("restore", "kept.zip", "--giving-up", "1")
    assert result.exit_code == 0 and "1 records had moved since, 1 were delivered." in result.stdout, result.output
    assert set(opened.remote_ids(FLOW)) == {"P1", "P2"}
    assert "what the target has is adopted" in result.stdout


def test_a_restore_without_a_backup_makes_no_ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLC_DATABASE_URL", "sqlite:///.mlc/ledger.db")
    assert "there is no file kept.zip" in str(mlc("restore", "kept.zip").exception)
    assert list(tmp_path.iterdir()) == []
