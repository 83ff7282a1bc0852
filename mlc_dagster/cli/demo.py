"""`mlc demo`: the whole product against the sandbox."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mlc_dagster.core.terminal import terminal
from mlc_dagster.settings import DEMO_FOLDER

app = typer.Typer(add_completion=False)


@app.command()
def demo(
    days: Annotated[int, typer.Option(help="How many days back, today included.", min=1, max=30)] = 7,
    folder: Annotated[Path, typer.Option(help="Where the demo keeps its state.")] = DEMO_FOLDER,
    whole: Annotated[
        bool,
        typer.Option("--whole", help="Then tell the later life: people edit, void, delete, merge; a run fails."),
    ] = False,
    profile: Annotated[
        list[str] | None,
        typer.Option(
            help="What the tenants are like, as `mlc sandbox --profiles` lists them: ifs.pages. Left out: those nearest"
            " to what is recorded of real ones; ifs.seed is the words of the business description."
        ),
    ] = None,
) -> None:
    """Move everything from a sandbox ERP to the sandbox SaaS through real Dagster runs, twice, and show what moved."""
    from mlc_dagster.demo.story import run_demo
    from mlc_dagster.sandbox.registry import nearest

    run_demo(folder, days, nearest() if profile is None else profile, terminal(130, highlight=True), whole=whole)
