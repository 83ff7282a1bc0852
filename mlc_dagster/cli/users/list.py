"""`mlc users list`: who may sign in. Tokens are nowhere to be shown."""

from __future__ import annotations

import typer

from mlc_dagster.cli.shared.lookup import ledger
from mlc_dagster.cli.shared.tables import moment, table
from mlc_dagster.core.terminal import plain, terminal

app = typer.Typer(add_completion=False)


@app.command()
def list_() -> None:
    """Who may sign in, as what, until when."""
    with ledger() as opened:
        found = opened.users.all()
    listed = table("name", "roles", "until", "removed")
    for one in found:
        grants = ", ".join(f"{role} of {company}" for role, company in one.grants)
        listed.add_row(plain(one.name), plain(grants), moment(one.ends_at), moment(one.removed_at))
    terminal().print(listed)
