"""C49: whoever asks in the wrong place is told what is not there, exit 2; nothing is made, nothing is well."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg2
import pytest
import yaml
from alembic import command as alembic
from cryptography.fernet import Fernet

from mlc_dagster.ledger import Ledger, place_of
from mlc_dagster.ledger.database import Database, parse
from mlc_dagster.ledger.opening import _prepare_file, alembic_config
from mlc_dagster.sandbox.seed.start import demo_settings
from mlc_dagster_tests.ledger.samples import FLOW, RUN, deliver, held, ready
from mlc_dagster_tests.promises.shell import mlc
from mlc_dagster_tests.promises.victims import Victims

KEY, DAY, HELD = Fernet.generate_key().decode(), "2026-11-05", "0010/P2"
PASSWORD = "s3cr3t-marked"
ALL_CLEAR = (
    "Nothing was told",
    "Nothing is paused",
    "on_hold",
    "Looked ",
    "Nothing is on hold",
    "intact",
    "is released",
    "is discarded",
    "Nothing was written",
    "nobody has it",
)

READING = (
    ("holds", "list"),
    ("holds", "list", "--json"),
    ("holds", "list", "--flow", FLOW, "--rule", "gl_accounts_exist"),
    ("holds", "show", HELD),
    ("audit", "show", HELD),
    ("audit", "verify"),
    ("audit", "verify", "--json"),
    ("replay", "--all-held", "--dry-run"),
    ("plan", "--flow", FLOW, "--partition", DAY),
    ("credentials", "list"),
    ("ledger", "where"),
    ("ledger", "where", "--json"),
    ("ledger", "check"),
    ("ledger", "backup", "made.zip"),
    ("shadow", "--json"),
    ("shadow", "--flow", FLOW),
    ("status",),
    ("status", "--json"),
)
WRITING = (
    ("holds", "release", HELD, "--reason", "x"),
    ("holds", "discard", HELD, "--reason", "x"),
    ("holds", "discard", "--flow", FLOW, "--rule", "gl_accounts_exist", "--reason", "x", "--yes"),
    ("replay", "--all-held"),
    ("replay", "--key", HELD),
    ("replay", "--flow", FLOW, "--partition", DAY),
    ("apply", "plan.json"),
    ("credentials", "rotate"),
    ("credentials", "remove", "IFS_CLIENT_SECRET"),
    ("ledger", "migrate"),
    ("duplicates",),
    ("pause", "cin7", "--reason", "x"),
    ("pause", "--all", "--reason", "x"),
    ("resume", "cin7"),
    ("resume", "--all"),
)
COMMANDS = (*READING, *WRITING)
NEED_SETTINGS = ("replay", "plan", "apply", "duplicates", "status")


def in_words(words: tuple[str, ...]) -> str:
    return " ".join(words)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the settings of a tenant and a plan, and no ledger."""
    made = tmp_path / "here"
    made.mkdir()
    content = {**demo_settings("http://127.0.0.1:9"), "partitions_start": "2026-11-01"}
    (made / "mlc.yaml").write_text(yaml.safe_dump(content))
    (made / "plan.json").write_text(json.dumps({"flow": FLOW, "partition": DAY, "digest": "x", "steps": []}))
    return made


@pytest.fixture
def shell(victims: Victims, folder: Path) -> Callable[..., Any]:
    """`mlc` as a process; the folders around it must be as they were, byte for byte."""

    def run(words: tuple[str, ...], **environment: str) -> Any:
        before = everything_below(folder.parent)
        end = victims.start(mlc, str(folder), {"MLC_MASTER_KEY": KEY, **environment}, *words).wait()
        assert end.code == 0, end.said
        assert everything_below(folder.parent) == before, f"{in_words(words)} changed files"
        return end.value

    return run


def everything_below(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() if path.is_file() else b"" for path in sorted(folder.rglob("*"))}


def refused(said: Any, *names: str) -> None:
    """Exit 2; each name stands in what was said; nothing sounds as if all were well."""
    assert said["code"] == 2, said
    for name in names:
        assert name in said["err"], f"{name!r} is not named: {said}"
    assert not [word for word in ALL_CLEAR if word in said["out"] + said["err"]] and said["out"] == "", said
    assert "Traceback" not in said["err"] and PASSWORD not in said["err"]


