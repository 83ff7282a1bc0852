"""`mlc resume`: go on with a system that was paused; what waited is loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from mlc_dagster.cli.shared.connections import ConnectionArgument, WhoOption, named
from mlc_dagster.cli.shared.lookup import ledger
from mlc_dagster.cli.shared.tables import person
from mlc_dagster.core import commands
from mlc_dagster.core.terminal import say

if TYPE_CHECKING:
    from mlc_dagster.ledger import Ledger, Pause

ONE_WAITS = "1 load waits. The sensor `due` requests it"
EXAMPLES = "Examples: mlc resume cin7 · mlc resume --all"

app = typer.Typer(add_completion=False)


@app.command(epilog=EXAMPLES)
def resume(
    connection: ConnectionArgument = None,
    every: Annotated[bool, typer.Option("--all", help="Everything that is paused.")] = False,
    reason: Annotated[str, typer.Option("--reason", help="Why. It is kept.", show_default=False)] = "",
    who: WhoOption = "",
) -> None:
    """Let a system be written to again; what waited is loaded by itself."""
    names, by = named(connection, every, "resume"), person(who)
    with ledger(writes=True) as opened:
        lifted = [found for name in names if (found := opened.pauses.lift(name, by, reason.strip()))]
        for found in lifted:
            say(_told(found, opened))
    if not lifted:
        say("Nothing is paused." if every else f"{names[0]} is not paused.")


def _told(lifted: Pause, opened: Ledger) -> str:
    words = f"{lifted.connection} goes on; {lifted.who} had paused it since {lifted.at:%Y-%m-%d %H:%M} UTC."
    waiting = [task for task in opened.work.all() if task.connection == lifted.connection]
    if not waiting:
        return f"{words} No load waits."
    first, many = waiting[0], len(waiting) > 1
    counted = f"{len(waiting)} loads wait. The sensor `due` requests them" if many else ONE_WAITS
    replay = commands.offered("replay", flow=first.flow, partition=first.partition)
    return f"{words} {counted} within a minute; at once{', one by one' if many else ''}: {replay}"
