"""Which account of a remote system a connection leads to, and how that is found out. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from mlc_dagster.core.flows import Flow
from mlc_dagster.core.outcomes import Agreed

_TELLING = ("name", "email", "vat_no")
"""What tells two suppliers apart: that both are in one country says nothing."""


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
class Delivered:
    """A record that the ledger says is in the account: what it is found by there, and what it can be told by.

    `remote_id` is the target's id; `key` is the source's. `agreed` are the values that both sides last agreed on.
    """

    flow: Flow
    key: str
    remote_id: str
    agreed: Agreed = field(default_factory=dict)

    def says_otherwise(self, values: Mapping[str, object]) -> bool:
        """Whether all that can be compared is another: then it is another record under the same id."""
        told = {name: text for name in _TELLING if (text := self.agreed.get(name)) and values.get(name)}
        return bool(told) and all(_folded(values[name]) != _folded(text) for name, text in told.items())


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


def _folded(value: object) -> str:
    return " ".join(str(value).split()).casefold()
