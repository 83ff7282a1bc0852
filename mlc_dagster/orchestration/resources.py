"""The clients and the ledger as Dagster resources. Secrets come in as EnvVar, and stay in private attributes."""

from typing import Any

import dagster as dg
from pydantic import PrivateAttr

from mlc_dagster.connections import cin7_client, hubspot_client, ifs_client
from mlc_dagster.ledger import Ledger
from mlc_dagster.orchestration.storage import RowStore
from mlc_dagster.settings.cin7 import Cin7Settings
from mlc_dagster.settings.hubspot import HubspotSettings
from mlc_dagster.settings.ifs import IfsSettings
from mlc_dagster.systems.cin7.client import Cin7Client
from mlc_dagster.systems.hubspot.client import HubspotClient
from mlc_dagster.systems.ifs.client import IfsClient


class LedgerResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """What was delivered, attempted, held and pulled: SQLite in a file, or PostgreSQL by URL."""

    database_url: str
    _ledger: Ledger | None = PrivateAttr(None)

    @property
    def open(self) -> Ledger:
        if self._ledger is None:
            self._ledger = Ledger.open(self.database_url)
        return self._ledger

    def teardown_after_execution(self, context: dg.InitResourceContext) -> None:
        if self._ledger is not None:
            self._ledger.close()


class StorageResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Rows between assets, as Parquet."""

    root: str

    @property
    def store(self) -> RowStore:
        return RowStore(self.root)


class IfsResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """IFS Cloud over OData."""

    client_id: str
    client_secret: str
    base_url: str
    token_url: str
    scope: str
    audience: str
    token_body: str
    surface: str
    requests_per_minute: int
    in_flight: int
    page_size: int
    timeout_seconds: float
    ledger: dg.ResourceDependency[LedgerResource]
    _client: IfsClient | None = PrivateAttr(None)

    @property
    def client(self) -> IfsClient:
        if self._client is None:
            fields = {name: getattr(self, name) for name in IfsSettings.model_fields if name != "entity_sets"}
            settings = IfsSettings.model_validate(fields)
            self._client = ifs_client(settings, self.client_id, self.client_secret, self.ledger.open.budget)
        return self._client


class Cin7Resource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Cin7 Core."""

    account_id: str
    application_keys: str
    base_url: str
    calls_per_minute: int
    timeout_seconds: float
    options: dict[str, str]
    ledger: dg.ResourceDependency[LedgerResource]
    _client: Cin7Client | None = PrivateAttr(None)

    @property
    def client(self) -> Cin7Client:
        if self._client is None:
            names = ("base_url", "calls_per_minute", "timeout_seconds")
            fields = {**{name: getattr(self, name) for name in names}, **self.options}
            settings = Cin7Settings.model_validate(fields)
            self._client = cin7_client(settings, self.account_id, self.application_keys, self.ledger.open.budget)
        return self._client


class HubspotResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """HubSpot. `section` is its part of mlc.yaml: no secret stands there."""

    token: str
    section: dict[str, Any]
    ledger: dg.ResourceDependency[LedgerResource]
    _client: HubspotClient | None = PrivateAttr(None)

    @property
    def client(self) -> HubspotClient:
        if self._client is None:
            settings = HubspotSettings.model_validate(self.section)
            self._client = hubspot_client(settings, self.token, self.ledger.open.budget)
        return self._client
