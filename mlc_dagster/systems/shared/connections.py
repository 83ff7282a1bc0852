"""What every connection has in common: its patience, its budget's name, and secrets that must be there."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.core.outcomes import Budget
from mlc_dagster.settings.section import SystemConnection
from mlc_dagster.transport.answer_limits import Bounds
from mlc_dagster.transport.client import ApiClient
from mlc_dagster.transport.refresh_tokens import KeptToken
from mlc_dagster.transport.shadow import allowed

ANSWERS = 3
"""Timeouts that an answer may take as a whole, where mlc.yaml does not say."""

Budgets = Callable[[str, int, float], Budget]
"""(name, calls, seconds) -> the budget of one credential; the ledger's is shared by processes and machines."""

Kept = Callable[[str], KeptToken]
"""Name -> where a secret is kept that each sign-in replaces: the vault of the ledger."""


def kept_nowhere(name: str) -> KeptToken:
    """For who has no ledger. Raises Misconfigured."""
    raise Misconfigured(
        f"{name} is replaced at each sign-in, and there is no vault here to keep it", cure="Open the ledger."
    )


def secret_name(name: str, system: str, connection: str) -> str:
    """The name of a secret on a connection: HUBSPOT_TOKEN is HUBSPOT_US_TOKEN of hubspot_us."""
    return f"{connection.upper()}{name.removeprefix(system.upper())}"


def required_secret(value: str, name: str) -> str:
    """The secret, without blanks around it. Raises Misconfigured where nobody has set it."""
    if not value.strip():
        raise Misconfigured(
            f"{name} is not set",
            cure=f"Set it in the environment or in .env, or seal it: mlc credentials set {name}. Never in mlc.yaml.",
        )
    return value


def required_secrets(values: Sequence[str], names: Sequence[str]) -> None:
    """Raises Misconfigured where one of the secrets is not set, by the name that it has here."""
    for value, name in zip(values, names, strict=True):
        required_secret(value, name)


def budget_name(*parts: str) -> str:
    """A budget's name tells nobody the credential it stands for. Two connections with one credential share it."""
    return f"{parts[0]} {hashlib.blake2b('|'.join(parts).encode(), digest_size=8).hexdigest()}"


def request_limits(settings: SystemConnection) -> dict[str, Any]:
    """How long is waited, and for how much, by the section of a connection."""
    timeout = settings.timeout_seconds
    seconds = settings.answer_seconds or ANSWERS * timeout
    bounds = Bounds(max(seconds, timeout), settings.answer_megabytes)
    return {"timeout": timeout, "bounds": bounds, "max_wait": settings.max_wait_seconds}


def http_api(name: str, settings: SystemConnection, tries: int, **own: Any) -> ApiClient:
    """HTTP to a connection, as its section says: where, for how long, and in shadow without a write.

    `own`: what the system has of its own, such as auth, budget, classify and proof.
    """
    return ApiClient(
        name,
        settings.base_url,
        **request_limits(settings),
        allows=allowed(name, settings.mode),
        max_attempts=tries,
        **own,
    )
