"""`mlc credentials remove`: a secret leaves the vault."""

from __future__ import annotations

import typer

from mlc_dagster.cli.credentials.vault import vault
from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.core.terminal import say

app = typer.Typer(add_completion=False)


@app.command()
def remove(name: str) -> None:
    """Take a secret out of the vault."""
    with vault() as opened:
        if not opened.remove(name):
            raise Misconfigured(
                f"the vault has no secret {name[:40]!r}", cure="`mlc credentials list` shows what it has."
            )
    say(f"{name} is removed.")
