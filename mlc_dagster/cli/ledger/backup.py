"""`mlc ledger backup`: the whole ledger in one file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mlc_dagster.cli.shared.lookup import ledger
from mlc_dagster.cli.shared.tables import moment
from mlc_dagster.core.terminal import say

app = typer.Typer(add_completion=False)


@app.command(epilog="Example: mlc ledger backup ledger-2026-11-05.zip")
def backup(file: Annotated[Path, typer.Argument(help="Such as ledger-2026-11-05.zip.")]) -> None:
    """Write the whole ledger of this moment to a new file, while runs go on. Sealed secrets stay sealed in it."""
    with ledger() as opened:
        manifest = opened.keeping.backup(file)
    rows = sum(manifest.rows.values())
    size = file.stat().st_size / 1_000_000
    say(f"{file}: {rows:,} rows of {moment(manifest.taken_at)} UTC, {size:,.1f} MB. Keep it elsewhere,")
    say("together with a copy of MLC_MASTER_KEY: without that key its secrets stay closed.")
