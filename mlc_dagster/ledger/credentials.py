"""Where a secret comes from: the environment first, then the vault. Read when a client is first used, kept nowhere."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from mlc_dagster.ledger import Ledger
from mlc_dagster.ledger.vault import MASTER_KEY, Vault
from mlc_dagster.settings import Settings, environment


def master_keys() -> str:
    return os.environ.get(MASTER_KEY, "")


def secret(name: str, ledger: Callable[[], Ledger]) -> str:
    """The value of a secret; empty where nobody has it. `ledger` is asked only where the environment says nothing.

    Raises Misconfigured where the vault cannot be opened.
    """
    if value := os.environ.get(name):
        return value
    return ledger().vault(master_keys()).get(name) or "" if master_keys() else ""


def sealed(name: str) -> str:
    """A secret from the environment, else from the vault: the ledger is opened only where a master key is set."""
    with ExitStack() as opened:
        here = environment()
        return secret(name, lambda: opened.enter_context(Ledger.to_read(here.database_url, here.tenant)))


def bank_keys(ledger: Ledger, settings: Settings) -> dict[str, Any]:
    """What the clients of a ledger make and open marks of bank details with: as `configuration.client` takes it."""
    goes_out = any(each.takes_bank_details for each in settings.targets.values())
    return {"bank_salt": ledger.bank_marks.salt, "bank_vault": ledger.vault(master_keys()) if goes_out else None}


__all__ = ["Vault", "bank_keys", "master_keys", "sealed", "secret"]
