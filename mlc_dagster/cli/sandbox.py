"""`mlc sandbox`: the systems as one local server."""

from __future__ import annotations

import typer

from mlc_dagster.sandbox.__main__ import main

app = typer.Typer(add_completion=False)
app.command()(main)
