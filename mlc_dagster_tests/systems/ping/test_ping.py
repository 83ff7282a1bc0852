"""What is wrong with a connection is said in one clear line with its cure, before anything is loaded."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from mlc_dagster.cli import app as cli
from mlc_dagster.ledger.credentials import sealed
from mlc_dagster.sandbox import Limits, Sandbox, Tenant
from mlc_dagster.sandbox.seed.start import demo_settings
from mlc_dagster.systems.configuration import parse
from mlc_dagster.systems.ping import ping_all
from mlc_dagster_tests.orchestration.conftest import SECRETS

PLENTY = Limits(cin7_calls_per_minute=100_000, ifs_requests_per_minute=100_000, procurify_requests_per_second=100_000)
NO_SCOPE = json.dumps(
    {
        "status": "error",
        "category": "MISSING_SCOPES",
        "message": "This app hasn't been granted all required scopes to make this call.",
        "context": {"requiredGranularScopes": ["crm.objects.invoices.write"]},
    }
)


@pytest.fixture
def box() -> Iterator[Sandbox]:
    """A tenant that calls a supplier's VAT number something else."""
    with Sandbox(seed="demo", limits=PLENTY, tenant=Tenant(fields={"SupplierSet": {"VatNo": "TaxIdentity"}})) as made:
        yield made


