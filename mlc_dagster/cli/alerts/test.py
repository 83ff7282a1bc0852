"""`mlc alerts test`: whether the people that mlc.yaml names are reached."""

from __future__ import annotations

from collections.abc import Iterator

import typer

from mlc_dagster import settings as settings_file
from mlc_dagster.core.errors import Misconfigured, MlcError
from mlc_dagster.core.terminal import say, tell_error
from mlc_dagster.settings import Environment
from mlc_dagster.settings.alerts import AlertSettings

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
    ledger = lambda: Ledger.to_read(environment.database_url, environment.tenant)  # noqa: E731
    told = set[str]()
    for whose, section in [("", alerts), *_routes(alerts)]:
        try:
            ways = [each for each in alerting.channels(section, ledger) if each.whom not in told]
        except MlcError as error:  # what one route lacks keeps no message from the others
            ways, failed = [], _is_told(error)
        for channel in ways:
            told.add(channel.whom)
            try:
                channel.send("mlc: a test", f"{whose}{text}")
                say(f"{channel.name}: sent{f' to {channel.whom}' if whose else ''}")
            except NotSent as error:
                failed = _is_told(error)
    if failed:
        raise typer.Exit(1)


def _is_told(error: MlcError) -> bool:
    tell_error(error)
    return True


def _routes(alerts: AlertSettings) -> Iterator[tuple[str, AlertSettings]]:
    """Each with a line on what goes that way."""
    from mlc_dagster.pipeline.alerting import of_route

    for route in alerts.routes:
        of = [*(route.kinds or ("every kind",)), *(f"of {owner}" for owner in route.owners)]
        yield f"You are told of: {', '.join(of)}.\n", of_route(route, alerts)


def _now(here: Environment) -> str:
    """What the daily word would be; a test works where nothing was moved yet, too."""
    from mlc_dagster.ledger import Ledger
    from mlc_dagster.pipeline import digest

    try:
        with Ledger.to_read(here.database_url, here.tenant) as opened:
            return "\n".join(digest.daily(opened))
    except MlcError as error:
        return error.message
