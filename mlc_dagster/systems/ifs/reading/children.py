"""Fields of a record that stand elsewhere: in an array below its row, or in a set that is joined by its key."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial

from mlc_dagster.core.arrow_columns import rows_of
from mlc_dagster.core.errors import RecordRejected
from mlc_dagster.core.vocabulary import ChildSet, EntitySet, Record, Row, key_text
from mlc_dagster.systems.ifs.odata.expressions import Order, all_of, any_of_keys, equals, service
from mlc_dagster.systems.ifs.odata.json_pages import Page, PageDecoder
from mlc_dagster.systems.ifs.reading.arrays import Key, is_there, no_array, path_of
from mlc_dagster.systems.ifs.reading.columns import with_column
from mlc_dagster.systems.ifs.reading.key_ranges import Span, of_keys
from mlc_dagster.systems.ifs.reading.paging import PageWalk
from mlc_dagster.systems.ifs.reading.queries import Connection, Get, Query
from mlc_dagster.systems.ifs.reading.together import Together
from mlc_dagster.systems.ifs.schema.catalogue import fields_of, wire_name
from mlc_dagster.systems.ifs.schema.child_sets import list_record
from mlc_dagster.transport.threads import in_order

Found = dict[Key, list[Row]]
LINKS = frozenset({"supplier_id"})
"""Fields of a list's record that say whose row it is: a row below its supplier need not say it."""


