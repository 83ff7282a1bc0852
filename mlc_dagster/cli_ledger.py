"""`mlc ledger`: the database that remembers what was delivered."""

from __future__ import annotations

import typer

from mlc_dagster.cli_places import ledger
from mlc_dagster.terminal import say

app = typer.Typer(
    help="The ledger: what was delivered, tried, held and read, in one database.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,  # they would hold secrets
)


@app.callback()
def about() -> None:
    """The ledger: what was delivered, tried, held and read, in one database."""


@app.command()
def migrate() -> None:
    """Bring the tables of a ledger that an older release wrote up to this one. Nothing that it holds is lost."""
    with ledger(writes=True):
        say("Its tables are those of this release.")
