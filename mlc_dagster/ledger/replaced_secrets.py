"""A secret that a remote system replaces each time it is used: in the vault, and one process at a time has it."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.core.logs import logger
from mlc_dagster.ledger.coordination.leases import Lease
from mlc_dagster.ledger.credentials import master_keys
from mlc_dagster.ledger.database import LedgerUnavailable
from mlc_dagster.ledger.ledger import Ledger
from mlc_dagster.ledger.vault import Vault
from mlc_dagster.settings import environment

TRIES = 3  # to seal what came: it is nowhere else
log = logger(__name__)


@dataclass
class HeldSecret:
    """The secret, while the lease on it is ours. The lease remembers who did not say what came of it."""

    name: str
    value: str = field(repr=False)
    _vault: Vault = field(repr=False)
    _lease: Lease = field(repr=False)

    @property
    def doubt(self) -> str:
        return self._lease.taken_from

    def leaves(self) -> None:
        """Raises LeaseLost."""
        self._lease.check(f"the sign-in with {self.name}")
        self._lease.is_settled = False

    def keep(self, value: str) -> None:
        """Seal what came in its place, unless a person set another one meanwhile. Raises LedgerUnavailable."""
        for attempt in range(1, TRIES + 1):
            try:
                if not self._vault.replace(self.name, self.value, value):
                    log.warning("%s was set anew while it was used: the one that was set counts", self.name)
                break
            except LedgerUnavailable as error:
                if attempt == TRIES:
                    raise self._lost(error) from error
        self._lease.is_settled = True

    def stays(self) -> None:
        self._lease.is_settled = not self._lease.taken_from

    def _lost(self, error: LedgerUnavailable) -> LedgerUnavailable:
        return LedgerUnavailable(
            f"another {self.name} was given out, and could not be sealed: {error.message}; the one there may be void",
            cure=f"Look at the database. Where sign-in is refused then, set a new one: mlc credentials set {self.name}",
        )


@dataclass(frozen=True)
class ReplacedSecret:
    """A secret in the vault of the ledger at this address."""

    name: str
    database_url: str = field(repr=False)
    tenant: str = ""

    @contextmanager
    def alone(self) -> Iterator[HeldSecret]:
        """Waits while another process uses it. Raises Misconfigured: it is not in the vault, or not there alone."""
        keys = self._keys()
        who = f"process {os.getpid()} on {socket.gethostname()}"
        with (
            Ledger.existing(self.database_url, self.tenant) as opened,
            opened.lease(f"secret {self.name}", who) as lease,
        ):
            vault = opened.vault(keys)
            if not (value := vault.get(self.name)):
                raise Misconfigured(f"{self.name} is not set", cure=f"Seal it: mlc credentials set {self.name}")
            yield HeldSecret(self.name, value, vault, lease)

    def _keys(self) -> str:
        if os.environ.get(self.name):
            raise Misconfigured(
                f"{self.name} stands in the environment, where what comes in its place at each sign-in cannot be kept",
                cure=f"Seal it with `mlc credentials set {self.name}`, and take it out of the environment and .env.",
            )
        return master_keys()


def replaced(name: str) -> ReplacedSecret:
    """The secret in the vault of this place."""
    here = environment()
    return ReplacedSecret(name, here.database_url, here.tenant)
