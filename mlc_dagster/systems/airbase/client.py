"""Airbase: what the pipeline knows of it. Saves drafts, and reads vendors, spend, accounts and subsidiaries."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Protocol

import pyarrow as pa

from mlc_dagster.core.facts import Books
from mlc_dagster.core.flows import Target
from mlc_dagster.core.outcomes import Draft, Outcome, Traffic
from mlc_dagster.core.vocabulary import EntitySet, Pull, Scope, Sightings
from mlc_dagster.systems.airbase import request_bodies as bodies
from mlc_dagster.systems.airbase.acknowledgements import Acknowledgements
from mlc_dagster.systems.airbase.calls import AirbaseApi, Document, amount_of, id_of, reference_of
from mlc_dagster.systems.airbase.documents import payment_extract, request_extract
from mlc_dagster.systems.airbase.endpoints import Places
from mlc_dagster.systems.airbase.lists import List, listed_vendor
from mlc_dagster.systems.airbase.lookup import Shelf
from mlc_dagster.systems.airbase.records import (
    PURCHASE_ORDERS,
    VENDOR_LIST,
    VENDORS,
    Account,
    PurchaseOrder,
    Subsidiary,
    Vendor,
)
from mlc_dagster.systems.airbase.spend_records import ACKNOWLEDGEMENTS, PAYMENTS, PURCHASE_REQUESTS
from mlc_dagster.systems.airbase.supplier_fields import Vendors
from mlc_dagster.systems.airbase.upserts import Kind, Upserts
from mlc_dagster.transport.client import ApiClient

BOOKS_FRESH = 60.0  # seconds that rules are judged by the same books


class Room(Protocol):
    """Saves drafts of one target."""

    def save(self, drafts: list[Draft]) -> Iterator[Outcome]: ...


class AirbaseClient:
    """One Airbase tenant; implements outcomes.Client."""

    def __init__(
        self,
        api: ApiClient,
        places: Places,
        clock: Callable[[], float] = time.monotonic,
        terms: Mapping[str, str] | None = None,
    ) -> None:
        """`terms`: the ERP's payment terms -> their names in Airbase; none: they are not shared."""
        self.api, self.places, self._clock = api, places, clock
        self._api = AirbaseApi(api, places.page_size)
        vendors = Kind("vendor", self._vendor_body, places.vendors_bulk, by_name=True, two_way=Vendors(terms or {}))
        orders = Kind("purchase order", bodies.order, places.purchase_orders_bulk, fault=_total_fault)
        spent = {PURCHASE_REQUESTS.path: places.purchase_requests, PAYMENTS.path: places.ledger_entries}
        self._rooms: dict[str, Room] = {
            VENDORS.name: self._room(vendors, places.vendors),
            PURCHASE_ORDERS.name: self._room(orders, places.purchase_orders),
            ACKNOWLEDGEMENTS.name: Acknowledgements(self._api, spent, self._forget),
        }
        self._lists = {
            VENDOR_LIST.name: List(self._api, places.vendors, listed_vendor, clock),
            **_spend_lists(self._api, places, clock),
        }
        self._books: tuple[float, Books] | None = None
        self._subsidiary_ids: tuple[float, dict[str, str]] | None = None

    def _room(self, kind: Kind, path: str) -> Upserts:
        return Upserts(self._api, kind, Shelf(self._api, path, self._clock), self.places.batch_size)

    def _vendor_body(self, record: Vendor, theirs: Document | None) -> dict[str, Any]:
        """Subsidiaries are named by both of their keys; their list is read at most once a minute."""
        if self._subsidiary_ids is None or self._clock() - self._subsidiary_ids[0] > BOOKS_FRESH:
            known = {each.erp_reference_id: each.airbase_id for each in self.subsidiaries() if each.erp_reference_id}
            self._subsidiary_ids = (self._clock(), known)
        return bodies.vendor(record, theirs, self._subsidiary_ids[1])

    @property
    def traffic(self) -> Traffic:
        return Traffic(self.api.requests, self.api.throttled_seconds)

    def save(self, target: Target, drafts: Iterable[Draft]) -> Iterator[Outcome]:
        """Raises AccessDenied, Misconfigured, TransientError (retries are exhausted): for those not yet answered."""
        return self._rooms[target.name].save(list(drafts))

    def read(
        self, entity: EntitySet, scope: Scope, pull: Pull, sightings: Sightings | None = None
    ) -> Iterator[pa.RecordBatch]:
        """The rows of a day, in the columns of `frames.source_schema`. Raises as `save`."""
        before = self.traffic
        yield from self._lists[entity.name].batches(entity, scope, pull, sightings)
        pull.requests, pull.throttled_seconds = self.traffic.since(before)
        pull.pages = pull.requests

    def _forget(self) -> None:
        """What was written is not what was read."""
        for each in self._lists.values():
            each.forget()

    def schema_report(self, entity: EntitySet) -> None:
        """Airbase does not tell which fields it has."""

    def books(self) -> Books:
        """Active accounts and the subsidiaries, by the ERP's key; read anew, at most once a minute."""
        if self._books is None or self._clock() - self._books[0] > BOOKS_FRESH:
            now, accounts = self._clock(), self.accounts()
            subsidiaries = frozenset(each.erp_reference_id for each in self.subsidiaries() if each.erp_reference_id)
            books = Books(
                accounts=frozenset(account.code for account in accounts if account.code and account.is_active),
                has_chart=bool(self.places.accounts),
                subsidiaries=subsidiaries if self.places.subsidiaries else None,
            )
            self._books = (now, books)
        return self._books[1]

    def accounts(self) -> list[Account]:
        """The chart of accounts; empty where its path is."""
        return [_account(row) for row in self._listed(self.places.accounts)]

    def subsidiaries(self) -> list[Subsidiary]:
        """The subsidiaries; empty where their path is."""
        return [_subsidiary(row) for row in self._listed(self.places.subsidiaries)]

    def reach(self, path: str) -> None:
        """One row of a list: is the path there, and the token good? Raises MlcError."""
        self._api.get(path, page=1, page_size=1)

    def _listed(self, path: str) -> Iterator[Document]:
        return self._api.pages(path) if path else iter(())


