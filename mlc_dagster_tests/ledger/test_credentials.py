"""`mlc credentials`, and where secrets come from: nothing that anybody is shown holds one."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml
from cryptography.fernet import Fernet

from mlc_dagster.cli import app as cli
from mlc_dagster.ledger import Ledger
from mlc_dagster.ledger.credentials import secret
from mlc_dagster.sandbox.seed.start import demo_settings
from mlc_dagster.systems.configuration import needed_secrets, optional_secrets
from mlc_dagster_tests.orchestration.conftest import SECRETS, World
from mlc_dagster_tests.orchestration.conftest import world as world  # the fixture

KEY, OTHER = Fernet.generate_key().decode(), Fernet.generate_key().decode()
MARKED = "marked-value-of-airbase"


class Piped(io.StringIO):
    def isatty(self) -> bool:
        return False


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Any]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLC_MASTER_KEY", KEY)
    monkeypatch.setenv("MLC_DATABASE_URL", f"sqlite:///{tmp_path / 'ledger.db'}")
    for names in (*needed_secrets().values(), *optional_secrets().values()):
        for name in names:
            monkeypatch.delenv(name, raising=False)

    def mlc(*words: str, piped: str = "") -> tuple[int, str]:
        monkeypatch.setattr("sys.stdin", Piped(piped))
        monkeypatch.setattr("sys.argv", ["mlc", "credentials", *words])
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        printed = capsys.readouterr()
        return int(stopped.value.code or 0), " ".join((printed.out + printed.err).split())

    yield mlc


def test_a_secret_is_piped_in_listed_rotated_and_removed_without_being_shown(
    run: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    said = [run("set", "AIRBASE_TOKEN", piped=f"{MARKED}\n"), run("list")]
    assert said[0] == (0, "AIRBASE_TOKEN is sealed. ledger: ledger.db")
    assert "vault" in said[1][1] and "nobody has it" in said[1][1]
    with Ledger.open(f"sqlite:///{tmp_path / 'ledger.db'}") as ledger:
        assert secret("AIRBASE_TOKEN", lambda: ledger) == MARKED
        monkeypatch.setenv("AIRBASE_TOKEN", "from-the-environment")
        assert secret("AIRBASE_TOKEN", lambda: ledger) == "from-the-environment"
    monkeypatch.setenv("MLC_MASTER_KEY", f"{OTHER},{KEY}")
    said += [run("list"), run("rotate"), run("remove", "AIRBASE_TOKEN"), run("remove", "AIRBASE_TOKEN")]
    assert "environment" in said[2][1] and "rotate" in said[2][1]
    assert [code for code, _ in said] == [0, 0, 0, 0, 0, 2]
    for _, printed in said:
        assert not any(word in printed for word in (MARKED, KEY, OTHER, "from-the-environment"))


def test_a_value_as_an_argument_is_refused_and_not_repeated(run: Any) -> None:
    for words in (("set", "AIRBASE_TOKEN", MARKED), ("set", "AIRBASE_TOKEN", f"--value={MARKED}")):
        code, printed = run(*words)
        assert code == 2 and "history" in printed and MARKED not in printed


def test_the_secrets_of_webhooks_are_missed_by_nobody_and_sealed_like_the_others(run: Any) -> None:
    assert run("set", "AIRBASE_TOKEN", piped=MARKED)[0] == 0
    code, printed = run("list")
    assert code == 0 and "AIRBASE_TOKEN" in printed and "WEBHOOK" not in printed
    assert "AIRBASE_WEBHOOK_SECRET is sealed." in run("set", "AIRBASE_WEBHOOK_SECRET", piped=MARKED)[1]
    code, printed = run("list")
    assert code == 0 and "AIRBASE_WEBHOOK_SECRET vault" in printed
    assert "CIN7_WEBHOOK_SECRET" not in printed and MARKED not in printed


def test_a_name_that_nobody_asks_for_is_refused_with_those_that_there_are(run: Any) -> None:
    code, printed = run("set", "AIRBASE_TOKENS", piped=MARKED)
    assert code == 2 and "AIRBASE_TOKEN" in printed and MARKED not in printed


def test_without_a_master_key_the_cure_is_told(run: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("MLC_MASTER_KEY")
    code, printed = run("set", "AIRBASE_TOKEN", piped=MARKED)
    assert code == 2 and "MLC_MASTER_KEY" in printed and "generate_key" in printed and MARKED not in printed
    assert list(tmp_path.iterdir()) == [], "no ledger is made for a secret that cannot be sealed"


def test_a_day_runs_on_secrets_from_the_vault_and_shows_none(
    world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("MLC_MASTER_KEY", KEY)
    with world.ledger as ledger:
        for name, value in SECRETS.items():
            monkeypatch.delenv(name)
            ledger.vault(KEY).set(name, value)
    with caplog.at_level("DEBUG"):
        world.chart()
        world.put_order()
        result = world.run("cin7")
    assert result.success and len(world.order_markers()) == 1
    shown = [dg.serialize_value(event) for event in result.all_events] + [caplog.text]
    for record in world.instance.get_runs():
        shown += [json.dumps(record.run_config), json.dumps(dict(record.tags))]
        shown += [str(entry) for entry in world.instance.all_logs(record.run_id)]
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    for value in ("sandbox-secret", "sandbox-account", "sandbox-key-1", KEY):
        assert not any(value in text for text in shown) and value.encode() not in kept
    assert b"IFS_CLIENT_SECRET" in kept, "the name is kept, so the search would have found the value"


def test_a_wrong_secret_from_the_vault_fails_without_being_shown(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLC_MASTER_KEY", KEY)
    monkeypatch.delenv("IFS_CLIENT_SECRET")
    with world.ledger as ledger:
        ledger.vault(KEY).set("IFS_CLIENT_SECRET", MARKED)
    result = world.run("chart_of_accounts", "0010")
    assert not result.success
    said = "".join(dg.serialize_value(event) for event in result.all_events)
    assert "IFS_CLIENT_SECRET" in said and MARKED not in said


RESOURCES = """{ repositoriesOrError { ... on RepositoryConnection { nodes { allTopLevelResourceDetails {
  name description configFields { name description defaultValueAsJson } configuredValues { key value type }
} } } ... on PythonError { message } } }"""


def test_graphql_tells_the_names_of_secrets_and_no_value(
    world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from dagster._core.workspace.context import WorkspaceProcessContext
    from dagster._core.workspace.load_target import ModuleTarget
    from dagster_graphql.test.utils import execute_dagster_graphql

    content = demo_settings(world.box.url)
    (tmp_path / "mlc.yaml").write_text(yaml.safe_dump(content))
    monkeypatch.setenv("MLC_CONFIG", str(tmp_path / "mlc.yaml"))
    monkeypatch.setenv("MLC_MASTER_KEY", KEY)
    with world.ledger as ledger:
        for name in SECRETS:
            monkeypatch.setenv(name, f"marked-{name}")
            ledger.vault(KEY).set(name, f"marked-{name}")
    target = ModuleTarget("mlc_dagster.definitions", None, None, "mlc_dagster")
    with dg.DagsterInstance.local_temp() as instance, WorkspaceProcessContext(instance, target) as served:
        answer = json.dumps(execute_dagster_graphql(served.create_request_context(), RESOURCES).data)
    assert "marked-" not in answer and KEY not in answer
    named = [name for system, names in needed_secrets().items() if system in content for name in names]
    assert all(name in answer for name in named), "the names are told, so the search would have found the values"
    assert len(named) >= 7
