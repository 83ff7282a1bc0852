"""Which connections a person means who pauses or resumes them."""

from __future__ import annotations

from typing import Annotated

import typer

from mlc_dagster.cli.shared.lookup import settings_here
from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.core.near_names import nearest

ConnectionArgument = Annotated[str | None, typer.Argument(help="Its section in mlc.yaml: cin7, ifs, ...")]
WhoOption = Annotated[str, typer.Option("--who", help="Who decides. Default: the login name.", show_default=False)]


def named(connection: str | None, every: bool, verb: str) -> tuple[str, ...]:
    """The connections that are meant. Raises Misconfigured, with the nearest where one was misspelt."""
    from mlc_dagster.systems import configuration

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
