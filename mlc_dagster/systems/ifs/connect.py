"""IFS Cloud's client from its settings and secrets: sign-in, budget and transport."""

from __future__ import annotations

from mlc_dagster.systems.ifs.client import IfsClient
from mlc_dagster.systems.ifs.external_records import ways_for
from mlc_dagster.systems.ifs.odata.error_responses import classify as ifs_answers
from mlc_dagster.systems.ifs.records import catalogue_for
from mlc_dagster.systems.ifs.settings import IfsSettings
from mlc_dagster.systems.shared.connections import Budgets, budget_name, request_limits, required_secret, secret_name
from mlc_dagster.transport.client import ApiClient
from mlc_dagster.transport.shadow import allowed
from mlc_dagster.transport.sign_in import ClientCredentials


def ifs_client(
    settings: IfsSettings,
    client_id: str,
    client_secret: str,
    budgets: Budgets,
    tries: int = 8,
    name: str = "ifs",
) -> IfsClient:
    """The ERP's client. Nothing is sent before its first use."""
    required_secret(client_id, secret_name("IFS_CLIENT_ID", "ifs", name))
    required_secret(client_secret, secret_name("IFS_CLIENT_SECRET", "ifs", name))
    auth = ClientCredentials(
        settings.token_url,
        client_id,
        client_secret,
        scope=settings.scope,
        audience=settings.audience,
        body=settings.token_body,
        authentication=settings.client_authentication,
        cure="Check IFS_CLIENT_ID and IFS_CLIENT_SECRET, and ifs.token_url and ifs.scope in mlc.yaml.",
        address_cure="Check ifs.token_url in mlc.yaml: the API Explorer of IFS shows it, with its realm.",
    )
    api = ApiClient(
        name,
        settings.base_url + settings.surface,
        auth=auth,
        budget=budgets(budget_name("ifs", settings.base_url, client_id), settings.requests_per_minute, 60.0),
        **request_limits(settings),
        classify=ifs_answers,
        proof=settings.proof,
        allows=allowed(name, settings.mode),
        max_attempts=tries,
    )
    return IfsClient(
        api,
        in_flight=settings.in_flight,
        page_size=settings.page_size,
        catalogue=catalogue_for(settings),
        currencies=settings.currencies,
        external=ways_for(settings),
        time_zone=settings.time_zone,
        documents_per_batch=settings.documents_per_batch,
    )
