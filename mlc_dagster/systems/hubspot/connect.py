"""HubSpot's client from its settings and secret."""

from __future__ import annotations

from typing import Any

from mlc_dagster.systems.hubspot.api import BURST_SECONDS as HUBSPOT_SECONDS
from mlc_dagster.systems.hubspot.api import classify as hubspot_answers
from mlc_dagster.systems.hubspot.client import HubspotClient
from mlc_dagster.systems.hubspot.settings import HubspotSettings
from mlc_dagster.systems.shared.connections import Budgets, budget_name, request_limits, required_secret, secret_name
from mlc_dagster.transport.client import ApiClient
from mlc_dagster.transport.shadow import allowed
from mlc_dagster.transport.sign_in import Bearer

SIGN_IN_CURE = (
    "Check HUBSPOT_TOKEN: a service key of HubSpot (it lives on when its maker leaves), or the token of a private app, "
    "which ends when it is rotated or when the user who made it is removed from the portal."
)


def hubspot_client(
    settings: HubspotSettings,
    token: str,
    budgets: Budgets,
    tries: int = 8,
    name: str = "hubspot",
) -> HubspotClient:
    """HubSpot's client."""
    required_secret(token, secret_name("HUBSPOT_TOKEN", "hubspot", name))
    calls = settings.calls_per_10_seconds
    budget = budgets(budget_name("hubspot", settings.base_url, token), calls, HUBSPOT_SECONDS)
    api = ApiClient(
        name,
        settings.base_url,
        auth=Bearer(token, cure=SIGN_IN_CURE),
        budget=budget,
        **request_limits(settings),
        classify=hubspot_answers,
        proof=settings.proof,
        allows=allowed(name, settings.mode, only_asks),
        max_attempts=tries,
    )
    return HubspotClient(api, settings.options(), in_flight=settings.in_flight, budget=budget, calls=calls)


def only_asks(path: str, body: Any) -> bool:
    """Searches, batches that are read, and associations that are read."""
    return path.split("?")[0].rstrip("/").rsplit("/", 1)[-1] in ("search", "read")
