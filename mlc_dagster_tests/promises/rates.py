"""What several processes do at once with the budgets of one ledger."""

from __future__ import annotations

from mlc_dagster.ledger import Ledger
from mlc_dagster.systems.cin7.api import classify, signature
from mlc_dagster.transport.client import ApiClient, KeyRing

ACCOUNT = "sandbox-account"


def ask(database: str, url: str, keys: list[str], limit: int, period: float, count: int) -> dict[str, int]:
    """So many calls to Cin7, by the keys' shared budgets; how many were made again."""
    with Ledger.open(database) as ledger:
        ring = KeyRing(
            [signature(ACCOUNT, key) for key in keys], [ledger.budget(f"cin7 {key}", limit, period) for key in keys]
        )
        with ApiClient("cin7", f"{url}/cin7/ExternalApi/v2", budget=ring, classify=classify) as api:
            for _ in range(count):
                api.request("GET", "/me")
            return {"requests": api.requests, "retries": api.retries}
