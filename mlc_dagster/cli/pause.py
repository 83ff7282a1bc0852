"""`mlc pause` and `mlc resume`: stop writing to a system at once, and go on; nothing is lost in between."""

from __future__ import annotations

from typing import Annotated

import typer

from mlc_dagster.cli.places import ledger, settings_here
from mlc_dagster.cli.tables import person
from mlc_dagster.core import commands
from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.core.near_names import nearest
from mlc_dagster.core.terminal import say
from mlc_dagster.ledger import Ledger, Pause
from mlc_dagster.systems import configuration

PAUSES = 'Examples: mlc pause cin7 --reason "month end" · mlc pause --all --reason "wrong prices, ticket 4711"'
ONE_WAITS = "1 load waits. The sensor `due` requests it"
RESUMES = "Examples: mlc resume cin7 · mlc resume --all"

ConnectionArgument = Annotated[str | None, typer.Argument(help="Its section in mlc.yaml: cin7, ifs, ...")]
WhoOption = Annotated[str, typer.Option("--who", help="Who decides. Default: the login name.", show_default=False)]


def pause(
    reason: Annotated[str, typer.Option("--reason", help="Why. It is shown wherever something waits for it.")],
    connection: ConnectionArgument = None,
    every: Annotated[bool, typer.Option("--all", help="Every system, those that are off too.")] = False,
    who: WhoOption = "",
) -> None:
    """Stop writing to a system: the batch in flight ends, and nothing is sent after it. Reading goes on."""
    names, by, why = _named(connection, every, "pause"), person(who), reason.strip()
    if not why:
        raise Misconfigured("it is not said why", cure='--reason "...": others will ask.')
    with ledger(writes=True) as opened:
        for name in names:
            found, began = opened.pauses.pause(name, by, why)
            say(f"{found}." if began else f"Nothing has changed: {found}.")
    say("A batch in flight ends; nothing is written after it. Reading and preparing go on.")
    say(f"To go on: mlc resume {'--all' if every else names[0]}")


def resume(
    connection: ConnectionArgument = None,
    every: Annotated[bool, typer.Option("--all", help="Everything that is paused.")] = False,
    reason: Annotated[str, typer.Option("--reason", help="Why. It is kept.", show_default=False)] = "",
    who: WhoOption = "",
) -> None:
    """Let a system be written to again; what waited is loaded by itself."""
    names, by = _named(connection, every, "resume"), person(who)
    with ledger(writes=True) as opened:
        lifted = [found for name in names if (found := opened.pauses.lift(name, by, reason.strip()))]
        for found in lifted:
            say(_told(found, opened))
    if not lifted:
        say("Nothing is paused." if every else f"{names[0]} is not paused.")


def _told(lifted: Pause, opened: Ledger) -> str:
    words = f"{lifted.connection} goes on; {lifted.who} had paused it since {lifted.at:%Y-%m-%d %H:%M} UTC."
    waiting = [load for load in opened.pauses.loads() if load.connection == lifted.connection]
    if not waiting:
        return f"{words} No load waits."
    first, many = waiting[0], len(waiting) > 1
    counted = f"{len(waiting)} loads wait. The sensor `due` requests them" if many else ONE_WAITS
    replay = commands.offered("replay", flow=first.flow, partition=first.partition)
    return f"{words} {counted} within a minute; at once{', one by one' if many else ''}: {replay}"


def _named(connection: str | None, every: bool, verb: str) -> tuple[str, ...]:
    """The connections that are meant. Raises Misconfigured, with the nearest where one was misspelt."""
    known = tuple(configuration.connections(settings_here()))
    if every and connection is not None:
        raise Misconfigured(f"{connection} and --all at once", cure=f"mlc {verb} {connection}, or mlc {verb} --all.")
    if every:
        return known
    if connection is None:
        raise Misconfigured("it is not said which system", cure=f"mlc {verb} {' | '.join(known)} | --all")
    if connection not in known:
        near = nearest(connection, known)
        cure = f"Nearest: {', '.join(near)}." if near else f"There is: {', '.join(known)}."
        raise Misconfigured(f"no system is called {connection!r}; nothing has changed", cure=cure)
    return (connection,)
