"""What moves is listed, and docs/flows.md has all of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mlc_dagster.cli.app import app
from mlc_dagster.systems import configuration

DOCS = (Path(__file__).parents[2] / "docs" / "flows.md").read_text(encoding="utf-8")


def test_without_settings_every_flow_of_every_system_is_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLC_CONFIG", raising=False)
    done = CliRunner().invoke(app, ["flows", "--json"])
    told = {each["flow"]: each for each in json.loads(done.stdout)}
    assert told.keys() == configuration.known_flows().keys() and len(told) >= 22
    assert told["cin7/purchases"]["from"] == "ifs/purchase_order_set"
    assert told["cin7/purchases"]["to"] == "cin7/purchases" and "gl_accounts_exist" in told["cin7/purchases"]["rules"]


@pytest.mark.parametrize("flow", configuration.known_flows())
def test_every_flow_is_told_of_in_the_docs(flow: str) -> None:
    assert f"`{flow}`" in DOCS or f"### {flow}" in DOCS or f" and {flow}\n" in DOCS
