"""The table of commands says what the commands say of themselves, and nothing is imported before it is needed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from mlc_dagster.cli.app import app
from mlc_dagster.cli.shared.command_table import Command, Group, group

LARGE = ("dagster", "sqlalchemy", "alembic", "pandas", "pyarrow", "numpy", "httpx")
CLI = Path(sys.modules["mlc_dagster.cli"].__file__ or "").parent
LOADED = """
import json, sys
sys.argv = ["mlc", *sys.argv[1:]]
from mlc_dagster.cli.app import main
try:
    main()
except SystemExit as end:
    print(json.dumps([end.code, [name for name in %r if name in sys.modules]]), file=sys.stderr)
"""


def tables(folder: type[Group] | Any = app.info.cls, path: str = "mlc") -> Iterator[tuple[str, str, Command]]:
    """What a person types, the folder that it is in, and its line: of every command and group."""
    for line in folder.table.values():
        yield f"{path} {line.name}", folder.folder, line
        found = line.load(folder.folder)
        if isinstance(found, Group):
            yield from tables(type(found), f"{path} {line.name}")


EVERY = {typed: (folder, line) for typed, folder, line in tables()}


@pytest.mark.parametrize("typed", EVERY)
def test_the_table_shows_what_the_command_says_of_itself(typed: str) -> None:
    folder, line = EVERY[typed]
    command = line.load(folder)
    first = " ".join((command.help or "").split("\n\n")[0].split())
    assert line.help == first, f"{typed}: its line in {folder} and its docstring differ"
    assert command.name == line.name
    assert {"install_completion", "show_completion"}.isdisjoint(each.name for each in command.params)


def modules(folder: Path) -> Iterator[str]:
    """Modules and folders that hold an `app`, but for the table itself."""
    for path in (*folder.glob("*.py"), *folder.glob("*/__init__.py")):
        if (path.name == "__init__.py" and path.parent == folder) or path == CLI / "app.py":
            continue
        if "\napp = " in path.read_text(encoding="utf-8"):
            yield path.parent.name if path.name == "__init__.py" else path.stem


PLACES = [line.module(folder).rpartition(".") for folder, line in EVERY.values()]


@pytest.mark.parametrize("folder", sorted({place for place, _, _ in PLACES}))
def test_every_module_with_a_command_is_in_a_table(folder: str) -> None:
    listed = {name for place, _, name in PLACES if place == folder}
    assert set(modules(CLI.parent.parent / folder.replace(".", "/"))) == listed


def imported(folder: Path, *words: str) -> tuple[int, list[str]]:
    """Exit code, and which of the large libraries were there at the end."""
    command = [sys.executable, "-c", LOADED % (LARGE,), *words]
    environment = {"PYTHONPATH": str(CLI.parents[1]), "PATH": ""}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False)
    code, found = json.loads(done.stderr.splitlines()[-1])
    return code, found


@pytest.mark.parametrize("words", ["--help", "holds --help", "holds list --help"])
def test_help_imports_nothing_large(words: str, tmp_path: Path) -> None:
    assert imported(tmp_path, *words.split()) == (0, [])


def test_no_command_imports_anything_large_before_it_runs() -> None:
    names = [line.module(folder) for folder, line in EVERY.values()]
    words = f"import sys; [__import__(name) for name in {names!r}]; print([n for n in {LARGE!r} if n in sys.modules])"
    command = [sys.executable, "-c", words]
    said = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert said.stdout.strip() == "[]", "import it in the function that needs it: help is asked for more often"


def test_a_misspelt_command_is_answered_with_the_nearest_and_imports_nothing(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["statu"])
    assert result.exit_code == 2 and "Did you mean 'status'" in result.output
    assert imported(tmp_path, "statu") == (2, [])


def test_a_command_with_a_hyphen_is_a_module_with_an_underscore(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = tmp_path / "commands_of_a_test"
    made.mkdir()
    (made / "same_account.py").write_text(
        "import typer\napp = typer.Typer(add_completion=False)\n\n"
        '@app.command()\ndef anything(number: int) -> None:\n    """Say it."""\n    print(number + 1)\n'
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    own = group("commands_of_a_test", "A test's.", Command("same-account", "Say it."))
    assert "Say it." in CliRunner().invoke(own, ["--help"]).output
    assert "commands_of_a_test.same_account" not in sys.modules
    result = CliRunner().invoke(own, ["same-account", "41"])
    assert (result.exit_code, result.output) == (0, "42\n")
    usage = CliRunner().invoke(own, ["same-account", "--help"]).output
    assert "same-account" in usage and "anything" not in usage


def test_it_says_its_version_without_loading_what_is_large(tmp_path: Path) -> None:
    shown = CliRunner().invoke(app, ["--version"])
    assert shown.exit_code == 0 and shown.output.startswith("mlc_dagster ") and "Python 3." in shown.output
    assert imported(tmp_path, "--version") == (0, [])


def test_it_completes_what_is_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"_MLC_COMPLETE": "complete_bash", "COMP_WORDS": "mlc hol", "COMP_CWORD": "1"}.items():
        monkeypatch.setenv(name, value)
    assert "holds" in CliRunner().invoke(app, [], prog_name="mlc").output


def test_an_error_is_json_where_json_is_asked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from mlc_dagster.cli import app as module

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["mlc", "holds", "list", "--json"])
    said: list[str] = []
    monkeypatch.setattr("typer.echo", lambda text="", **_: said.append(str(text)))
    with pytest.raises(SystemExit) as ended:
        module.main()
    assert ended.value.code == 2
    found = json.loads(said[-1])
    assert set(found) == {"error", "message", "cure"} and found["error"] == "Misconfigured" and found["cure"]
