"""`mlc alerts`: whether the people that mlc.yaml names are reached."""

from __future__ import annotations

import typer

from mlc_dagster import settings as settings_file
from mlc_dagster.cli_showing import ledger
from mlc_dagster.errors import Misconfigured

app = typer.Typer(
    help="Who is told of failed runs, and once a day of what is on hold: `alerts` in mlc.yaml.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,  # they would hold secrets
)


@app.callback()
def group() -> None:
    """A group of one command is a group all the same."""


@app.command()
def test() -> None:
    """Send a test message every way, and say what came of each. Exit 1 where one did not get out."""
    from mlc_dagster import alerting
    from mlc_dagster.systems.alerts import NotSent

    settings = settings_file.load(settings_file.environment().config)
    if settings.alerts is None:
        cure = "Add `alerts:` with webhook or email; mlc.example.yaml shows it."
        raise Misconfigured("mlc.yaml has no section alerts: nobody is told", cure=cure)
    failed = False
    with ledger() as opened:
        subject, text = alerting.daily(opened)
        for channel in alerting.channels(settings.alerts, lambda: opened):
            try:
                channel.send("mlc: a test", f"This is a test. Now it would say:\n{subject}\n{text}")
                typer.echo(f"{channel.name}: sent")
            except NotSent as error:
                failed = True
                typer.echo(str(error), err=True)
    if failed:
        raise typer.Exit(1)
