"""Airbase: what the pipeline knows of it. Saves drafts, and reads vendors, spend, accounts and subsidiaries."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import Any

import msgspec
import pyarrow as pa

from mlc_dagster.core.facts import Books
from mlc_dagster.core.flows import Flow, Target
from mlc_dagster.core.outcomes import Delivered, Draft, Outcome, Seen, Shown, Traffic, Worth
from mlc_dagster.core.vocabulary import EntitySet, Pull, Scope, Sightings
from mlc_dagster.systems.airbase.api import AirbaseApi, Document, id_of, reference_of
from mlc_dagster.systems.airbase.bills.order_invoices import OrderInvoiceWriter
from mlc_dagster.systems.airbase.bills.records import ListedBill
from mlc_dagster.systems.airbase.bills.tenant import TenantsBills
from mlc_dagster.systems.airbase.endpoints import Endpoints
from mlc_dagster.systems.airbase.lists import AirbaseList, listed_vendor
from mlc_dagster.systems.airbase.records import (
    PURCHASE_ORDERS,
    VENDOR_LIST,
    VENDORS,
    Account,
    Subsidiary,
    Vendor,
)
from mlc_dagster.systems.airbase.spend.absent_paths import absent_paths, configured_paths_lead_somewhere
from mlc_dagster.systems.airbase.spend.acknowledgements import AcknowledgementWriter
from mlc_dagster.systems.airbase.spend.documents import Extract, payment_extract, request_extract
from mlc_dagster.systems.airbase.spend.entry_types import EntryType, types_seen
from mlc_dagster.systems.airbase.spend.fields import PAYMENT, REQUEST
from mlc_dagster.systems.airbase.spend.records import ACKNOWLEDGEMENTS, PAYMENTS, PURCHASE_REQUESTS, Payment
from mlc_dagster.systems.airbase.vendors.supplier_fields import VendorMatching
from mlc_dagster.systems.airbase.writing import request_bodies as bodies
from mlc_dagster.systems.airbase.writing.namesakes import Alike
from mlc_dagster.systems.airbase.writing.read_back import (
    AcknowledgementsReadBack,
    RecordsReadBack,
    expected,
    otherwise,
    shown_order,
    shown_vendor,
    worth,
)
from mlc_dagster.systems.airbase.writing.record_index import RecordIndex
from mlc_dagster.systems.airbase.writing.upserts import UpsertKind, UpsertWriter
from mlc_dagster.systems.shared.draft_writer import DraftWriter
from mlc_dagster.systems.shared.json_rows import converted_row
from mlc_dagster.systems.shared.kept_reads import KeptRead
from mlc_dagster.systems.shared.outward_bank import OutwardBank
from mlc_dagster.systems.shared.supplier_match import folded_name
from mlc_dagster.transport.client import ApiClient

BOOKS_FRESH = 60.0  # seconds that rules are judged by the same books


class AirbaseClient:
    """One Airbase tenant; implements outcomes.Client."""

    def __init__(
        self,
        api: ApiClient,
        endpoints: Endpoints,
        clock: Callable[[], float] = time.monotonic,
        terms: Mapping[str, str] | None = None,
    ) -> None:
        """`terms`: the ERP's payment terms -> their names in Airbase; none: they are not shared."""
        self.api, self.endpoints, self._clock = api, endpoints, clock
        self.bank_salt: Callable[[], bytes] = bytes
        self.open_bank_details: Callable[[str], str | None] = lambda mark: None
        salt, opened = lambda: self.bank_salt(), lambda mark: self.open_bank_details(mark)
        bank = OutwardBank(endpoints.bank_details, "Airbase", salt, opened)
        self._api = AirbaseApi(api, endpoints.page_size)
        left_out = endpoints.vendor_fields_left_out
        vendors = UpsertKind(
            "vendor",
            self._vendor_body,
            endpoints.vendors_bulk,
            alike=Alike(lambda vendor: folded_name(vendor.name), lambda row: folded_name(row.get("name")), "by name"),
            two_way=VendorMatching(terms or {}, endpoints.vendor_details, endpoints.main_address_type),
            otherwise=partial(otherwise, left_out=left_out),
            bank=bank if endpoints.bank_details else None,
            cure="Enter it there by hand; or leave the field out: airbase.vendor_fields_left_out.",
        )
        self._bills = TenantsBills(self._api, endpoints, clock)
        orders_bulk = endpoints.purchase_orders_bulk
        orders = UpsertKind("purchase order", bodies.order, orders_bulk, fault=bodies.total_fault, otherwise=otherwise)
        spent = {PURCHASE_REQUESTS.path: endpoints.purchase_requests, PAYMENTS.path: endpoints.ledger_entries}
        self._writers: dict[str, DraftWriter] = {
            VENDORS.name: self._upsert_writer(vendors, endpoints.vendors),
            PURCHASE_ORDERS.name: self._upsert_writer(orders, endpoints.purchase_orders),
            ACKNOWLEDGEMENTS.name: AcknowledgementWriter(self._api, spent, self._forget),
            **self._bills.writers(),
        }
        listed = partial(listed_vendor, endpoints.vendor_details)
        self._lists = {
            VENDOR_LIST.name: AirbaseList(self._api, endpoints.vendors, listed, clock, salt=salt),
            **_spend_lists(self._api, endpoints, clock),
        }
        sent = partial(expected, left_out=left_out)
        orders_shown = partial(shown_order, line_fields=endpoints.order_line_fields)
        self._there: dict[str, RecordsReadBack | OrderInvoiceWriter] = {
            VENDORS.name: RecordsReadBack(self._api, endpoints.vendors, shown_vendor, sent),
            PURCHASE_ORDERS.name: RecordsReadBack(self._api, endpoints.purchase_orders, orders_shown, sent),
            **self._bills.read_back,
        }
        self._words = AcknowledgementsReadBack(
            self._api, {e.name: spent[e.path] for e in (PURCHASE_REQUESTS, PAYMENTS)}
        )
        self._books = KeptRead(self._read_books, BOOKS_FRESH, clock)
        self._subsidiary_ids = KeptRead(self._read_subsidiary_ids, BOOKS_FRESH, clock)

    def _upsert_writer(self, kind: UpsertKind, path: str) -> UpsertWriter:
        return UpsertWriter(self._api, kind, RecordIndex(self._api, path, self._clock), self.endpoints.batch_size)

    def _vendor_body(self, record: Vendor, theirs: Document | None) -> dict[str, Any]:
        """Subsidiaries are named by both of their keys; their list is read at most once a minute."""
        return bodies.vendor(record, theirs, self._subsidiary_ids.value(), self.endpoints.vendor_fields_left_out)

    def _read_subsidiary_ids(self) -> dict[str, str]:
        return {each.erp_reference_id: each.airbase_id for each in self.subsidiaries() if each.erp_reference_id}

    @property
    def traffic(self) -> Traffic:
        return Traffic(self.api.requests, self.api.throttled_seconds)

    def save(self, target: Target, drafts: Iterable[Draft]) -> Iterator[Outcome]:
        """Raises AccessDenied, Misconfigured, TransientError (retries are exhausted): for those not yet answered."""
        return self._writers[target.name].save(list(drafts))

    def read_back(self, target: Target, delivered: Sequence[Delivered]) -> Iterator[Seen]:
        """As outcomes.ReadsBack: by the lists; words of vouchers by the lists of their statuses."""
        there = self._there.get(target.name)
        return there.read_back(delivered) if there else self._words.read_back(delivered)

    def expected(self, target: Target, record: Any) -> Shown:
        """As outcomes.ReadsBack."""
        if target.name in self._bills.read_back:
            return self._bills.expected(record)
        return expected(record, self.endpoints.vendor_fields_left_out)

    def worth(self, target: Target, values: Shown) -> Worth:
        """As outcomes.ReadsBack."""
        return self._bills.worth(target, values) if target.name in self._bills.read_back else worth(values)

    def ours_in(self, flow: Flow, since: datetime | None, known: AbstractSet[str]) -> Iterator[Seen]:
        """As outcomes.FindsOurs, of vendors, orders and bills; all of them, since Airbase tells no times."""
        there = self._there.get(flow.target.name)
        return there.ours(known) if there else iter(())

    def read(
        self, entity: EntitySet, scope: Scope, pull: Pull, sightings: Sightings | None = None
    ) -> Iterator[pa.RecordBatch]:
        """The rows of a day, in the columns of `arrow_columns.source_schema`. Raises as `save`."""
        before = self.traffic
        yield from self._lists[entity.name].batches(entity, scope, pull, sightings)
        pull.requests, pull.throttled_seconds = self.traffic.since(before)
        pull.pages = pull.requests

    def read_records(
        self, entity: EntitySet, ids: Sequence[str], scope: Scope, pull: Pull, sightings: Sightings | None
    ) -> Iterator[pa.RecordBatch]:
        """Of these records those that belong to the scope, each read by itself: no list is. Raises as `read`."""
        before = self.traffic
        yield from self._lists[entity.name].told(entity, ids, scope, pull, sightings)
        pull.requests, pull.throttled_seconds = self.traffic.since(before)
        pull.pages = pull.requests

    def by_keys(
        self, entity: EntitySet, keys: Sequence[str], since: datetime | None = None
    ) -> Iterator[pa.RecordBatch]:
        """Documents by their ids, whatever their status, as `read` has them. Raises as `save`."""
        return self._lists[entity.name].of(entity, keys)

    def _forget(self) -> None:
        """What was written is not what was read."""
        for each in self._lists.values():
            each.forget()

    def schema_report(self, entity: EntitySet) -> None:
        """Airbase does not tell which fields it has."""

    def books(self) -> Books:
        """Active accounts and the subsidiaries, by the ERP's key; read anew, at most once a minute."""
        return self._books.value()

    def _read_books(self) -> Books:
        accounts = self.accounts()
        subsidiaries = frozenset(each.erp_reference_id for each in self.subsidiaries() if each.erp_reference_id)
        return Books(
            accounts=frozenset(account.code for account in accounts if account.code and account.is_active),
            has_chart=bool(self.endpoints.accounts),
            subsidiaries=subsidiaries if self.endpoints.subsidiaries else None,
        )

    def accounts(self) -> list[Account]:
        """The chart of accounts; empty where its path is."""
        return [_account(row) for row in self._listed(self.endpoints.accounts)]

    def subsidiaries(self) -> list[Subsidiary]:
        """The subsidiaries; empty where their path is."""
        return [_subsidiary(row) for row in self._listed(self.endpoints.subsidiaries)]

    def bill_list(self) -> list[ListedBill]:
        """Airbase's own bills; none where no path shows them. Raises as `save`."""
        return list(self._bills.listed())

    def ledger_entry_types(self) -> list[EntryType]:
        """The types of the ledger entries that wait for the ERP; empty where their path is. Raises as `save`."""
        extract = payment_extract(self.endpoints.payment_fields)
        return types_seen(_readable_payments(self._lists[PAYMENTS.name].documents(), extract))

    def absent_paths(self) -> Iterator[tuple[str, str, str]]:
        """(setting, path, where) of each field that no document of a list has. Raises as `save`."""
        at = self.endpoints
        for name, entity, usual, own in (
            ("requests", PURCHASE_REQUESTS, REQUEST, at.request_fields),
            ("payments", PAYMENTS, PAYMENT, at.payment_fields),
        ):
            paths = {**usual, **own}
            for field in absent_paths(self._lists[entity.name].documents(), paths):
                yield f"airbase.fields.{name}.{field}", paths[field], "mlc.yaml" if field in own else ""

    def probe(self, path: str) -> None:
        """One row of a list: is the path there, and the token good? Raises MlcError."""
        self._api.get(path, page=1, page_size=1)

    def _listed(self, path: str) -> Iterator[Document]:
        return self._api.pages(path) if path else iter(())


