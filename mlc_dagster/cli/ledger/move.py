"""`mlc ledger move`: the ledger goes to another database, and the old one says where it went."""

from __future__ import annotations

from typing import Annotated

import typer

from mlc_dagster import settings as settings_file
from mlc_dagster.cli.shared.lookup import shown
from mlc_dagster.core.terminal import plain, terminal

app = typer.Typer(add_completion=False)


@app.command(epilog="Example: mlc ledger move postgresql://mlc@db.example/ledger --dry-run")
def move(
    to: Annotated[str, typer.Argument(metavar="TO_URL", help="sqlite:///folder/ledger.db or postgresql://...")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say how many rows, and change nothing.")] = False,
) -> None:
    """Move the ledger, of all tenants, into an empty database. Stop Dagster before.

    Everything is copied and compared: the rows and a digest of each table, and both trails. Then the old one is marked
    and not used any more; nothing in it is deleted. A move that was cut off is run again.
    """
    from mlc_dagster.ledger.upkeep import moving

    url, out = settings_file.environment().database_url, terminal()
    if dry_run:
        for name, rows in moving.plan(url, to).items():
            if rows:
                out.print(f"{rows:12,} {name}")
        out.print(f"Nothing was changed; they would go from {plain(shown(url))} to {plain(shown(to))}.", soft_wrap=True)
        return
    done = moving.move(url, to)
    for name, (rows, digest) in done.tables.items():
        if rows:
            out.print(f"{rows:12,} {name:14} {digest} on both sides")
    out.print(f"{done.rows:,} rows are alike, and {done.lines:,} lines of the trail follow each other on both sides.")
    out.print(
        f"The ledger is in {plain(shown(to))} now: set MLC_DATABASE_URL to it. {plain(shown(url))} is left as it was, "
        "and refuses to be used.",
        soft_wrap=True,
    )
