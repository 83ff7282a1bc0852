"""`mlc ledger restore`: a backup takes the place of the ledger."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mlc_dagster import settings as settings_file
from mlc_dagster.cli.shared.lookup import shown
from mlc_dagster.cli.shared.tables import moment
from mlc_dagster.core import commands
from mlc_dagster.core.terminal import Terminal, plain, terminal

if TYPE_CHECKING:
    from mlc_dagster.ledger.upkeep.restoring import Restored

app = typer.Typer(add_completion=False)


@app.command(epilog="Example: mlc ledger restore ledger-2026-11-05.zip")
def restore(
    file: Annotated[Path, typer.Argument(help="Such as ledger-2026-11-05.zip.")],
    giving_up: Annotated[
        int | None, typer.Option("--giving-up", help="How many records moved since, as the refusal says.", min=0)
    ] = None,
) -> None:
    """Put a backup in the place of the ledger. Stop Dagster before.

    What was delivered since the backup is looked up in the target by its key when its day is loaded again, and adopted:
    nothing is doubled. Decisions and holds of that time are lost. docs/keeping.md tells more.
    """
    from mlc_dagster.ledger.upkeep.restoring import restore as put_back

    url = settings_file.environment().database_url
    done = put_back(file, url, giving_up)
    _print_restored(done, shown(url), terminal())


def _print_restored(done: Restored, place: str, out: Terminal) -> None:
    manifest, given_up = done.manifest, done.given_up
    out.print(f"{plain(place)} is the ledger of {moment(manifest.taken_at)} UTC.", soft_wrap=True)
    if given_up.records:
        out.print(f"{given_up.records:,} records had moved since, {given_up.delivered:,} were delivered.")
    out.print(
        "Load the days since then again (mlc replay --read-again, or a backfill): what the target has is adopted.",
        soft_wrap=True,
    )
    for connection in done.lifted:
        again = commands.offered("pause", connection, reason=commands.REASON)
        out.print(f"{plain(connection)} was paused then, and is not any more: {plain(again)} stops it again.")
