"""`mlc coverage`: what is not mapped yet over real records, the worst first; nothing is stored, held or sent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

from mlc_dagster.cli.app import app
from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.ledger import Ledger
from mlc_dagster.sandbox import Limits, Sandbox
from mlc_dagster.sandbox.seed.start import demo_secrets, demo_settings


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with Sandbox(
        seed="demo", days=3, limits=Limits(ifs_requests_per_minute=100_000, cin7_calls_per_minute=100_000)
    ) as made:
        yield made


@pytest.fixture
def folder(box: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, value in demo_secrets().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("MLC_DATABASE_URL", f"sqlite:///{tmp_path / 'ledger.db'}")
    monkeypatch.setenv("COLUMNS", "200")
    content = demo_settings(box.url, days=3)
    content["cin7"]["calls_per_minute"] = content["ifs"]["requests_per_minute"] = "100000"
    (tmp_path / "mlc.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    return tmp_path


def mlc(*words: str) -> Result:
    return CliRunner().invoke(app, ["coverage", *words])


def unmapped(folder: Path, table: str) -> None:
    content = yaml.safe_load((folder / "mlc.yaml").read_text())
    content["cin7"][table] = {}
    (folder / "mlc.yaml").write_text(yaml.safe_dump(content))


def test_each_cause_stands_once_with_its_records_and_sums(box: Sandbox, folder: Path) -> None:
    unmapped(folder, "tax_rules")
    done = mlc("--flow", "cin7/purchases", "--json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert sum(found["outcomes"].values()) == found["read"] > 300
    codes = {
        gap["missing"]: gap for gap in found["gaps"] if gap["rule"] == "tax_rule_is_mapped" and gap["company"] == "0010"
    }
    lines = {
        row["OrderNo"]: {line["TaxCode"] for line in row["PurchaseOrderLines"]}
        for row in box.ifs.rows("PurchaseOrderSet")
        if row["Company"] == "0010"
    }
    assert "V25" in " ".join(codes) and codes
    for missing, gap in codes.items():
        assert set(missing.split(", ")) <= set().union(*lines.values())
        assert gap["records"] == sum(gap["flows"].values()) > 0 and all(
            Decimal(each) >= 0 for each in gap["amounts"].values()
        )
    numbers = [gap["records"] for gap in found["gaps"]]
    assert numbers == sorted(numbers, reverse=True)


def test_what_the_same_walk_delivers_first_is_no_gap(folder: Path) -> None:
    found = json.loads(mlc("--flow", "cin7/purchases", "--json").stdout)
    assert found["outcomes"]["ready"] > 330  # suppliers, and orders that refer to them
    missing = {gap["missing"] for gap in found["gaps"] if gap["rule"] == "supplier_is_delivered"}
    assert all(each.startswith("9") for each in missing)  # the seed's flawed suppliers alone
    assert not [gap for gap in found["gaps"] if gap["rule"] == "currency_is_the_suppliers" and gap["records"] > 5]


def test_nothing_is_held_stored_or_sent(box: Sandbox, folder: Path) -> None:
    shown = mlc("--flow", "cin7/suppliers")
    assert shown.exit_code == 0 and "Of what is in scope " in shown.output and "payment_term_is_mapped" in shown.output
    assert not box.journal("cin7") and not box.journal("ifs")
    with Ledger.to_read(f"sqlite:///{folder / 'ledger.db'}") as opened:
        assert opened.open_holds() == [] and not list((folder).glob(".mlc*/storage/*"))


def test_a_month_that_is_none_is_refused() -> None:
    done = mlc("--period", "2026-13")
    assert isinstance(done.exception, Misconfigured) and "A month is written 2026-11" in str(done.exception)
