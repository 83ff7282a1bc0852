"""`python -m mlc_dagster.sandbox`: the sandbox in the foreground."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from mlc_dagster.core.errors import Misconfigured, MlcError
from mlc_dagster.sandbox.limits import Limits
from mlc_dagster.sandbox.profiles import listed
from mlc_dagster.sandbox.registry import usual
from mlc_dagster.sandbox.seed.start import DAYS
from mlc_dagster.sandbox.serve import serve
from mlc_dagster.sandbox.settings_files import as_text, settings_files, write_files

Today = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Last day of the demo records")]


def main(
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1")] = 8787,
    seed: Annotated[str, typer.Option(help="demo or empty")] = "demo",
    today: Today = None,
    days: Annotated[int, typer.Option(help="How many days the demo records lie in", min=1, max=DAYS)] = DAYS,
    limit: Annotated[
        list[str] | None, typer.Option(help="Calls of each credential, once for each: cin7.calls_per_minute=600")
    ] = None,
    profile: Annotated[
        list[str] | None,
        typer.Option(help="What a tenant is like, several from different systems: ifs.pages; or ifs.count=false"),
    ] = None,
    profiles: Annotated[bool, typer.Option("--profiles", help="List the profiles, and stop")] = False,
    settings: Annotated[
        bool, typer.Option("--settings", help="Print a mlc.yaml and a .env that know this sandbox, and stop")
    ] = False,
    out: Annotated[Path | None, typer.Option(help="With --settings: write both into this folder instead")] = None,
    state: Annotated[Path | None, typer.Option(help="Keep what was sent in this file, across restarts")] = None,
    descriptor: Annotated[int | None, typer.Option(hidden=True)] = None,
) -> None:
    """Serve IFS Cloud and the SaaS beside it on one local port."""
    if profiles:
        typer.echo(listed(usual()))
        return
    try:
        if settings:
            files = settings_files(port, days, profile or [])
            write_files(files, out) if out else typer.echo(as_text(files), nl=False)
            return
        limits = Limits(**dict(map(_limit, limit or [])))
        serve(port, seed, today.date() if today else None, limits, state, days, profile or [], descriptor)
    except MlcError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None


def _limit(text: str) -> tuple[str, int]:
    """(name, calls). Raises Misconfigured."""
    name, _, calls = text.partition("=")
    if not calls.isdecimal():
        raise Misconfigured(f"found --limit {text}; expected such as cin7.calls_per_minute=600")
    return name.strip().replace(".", "_"), int(calls)


if __name__ == "__main__":
    typer.run(main)
