"""docs/commands.md: every command, its options, its exit codes, from the commands themselves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from mlc_dagster.cli.app import app
from mlc_dagster.cli.shared.command_table import Group

LEAD = """# Commands

Made from the commands themselves by `python -m mlc_dagster_tests.reference`; a test holds it. `mlc
--install-completion` completes what is typed; a name that is misspelt is answered with the nearest ones.

| exit code | means |
|---|---|
| 0 | done; of a question: all is well |
| 1 | a question answered no: a ping with a fault, a run that failed, a difference, a record that was not sent |
| 2 | it could not be done as it was asked: settings, a name that is none, a place where nothing is |
| 3 | `mlc apply`: records or ledger have moved since the plan; nothing was written |

With `--json` an error is JSON as well: `{"error", "message", "cure"}`. Progress and the ledger's place go to stderr.
"""


def page() -> str:
    return LEAD + "".join(_sections(app.info.cls, "mlc"))  # type: ignore[arg-type]


def _sections(folder: type[Group], path: str) -> Iterator[str]:
    for name, line in folder.table.items():
        command: Any = line.load(folder.folder)
        if isinstance(command, Group):
            yield from _sections(type(command), f"{path} {name}")
        else:
            yield _section(f"{path} {name}", command)


def _section(typed: str, command: click.Command) -> str:
    arguments = [each for each in command.params if isinstance(each, click.Argument)]
    options = [each for each in command.params if isinstance(each, click.Option) and not each.hidden]
    names = " ".join(f"{each.human_readable_name}".upper() for each in arguments)
    help_ = "\n\n".join(" ".join(part.split()) for part in (command.help or "").split("\n\n"))
    rows = [f"| `{', '.join(each.opts)}` | {_words(each.help)} |\n" for each in options if each.help]
    table = "\n| option | |\n|---|---|\n" + "".join(rows) if rows else ""
    return f"\n## {f'{typed} {names}'.strip()}\n\n{help_}\n{table}"


def _words(text: str | None) -> str:
    return " ".join((text or "").split()).replace("|", "\\|")
