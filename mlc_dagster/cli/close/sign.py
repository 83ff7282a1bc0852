"""`mlc close sign`: a person stands for a month's figures."""

from __future__ import annotations

from typing import Annotated

import typer

from mlc_dagster.cli.close.gathered import BY_HAND, PeriodOption, gathering
from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.core.terminal import say

app = typer.Typer(add_completion=False)


@app.command(epilog='Example: mlc close sign --period 2026-11 --company 0010 --by "Kari Nordmann"')
def sign(
    period: PeriodOption,
    company: Annotated[str, typer.Option(help="The company, such as 0010.")],
    by: Annotated[str, typer.Option(help="Who signs.")],
    reason: Annotated[str, typer.Option(help="Needed where something is open. It stays in the trail.")] = "",
) -> None:
    """Sign a company's month by name. A signature is void as soon as a figure is another one."""
    from mlc_dagster.ledger import Run
    from mlc_dagster.pipeline.closing import signing

    if not by.strip():
        raise Misconfigured("nobody is named", cure='Say who signs: --by "Kari Nordmann".')
    with gathering(period, company) as (gathered, flows):
        (figures,) = gathered.of(flows, company)
        closed = signing.sign(gathered, figures, by.strip(), reason.strip(), Run(BY_HAND))
    say(f"{closed.figures.books}, version {closed.version.number}, is signed by {by.strip()}: {figures.fingerprint}")
