"""The clients and the ledger as Dagster resources.

A resource holds the names of its secrets. The values are looked up when its client is first used, in the environment,
then in the vault, and live in the client alone: Dagster shows every field of a resource.
"""

from typing import Any

import dagster as dg
from pydantic import PrivateAttr

from mlc_dagster.ledger import Ledger
from mlc_dagster.ledger.credentials import secret
from mlc_dagster.orchestration.storage.row_store import RowStore
from mlc_dagster.systems.airbase.client import AirbaseClient
from mlc_dagster.systems.airbase.settings import AirbaseSettings
from mlc_dagster.systems.cin7.client import Cin7Client
from mlc_dagster.systems.cin7.settings import Cin7Settings
from mlc_dagster.systems.connections import (
    Budgets,
    airbase_client,
    cin7_client,
    hubspot_client,
    ifs_client,
    monday_client,
    procurify_client,
)
from mlc_dagster.systems.hubspot.client import HubspotClient
from mlc_dagster.systems.hubspot.settings import HubspotSettings
from mlc_dagster.systems.ifs.client import IfsClient
from mlc_dagster.systems.ifs.settings import IfsSettings
from mlc_dagster.systems.monday.client import MondayClient
from mlc_dagster.systems.monday.settings import MondaySettings
from mlc_dagster.systems.procurify.client import ProcurifyClient
from mlc_dagster.systems.procurify.settings import ProcurifySettings
from mlc_dagster.transport.rate_limits import LocalBudget

TICK_SECONDS = 60.0  # that Dagster gives a sensor


class LedgerResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """What was delivered, attempted, held and pulled: SQLite in a file, or PostgreSQL by URL."""

    database_url: str
    reads_only: bool = False  # it must be there, and stays as it is
    _ledger: Ledger | None = PrivateAttr(None)

    @property
    def open(self) -> Ledger:
        if self._ledger is None:
            self._ledger = (Ledger.to_read if self.reads_only else Ledger.open)(self.database_url)
        return self._ledger

    def teardown_after_execution(self, context: dg.InitResourceContext) -> None:
        if self._ledger is not None:
            self._ledger.close()


class StorageResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Rows between assets, as Parquet."""

    root: str
    ledger: dg.ResourceDependency[LedgerResource]

    @property
    def store(self) -> RowStore:
        """With what the ledger knows of each file in it."""
        return RowStore(self.root, self.ledger.open.stored)


class Signed(dg.ConfigurableResource):  # type: ignore[type-arg]
    """What signs in: the names of its secrets, and where they are looked up."""

    secrets: list[str]
    shares_budget: bool = True  # False: it asks a few questions, and leaves the ledger as it is
    ledger: dg.ResourceDependency[LedgerResource]

    def values(self) -> list[str]:
        """The secrets, in the order of their names; empty where nobody has one."""
        return [secret(name, lambda: self.opened) for name in self.secrets]

    @property
    def opened(self) -> Ledger:
        return self.ledger.open

    @property
    def budgets(self) -> Budgets:
        """The ledger's, which hold across processes and machines; or one of its own."""
        return self.opened.budget if self.shares_budget else lambda name, calls, seconds: LocalBudget(calls, seconds)


class IfsResource(Signed):
    """IFS Cloud over OData. `section` is its part of mlc.yaml: no secret stands there."""

    section: dict[str, Any]
    _client: IfsClient | None = PrivateAttr(None)
    _quick_client: IfsClient | None = PrivateAttr(None)

    @property
    def client(self) -> IfsClient:
        if self._client is None:
            client_id, client_secret = self.values()
            self._client = ifs_client(self._settings, client_id, client_secret, self.budgets)
        return self._client

    @property
    def quick_client(self) -> IfsClient:
        """For a sensor: Dagster ends its tick after a minute, and the next one asks again."""
        if self._quick_client is None:
            client_id, client_secret = self.values()
            seconds = min(self._settings.timeout_seconds, TICK_SECONDS / 4)
            settings = self._settings.model_copy(
                update={"timeout_seconds": seconds, "answer_seconds": 2 * seconds, "max_wait_seconds": seconds}
            )
            self._quick_client = ifs_client(settings, client_id, client_secret, self.budgets, tries=2)
        return self._quick_client

    @property
    def _settings(self) -> IfsSettings:
        return IfsSettings.model_validate(self.section)


class Cin7Resource(Signed):
    """Cin7 Core."""

    base_url: str
    plain_http: str | None = None
    calls_per_minute: int
    mode: str = "live"
    timeout_seconds: float
    answer_seconds: float | None = None
    answer_megabytes: float = 32
    max_wait_seconds: float = 120
    payment_terms: dict[str, str]
    options: dict[str, str]
    _client: Cin7Client | None = PrivateAttr(None)

    @property
    def client(self) -> Cin7Client:
        if self._client is None:
            own = (set(type(self).model_fields) & set(Cin7Settings.model_fields)) - {"options"}
            fields = {**{name: getattr(self, name) for name in own}, **self.options}
            settings = Cin7Settings.model_validate(fields)
            account_id, application_keys = self.values()
            self._client = cin7_client(settings, account_id, application_keys, self.budgets)
        return self._client


class AirbaseResource(Signed):
    """Airbase."""

    base_url: str
    plain_http: str | None = None
    mode: str = "live"
    auth_header: str
    auth_scheme: str
    requests_per_minute: int
    page_size: int
    batch_size: int
    timeout_seconds: float
    answer_seconds: float | None = None
    answer_megabytes: float = 32
    max_wait_seconds: float = 120
    payment_terms: dict[str, str]
    paths: dict[str, str]
    request_status: str
    ledger_status: str
    fields: dict[str, dict[str, str]]
    _client: AirbaseClient | None = PrivateAttr(None)

    @property
    def client(self) -> AirbaseClient:
        if self._client is None:
            own = set(type(self).model_fields) & set(AirbaseSettings.model_fields)
            settings = AirbaseSettings.model_validate({name: getattr(self, name) for name in own})
            (token,) = self.values()
            self._client = airbase_client(settings, token, self.budgets)
        return self._client


class HubspotResource(Signed):
    """HubSpot. `section` is its part of mlc.yaml: no secret stands there."""

    section: dict[str, Any]
    _client: HubspotClient | None = PrivateAttr(None)

    @property
    def client(self) -> HubspotClient:
        if self._client is None:
            (token,) = self.values()
            self._client = hubspot_client(HubspotSettings.model_validate(self.section), token, self.budgets)
        return self._client


class MondayResource(Signed):
    """monday.com. `section` is its part of mlc.yaml: no secret stands there."""

    section: dict[str, Any]
    _client: MondayClient | None = PrivateAttr(None)

    @property
    def client(self) -> MondayClient:
        if self._client is None:
            (token,) = self.values()
            self._client = monday_client(MondaySettings.model_validate(self.section), token, self.budgets)
        return self._client


class ProcurifyResource(Signed):
    """Procurify. `section` is its part of mlc.yaml: no secret stands there."""

    section: dict[str, Any]
    _client: ProcurifyClient | None = PrivateAttr(None)

    @property
    def client(self) -> ProcurifyClient:
        if self._client is None:
            client_id, client_secret = self.values()
            settings = ProcurifySettings.model_validate(self.section)
            self._client = procurify_client(settings, client_id, client_secret, self.budgets)
        return self._client
