"""`mlc ui`: Dagster's pages."""

from __future__ import annotations

from typing import Annotated

import typer

from mlc_dagster.core.terminal import terminal

app = typer.Typer(add_completion=False)


@app.command()
def ui(
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1.")] = 3000,
    of_the_demo: Annotated[bool, typer.Option("--demo", help="On the demo, where there is an mlc.yaml too.")] = False,
) -> None:
    """Open Dagster's UI on the demo, or on your own mlc.yaml where there is one."""
    from mlc_dagster.demo.story import run_ui

    run_ui(port, terminal(130, highlight=True), demo=of_the_demo)
