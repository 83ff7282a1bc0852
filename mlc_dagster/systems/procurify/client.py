"""Procurify: what the pipeline knows of it. Reads bills, purchase orders and vendors, and saves vendors."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pyarrow as pa

from mlc_dagster.core.duplicates import Crosswalk, TargetScan
from mlc_dagster.core.facts import Books
from mlc_dagster.core.flows import Target
from mlc_dagster.core.outcomes import Delivered, Draft, Outcome, Seen, Shown, Traffic, Worth
from mlc_dagster.core.vocabulary import EntitySet, Pull, Scope, Sightings, key_parts
from mlc_dagster.systems.procurify.api import Document, ProcurifyApi
from mlc_dagster.systems.procurify.documents.document_values import (
    DepartmentIndex,
    bill_values,
    by_id_and_name,
    order_values,
)
from mlc_dagster.systems.procurify.documents.lists import DocumentLists
from mlc_dagster.systems.procurify.duplicates import scan_vendors
from mlc_dagster.systems.procurify.endpoints import Endpoints, ReadScope
from mlc_dagster.systems.procurify.records import BILLS, PURCHASE_ORDERS, VENDOR_LIST
from mlc_dagster.systems.procurify.vendors.read_back import expected_vendor
from mlc_dagster.systems.procurify.vendors.vendor_writer import VendorWriter, vendor_values
from mlc_dagster.systems.shared.lists_by_day import ListByDay, alone
from mlc_dagster.transport.client import ApiClient


class ProcurifyClient:
    """One Procurify domain; implements outcomes.Client, and is read."""

    def __init__(
        self,
        api: ApiClient,
        endpoints: Endpoints | None = None,
        read_scope: ReadScope | None = None,
        clock: Callable[[], float] = time.monotonic,
        time_zones: Mapping[str, str] | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.api, self.endpoints, self._now = api, endpoints or Endpoints(), now
        self.bank_salt: Callable[[], bytes] = bytes
        read_scope = read_scope or ReadScope()
        self._api = ProcurifyApi(api, read_scope.page_size, clock)
        self._lists = DocumentLists(self._api, self.endpoints, read_scope)
        self._vendors = VendorWriter(self._api, self.endpoints)
        self._time_zones = time_zones or {}

    @property
    def traffic(self) -> Traffic:
        return Traffic(self.api.requests, self.api.throttled_seconds)

    def read(
        self, entity: EntitySet, scope: Scope, pull: Pull, sightings: Sightings | None
    ) -> Iterator[pa.RecordBatch]:
        """The rows of a day. Raises AccessDenied, Misconfigured, TransientError: then nothing is handed over."""
        documents, extract = self._reading(entity, scope, pull)
        reading = ListByDay(entity, scope, pull, sightings, self._now, salt=self.bank_salt())
        return reading.batches(documents, extract)

    def by_keys(
        self, entity: EntitySet, keys: Sequence[str], since: datetime | None = None
    ) -> Iterator[pa.RecordBatch]:
        """Vendors, bills and orders by their keys, as `read` has them; orders with their bills since then. Raises as
        `read`.
        """
        ids = [key_parts(key, 1)[0] for key in keys]
        if entity.name == VENDOR_LIST.name:
            documents: Iterable[Document] = self._vendors.of(ids)
        elif entity.name == BILLS.name:
            documents = self._lists.bills_by_key(ids)
        else:
            documents = self._lists.orders_by_key(ids, since, self._now())
        return alone(entity, documents, self._extract(entity), keys, self.bank_salt())

    def schema_report(self, entity: EntitySet) -> None:
        """Procurify does not tell which fields it has."""

    def save(self, target: Target, drafts: Iterable[Draft]) -> Iterator[Outcome]:
        """Raises AccessDenied, Misconfigured, TransientError (retries are exhausted): for those not yet answered."""
        return self._vendors.save(list(drafts))

    def books(self) -> Books:
        """Vendors are judged by themselves alone."""
        return Books(has_chart=False)

    def scan_documents(self, target: Target, since: datetime, known: Crosswalk) -> TargetScan:
        """Vendors that may be there twice. The crosswalk is not needed: all of them are read."""
        return scan_vendors(self._vendors, since)

    def read_back(self, target: Target, delivered: Sequence[Delivered]) -> Iterator[Seen]:
        """As outcomes.ReadsBack: vendors by their list."""
        return self._vendors.read_back(delivered)

    def expected(self, target: Target, record: Any) -> Shown:
        """As outcomes.ReadsBack."""
        return expected_vendor(record)

    def worth(self, target: Target, values: Shown) -> Worth:
        """As outcomes.ReadsBack: a vendor is worth nothing."""
        return Worth("", None, "")

    def me(self) -> Document:
        """The user whose role the application has. Raises MlcError."""
        found: Document = self._api.whole(self.endpoints.me).get("data") or {}
        return found

    def probe(self, path: str) -> Document:
        """One row of a list: is the path there, and may the role see it? Raises MlcError."""
        return self._api.probe(path)

    def listed(self, path: str) -> list[Document]:
        """Every row of a list of reference data. Raises MlcError."""
        return self._api.kept(path)

    def _reading(
        self, entity: EntitySet, scope: Scope, pull: Pull
    ) -> tuple[Iterable[Document], Callable[[Document], Mapping[str, Any]]]:
        extract = self._extract(entity)
        if entity.name == VENDOR_LIST.name:
            return self._all_vendors(pull), extract
        if entity.name == BILLS.name:
            return self._lists.bills(scope, pull), extract
        return self._lists.purchase_orders(scope, pull), extract

    def _extract(self, entity: EntitySet) -> Callable[[Document], Mapping[str, Any]]:
        if entity.name == VENDOR_LIST.name:
            return partial(vendor_values, currencies=self._currencies())
        values = {BILLS.name: bill_values, PURCHASE_ORDERS.name: order_values}
        if entity.name not in values:
            raise ValueError(f"Procurify has no {entity.name}")
        return partial(values[entity.name], departments=self._departments())

    def _all_vendors(self, pull: Pull) -> Iterator[Document]:
        requests, pages = self._api.requests, self._api.pages
        yield from self._vendors.all()
        pull.requests, pull.pages = self._api.requests - requests, self._api.pages - pages

    def _currencies(self) -> dict[str, str]:
        """Id -> ISO code."""
        return self._vendors.currencies()

    def _departments(self) -> DepartmentIndex:
        departments, locations = (
            self._api.kept(path) for path in (self.endpoints.departments, self.endpoints.locations)
        )
        return DepartmentIndex(by_id_and_name(departments), by_id_and_name(locations), self._time_zones)