@pytest.mark.promise("C49", "an empty folder: each command of records", times=len(COMMANDS))
def test_c49_an_empty_folder_has_no_ledger_and_gets_none(shell: Any, folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()
    for words in COMMANDS:
        name = "mlc.yaml" if words[0] in NEED_SETTINGS else str(folder / ".mlc" / "ledger.db")
        name = "plan.json" if words[0] == "apply" else name
        refused(shell(words), name)


@pytest.mark.promise("C49", "MLC_CONFIG names no file, beside a good ledger and mlc.yaml", times=len(COMMANDS) + 2)
def test_c49_a_wrong_mlc_config_is_never_the_usual_one(shell: Any, folder: Path) -> None:
    url = f"sqlite:///{folder / 'ledger.db'}"
    filled(url)
    for words in (*COMMANDS, ("check",), ("ping",)):
        said = shell(words, MLC_CONFIG="elsewhere/mlc.yaml", MLC_DATABASE_URL=url)
        refused(said, "MLC_CONFIG", "elsewhere/mlc.yaml")


FILES: dict[str, Callable[[Path], object]] = {
    "not there": lambda path: None,
    "in a folder that is not there": lambda path: path.parent.rmdir(),
    "empty": lambda path: path.write_bytes(b""),
    "of another program": lambda path: another_programs(path),
    "no database": lambda path: path.write_text("These are my notes. " * 100),
    "a folder": lambda path: path.mkdir(),
}


def another_programs(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE notes (text)")
        connection.commit()


@pytest.mark.promise("C49", "SQLite: the file is not there, or no ledger: each command", times=len(COMMANDS))
@pytest.mark.parametrize("kind", FILES)
def test_c49_a_file_that_is_no_ledger_is_named_and_left_alone(shell: Any, folder: Path, kind: str) -> None:
    path = folder.parent / "state" / "ledger.db"
    path.parent.mkdir()
    FILES[kind](path)
    for words in COMMANDS:
        refused(shell(words, MLC_DATABASE_URL=f"sqlite:///{path}"), str(path))


@pytest.mark.promise("C49", "PostgreSQL: a database without a ledger: each command", times=len(COMMANDS))
def test_c49_a_database_without_a_ledger_gets_no_table(shell: Any, postgres_url: str) -> None:
    name = psycopg2.extensions.parse_dsn(postgres_url)["dbname"]
    for words in COMMANDS:
        refused(shell(words, MLC_DATABASE_URL=postgres_url), name, "no table ledger_version")
    with closing(psycopg2.connect(postgres_url)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'")
        assert cursor.fetchone() == (0,)


@pytest.mark.promise("C49", "PostgreSQL: no such database, no such host: each command", times=2 * len(COMMANDS))
def test_c49_a_database_that_is_not_there_is_named_without_its_password(shell: Any, postgres_server: str) -> None:
    for words in COMMANDS:
        missing = postgres_server.replace("/postgres?", "/mlc_not_there?")
        refused(shell(words, MLC_DATABASE_URL=missing), "mlc_not_there")
        away = f"postgresql://mlc:{PASSWORD}@127.0.0.1:1/ledger"
        refused(shell(words, MLC_DATABASE_URL=away), "127.0.0.1:1/ledger")


def filled(url: str) -> None:
    with Ledger.open(url) as ledger:
        deliver(ledger, ready())
        ledger.hold(FLOW, [held(HELD)], run=RUN)


NONE = (
    (("holds", "list", "--flow", "cin7/purchase"), "cin7/purchase; nearest: cin7/purchases"),
    (("holds", "list", "--flow", "cin7/purchase", "--json"), "cin7/purchase; nearest: cin7/purchases"),
    (("holds", "list", "--rule", "gl_account_exists"), "gl_account_exists; nearest: gl_accounts_exist"),
    (("holds", "list", "--flow", FLOW, "--rule", "voucher_balances"), "has no rule voucher_balances"),
    (("holds", "list", "--system", "cin8"), "cin8; nearest: cin7"),
    (("holds", "show", "0010/P22"), HELD),
    (("holds", "show", HELD, "--flow", "cin7/purchase"), "nearest: cin7/purchases"),
    (("holds", "release", "0010/P22", "--reason", "x"), HELD),
    (("holds", "discard", HELD, "--flow", "cin7/purchase", "--reason", "x"), "nearest: cin7/purchases"),
    (("holds", "discard", "--flow", FLOW, "--rule", "text_fit", "--reason", "x", "--yes"), "nearest: texts_fit"),
    (("audit", "show", "0010/P11"), "0010/P1"),
    (("audit", "show", HELD, "--flow", "cin7/purchase"), "nearest: cin7/purchases"),
    (("audit", "verify", "--flow", "cin7/purchase"), "nearest: cin7/purchases"),
    (("audit", "verify", "--flow", "cin7/purchase", "--json"), "nearest: cin7/purchases"),
    (("replay", "--key", "0010/P22"), HELD),
    (("replay", "--run", "run-2"), "run-2"),
    (("replay", "--rule", "gl_account_exists", "--dry-run"), "nearest: gl_accounts_exist"),
    (("replay", "--flow", "cin7/purchase", "--all-held"), "nearest: cin7/purchases"),
    (("replay", "--flow", FLOW, "--partition", "2026-11-55"), "nearest: 2026-11-05"),
    (("replay", "--flow", "monday/accounts", "--partition", "001"), "nearest: 0010"),
    (("plan", "--flow", "cin7/purchase", "--partition", DAY), "nearest: cin7/purchases"),
    (("plan", "--flow", FLOW, "--partition", "2026-11-55"), "nearest: 2026-11-05"),
    (("plan", "--flow", FLOW, "--partition", DAY), "ifs/purchase_order_set was never read"),
    (("pause", "cin8", "--reason", "x"), "earest: cin7"),
    (("resume", "cin8"), "earest: cin7"),
    (("shadow", "--flow", "cin7/purchase"), "nearest: cin7/purchases"),
    (("shadow", "--key", "0010/P22"), HELD),
    (("duplicates", "--system", "cin8"), "there is no system cin8; nearest: cin7"),
    (("credentials", "remove", "IFS_CLIENT_SECRET"), "IFS_CLIENT_SECRET"),
)


@pytest.mark.promise("C49", "a flow, rule, system, key, run or partition that is none", times=len(NONE))
def test_c49_a_name_that_is_none_is_said_with_the_nearest(shell: Any, folder: Path, ledger_url: str) -> None:
    filled(ledger_url)
    for words, said in NONE:
        refused(shell(words, MLC_DATABASE_URL=ledger_url), said)


@pytest.mark.promise("C49", "a flow that mlc.yaml switches off, without a history and with one", times=4)
def test_c49_a_flow_that_is_off_is_no_all_clear_and_its_history_is_told(
    shell: Any, folder: Path, ledger_url: str
) -> None:
    filled(ledger_url)
    content = yaml.safe_load((folder / "mlc.yaml").read_text())
    (folder / "mlc.yaml").write_text(yaml.safe_dump({name: part for name, part in content.items() if name != "cin7"}))
    for words in (("holds", "list"), ("audit", "verify")):
        said = shell((*words, "--flow", "cin7/suppliers"), MLC_DATABASE_URL=ledger_url)
        refused(said, "cin7/suppliers is switched off: mlc.yaml has no section `cin7:`")
        said = shell((*words, "--flow", FLOW, "--json"), MLC_DATABASE_URL=ledger_url)
        assert said["code"] == 0 and json.loads(said["out"]) and "what the ledger has of it" in said["err"]


@pytest.mark.promise("C49", "a ledger of the release before: each reading command tells the cure", times=len(READING))
def test_c49_who_reads_does_not_migrate(victims: Victims, folder: Path, ledger_url: str) -> None:
    database = Database(parse(ledger_url))
    if database.is_sqlite:
        _prepare_file(str(database.url.database))
    with database.writing() as connection:
        alembic.upgrade(alembic_config(connection), "0003")
    database.close()
    environment = {"MLC_MASTER_KEY": KEY, "MLC_DATABASE_URL": ledger_url}
    for words in READING:
        said = victims.start(mlc, str(folder), environment, *words).wait().value
        refused(said, "revision 0003", "mlc ledger migrate")
    said = victims.start(mlc, str(folder), environment, "ledger", "migrate").wait().value
    assert said["code"] == 0 and "those of this release" in said["out"]
    said = victims.start(mlc, str(folder), environment, "holds", "list").wait().value
    assert said["code"] == 0 and "no record ever moved" in said["out"]


@pytest.mark.promise("C49", "a ping that looks for its secrets in a vault that is not there", times=1)
def test_c49_a_ping_makes_no_ledger_to_look_for_secrets_in(shell: Any) -> None:
    said = shell(("ping", "--json", "--within", "2"))
    assert said["code"] == 1 and "there is no ledger" in said["out"], said


@pytest.mark.promise("C49", "a good ledger beside the wrong place: it is named, its password never", times=2)
def test_c49_each_answer_says_which_ledger_it_is_of(shell: Any, folder: Path, ledger_url: str) -> None:
    filled(ledger_url)
    place = place_of(ledger_url)
    for words in (("holds", "list", "--json"), ("audit", "verify", "--json")):
        said = shell(words, MLC_DATABASE_URL=ledger_url)
        assert said["code"] == 0 and said["err"] == f"ledger: {place}\n" and json.loads(said["out"])


@pytest.mark.promise("C49", "a program of its own, started by a shell", times=2)
def test_c49_so_it_is_for_a_program_that_a_shell_starts(tmp_path: Path) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MLC_", "DAGSTER_HOME"))}
    root = str(Path(__file__).parents[2])
    for words in (("holds", "list"), ("audit", "verify")):
        ended = subprocess.run(
            [sys.executable, "-m", "mlc_dagster", *words],
            cwd=tmp_path,
            env={**kept, "PYTHONPATH": root},
            capture_output=True,
            text=True,
        )
        refused({"code": ended.returncode, "out": ended.stdout, "err": ended.stderr}, f"{tmp_path}/.mlc/ledger.db")
        assert list(tmp_path.iterdir()) == []
