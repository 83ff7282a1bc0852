"""Clients from settings and secrets: sign-in, budget and transport, put together once for Dagster and the CLI."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import fields
from typing import Any

from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.core.outcomes import Budget
from mlc_dagster.systems.airbase.calls import classify as airbase_answers
from mlc_dagster.systems.airbase.calls import signature as airbase_signature
from mlc_dagster.systems.airbase.client import AirbaseClient
from mlc_dagster.systems.airbase.endpoints import Places
from mlc_dagster.systems.airbase.settings import AirbaseSettings
from mlc_dagster.systems.cin7.calls import classify as cin7_answers
from mlc_dagster.systems.cin7.calls import signature
from mlc_dagster.systems.cin7.client import Cin7Client
from mlc_dagster.systems.cin7.settings import Cin7Settings
from mlc_dagster.systems.hubspot.calls import BURST_SECONDS as HUBSPOT_SECONDS
from mlc_dagster.systems.hubspot.calls import classify as hubspot_answers
from mlc_dagster.systems.hubspot.client import HubspotClient
from mlc_dagster.systems.hubspot.settings import HubspotSettings
from mlc_dagster.systems.ifs.client import IfsClient
from mlc_dagster.systems.ifs.records import catalogue
from mlc_dagster.systems.ifs.refusals import classify as ifs_answers
from mlc_dagster.systems.ifs.settings import IfsSettings
from mlc_dagster.systems.monday.budget import DAY, MinuteAndDay
from mlc_dagster.systems.monday.calls import CURE as MONDAY_CURE
from mlc_dagster.systems.monday.calls import classifier as monday_answers
from mlc_dagster.systems.monday.client import MondayClient
from mlc_dagster.systems.monday.settings import MondaySettings
from mlc_dagster.systems.procurify.calls import CURE as PROCURIFY_CURE
from mlc_dagster.systems.procurify.calls import classify as procurify_answers
from mlc_dagster.systems.procurify.client import ProcurifyClient
from mlc_dagster.systems.procurify.endpoints import Addresses, Reach
from mlc_dagster.systems.procurify.settings import ProcurifySettings
from mlc_dagster.transport.answer_limits import Bounds
from mlc_dagster.transport.client import ApiClient, KeyRing
from mlc_dagster.transport.shadow import allowed, hubspot_asks, monday_asks
from mlc_dagster.transport.sign_in import Bearer, ClientCredentials, HeaderKeys

ANSWERS = 3
"""Timeouts that an answer may take as a whole, where mlc.yaml does not say."""

Budgets = Callable[[str, int, float], Budget]
"""(name, calls, seconds) -> the budget of one credential; the ledger's is shared by processes and machines."""


def ifs_client(
    settings: IfsSettings, client_id: str, client_secret: str, budgets: Budgets, tries: int = 8
) -> IfsClient:
    """The ERP's client. Nothing is sent before its first use."""
    _present(client_id, "IFS_CLIENT_ID")
    _present(client_secret, "IFS_CLIENT_SECRET")
    auth = ClientCredentials(
        settings.token_url,
        client_id,
        client_secret,
        scope=settings.scope,
        audience=settings.audience,
        body=settings.token_body,
        cure="Check IFS_CLIENT_ID and IFS_CLIENT_SECRET, and ifs.token_url and ifs.scope in mlc.yaml.",
        address_cure="Check ifs.token_url in mlc.yaml: the API Explorer of IFS shows it, with its realm.",
    )
    api = ApiClient(
        "ifs",
        settings.base_url + settings.surface,
        auth=auth,
        budget=budgets(_name("ifs", settings.base_url, client_id), settings.requests_per_minute, 60.0),
        **_patience(settings),
        classify=ifs_answers,
        proof=settings.proof,
        allows=allowed("ifs", settings.mode),
        max_attempts=tries,
    )
    return IfsClient(
        api,
        in_flight=settings.in_flight,
        page_size=settings.page_size,
        catalogue=catalogue(settings.entity_sets),
        currencies=settings.currencies,
    )


def cin7_client(
    settings: Cin7Settings, account_id: str, application_keys: str, budgets: Budgets, tries: int = 8
) -> Cin7Client:
    """Cin7's client; several application keys, comma separated, share the work."""
    _present(account_id, "CIN7_ACCOUNT_ID")
    keys = [key.strip() for key in application_keys.split(",") if key.strip()]
    _present("".join(keys), "CIN7_APPLICATION_KEYS")
    ring = KeyRing(
        [signature(account_id, key) for key in keys],
        [budgets(_name("cin7", account_id, key), settings.calls_per_minute, 60.0) for key in keys],
    )
    api = ApiClient(
        "cin7",
        settings.base_url,
        budget=ring,
        **_patience(settings),
        classify=cin7_answers,
        proof=settings.proof,
        allows=allowed("cin7", settings.mode),
        max_attempts=tries,
    )
    return Cin7Client(api, settings.options(), terms=settings.payment_terms)


