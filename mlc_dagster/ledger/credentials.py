"""Where a secret comes from: the environment first, then the vault. Read when a client is first used, kept nowhere."""

from __future__ import annotations

import os
from collections.abc import Callable

from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.ledger import Ledger
from mlc_dagster.ledger.vault import MASTER_KEY, Vault

NAMES: dict[str, tuple[str, ...]] = {
    "ifs": ("IFS_CLIENT_ID", "IFS_CLIENT_SECRET"),
    "cin7": ("CIN7_ACCOUNT_ID", "CIN7_APPLICATION_KEYS"),
    "airbase": ("AIRBASE_TOKEN",),
    "hubspot": ("HUBSPOT_TOKEN",),
    "monday": ("MONDAY_TOKEN",),
    "procurify": ("PROCURIFY_CLIENT_ID", "PROCURIFY_CLIENT_SECRET"),
    "webhooks": tuple(
        f"{source}_WEBHOOK_{kind}{which}"
        for source in ("AIRBASE", "CIN7", "MONDAY")
        for kind in ("SECRET", "HMAC_KEY")
        for which in ("", "_NEXT")  # the one that is to replace it: both are good meanwhile
    ),
    "alerts": ("ALERTS_WEBHOOK_URL", "ALERTS_SMTP_PASSWORD"),
}
"""The secrets of each connection, by the names under which they are looked up."""

OPTIONAL = frozenset({"webhooks", "alerts"})
"""Connections that need not have all of their secrets: nobody misses one."""


def master_keys() -> str:
    return os.environ.get(MASTER_KEY, "")


def secret(name: str, ledger: Callable[[], Ledger]) -> str:
    """The value of a secret; empty where nobody has it. `ledger` is asked only where the environment says nothing.

    Raises Misconfigured where the vault cannot be opened.
    """
    if value := os.environ.get(name):
        return value
    return ledger().vault(master_keys()).get(name) or "" if master_keys() else ""


def known(name: str) -> str:
    """The name, where some connection asks for it. Raises Misconfigured: a typo would be found out too late."""
    every = [each for names in NAMES.values() for each in names]
    if name not in every:
        raise Misconfigured(f"no connection asks for {name[:40]!r}", cure=f"There is: {', '.join(every)}")
    return name


__all__ = ["NAMES", "OPTIONAL", "Vault", "known", "master_keys", "secret"]