def _spend_lists(api: AirbaseApi, endpoints: Endpoints, clock: Callable[[], float]) -> dict[str, AirbaseList]:
    requests, entries = {"status": endpoints.request_status}, {"status": endpoints.ledger_status}
    return {
        PURCHASE_REQUESTS.name: AirbaseList(
            api,
            endpoints.purchase_requests,
            request_extract(endpoints.request_fields),
            clock,
            requests,
            _fits(REQUEST, endpoints.request_fields, "airbase.fields.requests"),
        ),
        PAYMENTS.name: AirbaseList(
            api,
            endpoints.ledger_entries,
            payment_extract(endpoints.payment_fields),
            clock,
            entries,
            _fits(PAYMENT, endpoints.payment_fields, "airbase.fields.payments"),
            [{"status": endpoints.failed_status}] if endpoints.failed_status else (),
        ),
    }


def _fits(usual: Mapping[str, str], own: Mapping[str, str], setting: str) -> Callable[[list[Document]], None]:
    return lambda documents: configured_paths_lead_somewhere(documents, usual, own, setting)


def _readable_payments(documents: Iterable[Document], extract: Extract) -> Iterator[Payment]:
    """What cannot be read is held with its reason where it would be entered."""
    for document in documents:
        with suppress(ValueError):
            yield msgspec.convert(converted_row(Payment, extract(document)), Payment)


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
