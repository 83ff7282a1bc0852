"""What a person reads when something is wrong: the setting, and no traceback."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from mlc_dagster import settings
from mlc_dagster.cli import app as cli
from mlc_dagster.sandbox import Limits, Sandbox
from mlc_dagster.sandbox.seed.start import demo_settings
from mlc_dagster.systems.configuration import load
from mlc_dagster_tests.orchestration.conftest import SECRETS


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with Sandbox(
        seed="demo",
        limits=Limits(
            cin7_calls_per_minute=100_000, ifs_requests_per_minute=100_000, procurify_requests_per_second=100_000
        ),
    ) as sandbox:
        yield sandbox


def mlc(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, folder: Path, content: Any, *words: str
) -> tuple[int, str]:
    """Exit code and all that was printed, on one line."""
    (folder / "mlc.yaml").write_text(content if isinstance(content, str) else yaml.safe_dump(content))
    monkeypatch.chdir(folder)
    monkeypatch.setenv("MLC_CONFIG", "mlc.yaml")
    monkeypatch.setenv("COLUMNS", "1000")
    monkeypatch.setattr("sys.argv", ["mlc", *words])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    printed = capsys.readouterr()
    return int(stopped.value.code or 0), " ".join((printed.out + printed.err).split())


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    return lambda content, *words: mlc(capsys, monkeypatch, tmp_path, content, *words)


def test_ping_finds_everything_in_order(run: Any, box: Sandbox) -> None:
    code, printed = run(demo_settings(box.url), "ping")
    assert code == 0, printed
    assert "PurchaseOrderHandling/PurchaseOrderSet" in printed and "chart of accounts" in printed


@pytest.mark.promise("C17", "a ping of every connection: journals and folders as before")
def test_c17_a_ping_changes_nothing_anywhere(run: Any, box: Sandbox) -> None:
    before = {name: (system.state(), len(box.journal(name))) for name, system in box.systems.items()}
    assert run(demo_settings(box.url), "ping")[0] == 0
    assert {name: (system.state(), len(box.journal(name))) for name, system in box.systems.items()} == before


def test_a_wrong_password_names_the_variables_to_check(run: Any, box: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IFS_CLIENT_SECRET", "marked-wrong-secret")
    monkeypatch.setenv("CIN7_APPLICATION_KEYS", "marked-wrong-key")
    code, printed = run(demo_settings(box.url), "ping")
    assert code == 1
    assert "IFS_CLIENT_SECRET" in printed and "CIN7_APPLICATION_KEYS" in printed
    assert "Traceback" not in printed and "marked-wrong" not in printed


def test_a_projection_that_the_tenant_does_not_have_is_named_with_its_setting(run: Any, box: Sandbox) -> None:
    content = demo_settings(box.url)
    content["ifs"]["entity_sets"] = {"purchase_order_set": {"projection": "AcmeOrders"}}
    code, printed = run(content, "ping")
    assert code == 1
    assert "AcmeOrders" in printed and "ifs.entity_sets.purchase_order_set" in printed and "Traceback" not in printed


def test_an_unreachable_host_names_the_setting(run: Any, box: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        content = demo_settings(box.url)
        content["ifs"]["base_url"] = f"http://127.0.0.1:{closed.getsockname()[1]}/ifs"
        code, printed = run(content, "ping")
    assert code == 1
    assert "ifs.base_url" in printed and "cannot reach" in printed and "Traceback" not in printed


def test_a_missing_secret_is_asked_for_by_name(run: Any, box: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CIN7_ACCOUNT_ID")
    code, printed = run(demo_settings(box.url), "ping")
    assert code == 1 and "CIN7_ACCOUNT_ID is not set" in printed


@pytest.mark.parametrize(
    "content, said",
    [
        ("companies: [", "is not YAML"),
        ("companies: {'0010': {currency: kr}}", "companies.0010.currency"),
        ("companies: {'0010': {currency: SEK}}", "ifs: is missing"),
        ("ifs: {}\nifs: {}", "'ifs' stands twice"),
        ("companies: {'0010': {currency: SEK}}\nifs: {client_secret: x}", "never write secrets here"),
    ],
)
def test_a_wrong_file_is_told_by_the_path_of_each_mistake(run: Any, content: str, said: str) -> None:
    code, printed = run(content, "check")
    assert code == 2
    assert said in printed and "Traceback" not in printed


def test_an_unknown_entity_set_is_told_with_those_that_are_known(run: Any, box: Sandbox) -> None:
    content = demo_settings(box.url)
    content["ifs"]["entity_sets"] = {"purchase_orders": {"projection": "X"}}
    code, printed = run(content, "check")
    assert code == 2 and "ifs.entity_sets.purchase_orders" in printed and "purchase_order_set" in printed


def test_a_missing_file_says_how_to_begin(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    code, printed = run("", "check", "nowhere.yaml")
    assert code == 2 and "mlc.example.yaml" in printed


def test_codes_in_the_file_stay_text(run: Any, box: Sandbox) -> None:
    content = yaml.safe_dump(demo_settings(box.url)).replace("'0010'", "0010")
    code, printed = run(content, "check")
    assert code == 0 and "0010" in printed


def test_all_that_the_house_knows_better_is_told_at_once_with_the_nearest_names(run: Any, box: Sandbox) -> None:
    content = demo_settings(box.url)
    fields = {"fields": {"vendor_nr": "VendorNo"}, "lines": {"fields": {"lineno": "LineNo"}}, "expand": "perhaps"}
    content["ifs"]["entity_sets"] = {"purchase_orders": {}, "purchase_order_set": fields}
    content["guards"] = {"cin7/purchase": {"max_creates": "5"}, "cin7/purchases": {"max_creates": "5"}}
    content["schedules"] = {"running_day": "every 7 minutes", "yesterday": "0 24 * * *", "chart_of_accounts": "@daily"}
    content["hubspot"]["extra_fields"] = {"supplier_companies": {"nam": "segment"}}
    code, printed = run(content, "check")
    assert code == 2 and "has 8 mistakes" in printed, printed
    for said in (
        "ifs.entity_sets.purchase_orders: no entity set of this name; nearest: purchase_order_set",
        "ifs.entity_sets.purchase_order_set.fields.vendor_nr: no field of this name; nearest: vendor_no",
        "ifs.entity_sets.purchase_order_set.lines.fields.lineno: no field of this name; nearest: line_no",
        "ifs.entity_sets.purchase_order_set.expand: found 'perhaps'; expected auto or always or never",
        "guards.cin7/purchase: there is no such flow; nearest: cin7/purchases",
        "schedules.running_day: found 'every 7 minutes'; expected a cron line",
        "schedules.yesterday: found '0 24 * * *'; expected a cron line",
        "hubspot.extra_fields.supplier_companies.nam: supplier_set has no such field; nearest: name",
    ):
        assert said in printed, said


def test_the_demo_stands_in_only_where_nothing_says_where_things_are(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("MLC_CONFIG", "MLC_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    assert not settings.is_chosen()
    settings.environment()  # it sets the usual address, which chooses nothing
    assert not settings.is_chosen()
    monkeypatch.setenv("MLC_DATABASE_URL", "postgresql://db.test/ledger")
    assert settings.is_chosen()
    monkeypatch.delenv("MLC_DATABASE_URL")
    monkeypatch.setenv("MLC_CONFIG", "elsewhere.yaml")
    assert settings.is_chosen()
    monkeypatch.delenv("MLC_CONFIG")
    (tmp_path / "mlc.yaml").write_text("companies: {}")
    assert settings.is_chosen()


def test_a_message_is_not_taken_for_markup_and_not_folded(run: Any, capsys: pytest.CaptureFixture[str]) -> None:
    code, printed = run("'[bold]': 1", "check")
    assert code == 2 and "line 1, [bold]: no setting of this name" in printed


EXAMPLE = Path(cli.__file__).parents[2] / "mlc.example.yaml"


def test_the_example_is_correct_and_a_copy_of_it_has_to_be_filled_in(run: Any) -> None:
    assert list(load(EXAMPLE).companies) == ["0010", "0020"]
    code, printed = run(EXAMPLE.read_text(), "check")
    assert code == 2 and printed.count("this is still the example's value") == 2
    assert "line 14, ifs.base_url" in printed and "line 15, ifs.token_url" in printed and "your own realm" in printed
    filled_in = EXAMPLE.read_text().replace("acme.ifs.cloud", "brewery.ifs.cloud").replace("acmeprod", "brewprod")
    code, printed = run(filled_in, "check")
    assert code == 0 and "0010, 0020" in printed


def test_what_is_commented_in_the_example_is_correct_too_and_each_placeholder_is_found(run: Any) -> None:
    text = EXAMPLE.read_text()
    begin, end = text.index("# monday:"), text.index("policies:")
    code, printed = run(text[:begin] + text[begin:end].replace("\n# ", "\n")[2:] + text[end:], "check")
    told = printed.split(" line ")[1:]
    assert code == 2 and all("this is still the example's value" in each for each in told), printed
    boards = [f"monday.boards.{name}.board" for name in ("suppliers", "invoices", "journal_entries", "accounts")]
    for name in ("ifs.base_url", "ifs.token_url", *boards, "hubspot.portal_id", "procurify.base_url"):
        assert any(f", {name}: " in each for each in told), name
    assert len(told) == 10
