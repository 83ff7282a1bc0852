"""What stands is told once for its cause and day, to those whom its kind and owner concern."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from mlc_dagster.ledger import Ledger
from mlc_dagster.pipeline import alerting
from mlc_dagster.pipeline.watching.alert import Alert
from mlc_dagster.settings.alerts import AlertSettings

AGAIN_SECONDS = 86_400.0  # what stands longer is told once a day


def tell(settings: AlertSettings, ledger: Ledger, alerts: Iterable[Alert], secrets: Collection[str]) -> list[str]:
    """What came of each that was due to be told, in words. What fails here, fails nothing else."""
    return [said for alert in alerts if (said := _told(settings, ledger, alert, secrets))]


def _told(settings: AlertSettings, ledger: Ledger, alert: Alert, secrets: Collection[str]) -> str:
    where = settings.page_url or settings.ui_url
    link = f"{str(where).rstrip('/')}{alert.place if settings.page_url else ''}" if where else ""
    subject, text = (alerting.redacted(each, lambda: ledger, secrets) for each in (f"mlc: {alert.subject}", alert.text))
    body = "\n".join(filter(None, (text, link)))
    told = alerting.tell_once(
        settings,
        lambda: ledger,
        subject,
        lambda _: body,
        [alerting.Cause(alert.cause, AGAIN_SECONDS)],
        alert.kind,
        alert.owners,
    )
    return told.says(f"told: {alert.subject}") if told else ""
