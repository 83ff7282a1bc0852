"""Rows that are asked for by what they have: by key, by some of their values, by any of many values, or all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TypeVar

import pyarrow as pa

from mlc_dagster.core.errors import Misconfigured, RecordRejected
from mlc_dagster.core.vocabulary import EntitySet, Row
from mlc_dagster.systems.ifs.odata.expressions import Order, any_of_keys, collection, distinct, equals, one
from mlc_dagster.systems.ifs.odata.json_pages import Page, PageDecoder
from mlc_dagster.systems.ifs.reading.completion import Completion
from mlc_dagster.systems.ifs.reading.documents import Documents
from mlc_dagster.systems.ifs.reading.key_ranges import Span, each_once, of_keys
from mlc_dagster.systems.ifs.reading.paging import PageWalk
from mlc_dagster.systems.ifs.reading.queries import Connection, Query, no_such_set, refuse_if_off
from mlc_dagster.systems.ifs.reading.single_rows import row_and_etag, single
from mlc_dagster.systems.ifs.schema.catalogue import fields_of, wire_name
from mlc_dagster.systems.ifs.schema.parts import Part, parts_of
from mlc_dagster.systems.shared.first_seen import FirstSeen
from mlc_dagster.transport.threads import in_order

Found = list[tuple[Row, str]]
"""Rows, each with its ETag; empty where the tenant gives none."""

Result = TypeVar("Result")


class Lookups:
    """Of one tenant, whatever sets its records stand in. Each raises Misconfigured where the tenant has no such set."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, entity: EntitySet, key: Mapping[str, object]) -> tuple[Row, str]:
        """(row with its lines, ETag). Raises RecordRejected with status 404 where there is none, or it does not fit."""
        _expect(entity, ())
        if entity.header_from_rows:
            documents = Documents(self._connection, entity)
            batches = documents.read([tuple(key[name] for name in entity.keys)])
            return next(_of(entity, batches), None) or _none_there(entity, key)
        for part in parts_of(entity):
            if (left := part.narrowed(key)) is not None:
                return self._with_types(part.entity, partial(self._get, part, left))
        return _none_there(entity, key)

    def _get(self, part: Part, key: Mapping[str, object], entity: EntitySet) -> tuple[Row, str]:
        wire = PageDecoder.of(entity, expand=False)
        answer = self._connection.get(one(entity, key), {"$select": wire.select}, partial(single, wire))
        page = Completion(self._connection, entity).complete(answer.value)
        return row_and_etag(entity, replace(page, batch=part.filled(page.batch)), answer.headers.get("etag"))

    def find(self, entity: EntitySet, most: int, conditions: Mapping[str, object], *, latest_by: str = "") -> Found:
        """The rows, at most so many, that have these values; without lines, but for documents that are made of them.

        `latest_by`: the field of which the greatest come first.
        """
        _expect(entity, [*conditions, *filter(None, [latest_by])])
        if entity.header_from_rows:
            documents = Documents(self._connection, entity)
            latest = partial(documents.latest, by=latest_by) if latest_by else documents.keys
            return list(_of(entity, documents.read(latest(conditions, most))))
        found: Found = []
        for part in parts_of(entity):
            left = part.narrowed(conditions)
            if left is not None and len(found) < most:
                found += self._with_types(part.entity, partial(self._find, part, most - len(found), left, latest_by))
        return found

    def _find(
        self, part: Part, most: int, conditions: Mapping[str, object], latest_by: str, entity: EntitySet
    ) -> Found:
        names = [wire_name(name, entity.wire) for name in conditions]
        wire = PageDecoder.of(entity, expand=False)
        asked = {"$filter": equals(names, list(conditions.values()), entity.types)} if conditions else {}
        keys = Order(entity, by_time=False).orderby
        order = f"{wire_name(latest_by, entity.wire)} desc,{keys}" if latest_by else keys
        params = {**asked, "$top": str(most), "$select": wire.select, "$orderby": order}
        try:
            page = self._connection.get(collection(entity), params, wire.decode).value
        except RecordRejected as error:
            if error.status == 404:
                raise no_such_set(entity, error) from error
            raise
        return list(_of(entity, [self._filled(part, entity, page)]))

    def find_many(self, entity: EntitySet, field: str, values: Iterable[object], also: Mapping[str, object]) -> Found:
        """The rows whose field has any of these values, and all of the others."""
        wanted = distinct(values)
        if not wanted:
            return []
        _expect(entity, (field, *also))
        if entity.header_from_rows:
            documents = Documents(self._connection, entity)
            pairs: Iterable[tuple[Row, str]] = _of(entity, documents.read(documents.keys_of_any(field, wanted, also)))
            return list(pairs)
        pairs = (
            pair
            for part in parts_of(entity)
            if (left := part.narrowed(also)) is not None
            for pair in self._with_types(part.entity, partial(self._find_many, part, field, wanted, left))
        )
        return each_once(pairs, entity.keys, field, wanted)

    def _find_many(
        self, part: Part, field: str, values: list[object], also: Mapping[str, object], entity: EntitySet
    ) -> Found:
        names = [wire_name(name, entity.wire) for name in (field, *also)]
        asked = any_of_keys(names, ((value, *also.values()) for value in values), entity.types)
        filters = [text for text, _ in asked]
        found = in_order(partial(self._walked, part, entity), filters, self._connection.in_flight)
        return [pair for pairs in found for pair in pairs]

    def find_keys(self, entity: EntitySet, keys: Sequence[Sequence[object]]) -> Found:
        """The rows that have these keys, without lines; a key that is not there has none."""
        if not keys:
            return []
        _expect(entity, ())
        if entity.header_from_rows:
            return list(_of(entity, Documents(self._connection, entity).read([tuple(key) for key in keys])))
        found: dict[tuple[object, ...], tuple[Row, str]] = {}
        for part in parts_of(entity):
            named = (part.narrowed(dict(zip(entity.keys, key, strict=True))) for key in keys)
            if asked := [left for left in named if left is not None]:
                pairs = self._with_types(part.entity, partial(self._find_keys, part, asked))
                found |= {tuple(row[name] for name in entity.keys): (row, etag) for row, etag in pairs}
        return list(found.values())

    def _find_keys(self, part: Part, asked: list[Mapping[str, object]], entity: EntitySet) -> Found:
        names = [wire_name(name, entity.wire) for name in asked[0]]
        filters = [text for text, _ in any_of_keys(names, (tuple(key.values()) for key in asked), entity.types)]
        found = in_order(partial(self._walked, part, entity), filters, self._connection.in_flight)
        return [pair for pairs in found for pair in pairs]

    def whole(self, entity: EntitySet, keys: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """The rows of these keys, as texts, with their lines: in the columns of `source_schema`, as a read of their day
        has them. A key that is not there has none.
        """
        refuse_if_off(entity)
        asked = FirstSeen(entity, None).keys(keys)
        if entity.header_from_rows:
            yield from Documents(self._connection, entity).read(asked)
            return
        for part in parts_of(entity):
            named = [part.narrowed(dict(zip(entity.keys, key, strict=True))) for key in asked]
            if left := [tuple(each.values()) for each in named if each is not None]:
                yield from self._with_types(part.entity, partial(self._whole, part, left))

    def _whole(self, part: Part, keys: Sequence[Sequence[object]], entity: EntitySet) -> list[pa.RecordBatch]:
        order = Order(entity, by_time=False)
        asked = any_of_keys(order.names, keys, entity.types)
        found = in_order(partial(self._whole_of, part, order), asked, self._connection.in_flight)
        return [batch for batches in found for batch in batches if batch.num_rows]

    def _whole_of(self, part: Part, order: Order, some: tuple[str, Sequence[Sequence[object]]]) -> list[pa.RecordBatch]:
        """A tenant may compare without heeding case: what was not asked for is left out."""
        query = Query(self._connection, order.entity, order, lines=True)
        apart = Completion(self._connection, order.entity)
        walk = PageWalk(order, lambda span: apart.complete(query.page(span, some[0])))
        return [of_keys(part.filled(page.batch), order.fields, some[1]) for page in walk.read(Span())]

    def every(self, entity: EntitySet) -> Found:
        """All rows, without lines, but for documents that are made of them."""
        _expect(entity, ())
        if entity.header_from_rows:
            documents = Documents(self._connection, entity)
            return list(_of(entity, documents.read(documents.versions())))
        parts = [(part, self._connection.typed(part.entity)) for part in parts_of(entity)]
        return [pair for part, own in parts for pair in self._walked(part, own, None)]

    def _walked(self, part: Part, entity: EntitySet, condition: str | None) -> Found:
        query = Query(self._connection, entity, Order(entity, by_time=False), lines=False)
        walk = PageWalk(query.order, lambda span: query.page(span, condition))
        batches = (self._filled(part, entity, page) for page in walk.read(Span()))
        return list(_of(entity, batches))

    def _filled(self, part: Part, entity: EntitySet, page: Page) -> pa.RecordBatch:
        """With what stands elsewhere, lines excepted: they were not asked for."""
        bare = replace(entity, lines=None, beside=None, sums={})
        return part.filled(Completion(self._connection, bare).complete(page).batch)

    def _with_types(self, entity: EntitySet, act: Callable[[EntitySet], Result]) -> Result:
        """Where a key is refused as it is written, $metadata is asked for its type, once."""
        try:
            return act(self._connection.typed(entity))
        except RecordRejected as error:
            if error.status != 400 or not self._connection.learns_types(entity):
                raise
            return act(self._connection.typed(entity))


def _expect(entity: EntitySet, fields: Iterable[str]) -> None:
    """Raises Misconfigured where it cannot be asked for."""
    refuse_if_off(entity)
    rows = frozenset[str]()
    if entity.header_from_rows and entity.lines:
        rows = frozenset(fields_of(entity.lines.record)) - entity.lines.absent
    gone = [name for name in fields if name in entity.not_selected and name not in rows]
    if gone:
        raise Misconfigured(
            f"ifs/{entity.name}: rows cannot be asked for by {', '.join(gone)}: the tenant's set has none",
            cure=f"Name it, where the tenant has it: ifs.entity_sets.{entity.name}.fields in mlc.yaml.",
        )


def _none_there(entity: EntitySet, key: Mapping[str, object]) -> tuple[Row, str]:
    shown = ", ".join(f"{name}={value}" for name, value in key.items())
    raise RecordRejected(f"ifs/{entity.name}: there is no row of {shown}", status=404)


def _of(entity: EntitySet, batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[Row, str]]:
    for batch in batches:
        yield from (row_and_etag(entity, Page(batch.slice(at, 1)), None) for at in range(batch.num_rows))
