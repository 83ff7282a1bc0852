"""The clients and the ledger as Dagster resources.

A resource holds the names of its secrets. The values are looked up when its client is first used, in the environment,
then in the vault, and live in the client alone: Dagster shows every field of a resource.
"""

from functools import partial
from typing import Any

import dagster as dg
from pydantic import PrivateAttr

from mlc_dagster.core.errors import MlcError
from mlc_dagster.core.outcomes import Budget
from mlc_dagster.ledger import Ledger
from mlc_dagster.ledger.credentials import master_keys, secret
from mlc_dagster.ledger.replaced_secrets import ReplacedSecret
from mlc_dagster.orchestration.storage.row_store import RowStore
from mlc_dagster.pipeline.identity import AccountCheck
from mlc_dagster.settings.section import SystemConnection
from mlc_dagster.systems import accounts
from mlc_dagster.systems.registry import systems
from mlc_dagster.systems.shared.connections import Budgets
from mlc_dagster.transport.budget_share import BudgetShare
from mlc_dagster.transport.rate_limits import LocalBudget

TICK_SECONDS = 60.0  # that Dagster gives a sensor


class LedgerResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """What was delivered, attempted, held and pulled: SQLite in a file, or PostgreSQL by URL."""

    database_url: str
    tenant: str = ""  # whose records: it sees no other's
    reads_only: bool = False  # it must be there, and stays as it is
    _ledger: Ledger | None = PrivateAttr(None)

    @property
    def open(self) -> Ledger:
        if self._ledger is None:
            self._ledger = (Ledger.to_read if self.reads_only else Ledger.open)(self.database_url, self.tenant)
        return self._ledger

    def teardown_after_execution(self, context: dg.InitResourceContext) -> None:
        if self._ledger is not None:
            self._ledger.close()


class StorageResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Rows between assets, as Parquet."""

    root: str
    tenant: str = ""
    ledger: dg.ResourceDependency[LedgerResource]

    @property
    def store(self) -> RowStore:
        """With what the ledger knows of each file in it."""
        return RowStore(self.root, self.ledger.open.stored, self.tenant)


class Signed(dg.ConfigurableResource):  # type: ignore[type-arg]
    """What signs in: the names of its secrets, and where they are looked up."""

    secrets: list[str]
    shares_budget: bool = True  # False: it asks a few questions, and leaves the ledger as it is
    ledger: dg.ResourceDependency[LedgerResource]

    def values(self) -> list[str]:
        """The secrets, in the order of their names; empty where nobody has one."""
        return [secret(name, lambda: self.opened) for name in self.secrets]

    def kept(self, name: str) -> ReplacedSecret:
        """Where a secret is that each sign-in replaces; written also by who leaves the rest of the ledger as it is."""
        return ReplacedSecret(name, self.ledger.database_url, self.ledger.tenant)

    @property
    def opened(self) -> Ledger:
        return self.ledger.open

    @property
    def budgets(self) -> Budgets:
        """The ledger's, which hold across processes and machines; or one of its own."""
        return self.opened.budget if self.shares_budget else lambda name, calls, seconds: LocalBudget(calls, seconds)


class ConnectionResource(Signed):
    """A connection to a remote system. `section` is its part of mlc.yaml: no secret stands there."""

    connection: str
    system: str
    section: dict[str, Any]
    connections: dict[str, str]  # every connection -> its system: the ERP is on one side of all their flows
    bank_details_go_out: bool = False  # to a SaaS, by mlc.yaml: what is read of them is sealed
    _check: AccountCheck | None = PrivateAttr(None)
    _client: Any = PrivateAttr(None)
    _quick_client: Any = PrivateAttr(None)

    @property
    def client(self) -> Any:
        """The system's client, an `outcomes.Client`; made when it is first asked for."""
        if self._client is None:
            self._client = self._connected(self._settings, 8)
        return self._client

    def account(self, run_id: str) -> AccountCheck:
        """Whether it leads to the account that the ledger knows: asked once in a run, before anything of it counts."""
        if self._check is None:
            asked = accounts.asked(self.connection, self.connections, self.client)
            self._check = AccountCheck(asked, self.opened, run_id)
        return self._check

    def unanswered(self) -> MlcError | None:
        """Why it does not answer now, signed in; None: it does. One question, or two."""
        try:
            if accounts.account_of(systems()[self.system], self.quick_client) is None:
                self.quick_client.books()  # a system that has no id, or does not tell it to this user
        except MlcError as error:
            return error
        return None

    @property
    def quick_client(self) -> Any:
        """For a sensor: Dagster ends its tick after a minute, and the next one asks again."""
        if self._quick_client is None:
            seconds = min(self._settings.timeout_seconds, TICK_SECONDS / 4)
            shorter = {"timeout_seconds": seconds, "answer_seconds": 2 * seconds, "max_wait_seconds": seconds}
            self._quick_client = self._connected(self._settings.model_copy(update=shorter), 2)
        return self._quick_client

    def at_a_share(self, share: float) -> tuple[Any, float]:
        """A client for a look that may take its time: so much of the budget at most, after whoever waits for the rest.

        Also how many calls a minute that is.
        """
        calls = 0.0

        def budgets(name: str, limit: int, seconds: float) -> Budget:
            nonlocal calls
            few = max(1, int(limit * share))
            calls = 60.0 * few / seconds
            return BudgetShare(self.budgets(f"{name} {share:g}", few, seconds), self.budgets(name, limit, seconds))

        client = self._connected(self._settings, 8, budgets)
        return client, calls

    @property
    def _settings(self) -> SystemConnection:
        return systems()[self.system].settings.model_validate(self.section)

    def _connected(self, settings: SystemConnection, tries: int, budgets: Budgets | None = None) -> Any:
        secrets = dict(zip(self.secrets, self.values(), strict=True))
        vault = self.opened.vault(master_keys()) if self.bank_details_go_out else None
        make = partial(systems()[self.system].client, kept=self.kept, bank_salt=self._bank_salt, bank_vault=vault)
        return make(settings, secrets, budgets or self.budgets, self.connection, tries)

    def _bank_salt(self) -> bytes:
        return self.opened.bank_marks.salt()
