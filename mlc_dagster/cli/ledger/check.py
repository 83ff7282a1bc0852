"""`mlc ledger check`: whether it is sound: its file, its tables, its trail, the stored rows."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from mlc_dagster import settings as settings_file
from mlc_dagster.cli.shared.lookup import ledger
from mlc_dagster.core.terminal import Terminal, plain, say_json, terminal

if TYPE_CHECKING:
    from mlc_dagster.ledger.upkeep.soundness import Look

app = typer.Typer(add_completion=False)


@app.command()
def check(
    json_: Annotated[bool, typer.Option("--json", help="JSON, and no table.")] = False,
    rows: Annotated[bool, typer.Option("--rows/--no-rows", help="Read every stored file of rows, too.")] = True,
) -> None:
    """Whether the ledger is sound: its file, its tables, its trail, and the stored rows beside it; exit 1 if not."""
    from mlc_dagster.orchestration.storage.stored_files import look as look_at_rows

    here = settings_file.environment()
    looks: list[Look] = []
    with ledger() as opened:
        for look in opened.keeping.looks():
            looks.append(look)
        if rows:
            looks.append(look_at_rows(here.storage, opened, here.tenant))
    sound = not any(look.faults for look in looks)
    if json_:
        say_json({"sound": sound, "looks": [asdict(look) for look in looks]})
    else:
        _print_looks(looks, terminal())
    raise typer.Exit(0 if sound else 1)


def _print_looks(looks: list[Look], out: Terminal) -> None:
    for look in looks:
        mark = "[red]✗[/] " if look.faults else "[green]ok[/]"
        out.print(f"{mark} {look.what:12}{plain(look.told)}", soft_wrap=True)
        for fault in look.faults:
            out.print(f"     {plain(fault)}", soft_wrap=True)
    wrong = sum(bool(look.faults) for look in looks)
    out.print("The ledger is sound." if not wrong else "The ledger is NOT sound: docs/keeping.md says what to do.")
