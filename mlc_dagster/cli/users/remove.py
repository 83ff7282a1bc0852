"""`mlc users remove`: the token ends now, and every session with it."""

from __future__ import annotations

from typing import Annotated

import typer

from mlc_dagster.cli.shared.lookup import NotFound, ledger, tell
from mlc_dagster.core.terminal import say

app = typer.Typer(add_completion=False)


@app.command()
def remove(name: Annotated[str, typer.Argument(help="As `mlc users list` shows it.")]) -> None:
    """A person signs in no more, and is signed out everywhere."""
    from mlc_dagster.ledger.records.users import ROLES

    with ledger(writes=True) as opened:
        before = [one for one in opened.users.all() if one.removed_at is None]
        if not opened.users.remove(name):
            raise NotFound(f"nobody signs in as {name}", cure="`mlc users list` names them.")
        held = {role for one in before for role, _ in one.grants}
        left = {role for one in before if one.name != name for role, _ in one.grants}
    say(f"{name} signs in no more.")
    if lost := [role for role in ROLES if role in held - left]:
        tell(f"Nobody has the role {', '.join(lost)} any more.")
