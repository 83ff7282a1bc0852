"""Which account of a remote system a connection leads to, and how that is found out. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mlc_dagster.core.flows import Flow
from mlc_dagster.core.outcomes import Delivered as Delivered


@dataclass(frozen=True)
class Account:
    """What a system says of the account that the credentials lead to.

    `id` is its own, and never changes: no credential, no host, no display name. Where `is_shared`, another account may
    have the same id: then one that answers under another title is read back as well.
    """

    id: str  # "147000001"
    title: str  # "portal 147000001 (STANDARD)", as people know it; it may change
    is_shared: bool = False


@dataclass(frozen=True)
class Asked:
    """A connection that can be asked which account it leads to.

    `account` is None where the system has no such id, or the token may not ask. `has`: whether the account has the
    record; None where the system cannot be asked for one. Both raise as ApiClient.request.
    """

    connection: str
    title: str  # "HubSpot"
    flows: tuple[Flow, ...]  # that write into it, or read of it
    account: Callable[[], Account | None]
    has: Callable[[Delivered], bool] | None
    others: tuple[str, ...] = ()  # connections to the same system

    @property
    def names(self) -> tuple[str, ...]:
        """Of its flows, as the ledger knows them."""
        return tuple(flow.name for flow in self.flows)