class Children:
    """Completes pages by the fields of one child. `requests` counts what that took."""

    def __init__(self, connection: Connection, entity: EntitySet, child: ChildSet) -> None:
        self._connection, self._entity, self._child = connection, entity, child
        self._condition = None if child.company is None else equals(["Company"], [child.company])
        self._record = list_record(entity.record, child.field) if child.field else entity.record
        self._fields = _fields_of_list(self._record, child) if child.field else dict(child.fields)
        self._others = frozenset(fields_of(self._record)) - self._fields.keys()
        self._links = tuple(child.on) if child.path else entity.keys  # what its rows are found by
        self._together = Together[list[Row]](connection, service(entity))
        self._by_sets = 0

    @property
    def requests(self) -> int:
        return self._together.requests + self._by_sets

    def complete(self, page: Page) -> Page:
        """The page with this child's fields. A row of several children that disagree is unreadable, and says so."""
        keys, links = _columns(page, self._entity.keys), _columns(page, self._links)
        problems: list[str | None] = page.batch["unreadable"].to_pylist()
        asked = [link for link, problem in zip(links, problems, strict=True) if problem is None and None not in link]
        found = self._by_set(dict.fromkeys(asked)) if self._child.path else self._by_array(asked)
        below = [found.get(link, []) for link in links]
        each = zip(keys, problems, below, strict=True)
        told = [problem or self._problem(key, rows) for key, problem, rows in each]
        batch = with_column(page.batch, "unreadable", told)
        if self._child.field:
            return replace(page, batch=with_column(batch, self._child.field, self._lists(below, told)))
        for name in self._child.fields:
            kept = [rows[0] if rows and problem is None else None for rows, problem in zip(below, told, strict=True)]
            batch = with_column(batch, name, [row[name] if row else None for row in kept])
        return replace(page, batch=batch)

    def _lists(self, below: Sequence[list[Row]], told: Sequence[str | None]) -> list[list[Row] | None]:
        """The rows of each header, in the order of their keys, whatever order the tenant tells them in."""
        names = self._record.__struct_fields__
        return [
            None
            if problem is not None
            else [{name: row.get(name) for name in names} for row in sorted(rows, key=self._order)]
            for rows, problem in zip(below, told, strict=True)
        ]

    def _order(self, row: Row) -> list[str]:
        return [str(row[name]) for name in self._child.keys]

    # --- below each row -----------------------------------------------------------------------------------------------

    def _by_array(self, keys: Sequence[Key]) -> Found:
        rows = self._together.read([partial(self._below, key) for key in keys])
        return dict(zip(keys, rows, strict=True))

    def _below(self, key: Key, get: Get) -> list[Row]:
        """One page: more rows than that differ, and are told as such."""
        array = self._child.navigation
        wire = PageDecoder(self._record, self._fields, gone=self._others)
        path = f"{service(self._entity)}/{path_of(self._entity, key)}/{array}"
        asked = {"$select": wire.select, "$filter": self._condition, "$top": str(self._connection.page_size)}
        try:
            return list(rows_of(get(path, asked, wire.decode).batch))
        except RecordRejected as error:
            if error.status != 404:
                raise
            if is_there(self._connection, self._entity, key):
                raise no_array(self._entity, array, "children", error) from error
            return []

    # --- in a set of its own ------------------------------------------------------------------------------------------

    def _by_set(self, links: Iterable[Key]) -> Found:
        query = self._query()
        names = [wire_name(name, query.entity.wire) for name in self._links]

        def rows(some: tuple[str, Sequence[Sequence[object]]]) -> list[Row]:
            condition, asked = all_of(some[0], self._condition), some[1]
            walk = PageWalk(query.order, lambda span: query.page(span, condition))
            return [row for page in walk.read(Span()) for row in rows_of(of_keys(page.batch, self._links, asked))]

        found: Found = defaultdict(list)
        for each in in_order(rows, any_of_keys(names, links, query.entity.types), self._connection.in_flight):
            for row in each:
                found[tuple(row[name] for name in self._links)].append(row)
        self._by_sets += query.requests
        return found

    def _query(self) -> Query:
        child, entity = self._child, self._entity
        own = replace(
            entity,
            path=child.path,
            record=self._record,
            projection=child.projection or entity.projection,
            surface=child.surface or entity.surface,
            wire={**self._fields, **child.on},
            keys=(*self._links, *child.keys),
            absent=self._others - frozenset(self._links),
            modified=None,
            lines=None,
            beside=None,
            sums={},
            children=(),
            types={},
        )
        own = self._connection.typed(own)
        return Query(self._connection, own, Order(own, by_time=False), lines=False)

    # --- what they say ------------------------------------------------------------------------------------------------

    def _problem(self, key: Key, rows: Iterable[Row]) -> str | None:
        if self._child.field:
            return self._unread(key, rows)
        what, fields, unread = self._child.navigation or self._child.path, self._child.fields, list[str]()
        ways = set[tuple[object, ...]]()
        for row in rows:
            ways.add(tuple(row[name] for name in fields))
            unread += [json.loads(row["unreadable"])["reason"]] if row["unreadable"] else []
        if not unread and len(ways) < 2:
            return None
        place = f"ifs.entity_sets.{self._entity.name}.children"
        differ = f"{len(ways)} rows that differ in {', '.join(fields)}; {place} says no company of which it is the row"
        reason = f"{what}: {unread[0] if unread else differ}"
        row = dict(zip(self._entity.keys, key, strict=True))
        return json.dumps({"reason": reason, "row": row, "key": key_text(*key)}, default=str)

    def _unread(self, key: Key, rows: Iterable[Row]) -> str | None:
        """A list with a row that does not fit is no list that could be compared."""
        told = next((json.loads(row["unreadable"])["reason"] for row in rows if row["unreadable"]), None)
        if told is None:
            return None
        row = dict(zip(self._entity.keys, key, strict=True))
        what = self._child.navigation or self._child.path
        return json.dumps({"reason": f"{what}: {told}", "row": row, "key": key_text(*key)}, default=str)


def _fields_of_list(record: type[Record], child: ChildSet) -> dict[str, str]:
    """Every field of the list's record that the tenant has, under its name there."""
    links = child.on.keys()
    has = (name for name in fields_of(record) if name not in child.gone and (name not in LINKS or name in links))
    return {name: wire_name(name, {**child.fields, **child.on}) for name in has}


def _columns(page: Page, names: Iterable[str]) -> list[Key]:
    return list(zip(*(page.batch[name].to_pylist() for name in names), strict=True))
