"""`mlc ledger move`, from the command line."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from mlc_dagster.cli.app import app
from mlc_dagster.core.errors import MlcError
from mlc_dagster.ledger import Ledger, place_of
from mlc_dagster_tests.ledger.samples import FLOW, deliver, ready


def mlc(*words: str) -> Result:
    return CliRunner().invoke(app, ["ledger", *words])


@pytest.fixture
def filled(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLC_DATABASE_URL", sqlite_url)
    with Ledger.open(sqlite_url) as ledger:
        deliver(ledger, ready("P1"), ready("P2"))
    return sqlite_url


def test_a_dry_run_says_how_many_rows_and_changes_nothing(filled: str, postgres_url: str) -> None:
    done = mlc("move", postgres_url, "--dry-run")
    assert done.exit_code == 0 and "2 deliveries" in done.output and "4 attempts" in done.output
    assert "Nothing was changed" in done.output
    with pytest.raises(MlcError, match="there is no ledger"):
        Ledger.to_read(postgres_url)


def test_a_move_says_what_is_alike_and_where_the_ledger_is_now_and_never_a_password(
    filled: str, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = mlc("move", postgres_url.replace("postgres:@", "postgres:s3cr3t-marked@"))
    assert done.exit_code == 0, done.output
    assert "4 lines of the trail" in done.output and f"The ledger is in {place_of(postgres_url)} now" in done.output
    assert "s3cr3t" not in done.output
    monkeypatch.setenv("MLC_DATABASE_URL", postgres_url)
    assert "2 deliveries" in mlc("where").output
    monkeypatch.setenv("MLC_DATABASE_URL", filled)
    refused = mlc("where")
    assert isinstance(refused.exception, MlcError) and f"went to {place_of(postgres_url)}" in str(refused.exception)
    with Ledger.open(postgres_url) as ledger:
        assert set(ledger.remote_ids(FLOW)) == {"P1", "P2"}
