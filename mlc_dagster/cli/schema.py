"""`mlc schema`: what mlc.yaml may say, for editors."""

from __future__ import annotations

import typer

app = typer.Typer(add_completion=False)


@app.command()
def schema() -> None:
    """Print the JSON schema of mlc.yaml, for editors."""
    from mlc_dagster.systems import configuration

    typer.echo(configuration.json_schema())
