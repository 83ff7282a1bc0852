"""`mlc discover ifs`: the proposal and nothing else on stdout, a summary beside it, and no file that nobody named."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

from mlc_dagster.cli.app import app
from mlc_dagster.core.errors import AccessDenied, Misconfigured
from mlc_dagster.sandbox import Limits, Sandbox
from mlc_dagster.sandbox.seed.start import demo_secrets, demo_settings


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with Sandbox(seed="demo", days=2, limits=Limits(ifs_requests_per_minute=100_000)) as made:
        yield made


@pytest.fixture
def folder(box: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where `mlc` is run: a mlc.yaml of the demo."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLC_CONFIG", raising=False)
    for name, value in demo_secrets().items():
        monkeypatch.setenv(name, value)
    (tmp_path / "mlc.yaml").write_text(yaml.safe_dump(demo_settings(box.url)), encoding="utf-8")
    return tmp_path


def mlc(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def test_stdout_is_the_proposal_and_the_summary_is_beside_it(folder: Path, box: Sandbox) -> None:
    before, held = (folder / "mlc.yaml").read_bytes(), box.ifs.state()
    box.forget_calls()
    done = mlc("discover", "ifs")
    assert done.exit_code == 0, done.output
    assert list(yaml.safe_load(done.stdout)) == ["catalogue", "entity_sets"]
    assert "supplier_set" in done.stderr and "key exact" in done.stderr
    assert "sandbox-secret" not in done.output
    assert (folder / "mlc.yaml").read_bytes() == before and {each.name for each in folder.iterdir()} == {"mlc.yaml"}
    assert box.ifs.state() == held and box.journal("ifs") == []
    assert {method for method, path in box.calls("ifs") if not path.endswith("/token")} == {"GET"}


def test_a_file_is_written_where_one_is_named_and_overwritten_by_force_alone(folder: Path) -> None:
    first = mlc("discover", "ifs", "--out", "proposed.yaml")
    assert first.exit_code == 0 and "written to proposed.yaml" in first.stderr
    assert list(yaml.safe_load((folder / "proposed.yaml").read_text())) == ["catalogue", "entity_sets"]
    assert "supplier_set" in first.stdout and "entity_sets:" not in first.stdout
    (folder / "proposed.yaml").write_text("mine\n")
    second = mlc("discover", "ifs", "--out", "proposed.yaml")
    assert isinstance(second.exception, Misconfigured) and "is there already" in str(second.exception)
    assert (folder / "proposed.yaml").read_text() == "mine\n"
    assert mlc("discover", "ifs", "--out", "proposed.yaml", "--force").exit_code == 0
    assert (folder / "proposed.yaml").read_text() != "mine\n"


@pytest.mark.parametrize("name", ["mlc.yaml", "./mlc.yaml"])
def test_mlc_yaml_is_never_edited_not_even_by_force(folder: Path, name: str) -> None:
    before = (folder / "mlc.yaml").read_bytes()
    done = mlc("discover", "ifs", "--out", name, "--force")
    assert isinstance(done.exception, Misconfigured) and "never edits" in str(done.exception)
    assert (folder / "mlc.yaml").read_bytes() == before


def test_json_holds_both(folder: Path) -> None:
    told = json.loads(mlc("discover", "ifs", "--json").stdout)
    assert list(yaml.safe_load(told["proposal"])) == ["catalogue", "entity_sets"]
    assert {"system": "ifs", "what": "supplier_set", "ok": True}.items() <= {
        each["what"]: each for each in told["findings"]
    }["supplier_set"].items()


def test_a_flow_that_is_off_is_not_said_to_be_switched_off(folder: Path, box: Sandbox) -> None:
    content = {name: it for name, it in demo_settings(box.url).items() if name not in ("cin7", "hubspot", "airbase")}
    (folder / "mlc.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    box.faults.add(system="ifs", path="CustomerOrderHandling", status=404, times=None)
    box.faults.add(system="ifs", path="PurchaseOrderHandling", status=404, times=None)
    try:
        told = json.loads(mlc("discover", "ifs", "--json").stdout)["findings"]
    finally:
        box.faults.clear()
    answer = {each["what"]: each["answer"] for each in told}
    assert answer["purchase_order_set"].endswith("switches off: monday/purchase_orders")
    assert "monday/customer_orders" in answer["customer_order_set"]


def test_a_connection_that_cannot_be_asked_is_told_which_can(folder: Path) -> None:
    done = mlc("discover", "ifz")
    assert isinstance(done.exception, Misconfigured)
    assert "mlc discover ifs" in str(done.exception) and "mlc discover monday" in str(done.exception)


def test_without_a_secret_or_with_a_wrong_one_it_ends_with_one_sentence(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IFS_CLIENT_SECRET", "not-the-right-one")
    done = mlc("discover", "ifs")
    assert isinstance(done.exception, AccessDenied) and "sign-in at" in str(done.exception)
    assert "not-the-right-one" not in str(done.exception)
    monkeypatch.setenv("IFS_CLIENT_SECRET", "")
    done = mlc("discover", "ifs")
    assert isinstance(done.exception, Misconfigured) and "IFS_CLIENT_SECRET is not set" in str(done.exception)


def test_names_that_mlc_yaml_has_already_do_not_stand_in_the_way(folder: Path, box: Sandbox) -> None:
    content = demo_settings(box.url)
    content["ifs"]["entity_sets"] = {"supplier_set": {"set": "Gone", "projection": "Nowhere"}}
    (folder / "mlc.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    proposed = yaml.safe_load(mlc("discover", "ifs").stdout)["entity_sets"]
    assert proposed["supplier_set"]["set"] == "SupplierSet"


def test_ping_points_to_where_a_tenant_may_surprise(folder: Path) -> None:
    done = mlc("ping", "--within", "60")
    assert done.stdout.rstrip().endswith("docs/certainty.md")
    assert (Path(__file__).parents[2] / "docs" / "certainty.md").is_file()
    json.loads(mlc("ping", "--json", "--within", "60").stdout)
