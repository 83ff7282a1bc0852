"""The line of a ping that says which account a connection leads to, and whether the ledger knows it as that one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mlc_dagster.core import commands
from mlc_dagster.core.accounts import Account
from mlc_dagster.core.errors import MlcError
from mlc_dagster.systems.accounts import account_of
from mlc_dagster.systems.shared.findings import Finding, refused, wrong
from mlc_dagster.systems.system import System

Known = Callable[[str], Account | None]
"""Connection -> the account that the ledger knows it as; None where it knows none."""


def account_line(connection: str, system: System, client: Any, known: Known) -> Finding:
    """One request at the most, where the system tells its account at all."""
    try:
        account = account_of(system, client)
    except MlcError as error:
        return refused(connection, "account", error)
    before = known(connection)
    if account is None:
        words = f"{system.title} does not tell which account this is: what was delivered last is read back at each load"
        return Finding(connection, "account", True, words)
    if before is None:
        return Finding(connection, "account", True, f"{account.title}; the first load tells the ledger")
    if before.id == account.id and account.is_shared and before.title != account.title:
        words = (
            f"{account.title}; the ledger knows {before.title}: what was delivered last is read back at the next load"
        )
        return Finding(connection, "account", True, words)
    if not before.id or before.id == account.id:
        return Finding(connection, "account", True, f"{account.title}, as the ledger knows it")
    new = commands.offered("ledger new-account", connection, reason=commands.REASON)
    cure = f"Give it the credentials of that account again; where it is to be this one from now on: {new}"
    return wrong(connection, "account", f"{account.title}, and the ledger knows {before.title}: no load starts", cure)
