"""Cin7 Core: what the pipeline knows of it. Saves drafts one by one, and reads suppliers and the reference books."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

import pyarrow as pa

from mlc_dagster.core.duplicates import Crosswalk, TargetScan
from mlc_dagster.core.facts import Books
from mlc_dagster.core.flows import Flow, Target
from mlc_dagster.core.outcomes import EVER, Delivered, Draft, Outcome, Seen, Shown, Traffic, Worth
from mlc_dagster.core.vocabulary import EntitySet, Pull, Scope, Sightings, key_parts
from mlc_dagster.systems.cin7.accepted_values import with_accepted
from mlc_dagster.systems.cin7.account_rules import USUAL_TOLERANCE, rules_of
from mlc_dagster.systems.cin7.api import Cin7Api, Document, classify, signature
from mlc_dagster.systems.cin7.chart_records import Account
from mlc_dagster.systems.cin7.duplicates import Duplicates
from mlc_dagster.systems.cin7.lists import listed_supplier, supplier_pages, suppliers_of
from mlc_dagster.systems.cin7.purchases.invoice_writer import InvoiceWriter
from mlc_dagster.systems.cin7.purchases.purchase_lookup import PurchaseLookup
from mlc_dagster.systems.cin7.purchases.purchase_writer import PurchaseSender, PurchaseWriter
from mlc_dagster.systems.cin7.purchases.read_back import PurchasesReadBack, seen_unknown
from mlc_dagster.systems.cin7.purchases.shown_purchase import expected_invoice, expected_purchase, worth_of
from mlc_dagster.systems.cin7.records import PURCHASE_INVOICES, PURCHASES, SUPPLIERS
from mlc_dagster.systems.cin7.reference_books import read_accounts, read_books
from mlc_dagster.systems.cin7.suppliers.read_back import expected_supplier, seen_suppliers
from mlc_dagster.systems.cin7.suppliers.supplier_writer import SupplierWriter
from mlc_dagster.systems.shared.kept_reads import KeptRead
from mlc_dagster.systems.shared.lists_by_day import ListByDay, alone
from mlc_dagster.systems.shared.saving import one_by_one
from mlc_dagster.transport.client import ApiClient

__all__ = ["Cin7Client", "classify", "signature"]

BOOKS_FRESH = 60.0  # seconds that rules are judged by the same books
PRODUCTS_FRESH = 600.0  # seconds that sent lines take ids and names from the same list of products


class Cin7Client:
    """One Cin7 account; implements outcomes.ReadsBack. The account's limits and keys are the ApiClient's business."""

    def __init__(
        self,
        api: ApiClient,
        options: Mapping[str, str] | None = None,
        clock: Callable[[], float] = time.monotonic,
        terms: Mapping[str, str] | None = None,
        account_id: str = "",
        address_types: Mapping[str, str] | None = None,
    ) -> None:
        """`terms`, `address_types`: the ERP's -> their names in Cin7. `account_id`: whose account this is; a secret."""
        self.account_id = account_id
        self.bank_salt: Callable[[], bytes] = bytes
        self.api, self._api, self._options = api, Cin7Api(api), options or {}
        self._suppliers = SupplierWriter(self._api, clock, terms, address_types)
        tolerance = self._options.get("rate_tolerance", USUAL_TOLERANCE)
        account = KeptRead(lambda: rules_of(self._api.get("/me"), tolerance), PRODUCTS_FRESH, clock)
        lookup = PurchaseLookup(self._api, clock)
        sender = PurchaseSender(self._api, lookup, lambda: self._products.value(), account.value)
        self._writers: Mapping[str, SupplierWriter | PurchaseWriter | InvoiceWriter] = {
            SUPPLIERS.name: self._suppliers,
            PURCHASES.name: PurchaseWriter(sender),
            PURCHASE_INVOICES.name: InvoiceWriter(sender),
        }
        self._there = PurchasesReadBack(self._api, clock)
        self._duplicates = Duplicates(self._api, self._options.get("external_key", ""), clock)
        self._products = KeptRead(self._read_products, PRODUCTS_FRESH, clock)
        self._books = KeptRead(lambda: read_books(self._api, self._products.value(BOOKS_FRESH)), BOOKS_FRESH, clock)

    @property
    def traffic(self) -> Traffic:
        return Traffic(self.api.requests, self.api.throttled_seconds)

    def save(self, target: Target, drafts: Iterable[Draft]) -> Iterator[Outcome]:
        """Send the drafts, one after the other: Cin7 counts calls, it has no batches.

        Raises AccessDenied, Misconfigured, TransientError (retries are exhausted): for this draft and the rest.
        """
        return one_by_one(self._writers[target.name].save, drafts)

    def read(
        self, entity: EntitySet, scope: Scope, pull: Pull, sightings: Sightings | None = None
    ) -> Iterator[pa.RecordBatch]:
        """The suppliers of a day, in the columns of `arrow_columns.source_schema`. Raises as `save`."""
        before = self.api.requests
        rows = supplier_pages(self._api, scope, pull)
        reading = ListByDay(entity, scope, pull, sightings, salt=self.bank_salt())
        yield from reading.batches(rows, partial(listed_supplier, self._options))
        pull.requests = pull.pages = self.api.requests - before

    def by_keys(
        self, entity: EntitySet, keys: Sequence[str], since: datetime | None = None
    ) -> Iterator[pa.RecordBatch]:
        """Suppliers by their ids, deprecated ones too, as `read` has them. Raises as `save`."""
        rows = (row for key in keys for row in suppliers_of(self._api, key_parts(key, 1)[0]))
        return alone(entity, rows, partial(listed_supplier, self._options), keys, self.bank_salt())

    def scan_documents(self, target: Target, since: datetime, known: Crosswalk) -> TargetScan:
        """What may be in Cin7 twice: duplicates.AllowsDuplicates. Raises as `save`."""
        return self._duplicates.scan(target, since, known)

    def read_back(self, target: Target, delivered: Sequence[Delivered]) -> Iterator[Seen]:
        """As outcomes.ReadsBack: suppliers by the list, purchases by the list and what it shows as touched."""
        if target.name == SUPPLIERS.name:
            self._suppliers.forget()
            return seen_suppliers(self._suppliers.listed(), self._suppliers.by_id, delivered)
        return self._there.read_back(target, delivered)

    def ours_in(self, flow: Flow, since: datetime | None, known: AbstractSet[str]) -> Iterator[Seen]:
        """As targets.FindsOurs: purchases that carry a marker of ours; a supplier is looked for by its number alone."""
        if flow.target.name == SUPPLIERS.name:
            return iter(())
        found = self._duplicates.unknown(flow.target, since or EVER, known)
        return (seen_unknown(flow.target, marker, purchase) for marker, purchase in found)

    def expected(self, target: Target, record: Any) -> Shown:
        """As outcomes.ReadsBack."""
        if target.name == SUPPLIERS.name:
            return expected_supplier(record)
        return expected_purchase(record) if target.name == PURCHASES.name else expected_invoice(record)

    def keeping(self, target: Target, draft: Draft, kept: Shown) -> Draft | None:
        """As outcomes.KeepsAccepted: a purchase is written with all of its rows, theirs among them."""
        record = with_accepted(draft.record, kept, partial(self.expected, target))
        return None if record is None else replace(draft, record=record)

    def worth(self, target: Target, values: Shown) -> Worth:
        """As outcomes.ReadsBack: a purchase is worth its total, with tax."""
        return worth_of(values)

    def schema_report(self, entity: EntitySet) -> None:
        """Cin7 does not tell which fields it has."""

    def books(self) -> Books:
        """Accounts, terms, tax rules, locations, products, suppliers' currencies; read anew, at most once a minute."""
        books = self._books.value()
        currencies = {str(row["ID"]): str(row.get("Currency") or "") for row in self._suppliers.listed()}
        return replace(books, supplier_currency=currencies)  # with those that we made since

    def accounts(self) -> list[Account]:
        """The chart of accounts, those that are not active too. Raises as `save`."""
        return read_accounts(self._api)

    def known(self, target: Target, records: Sequence[Any]) -> Books:
        """The books. The list of suppliers is read anew where it lacks one that these records name: since it was read
        another run may have made that one.
        """
        books = self.books()
        if {record.supplier_id for record in records if record.supplier_id} <= books.supplier_currency.keys():
            return books
        self._suppliers.forget()
        return self.books()

    def _read_products(self) -> Mapping[str, Document]:
        """SKU -> product."""
        return {str(row["SKU"]): row for row in self._api.pages("/product", "Products")}
