"""Which account each connection leads to, asked of its system."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from mlc_dagster.core.accounts import Account, Asked
from mlc_dagster.core.errors import AccessDenied
from mlc_dagster.core.flows import Flow
from mlc_dagster.core.vocabulary import ERP
from mlc_dagster.systems.registry import systems
from mlc_dagster.systems.system import System


def asked(connection: str, names: Mapping[str, str], client: Any) -> Asked:
    """A connection, to be asked. `names`: every connection -> its system; the ERP is on one side of all their flows."""
    system = systems()[names[connection]]
    has = None if system.has is None else partial(system.has, client)
    others = tuple(each for each, kind in names.items() if kind == system.name and each != connection)
    flows, account = flows_of(connection, names), partial(account_of, system, client)
    return Asked(connection, system.title, flows, account, has, others)


def account_of(system: System, client: Any) -> Account | None:
    """None where the system has no such id, or the token may not ask. Raises AccessDenied where it is not signed in."""
    if system.identity is None:
        return None
    try:
        return system.identity(client)
    except AccessDenied as error:
        if error.status != 403:
            raise
        return None


def flows_of(connection: str, names: Mapping[str, str]) -> tuple[Flow, ...]:
    """Those that write into it or read of it, whether they are on or not: they may have been."""
    mine = names if connection == ERP else [connection]
    every = (flow.under(name) for name in mine for flow in systems()[names[name]].flows)
    return tuple(flow for flow in every if connection in (flow.source.system, flow.target.system))
