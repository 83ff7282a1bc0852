"""The lines that did not come with their headers: asked for separately, or where the tenant's link says, and joined."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import accumulate

import pyarrow as pa

from mlc_dagster.core.vocabulary import EntitySet, LineSet
from mlc_dagster.systems.ifs.odata.expressions import Order, any_of_keys
from mlc_dagster.systems.ifs.odata.json_pages import Page
from mlc_dagster.systems.ifs.reading.arrays import LineArrays
from mlc_dagster.systems.ifs.reading.key_ranges import Span, of_keys
from mlc_dagster.systems.ifs.reading.paging import PageWalk
from mlc_dagster.systems.ifs.reading.queries import Connection, Query
from mlc_dagster.systems.ifs.schema.catalogue import wire_name
from mlc_dagster.systems.ifs.schema.parts import lines_alone
from mlc_dagster.transport.threads import in_order

Key = tuple[object, ...]


class Lines:
    """Completes pages of headers. `requests` counts what that took."""

    def __init__(self, connection: Connection, entity: EntitySet, lines: LineSet) -> None:
        self._connection, self._entity, self._lines = connection, entity, lines
        own = connection.typed(lines_alone(entity, lines))
        self._arrays = LineArrays(connection, entity, lines)
        self._query = Query(connection, own, Order(own, by_time=False), lines=False)

    @property
    def requests(self) -> int:
        return self._query.requests + self._arrays.requests

    def complete(self, page: Page) -> Page:
        """The page with all lines of its headers."""
        if page.is_whole and not page.more_lines:
            return page
        headers = self._headers(page)
        found = self._linked(page, headers) if page.is_whole else self._asked(headers)
        return replace(page, batch=self._joined(page.batch, headers, found), is_whole=True, more_lines={})

    def beside(self, page: Page) -> Page:
        """The page with rows that are never nested in it: they are asked for, whatever it holds."""
        headers = self._headers(page)
        return replace(page, batch=self._joined(page.batch, headers, self._asked(headers)))

    def _headers(self, page: Page) -> list[Key | None]:
        """The key of each header; None for one that could not be read."""
        keys, problems = _keys(page.batch, self._entity.keys), page.batch["unreadable"].to_pylist()
        return [key if problem is None else None for key, problem in zip(keys, problems, strict=True)]

    def _asked(self, headers: list[Key | None]) -> list[pa.RecordBatch]:
        if self._lines.arrays or not self._lines.path:
            below = self._arrays.below([key for key in headers if key is not None])
            return [self._under(key, batch) for key, batch in below]
        names = [wire_name(name, self._lines.wire) for name in self._lines.keys[: len(self._entity.keys)]]
        asked = any_of_keys(names, (key for key in headers if key is not None), self._query.entity.types)
        found = in_order(lambda some: list(self._walk(*some)), asked, self._connection.in_flight)
        return [batch for batches in found for batch in batches]

    def _linked(self, page: Page, headers: list[Key | None]) -> list[pa.RecordBatch]:
        """Nested lines that the tenant cut off, by its own links. They may not repeat the header's key: it is set."""
        found = []
        for place, link in page.more_lines.items():
            if (key := headers[place]) is not None:
                found += [self._under(key, batch) for batch in self._follow(link)]
        return found

    def _follow(self, link: str | None) -> Iterator[pa.RecordBatch]:
        while link:
            page = self._query.page(Span(link=link))
            yield page.batch
            link = page.link

    def _walk(self, condition: str, asked: Sequence[Sequence[object]]) -> Iterator[pa.RecordBatch]:
        walk = PageWalk(self._query.order, lambda span: self._query.page(span, condition))
        headers = self._lines.keys[: len(self._entity.keys)]
        return (of_keys(page.batch, headers, asked) for page in walk.read(Span()))

    def _under(self, key: Key, batch: pa.RecordBatch) -> pa.RecordBatch:
        for name, value in zip(self._lines.keys, key, strict=False):
            place = batch.schema.get_field_index(name)
            batch = batch.set_column(
                place, batch.schema.field(place), pa.array([value] * len(batch), batch.schema.types[place])
            )
        return batch

    def _joined(self, batch: pa.RecordBatch, headers: list[Key | None], found: list[pa.RecordBatch]) -> pa.RecordBatch:
        """Lines under their headers, after those that are there already. A header fits if all of its lines do."""
        lines = pa.Table.from_batches(found) if found else None
        if lines is None:
            return _with_lists(batch, self._lines.field, None, [])
        places = {key: place for place, key in enumerate(headers) if key is not None}
        width = len(self._entity.keys)
        owners = [places.get(key[:width]) for key in _keys(lines, self._lines.keys)]
        batch = _unfit(batch, owners, lines["unreadable"].to_pylist(), self._lines.field.removesuffix("s"))
        return _with_lists(batch, self._lines.field, lines, owners)


def _keys(batch: pa.RecordBatch | pa.Table, names: Iterable[str]) -> list[Key]:
    return list(zip(*(batch[name].to_pylist() for name in names), strict=True))


def _unfit(batch: pa.RecordBatch, owners: list[int | None], problems: list[str | None], what: str) -> pa.RecordBatch:
    """Headers of unreadable lines; where a line's header is not readable either, all of them."""
    bad = [(owner, problem) for owner, problem in zip(owners, problems, strict=True) if problem is not None]
    if not bad:
        return batch
    told: list[str | None] = batch["unreadable"].to_pylist()
    for owner, problem in bad:
        for place in range(len(told)) if owner is None else [owner]:
            told[place] = told[place] or _as_line(problem, what)
    place = batch.schema.get_field_index("unreadable")
    return batch.set_column(place, batch.schema.field(place), pa.array(told, pa.string()))


def _as_line(problem: str, what: str) -> str:
    found = json.loads(problem)
    return json.dumps({"reason": f"a {what}: {found['reason']}", "row": found["row"]})


def _with_lists(batch: pa.RecordBatch, name: str, lines: pa.Table | None, owners: list[int | None]) -> pa.RecordBatch:
    place = batch.schema.get_field_index(name)
    kind, present = batch.schema.types[place], batch.column(place)
    lengths = present.value_lengths().fill_null(0).to_pylist()
    all_owners: list[int | None] = [row for row, length in enumerate(lengths) for _ in range(length)]
    structs = [present.flatten()]
    if lines is not None:
        all_owners += owners
        structs += _structs(lines, kind.value_type)
    order = [at for at, owner in sorted(enumerate(all_owners), key=_by_owner) if owner is not None]
    for owner in owners:
        if owner is not None:
            lengths[owner] += 1
    child = pa.concat_arrays(structs).take(pa.array(order, pa.int64()))
    offsets = pa.array([0, *accumulate(lengths)], pa.int32())
    return batch.set_column(place, batch.schema.field(place), pa.ListArray.from_arrays(offsets, child, type=kind))


def _by_owner(pair: tuple[int, int | None]) -> int:
    return -1 if pair[1] is None else pair[1]


def _structs(lines: pa.Table, kind: pa.StructType) -> list[pa.StructArray]:
    names = [one.name for one in kind]
    return [
        pa.StructArray.from_arrays([batch[name] for name in names], fields=list(kind)) for batch in lines.to_batches()
    ]
