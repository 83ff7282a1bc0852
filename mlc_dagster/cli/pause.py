"""`mlc pause`: stop writing to a system at once; nothing is lost."""

from __future__ import annotations

from typing import Annotated

import typer

from mlc_dagster.cli.shared.connections import ConnectionArgument, WhoOption, named
from mlc_dagster.cli.shared.lookup import ledger
from mlc_dagster.cli.shared.tables import person
from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.core.terminal import say

EXAMPLES = 'Examples: mlc pause cin7 --reason "month end" · mlc pause --all --reason "wrong prices, ticket 4711"'

app = typer.Typer(add_completion=False)


@app.command(epilog=EXAMPLES)
def pause(
    reason: Annotated[str, typer.Option("--reason", help="Why. It is shown wherever something waits for it.")],
    connection: ConnectionArgument = None,
    every: Annotated[bool, typer.Option("--all", help="Every system, those that are off too.")] = False,
    who: WhoOption = "",
) -> None:
    """Stop writing to a system: the batch in flight ends, and nothing is sent after it. Reading goes on."""
    names, by, why = named(connection, every, "pause"), person(who), reason.strip()
    if not why:
        raise Misconfigured("it is not said why", cure='--reason "...": others will ask.')
    with ledger(writes=True) as opened:
        for name in names:
            found, began = opened.pauses.pause(name, by, why)
            say(f"{found}." if began else f"Nothing has changed: {found}.")
    say("A batch in flight ends; nothing is written after it. Reading and preparing go on.")
    say(f"To go on: mlc resume {'--all' if every else names[0]}")
