"""`mlc credentials list`: which secrets there are, and where. Their values are never shown."""

from __future__ import annotations

import os

import typer
from rich.table import Table

from mlc_dagster.cli.credentials.vault import vault
from mlc_dagster.cli.shared.lookup import settings_here
from mlc_dagster.core.terminal import terminal

app = typer.Typer(add_completion=False)


@app.command()
def list_() -> None:
    """Which secrets are in the vault, which are in the environment, and which nobody has."""
    from mlc_dagster.ledger.vault import MASTER_KEY
    from mlc_dagster.systems import configuration

    with vault(writes=False) as opened:
        sealed = {each.name: each for each in opened.sealed()}
    table = Table("connection", "secret", "from", "sealed", box=None)
    settings = settings_here()
    needed, optional = configuration.needed_secrets(settings), configuration.optional_secrets(settings)
    asked = [(system, name) for system, names in {**needed, **optional}.items() for name in names]
    strange = [("-", name) for name in sealed if name not in {name for _, name in asked}]
    for system, name in [*asked, *strange]:
        found = sealed.get(name)
        if system in optional and not (found or os.environ.get(name)):
            continue
        origin = "environment" if os.environ.get(name) else "vault" if found else "nobody has it"
        state = "" if not found else f"{found.sealed_at:%Y-%m-%d %H:%M} UTC"
        if found and not found.newest_key:
            state += ", with an older key: rotate" if found.opens else f", and no key in {MASTER_KEY} opens it"
        table.add_row(system, name, origin, state)
    terminal(110).print(table)
