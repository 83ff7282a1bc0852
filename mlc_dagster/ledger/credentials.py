"""Where a secret comes from: the environment first, then the vault. Read when a client is first used, kept nowhere."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import ExitStack

from mlc_dagster.ledger import Ledger
from mlc_dagster.ledger.vault import MASTER_KEY, Vault
from mlc_dagster.settings import environment


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


__all__ = ["Vault", "master_keys", "sealed", "secret"]
