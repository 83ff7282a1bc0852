"""monday.com's client from its settings and secret: calls a minute and a day."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlc_dagster.systems.monday.api import CURE as MONDAY_CURE
from mlc_dagster.systems.monday.api import classifier as monday_answers
from mlc_dagster.systems.monday.client import MondayClient
from mlc_dagster.systems.monday.graphql.budget import DAY, MinuteAndDay
from mlc_dagster.systems.monday.settings import MondaySettings
from mlc_dagster.systems.shared.connections import Budgets, budget_name, request_limits, required_secret, secret_name
from mlc_dagster.transport.client import ApiClient
from mlc_dagster.transport.shadow import allowed
from mlc_dagster.transport.sign_in import HeaderKeys


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
    shared = budget_name("monday", settings.base_url, plain)
    budget = MinuteAndDay(
        budgets(shared, settings.calls_per_minute, 60.0),
        lambda date: budgets(f"{shared} {date}", settings.calls_per_day, DAY),
    )
    api = ApiClient(
        name,
        settings.base_url,
        auth=HeaderKeys({"Authorization": plain}, cure=MONDAY_CURE),
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
