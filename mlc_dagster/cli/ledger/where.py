"""`mlc ledger where`: which database it is, and what is in it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from mlc_dagster import settings as settings_file
from mlc_dagster.cli.shared.lookup import ledger
from mlc_dagster.cli.shared.tables import moment
from mlc_dagster.core.terminal import plain, say_json, terminal

app = typer.Typer(add_completion=False)


@app.command()
def where(json_: Annotated[bool, typer.Option("--json", help="JSON, and no table.")] = False) -> None:
    """Which database it is, how large, and what is in it; where the rows between the assets are."""
    storage = settings_file.environment().storage
    with ledger() as opened:
        found = opened.keeping.about()
    if json_:
        say_json({**asdict(found), "storage": storage})
        return
    rows = ", ".join(f"{count:,} {name}" for name, count in found.rows.items() if count) or "none"
    last = f"{moment(found.last_line_at)} UTC" if found.last_line_at else "nothing was ever written"
    facts = {
        "ledger": f"{found.kind}, {found.place}",
        "revision": f"{found.revision}, that of this release",
        "size": f"{found.bytes / 1_000_000:,.1f} MB",
        "rows": rows,
        "last line of the trail": last,
        "stored rows": storage,
    }
    for name, value in facts.items():
        terminal().print(f"{name:24}{plain(value)}", soft_wrap=True)
