"""`mlc duplicates`: the hourly look by hand, its words and its exit codes."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from mlc_dagster.cli import app as cli
from mlc_dagster.core.outcomes import Draft, Ready, Saved
from mlc_dagster.core.vocabulary import Record
from mlc_dagster.demo.place import SECRETS
from mlc_dagster.ledger import Ledger
from mlc_dagster.ledger import Run as LedgerRun
from mlc_dagster.sandbox import Sandbox
from mlc_dagster_tests.orchestration.conftest import PLENTY, settings_for

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with Sandbox(seed="empty", limits=PLENTY) as sandbox:
        yield sandbox


@pytest.fixture
def content(box: Sandbox) -> dict[str, Any]:
    """Settings with Cin7, Procurify and monday on, as a file has them."""
    found = settings_for(box.url).model_dump(mode="json", exclude_none=True)
    box.monday.add_board("1", "Suppliers", {"IFS key": "text"})
    found["monday"] = {"base_url": f"{box.url}/monday", "boards": {"suppliers": {"board": "1"}}}
    found["procurify"] = {"base_url": f"{box.url}/procurify", "requests_per_second": 100_000}
    return found


@pytest.fixture
def run(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: dict[str, Any]
) -> Run:
    for name, value in {**SECRETS, "MLC_DATABASE_URL": f"sqlite:///{tmp_path / 'ledger.db'}"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("MLC_CONFIG", "mlc.yaml")
    monkeypatch.setenv("COLUMNS", "1000")
    monkeypatch.chdir(tmp_path)
    Ledger.open(f"sqlite:///{tmp_path / 'ledger.db'}").close()

    def mlc(*words: str) -> tuple[int, str]:
        Path("mlc.yaml").write_text(yaml.safe_dump(content))
        monkeypatch.setattr(sys, "argv", ["mlc", "duplicates", *words])
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        printed = capsys.readouterr()
        return int(stopped.value.code or 0), printed.out + printed.err

    return mlc


def double(box: Sandbox, at: datetime | None = None) -> None:
    for number in (1, 2):
        keys = {"Company": "0010", "InvoiceId": number, "ExternalRef": "procurify-bill-1", "ObjState": "Open"}
        box.ifs.put("SupplierInvoiceSet", keys, modified=at or datetime.now(UTC))


class Contact(Record, frozen=True, kw_only=True):
    name: str


def test_master_data_that_is_alike_stands_in_the_json_too(run: Run, tmp_path: Path) -> None:
    flow, mark = "monday/suppliers", "VAT number SE5566778899"
    with Ledger.open(f"sqlite:///{tmp_path / 'ledger.db'}") as ledger:
        ledger.masters.keep(flow, {"S1": [mark], "S2": [mark]})
        for key in ("S1", "S2"):
            one = Ready(key, "2026-11-05T10:00:00.000000Z", "f", Contact(name=key))
            ledger.begin(flow, [(one, None)], run=LedgerRun("r"))
            saved = Saved(Draft(key, one.record), f"m-{key}", "created")
            ledger.finish(flow, [(one, saved)], run=LedgerRun("r"))
    _, printed = run("--json")
    systems = {each["system"]: each for each in json.loads(printed.removesuffix("ledger: ledger.db\n"))}
    assert systems["monday"]["alike"] == [{"flow": flow, "mark": mark, "keys": ["S1", "S2"]}]
    assert systems["ifs"]["alike"] == []


def test_a_clear_look_ends_with_0_and_says_how_many_were_compared(run: Run, box: Sandbox) -> None:
    box.ifs.put("SupplierInvoiceSet", {"Company": "0010", "InvoiceId": 1, "ExternalRef": "procurify-bill-1"})
    code, printed = run()
    assert code == 0 and "Nothing was written." in printed
    counts = {row[0]: row[1:3] for row in map(str.split, printed.splitlines()) if row and "/" in row[0]}
    assert counts["ifs/supplier_invoices_from_procurify"] == ["1", "0"]
    assert set(counts) >= {"cin7/purchases", "monday/suppliers", "ifs/posting_proposals_from_procurify"}


def test_a_double_ends_with_1_and_is_told_with_both_numbers(run: Run, box: Sandbox) -> None:
    double(box)
    code, printed = run()
    assert code == 1
    assert "IFS has two supplier invoices for procurify-bill-1: 0010/1 and 0010/2. Cancel one of them." in printed


def test_hours_and_one_system_can_be_asked_for(run: Run, box: Sandbox) -> None:
    double(box, datetime.now(UTC) - timedelta(hours=40))
    assert run()[0] == 0, "that is longer ago than 26 hours"
    assert run("--since", "72")[0] == 1
    code, printed = run("--system", "cin7", "--since", "72")
    assert code == 0 and "ifs/" not in printed


def test_the_same_as_json(run: Run, box: Sandbox) -> None:
    double(box)
    code, printed = run("--system", "ifs", "--json")
    (found,) = json.loads(printed.removesuffix("ledger: ledger.db\n"))  # that is on stderr
    (flow,) = [each for each in found["flows"] if each["doubles"]]
    assert code == 1 and found["system"] == "ifs" and found["errors"] == [] and len(found["told"]) == 1
    assert [one["number"] for one in flow["doubles"][0]["documents"]] == ["0010/1", "0010/2"]


def test_a_system_that_is_down_ends_with_2_and_keeps_no_other_back(
    run: Run, box: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    double(box)
    monkeypatch.setenv("MONDAY_TOKEN", "marked-wrong")
    code, printed = run()
    assert code == 2 and "not known monday: " in printed and "MONDAY_TOKEN" in printed
    assert "0010/1 and 0010/2" in printed and "marked-wrong" not in printed and "monday/suppliers" not in printed


def test_a_system_that_is_none_or_refuses_doubles_itself_ends_with_2(run: Run) -> None:
    for name in ("hubspot", "sap"):
        code, printed = run("--system", name)
        assert code == 2 and "There are: " in printed and "cin7" in printed


def test_a_look_by_hand_writes_nothing_anywhere(run: Run, box: Sandbox) -> None:
    double(box)
    run()
    assert [box.journal(system) for system in ("ifs", "cin7", "monday", "procurify")] == [[], [], [], []]
