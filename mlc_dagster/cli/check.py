"""`mlc check`: whether mlc.yaml is right."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mlc_dagster import settings as settings_file
from mlc_dagster.core.terminal import Terminal, paragraph, plain, terminal

app = typer.Typer(add_completion=False)


@app.command()
def check(config: Annotated[Path | None, typer.Argument(help="Default: MLC_CONFIG, or mlc.yaml.")] = None) -> None:
    """Read mlc.yaml and name every mistake by its line and its path."""
    from mlc_dagster.cli.shared.exposure import open_to_others
    from mlc_dagster.orchestration.settings_check import checked, plain_addresses
    from mlc_dagster.transport.proxies import check_way_out, odd_exceptions

    out, err = terminal(130, highlight=True), Terminal(stderr=True)
    path = config or settings_file.environment().config
    found = checked(path)
    check_way_out()
    on = ", ".join(["ifs", *found.targets])
    out.print(f"{plain(str(path))}: correct. Companies {', '.join(found.companies)}; switched on: {on}")
    for name, reason in plain_addresses(found):
        err.print(f"[yellow]plain http[/] {name}, because: {plain(reason)}", highlight=False, soft_wrap=True)
    if words := odd_exceptions():
        err.print(f"[yellow]proxy[/] {paragraph(words)}", highlight=False, soft_wrap=True)
    if words := open_to_others(settings_file.environment()):
        err.print(f"[yellow]open[/] {paragraph(words)}", highlight=False, soft_wrap=True)