def _spend_lists(api: AirbaseApi, places: Places, clock: Callable[[], float]) -> dict[str, List]:
    requests, entries = {"status": places.request_status}, {"status": places.ledger_status}
    return {
        PURCHASE_REQUESTS.name: List(
            api, places.purchase_requests, request_extract(places.request_fields), clock, requests
        ),
        PAYMENTS.name: List(api, places.ledger_entries, payment_extract(places.payment_fields), clock, entries),
    }


def _account(row: Document) -> Account:
    subsidiaries = row.get("subsidiary_reference_ids") or []
    return Account(
        airbase_id=id_of(row),
        erp_reference_id=reference_of(row) or None,
        name=row.get("name"),
        type=row.get("type"),
        is_active=row.get("is_active", True) is not False,
        subsidiaries=tuple(sorted(reference_of(each) for each in subsidiaries if reference_of(each))),
    )


def _subsidiary(row: Document) -> Subsidiary:
    return Subsidiary(
        airbase_id=id_of(row),
        erp_reference_id=reference_of(row) or None,
        name=row.get("name"),
        currency=row.get("erp_currency_reference_id"),
    )


def _total_fault(record: PurchaseOrder, document: Document) -> str:
    """Airbase's own sum, where it gives one, is ours."""
    theirs: Any = document.get("total_amount")
    if theirs is None or amount_of(theirs) == record.total():
        return ""
    return (
        f"Airbase keeps total_amount {theirs} for {record.key}, and IFS says {record.total()}. Correct it in Airbase."
    )
