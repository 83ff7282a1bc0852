"""Airbase's lists, as they are read for the way into the ERP: whole, once a minute, whatever days are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any
from urllib.parse import quote

import msgspec
import pyarrow as pa

from mlc_dagster.core.errors import Misconfigured, RecordRejected
from mlc_dagster.core.vocabulary import EntitySet, Pull, Scope, Sightings, key_parts, key_text
from mlc_dagster.systems.airbase.api import AirbaseApi, Document, id_of, reference_of
from mlc_dagster.systems.airbase.vendors.vendor_details import details_in
from mlc_dagster.systems.shared.kept_reads import KeptRead
from mlc_dagster.systems.shared.lists_by_day import Extract, ListByDay, alone

REFUSED, NOT_FOUND, NOT_ALLOWED = 400, 404, 405
ONE_BY_ONE = 25  # documents that are asked for by themselves before a list is read
ACKNOWLEDGED = {"status": "sync_complete"}
FRESH = 60.0  # seconds that a list is taken for the truth: a range of days is read day by day


class AirbaseList:
    """One list without a filter by time; `filter` says which part of it is asked for."""

    def __init__(
        self,
        api: AirbaseApi,
        path: str,
        extract: Extract,
        clock: Callable[[], float],
        filter: Mapping[str, str] | None = None,
        check: Callable[[list[Document]], None] = lambda documents: None,
        also: Sequence[Mapping[str, str]] = (),
        salt: Callable[[], bytes] = bytes,
    ) -> None:
        """`check` raises Misconfigured where mlc.yaml does not fit what was read; `also`: filters of further parts."""
        self._api, self._salt = api, salt
        self._path, self._extract, self._filter, self._check = path, extract, filter or {}, check
        self._documents = KeptRead(
            lambda: [row for part in (self._filter, *also) for row in api.pages(path, **part)], FRESH, clock
        )

    def batches(
        self, entity: EntitySet, scope: Scope, pull: Pull, sightings: Sightings | None
    ) -> Iterator[pa.RecordBatch]:
        """The rows of the scope, by `arrow_columns.source_schema`. Raises Misconfigured without a path."""
        if not self._path:
            cure = "Set it under airbase.paths in mlc.yaml."
            raise Misconfigured(f"airbase: the path of {entity.name} is empty", cure=cure)
        pull.filter = "&".join(f"{name}={value}" for name, value in self._filter.items())
        documents = self._documents.value()
        self._check(documents)
        return ListByDay(entity, scope, pull, sightings, salt=self._salt()).batches(documents, self._extract)

    def told(
        self, entity: EntitySet, ids: Sequence[str], scope: Scope, pull: Pull, sightings: Sightings | None
    ) -> Iterator[pa.RecordBatch]:
        """These documents, whatever their status, each by itself. A tenant that gives no single one is asked for the
        list, of which they are all that is taken.
        """
        pull.filter = f"{len(ids)} by id"
        try:
            found = [document for each in ids if (document := self._one(each)) is not None]
        except Misconfigured:
            self.forget()
            found = [document for document in self.documents() if id_of(document) in frozenset(ids)]
        read = ListByDay(entity, scope, pull, sightings, only=frozenset(map(key_text, ids)), salt=self._salt())
        return read.batches(found, self._extract)

    def documents(self) -> list[Document]:
        """Every document of the list, read at most once a minute."""
        return self._documents.value() if self._path else []

    def of(self, entity: EntitySet, keys: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """The documents of these keys, whatever their status: what the list does not have any more is asked for."""
        ids = [key_parts(key, 1)[0] for key in keys]
        listed = {id_of(document): document for document in self.documents()}
        listed |= self._done(frozenset(ids) - listed.keys())
        found = [document for each in ids if (document := listed.get(each) or self._one(each)) is not None]
        return alone(entity, found, self._extract, keys, self._salt())

    def _done(self, ids: AbstractSet[str]) -> dict[str, Document]:
        """Of many that the list does not show any more, those that were acknowledged: a list of them is read until all
        are found. A tenant that has no such list refuses it, and is asked one by one.
        """
        found: dict[str, Document] = {}
        if not self._filter or len(ids) <= ONE_BY_ONE:
            return found
        try:
            for document in self._api.pages(self._path, **ACKNOWLEDGED):
                if (which := id_of(document)) in ids:
                    found[which] = document
                if len(found) == len(ids):
                    break
        except RecordRejected as error:
            if error.status != REFUSED:
                raise
        return found

    def _one(self, document_id: str) -> Document | None:
        """None where there is none; of a list that is not filtered all are known. Raises Misconfigured where the tenant
        gives no single one: then nobody knows what became of it.
        """
        if not self._filter:
            return None
        try:
            return self._api.one(f"{self._path}{quote(document_id, safe='')}/")
        except RecordRejected as error:
            if error.status == NOT_ALLOWED:
                words = f"airbase: {self._path} gives no single document: {error.message}"
                cure = "Ask Airbase for reading it: what was voided there cannot be told otherwise."
                raise Misconfigured(words, cure=cure) from error
            if error.status != NOT_FOUND:
                raise
            return None

    def forget(self) -> None:
        """The next read asks anew."""
        self._documents.forget()


def listed_vendor(paths: Mapping[str, str], row: Document) -> dict[str, Any]:
    """Record field -> what Airbase says; `paths`: of its contact and its address. A payment term that the tenant's
    vendors do not have is null, an empty one is an empty text.
    """
    term = row["payment_terms"] or "" if "payment_terms" in row else None
    return {
        "airbase_id": id_of(row) or None,
        "erp_reference_id": reference_of(row) or None,
        "name": row.get("name"),
        "email": row["email"] or "" if "email" in row else None,
        "payment_term": term,
        "is_active": row.get("is_active", True) is not False,
        **{name: [msgspec.structs.asdict(each) for each in found or ()] for name, found in _lists(row, paths)},
    }


def _lists(row: Document, paths: Mapping[str, str]) -> Iterator[tuple[str, Any]]:
    if paths:
        yield from details_in(row, paths)._asdict().items()
