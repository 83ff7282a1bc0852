"""The part of mlc.yaml about alerts: who is told of failed runs and, once a day, of what is on hold."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from mlc_dagster.settings.addresses import Link
from mlc_dagster.settings.section import Connection, Section

WEBHOOK, PASSWORD = "ALERTS_WEBHOOK_URL", "ALERTS_SMTP_PASSWORD"


def _name(value: Any) -> Any:
    if isinstance(value, str) and not re.fullmatch(r"[A-Z][A-Z0-9_]*", value.strip()):
        raise ValueError(
            "found what is no name, and is not shown: an address is a secret and does not stand here; "
            f"expected the name of what holds it, such as {WEBHOOK}"
        )
    return value


class EmailSettings(Section):
    """Where mail goes. The password, where `user` signs in, comes from ALERTS_SMTP_PASSWORD."""

    host: str = Field(min_length=1)
    port: int = Field(587, ge=1, le=65535)
    security: Literal["starttls", "ssl", "none"] = Field("starttls", description="ssl: from the first byte, port 465")
    sender: str = Field(min_length=3, description="mlc@acme.com")
    to: tuple[str, ...] = Field(min_length=1)
    user: str = Field("", description="Empty: the server takes mail without a sign-in")

    @model_validator(mode="after")
    def _keeps_the_password(self) -> EmailSettings:
        if self.user and self.security == "none":
            raise ValueError("a password would be sent in clear: set security to starttls or ssl, or leave user out")
        return self


Kind = Literal[
    "run_failed", "failed_twice", "credential", "quota", "not_fresh", "days_due", "held_share",
    "open_long", "open_amount", "few_rows", "paused", "chain_broken", "digest",
]  # fmt: skip
WebhookForm = Literal["slack", "teams"]


class AlertThresholds(Section):
    """From when on each condition is told."""

    not_fresh_hours: float = Field(24, gt=0, description="A flow that was loaded before, and not since then")
    days_due: int = Field(2, ge=1, description="Of one flow, that are not loaded though asked for")
    held_share: float = Field(0.05, gt=0, le=1, description="Of the rows of the day that a flow loaded last")
    open_days: float = Field(7, gt=0, description="A hold or a difference that is older")
    open_amounts: dict[str, Decimal] = Field(
        default_factory=dict, description="Currency: open by one cause. SEK: 1000000"
    )
    few_rows_share: float = Field(0.1, ge=0, lt=1, description="Of the usual rows of a day; 0: never told")
    paused_hours: float = Field(24, gt=0)
    credential_days: float = Field(14, gt=0, description="A credential that ends within these is told before it does")
    quota_left_share: float = Field(0.1, ge=0, lt=1, description="Of the calls of a day, where a system tells of them")


class AlertRoute(Section):
    """Who is told of some alerts in the place of all others: the first route that fits counts."""

    kinds: tuple[Kind, ...] = Field((), description="Empty: of every kind")
    owners: tuple[str, ...] = Field((), description="Of flows: team:finance; empty: whoever it is")
    webhook: Annotated[str, BeforeValidator(_name)] | None = Field(None, description="Name of what holds its address")
    webhook_form: WebhookForm = "slack"
    to: tuple[str, ...] = Field((), description="Mail addresses, by the server of alerts.email")

    @model_validator(mode="after")
    def _tells_somebody(self) -> AlertRoute:
        if self.webhook is None and not self.to:
            raise ValueError("nobody is told: give webhook or to")
        return self


class AlertSettings(Connection):
    """Told to a webhook, by e-mail, or both."""

    webhook: Annotated[str, BeforeValidator(_name)] | None = Field(
        None,
        description=f"Name of what holds its address: {WEBHOOK} (environment or vault), or an environment variable",
    )
    webhook_form: WebhookForm = Field("slack", description="slack: {text}, as many take it; teams: a card of Workflows")
    email: EmailSettings | None = None
    thresholds: AlertThresholds = AlertThresholds()
    routes: tuple[AlertRoute, ...] = ()
    page_url: Link | None = Field(None, description="Where the review page is: messages link to what is decided there")
    daily: str = Field("0 7 * * *", description="Cron, UTC: a word on what is on hold and paused; empty: none")
    ui_url: Link | None = Field(None, description="Where Dagster's UI is: messages link to the run")
    quiet_minutes: float = Field(60, ge=0, description="One job that fails for one cause is told once in this time")
    timeout_seconds: float = Field(10, gt=0, le=60)

    @model_validator(mode="after")
    def _tells_somebody(self) -> AlertSettings:
        if self.webhook is None and self.email is None:
            raise ValueError("nobody is told: give webhook or email")
        if self.email is None and any(route.to for route in self.routes):
            raise ValueError("a route sends mail, and no server is named: give email")
        return self
