"""`mlc alerts test`: whether the people that mlc.yaml names are reached."""

from __future__ import annotations

import typer

from mlc_dagster import settings as settings_file
from mlc_dagster.core.errors import Misconfigured, MlcError
from mlc_dagster.core.terminal import say, tell_error
from mlc_dagster.settings import Environment

app = typer.Typer(add_completion=False)


@app.command()
def test() -> None:
    """Send a test message every way, and say what came of each. Exit 1 where one did not get out."""
    from mlc_dagster.ledger import Ledger
    from mlc_dagster.pipeline import alerting
    from mlc_dagster.systems import configuration
    from mlc_dagster.transport.notifications import NotSent

    environment = settings_file.environment()
    alerts = configuration.load(environment.config).alerts
    if alerts is None:
        cure = "Add `alerts:` with webhook or email; mlc.example.yaml shows it."
        raise Misconfigured("mlc.yaml has no section alerts: nobody is told", cure=cure)
    text, failed = f"This is a test. Now it would say:\n{_now(environment)}", False
    for channel in alerting.channels(alerts, lambda: Ledger.to_read(environment.database_url, environment.tenant)):
        try:
            channel.send("mlc: a test", text)
            say(f"{channel.name}: sent")
        except NotSent as error:
            failed = True
            tell_error(error)
    if failed:
        raise typer.Exit(1)


def _now(here: Environment) -> str:
    """What the daily word would be; a test works where nothing was moved yet, too."""
    from mlc_dagster.ledger import Ledger
    from mlc_dagster.pipeline import alerting

    try:
        with Ledger.to_read(here.database_url, here.tenant) as opened:
            return "\n".join(alerting.daily(opened))
    except MlcError as error:
        return error.message
