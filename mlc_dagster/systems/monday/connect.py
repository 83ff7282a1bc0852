"""monday.com's client from its settings and secret: calls a minute and a day."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlc_dagster.systems.monday.api import CURE as MONDAY_CURE
from mlc_dagster.systems.monday.api import classifier as monday_answers
from mlc_dagster.systems.monday.client import MondayClient
from mlc_dagster.systems.monday.graphql.budget import DAY, MinuteAndDay
from mlc_dagster.systems.monday.settings import MondaySettings
from mlc_dagster.systems.shared.connections import (
    Budgets,
    budget_name,
    request_limits,
    required_secret,
    required_secrets,
    secret_name,
)
from mlc_dagster.transport.client import ApiClient
from mlc_dagster.transport.refresh_tokens import KeptToken, RefreshTokens
from mlc_dagster.transport.shadow import allowed
from mlc_dagster.transport.sign_in import HeaderKeys

APP_SECRETS = (CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN) = (
    "MONDAY_CLIENT_ID",
    "MONDAY_CLIENT_SECRET",
    "MONDAY_REFRESH_TOKEN",
)
APP_CURE = (
    f"Check {CLIENT_ID} and {CLIENT_SECRET}: in monday, Developers, your app, App credentials. Where the refresh token "
    f"is refused, authorise the app anew and seal what it gets: mlc credentials set {REFRESH_TOKEN}"
)
SignIn = HeaderKeys | RefreshTokens


def monday_client(
    settings: MondaySettings,
    token: str,
    budgets: Budgets,
    tries: int = 8,
    name: str = "monday",
) -> MondayClient:
    """monday.com's client. The token goes as it is, without the word Bearer, an app's too."""
    plain = token.strip().removeprefix("Bearer ").strip()
    required_secret(plain, secret_name("MONDAY_TOKEN", "monday", name))
    return _client(settings, HeaderKeys({"Authorization": plain}, cure=MONDAY_CURE), plain, budgets, tries, name)


def app_client(
    settings: MondaySettings,
    client_id: str,
    client_secret: str,
    budgets: Budgets,
    kept: KeptToken,
    tries: int = 8,
    name: str = "monday",
) -> MondayClient:
    """The same, signed in as an app (OAuth 2.1): `kept` has the refresh token, which each sign-in replaces."""
    auth = RefreshTokens(
        settings.token_url,
        client_id,
        client_secret,
        kept,
        scheme="",
        cure=APP_CURE,
        address_cure="Check monday.token_url in mlc.yaml.",
    )
    return _client(settings, auth, client_id.strip(), budgets, tries, name)


def connect(
    settings: MondaySettings,
    *given: Any,
    tries: int = 8,
    name: str = "monday",
    kept: KeptToken | None = None,
) -> MondayClient:
    """`given`: the secrets of the sign-in that the section chooses, then the budgets, as `System.connect` has it."""
    *secrets, budgets = given
    if not settings.oauth:
        return monday_client(settings, secrets[0], budgets, tries, name)
    own = [secret_name(each, "monday", name) for each in APP_SECRETS]
    required_secrets(secrets, own)
    assert kept is not None  # System.keeps hands it over
    return app_client(settings, secrets[0], secrets[1], budgets, kept, tries, name)


def _client(
    settings: MondaySettings, auth: SignIn, credential: str, budgets: Budgets, tries: int, name: str
) -> MondayClient:
    shared = budget_name("monday", settings.base_url, credential)
    budget = MinuteAndDay(
        budgets(shared, settings.calls_per_minute, 60.0),
        lambda date: budgets(f"{shared} {date}", settings.calls_per_day, DAY),
    )
    api = ApiClient(
        name,
        settings.base_url,
        auth=auth,
        headers={"API-Version": settings.api_version},
        budget=budget,
        **request_limits(settings),
        classify=monday_answers(settings.api_version),
        proof=None,  # its codes tell
        allows=allowed(name, settings.mode, only_asks),
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


def only_asks(path: str, body: Any) -> bool:
    """GraphQL: a document that is a query and holds nothing else."""
    document = str(body.get("query", "")) if isinstance(body, Mapping) else ""
    return document.lstrip().startswith(("query", "{")) and "mutation" not in document
