"""`mlc users add`: a personal token, shown once and kept as a hash."""

from __future__ import annotations

from typing import Annotated

import typer

from mlc_dagster.cli.shared.lookup import ledger, settings_here, tell
from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.core.near_names import offered
from mlc_dagster.core.terminal import say

app = typer.Typer(add_completion=False)


@app.command(epilog="Example: mlc users add ap.clerk2 --role decide --company 20 --days 90")
def add(
    name: Annotated[str, typer.Argument(help="One person's, such as ap.clerk2: no name is shared.")],
    role: Annotated[list[str], typer.Option(help="look, work, decide, confirm, sign, audit; several times.")],
    company: Annotated[list[str], typer.Option(help="Of these companies; several times. * for all.")],
    days: Annotated[int, typer.Option(help="Until the token ends.")] = 90,
) -> None:
    """Make a person's token, or a new one in its place. It is shown once."""
    _expect_companies(company)
    with ledger(writes=True) as opened:
        token = opened.users.add(name, [(one, where) for one in role for where in company], days)
    tell(f"The token of {name}, for {days} days. It is shown this once:")
    say(token)


def _expect_companies(named: list[str]) -> None:
    settings = settings_here()
    known = [*settings.companies, "*"] if settings else named
    for each in named:
        if each not in known:
            raise Misconfigured(
                f"mlc.yaml lists no company {each}{offered(each, known)}", cure=f"It lists {', '.join(known)}."
            )