@pytest.fixture
def ping(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Exit code, and what was printed."""
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)

    def run(content: Any, *words: str) -> tuple[int, str]:
        (tmp_path / "mlc.yaml").write_text(yaml.safe_dump(content))
        monkeypatch.setenv("MLC_CONFIG", str(tmp_path / "mlc.yaml"))
        monkeypatch.setenv("COLUMNS", "1000")
        monkeypatch.setattr("sys.argv", ["mlc", "ping", *words])
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        printed = capsys.readouterr()
        return int(stopped.value.code or 0), printed.out + printed.err

    return run


def renamed(content: dict[str, Any]) -> dict[str, Any]:
    """The settings that know the tenant's own name."""
    content["ifs"]["entity_sets"] = {"supplier_set": {"fields": {"vat_no": "TaxIdentity"}}}
    return content


def connected(box: Sandbox) -> set[str]:
    """The systems that the demo's settings name; the sandbox may serve more."""
    return box.systems.keys() & demo_settings(box.url).keys()


def break_four_things(box: Sandbox, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A wrong secret, a scope, a column and a field that are not there; the settings."""
    content = demo_settings(box.url)
    monkeypatch.setenv("AIRBASE_TOKEN", "marked-wrong-token")
    box.faults.add(system="hubspot", path="invoices/batch/upsert", times=None, status=403, body=NO_SCOPE)
    content["monday"]["create_columns"] = "false"
    for flow in ("purchase_orders", "invoices"):
        del content["monday"]["boards"][flow]["columns"]["supplier"]
    content["monday"]["boards"]["suppliers"]["columns"]["payment_terms"] = "Terms of payment"
    return content


def test_four_mistakes_are_four_clear_lines_each_with_its_cure(
    ping: Any, box: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, printed = ping(break_four_things(box, monkeypatch))
    lines = printed.splitlines()
    wrong = [f"{line} {lines[place + 1]}" for place, line in enumerate(lines) if "✗" in line]
    assert code == 1 and len(wrong) == 4, printed
    ifs, airbase, hubspot, monday = wrong
    assert "SupplierHandling/SupplierSet" in ifs and "VatNo (vat_no)" in ifs
    assert "ifs.entity_sets.supplier_set.fields" in ifs and "TaxIdentity" in ifs
    assert "401" in airbase and "Check AIRBASE_TOKEN" in airbase
    assert "Suppliers (1800000001)" in monday and "'Terms of payment'" in monday and "payment_terms" in monday
    assert "monday.boards.suppliers.columns" in monday and "monday.create_columns" in monday
    assert "crm.objects.invoices.write" in hubspot and "Development, Keys" in hubspot
    assert "Traceback" not in printed and "marked-wrong" not in printed
    assert not any(secret in printed for name, secret in SECRETS.items() if name not in ("IFS_CLIENT_ID",))


def test_json_has_the_same_lines_for_a_machine(ping: Any, box: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    code, printed = ping(break_four_things(box, monkeypatch), "--json")
    found = json.loads(printed)
    assert code == 1 and all(set(each) == {"system", "what", "ok", "answer"} for each in found)
    wrong = [each for each in found if not each["ok"]]
    assert sorted(each["system"] for each in wrong) == ["airbase", "hubspot", "ifs", "monday"]
    assert all("\n  " in each["answer"] for each in wrong), "each has its cure"


def test_all_in_order_tells_as_whom_the_clock_and_what_is_left_and_writes_nothing(ping: Any, box: Sandbox) -> None:
    code, printed = ping(renamed(demo_settings(box.url)), "--json")
    found = {(each["system"], each["what"]): each["answer"] for each in json.loads(printed)}
    assert code == 0, printed
    assert "client sandbox" in found["ifs", "sign-in"] and "portal 147000001" in found["hubspot", "sign-in"]
    assert all((system, what) in found for system in connected(box) for what in ("clock", "rate"))
    assert "of 190 calls of 10 s left" in found["hubspot", "rate"] and "points left" in found["monday", "rate"]
    assert "180 calls a minute (3 keys, 60 each)" in found["cin7", "rate"]
    assert not any(box.journal(system) for system in box.systems)


def test_one_wrong_key_of_three_is_found(ping: Any, box: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CIN7_APPLICATION_KEYS", "sandbox-key-1,marked-wrong-key,sandbox-key-3")
    code, printed = ping(renamed(demo_settings(box.url)), "--json")
    (wrong,) = [each for each in json.loads(printed) if not each["ok"]]
    assert code == 1 and wrong["what"] == "sign-in, key 2 of 3" and "CIN7_APPLICATION_KEYS" in wrong["answer"]
    assert "marked-wrong" not in printed


def test_a_board_without_the_key_column_is_named(ping: Any, box: Sandbox) -> None:
    content = renamed(demo_settings(box.url))
    content["monday"] |= {"create_columns": "false", "key_column": "ERP key"}
    for flow in ("purchase_orders", "invoices"):
        del content["monday"]["boards"][flow]["columns"]["supplier"]
    code, printed = ping(content, "--json")
    wrong = [each["answer"] for each in json.loads(printed) if not each["ok"]]
    assert code == 1 and len(wrong) == 6 and all("'ERP key'" in each and "monday.key_column" in each for each in wrong)


def test_a_system_that_hangs_costs_no_more_than_the_time_given(
    ping: Any, box: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    box.faults.add(system="cin7", delay=12.0, times=None)
    content = renamed(demo_settings(box.url))
    content["procurify"]["requests_per_second"] = "1000"  # at two a second it would be late, too
    found = ping_all(parse(content, "mlc.yaml"), sealed, within=6.0)
    late = [each for each in found if not each.ok]
    assert [each.system for each in late] == ["cin7"] and "--within" in late[0].answer
    assert {each.system for each in found} == connected(box)


def test_what_the_role_may_not_see_in_procurify_is_one_line_with_its_cure(ping: Any, box: Sandbox) -> None:
    box.procurify.forbidden.add("/purchase_orders/")
    code, printed = ping(renamed(demo_settings(box.url)), "--json")
    found = {each["what"]: each for each in json.loads(printed) if each["system"] == "procurify"}
    (wrong,) = [each for each in found.values() if not each["ok"]]
    assert code == 1 and wrong["what"] == "purchase_orders" and "role of the user" in wrong["answer"]
    assert found["bills"]["ok"] and "service@example.test" in found["sign-in"]["answer"]
    assert "vendor_writeback is off" in found["procurify/vendors"]["answer"]
    assert box.journal("procurify") == []
