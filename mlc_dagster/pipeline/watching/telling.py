"""What stands is told once for its cause and day, to those whom its kind and owner concern."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from mlc_dagster.core.errors import MlcError
from mlc_dagster.core.logs import logger
from mlc_dagster.ledger import Ledger
from mlc_dagster.pipeline import alerting
from mlc_dagster.pipeline.watching.conditions import Alert
from mlc_dagster.settings.alerts import AlertSettings

log = logger("mlc_dagster.alerts")

AGAIN_SECONDS = 86_400.0  # what stands longer is told once a day


def tell(settings: AlertSettings, ledger: Ledger, alerts: Iterable[Alert], secrets: Collection[str]) -> list[str]:
    """What came of each that was due to be told, in words. What fails here, fails nothing else."""
    return [said for alert in alerts if (said := _told(settings, ledger, alert, secrets))]


def _told(settings: AlertSettings, ledger: Ledger, alert: Alert, secrets: Collection[str]) -> str:
    try:
        if ledger.alerts.due(f"{alert.kind} {alert.cause}", AGAIN_SECONDS) is None:
            return ""
    except MlcError as error:
        log.warning("whether this was told already is not known: %s", error.message)
    where = settings.page_url or settings.ui_url
    link = f"{str(where).rstrip('/')}{alert.place if settings.page_url else ''}" if where else ""
    subject, text = f"mlc: {alert.subject}", "\n".join(filter(None, (alert.text, link)))
    shown = [alerting.redacted(each, lambda: ledger, secrets) for each in (subject, text)]
    failures = alerting.tell(settings, lambda: ledger, shown[0], shown[1], kind=alert.kind, owners=alert.owners)
    return f"{alert.kind} not told: {'; '.join(failures)}" if failures else f"told: {alert.subject}"
