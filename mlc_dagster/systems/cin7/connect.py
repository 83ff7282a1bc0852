"""Cin7's client from its settings and secrets: its keys share the work."""

from __future__ import annotations

from mlc_dagster.systems.cin7.api import classify as cin7_answers
from mlc_dagster.systems.cin7.api import signature
from mlc_dagster.systems.cin7.client import Cin7Client
from mlc_dagster.systems.cin7.settings import Cin7Settings
from mlc_dagster.systems.shared.connections import Budgets, budget_name, request_limits, required_secret, secret_name
from mlc_dagster.transport.client import ApiClient, KeyRing
from mlc_dagster.transport.shadow import allowed


def cin7_client(
    settings: Cin7Settings,
    account_id: str,
    application_keys: str,
    budgets: Budgets,
    tries: int = 8,
    name: str = "cin7",
) -> Cin7Client:
    """Cin7's client; several application keys, comma separated, share the work."""
    required_secret(account_id, secret_name("CIN7_ACCOUNT_ID", "cin7", name))
    keys = [key.strip() for key in application_keys.split(",") if key.strip()]
    required_secret("".join(keys), secret_name("CIN7_APPLICATION_KEYS", "cin7", name))
    ring = KeyRing(
        [signature(account_id, key) for key in keys],
        [budgets(budget_name("cin7", account_id, key), settings.calls_per_minute, 60.0) for key in keys],
    )
    api = ApiClient(
        name,
        settings.base_url,
        budget=ring,
        **request_limits(settings),
        classify=cin7_answers,
        proof=settings.proof,
        allows=allowed(name, settings.mode),
        max_attempts=tries,
    )
    tables = settings.tables()
    return Cin7Client(
        api,
        settings.options(),
        terms=settings.payment_terms,
        account_id=account_id,
        address_types=tables["address_types"],
    )
