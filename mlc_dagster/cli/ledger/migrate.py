"""`mlc ledger migrate`: its tables become those of this release."""

from __future__ import annotations

import typer

from mlc_dagster import settings as settings_file
from mlc_dagster.cli.shared.lookup import ledger, tell
from mlc_dagster.core.terminal import say

app = typer.Typer(add_completion=False)


@app.command()
def migrate() -> None:
    """Bring the tables of a ledger that an older release wrote up to this one. Nothing that it holds is lost.

    Before it begins it says how long that takes, and how much room.
    """
    from mlc_dagster.ledger.upkeep.forecast import forecast

    if expected := forecast(settings_file.environment().database_url):
        tell(str(expected))
    with ledger(writes=True):
        say("Its tables are those of this release.")
