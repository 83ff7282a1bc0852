"""`mlc credentials rotate`: a new master key."""

from __future__ import annotations

import typer

from mlc_dagster.cli.credentials.vault import vault
from mlc_dagster.core.terminal import say

app = typer.Typer(add_completion=False)


@app.command()
def rotate() -> None:
    """Seal every secret anew with the first key in MLC_MASTER_KEY; then the others can be taken out."""
    from mlc_dagster.ledger.vault import MASTER_KEY

    with vault() as opened:
        count = opened.rotate()
    say(f"{count} secret(s) sealed with the first key in {MASTER_KEY}; the other keys are not needed any more.")
