"""`mlc try`: one record, step by step, on an empty ledger; nothing leaves before somebody says yes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

from mlc_dagster.cli.app import app
from mlc_dagster.cli.shared.lookup import NotFound
from mlc_dagster.sandbox import Limits, Sandbox
from mlc_dagster.sandbox.seed.start import demo_secrets, demo_settings

PLENTY = {"ifs_requests_per_minute": 100_000, "cin7_calls_per_minute": 100_000, "procurify_requests_per_second": 10_000}


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with Sandbox(seed="demo", days=2, limits=Limits(**PLENTY)) as made:
        yield made


@pytest.fixture(scope="module")
def place(box: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("try")
    content = demo_settings(box.url, days=2)
    content["procurify"]["requests_per_second"] = "10000"
    content["cin7"]["calls_per_minute"] = content["ifs"]["requests_per_minute"] = "100000"
    (folder / "mlc.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    return folder


@pytest.fixture(autouse=True)
def here(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place)
    for name, value in demo_secrets().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("MLC_DATABASE_URL", f"sqlite:///{place / 'ledger.db'}")
    monkeypatch.setenv("MLC_STORAGE", str(place / "storage"))
    monkeypatch.setenv("COLUMNS", "160")


def mlc(*words: str, says: str = "") -> Result:
    return CliRunner().invoke(app, ["try", *words], input=says)


def writes(box: Sandbox) -> int:
    return sum(len(box.journal(system)) for system in ("ifs", "cin7", "hubspot", "airbase", "monday", "procurify"))


@pytest.fixture(scope="module")
def order(box: Sandbox) -> dict[str, str]:
    """A good order of the running day."""
    orders = box.ifs.rows("PurchaseOrderSet")
    flawed = {str(key) for keys in box.flaws.values() for key in keys}
    good = [row for row in orders if row["OrderNo"] not in flawed and row["VendorNo"] not in flawed]
    return next(row for row in good if row["ObjState"] == "Released" or row["ObjState"] == "Confirmed")


@pytest.mark.parametrize(
    "flow",
    [
        "cin7/suppliers",
        "hubspot/supplier_companies",
        "airbase/vendors",
        "monday/suppliers",
        "ifs/posting_proposals_from_procurify",
    ],
)
def test_every_step_is_shown_and_nothing_leaves_without_a_yes(box: Sandbox, flow: str) -> None:
    before = writes(box)
    for says in ("", "n\n"):
        done = mlc("--flow", flow, says=says)
        for step in ("1 Row", "2 Record", "3 Rules", "4 Ledger", "5 Request"):
            assert step in done.output
        assert "5 Request  POST /" in done.output and "Send it to" in done.output
    assert writes(box) == before


def test_what_an_order_needs_first_is_named_and_then_it_goes(box: Sandbox, order: dict[str, str]) -> None:
    key, supplier, before = order["OrderNo"], order["VendorNo"], writes(box)
    held = mlc("--flow", "cin7/purchases", "--key", key, "--yes")
    assert held.exit_code == 0 and "no  supplier_is_delivered" in held.output
    assert f"Deliver that first: mlc try --flow cin7/suppliers --key {supplier}" in held.output
    assert writes(box) == before

    first = mlc("--flow", "cin7/suppliers", "--key", supplier, says="y\n")
    assert first.exit_code == 0 and "Delivered: " in first.output, first.output
    then = mlc("--flow", "cin7/purchases", "--key", key, "--yes")
    assert then.exit_code == 0 and "Delivered: PO-" in then.output, then.output
    purchases = [each for each in box.cin7.state()["purchases"] if key in str(each)]
    assert len(purchases) == 1

    told, once = mlc("--flow", "cin7/purchases", "--key", key, "--yes"), writes(box)
    assert "it was delivered just so: there is nothing to send" in told.output and writes(box) == once
    trail = CliRunner().invoke(app, ["audit", "show", key, "--json"]).stdout
    assert '"created"' in trail and "cli" in trail


def test_json_has_the_steps_and_sends_nothing(box: Sandbox) -> None:
    before = writes(box)
    found = json.loads(mlc("--flow", "cin7/suppliers", "--json").stdout)
    assert found["does"] == "create" and found["request"]["call"] == "POST /supplier"
    assert found["request"]["body"]["Name"] == found["record"]["name"] == found["row"]["name"]
    assert all(each["ok"] for each in found["rules"]) and len(found["rules"]) > 5
    assert writes(box) == before


def test_bank_details_are_never_shown_whole(box: Sandbox) -> None:
    supplier = next(row for row in box.ifs.rows("SupplierSet") if row.get("BankAccount"))
    whole = supplier["BankAccount"]
    for words in ((), ("--json",)):
        done = mlc("--flow", "cin7/suppliers", "--key", supplier["SupplierId"], *words)
        assert whole not in done.output and whole[-4:] in done.output


def test_a_key_that_is_none_and_a_flow_that_is_off_are_told() -> None:
    nobody = mlc("--flow", "cin7/suppliers", "--key", "NOBODY")
    assert isinstance(nobody.exception, NotFound) and "ifs has no SupplierSet 'NOBODY'" in str(nobody.exception)
    none = mlc("--flow", "cin7/supliers")
    assert isinstance(none.exception, NotFound) and "cin7/suppliers" in str(none.exception)


def test_in_shadow_nothing_is_offered_to_be_sent(box: Sandbox, place: Path, tmp_path: Path) -> None:
    content, before = yaml.safe_load((place / "mlc.yaml").read_text()), writes(box)
    content["airbase"]["mode"] = "shadow"
    (tmp_path / "mlc.yaml").write_text(yaml.safe_dump(content))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLC_CONFIG", str(tmp_path / "mlc.yaml"))
        done = mlc("--flow", "airbase/vendors", "--yes")
    assert "airbase.mode is shadow: nothing is sent" in done.output and writes(box) == before


def test_the_marks_of_bank_details_are_the_ledgers_own(box: Sandbox, place: Path) -> None:
    """A run would take another mark for changed bank details, and hold the supplier."""
    from mlc_dagster.cli.shared.clients import client_of
    from mlc_dagster.core.arrow_columns import records_of
    from mlc_dagster.core.bank_details import mark_of
    from mlc_dagster.ledger import Ledger
    from mlc_dagster.systems import configuration
    from mlc_dagster.systems.ifs import records as ifs

    supplier = next(row for row in box.ifs.rows("SupplierSet") if row.get("BankAccount"))
    settings, key = configuration.load(place / "mlc.yaml"), supplier["SupplierId"]
    with Ledger.open(f"sqlite:///{place / 'ledger.db'}") as opened, client_of("ifs", settings, opened) as client:
        rows = [row for batch in client.by_keys(ifs.SUPPLIERS, [key]) for row in records_of(batch, ifs.Supplier)]
        salt = opened.bank_marks.salt()
    [(record, _, _)] = rows
    assert record is not None and record.bank_account and supplier["BankAccount"] not in record.bank_account
    found = {"BankAccount": supplier["BankAccount"]}
    unsalted = {mark_of(found, b"", key), mark_of({"bank_account": supplier["BankAccount"]}, b"", key)}
    assert len(salt) >= 16 and record.bank_account not in unsalted
    with Ledger.open(f"sqlite:///{place / 'other.db'}") as other, client_of("ifs", settings, other) as client:
        [batch] = list(client.by_keys(ifs.SUPPLIERS, [key]))
        [(elsewhere, _, _)] = records_of(batch, ifs.Supplier)
    assert elsewhere is not None and elsewhere.bank_account != record.bank_account
