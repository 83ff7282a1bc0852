"""`mlc diagnose`: one file to attach to a question, without a secret and without a value of a record."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from mlc_dagster.cli.app import app
from mlc_dagster.cli.diagnosing.shapes import types_of
from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.sandbox import Limits, Sandbox
from mlc_dagster.sandbox.seed.start import demo_secrets, demo_settings

SECRETS = demo_secrets()


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with Sandbox(seed="demo", days=2, limits=Limits(ifs_requests_per_minute=100_000)) as made:
        yield made


@pytest.fixture
def folder(box: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("MLC_DATABASE_URL", f"sqlite:///{tmp_path / 'ledger.db'}")
    content = {
        name: each
        for name, each in demo_settings(box.url, days=2).items()
        if name in ("partitions_start", "companies", "ifs", "hubspot")
    }
    (tmp_path / "mlc.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    return tmp_path


def mlc(*words: str) -> Result:
    return CliRunner().invoke(app, ["diagnose", *words])


def found(path: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(path.read_text())
    return read


def test_it_has_versions_settings_pings_and_shapes_and_no_value_of_a_record(box: Sandbox, folder: Path) -> None:
    done = mlc("--out", "it.json")
    assert done.exit_code == 0, done.output
    told, text = found(folder / "it.json"), (folder / "it.json").read_text()
    assert told["versions"]["dagster"].startswith("1.") and told["versions"]["python"]
    assert "partitions_start" in told["settings"] and "hubspot/invoices" in told["flows"]["on"]
    assert {each["system"] for each in told["ping"]} == {"ifs", "hubspot"}
    shape = told["shapes"]["ifs/supplier_set"]
    assert shape["fields"]["name"] == "text" and shape["fields"]["blocked"] == "bool" and shape["seconds"] >= 0
    names = [supplier["Name"] for supplier in box.ifs.rows("SupplierSet") if len(supplier["Name"] or "") > 4]
    assert len(names) > 100 and not [name for name in names if name in text]
    assert stat.S_IMODE((folder / "it.json").stat().st_mode) == 0o600
    assert not box.journal("ifs") and not box.journal("hubspot")


def test_a_secret_that_somebody_wrote_into_the_settings_does_not_leave(folder: Path) -> None:
    content = (folder / "mlc.yaml").read_text()
    (folder / "mlc.yaml").write_text(f"# the token is {SECRETS['HUBSPOT_TOKEN']}\n{content}")
    assert mlc("--out", "it.json", "--without-asking").exit_code == 0
    text = (folder / "it.json").read_text()
    assert SECRETS["HUBSPOT_TOKEN"] not in text and "the token is (a secret)" in text
    assert "ping" not in found(folder / "it.json")


def test_where_nothing_works_it_still_says_what_does_not(folder: Path) -> None:
    (folder / "mlc.yaml").write_text("companies: 5\n")
    assert mlc("--out", "it.json").exit_code == 0
    told = found(folder / "it.json")
    assert "mistake" in told["mistakes"] and told["ledger_error"] and told["versions"]


def test_a_file_that_is_there_is_left_as_it_is(folder: Path) -> None:
    (folder / "it.json").write_text("mine")
    done = mlc("--out", "it.json", "--without-asking")
    assert isinstance(done.exception, Misconfigured) and (folder / "it.json").read_text() == "mine"


def test_a_shape_has_types_and_no_values() -> None:
    row = {"name": "Acme", "no": "0010", "note": "", "amount": 1.5, "lines": [{"qty": 2}], "none": None, "tags": []}
    assert types_of(row) == {
        "name": "text",
        "no": "digits",
        "note": "empty text",
        "amount": "float",
        "lines": [{"qty": "int"}],
        "none": "null",
        "tags": [],
    }
