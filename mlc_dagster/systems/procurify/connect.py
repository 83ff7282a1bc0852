"""Procurify's client from its settings and secrets."""

from __future__ import annotations

from dataclasses import fields

from mlc_dagster.systems.procurify.api import CURE as PROCURIFY_CURE
from mlc_dagster.systems.procurify.api import TIMEOUT_WEIGHS
from mlc_dagster.systems.procurify.api import classify as procurify_answers
from mlc_dagster.systems.procurify.client import ProcurifyClient
from mlc_dagster.systems.procurify.endpoints import Endpoints, ReadScope
from mlc_dagster.systems.procurify.settings import ProcurifySettings
from mlc_dagster.systems.shared.connections import Budgets, budget_name, request_limits, required_secret, secret_name
from mlc_dagster.transport.client import ApiClient
from mlc_dagster.transport.shadow import allowed
from mlc_dagster.transport.sign_in import ClientCredentials


def procurify_client(
    settings: ProcurifySettings,
    client_id: str,
    client_secret: str,
    budgets: Budgets,
    tries: int = 8,
    name: str = "procurify",
) -> ProcurifyClient:
    """Procurify's client. There is no refresh token: the grant is asked for again before it ends."""
    required_secret(client_id, secret_name("PROCURIFY_CLIENT_ID", "procurify", name))
    required_secret(client_secret, secret_name("PROCURIFY_CLIENT_SECRET", "procurify", name))
    auth = ClientCredentials(
        settings.sign_in,
        client_id,
        client_secret,
        audience=settings.audience,
        body="json",
        cure=PROCURIFY_CURE,
        address_cure="Check procurify.base_url and procurify.token_url in mlc.yaml.",
    )
    api = ApiClient(
        name,
        settings.base_url,
        auth=auth,
        headers={"X-Procurify-Client": "api"},
        budget=budgets(budget_name("procurify", settings.base_url, client_id), settings.requests_per_second, 1.0),
        **request_limits(settings),
        classify=procurify_answers,
        proof=settings.proof,
        allows=allowed(name, settings.mode),
        max_attempts=tries,
        timeout_weighs=TIMEOUT_WEIGHS,
    )
    read_scope = ReadScope(**{field.name: getattr(settings, field.name) for field in fields(ReadScope)})
    return ProcurifyClient(api, Endpoints(**settings.paths.model_dump()), read_scope, time_zones=settings.time_zones)