def airbase_client(settings: AirbaseSettings, token: str, budgets: Budgets, tries: int = 8) -> AirbaseClient:
    """Airbase's client. Nothing is sent before its first use."""
    _present(token, "AIRBASE_TOKEN")
    api = ApiClient(
        "airbase",
        settings.base_url,
        auth=airbase_signature(settings.auth_header, settings.auth_scheme, token),
        budget=budgets(_name("airbase", settings.base_url, token), settings.requests_per_minute, 60.0),
        **_patience(settings),
        classify=airbase_answers,
        proof=settings.proof,
        allows=allowed("airbase", settings.mode),
        max_attempts=tries,
    )
    places = Places(
        **settings.paths.model_dump(),
        page_size=settings.page_size,
        batch_size=settings.batch_size,
        request_status=settings.request_status,
        ledger_status=settings.ledger_status,
        request_fields=settings.fields.requests,
        payment_fields=settings.fields.payments,
    )
    return AirbaseClient(api, places, terms=settings.payment_terms)


def monday_client(settings: MondaySettings, token: str, budgets: Budgets, tries: int = 8) -> MondayClient:
    """monday.com's client. The token goes as it is, without the word Bearer, an app's too."""
    plain = token.strip().removeprefix("Bearer ").strip()
    _present(plain, "MONDAY_TOKEN")
    name = _name("monday", settings.base_url, plain)
    budget = MinuteAndDay(
        budgets(name, settings.calls_per_minute, 60.0),
        lambda date: budgets(f"{name} {date}", settings.calls_per_day, DAY),
    )
    api = ApiClient(
        "monday",
        settings.base_url,
        auth=HeaderKeys({"Authorization": plain}, cure=MONDAY_CURE),
        headers={"API-Version": settings.api_version},
        budget=budget,
        **_patience(settings),
        classify=monday_answers(settings.api_version),
        proof=None,  # its codes tell
        allows=allowed("monday", settings.mode, monday_asks),
        max_attempts=tries,
    )
    return MondayClient(
        api,
        budget,
        settings.options(),
        points_per_minute=settings.points_per_minute,
        create_columns=settings.create_columns,
        create_labels=settings.create_labels,
    )


def hubspot_client(settings: HubspotSettings, token: str, budgets: Budgets, tries: int = 8) -> HubspotClient:
    """HubSpot's client."""
    _present(token, "HUBSPOT_TOKEN")
    calls = settings.calls_per_10_seconds
    budget = budgets(_name("hubspot", settings.base_url, token), calls, HUBSPOT_SECONDS)
    api = ApiClient(
        "hubspot",
        settings.base_url,
        auth=Bearer(token, cure="Check HUBSPOT_TOKEN: a service key or a private app token of HubSpot."),
        budget=budget,
        **_patience(settings),
        classify=hubspot_answers,
        proof=settings.proof,
        allows=allowed("hubspot", settings.mode, hubspot_asks),
        max_attempts=tries,
    )
    return HubspotClient(api, settings.options(), in_flight=settings.in_flight, budget=budget, calls=calls)


def procurify_client(
    settings: ProcurifySettings, client_id: str, client_secret: str, budgets: Budgets, tries: int = 8
) -> ProcurifyClient:
    """Procurify's client. There is no refresh token: the grant is asked for again before it ends."""
    _present(client_id, "PROCURIFY_CLIENT_ID")
    _present(client_secret, "PROCURIFY_CLIENT_SECRET")
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
        "procurify",
        settings.base_url,
        auth=auth,
        headers={"X-Procurify-Client": "api"},
        budget=budgets(_name("procurify", settings.base_url, client_id), settings.requests_per_second, 1.0),
        **_patience(settings),
        classify=procurify_answers,
        proof=settings.proof,
        allows=allowed("procurify", settings.mode),
        max_attempts=tries,
    )
    reach = Reach(**{field.name: getattr(settings, field.name) for field in fields(Reach)})
    return ProcurifyClient(api, Addresses(**settings.paths.model_dump()), reach)


CLIENTS: dict[str, Callable[..., Any]] = {
    "ifs": ifs_client,
    "cin7": cin7_client,
    "airbase": airbase_client,
    "monday": monday_client,
    "hubspot": hubspot_client,
    "procurify": procurify_client,
}
"""System -> (its section of mlc.yaml, its secrets in the order of credentials.NAMES, budgets) -> its client."""


def _patience(settings: Any) -> dict[str, Any]:
    """How long is waited, and for how much, by the section of a system."""
    timeout: float = settings.timeout_seconds
    seconds = settings.answer_seconds or ANSWERS * timeout
    bounds = Bounds(max(seconds, timeout), settings.answer_megabytes)
    return {"timeout": timeout, "bounds": bounds, "max_wait": settings.max_wait_seconds}


def _present(value: str, name: str) -> None:
    if not value:
        raise Misconfigured(
            f"{name} is not set",
            cure=f"Set it in the environment or in .env, or seal it: mlc credentials set {name}. Never in mlc.yaml.",
        )


def _name(*parts: str) -> str:
    """A budget's name tells nobody the credential it stands for."""
    return f"{parts[0]} {hashlib.blake2b('|'.join(parts).encode(), digest_size=8).hexdigest()}"
