"""`python -m mlc_dagster.sandbox`: the sandbox in the foreground."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from mlc_dagster.core.errors import MlcError
from mlc_dagster.sandbox.limits import Limits
from mlc_dagster.sandbox.seed.start import DAYS
from mlc_dagster.sandbox.serve import serve

Today = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Last day of the demo records")]


def main(
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1")] = 8787,
    seed: Annotated[str, typer.Option(help="demo or empty")] = "demo",
    today: Today = None,
    days: Annotated[int, typer.Option(help="How many days the demo records lie in", min=1, max=DAYS)] = DAYS,
    cin7_calls_per_minute: Annotated[int, typer.Option(help="Of each application key")] = 60,
    ifs_requests_per_minute: int = 1000,
    airbase_requests_per_minute: int = 500,
    hubspot_calls_per_10_seconds: int = 190,
    procurify_requests_per_second: int = 2,
    monday: Annotated[int, typer.Option(help="Its limits, so many times", min=1)] = 1,
    state: Annotated[Path | None, typer.Option(help="Keep what was sent in this file, across restarts")] = None,
) -> None:
    """Serve IFS Cloud and the SaaS beside it on one local port."""
    try:
        limits = Limits(
            cin7_calls_per_minute,
            ifs_requests_per_minute,
            airbase_requests_per_minute=airbase_requests_per_minute,
            hubspot_calls_per_10_seconds=hubspot_calls_per_10_seconds,
            procurify_requests_per_second=procurify_requests_per_second,
        ).with_monday(monday)
        serve(port, seed, today.date() if today else None, limits, state, days)
    except MlcError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None


if __name__ == "__main__":
    typer.run(main)
