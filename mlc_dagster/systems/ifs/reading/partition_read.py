"""One read of one partition: its window, the rows that no timestamp places, and what moved meanwhile.

Why nothing that moves is lost: a row that is not touched during the walk keeps its place, and the walk passes every
place once. A row that is touched gets a timestamp after the walk's start; so what was modified since then is read again
at the end, page after page, and what is touched then still lies ahead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pyarrow as pa

from mlc_dagster.core.errors import RecordRejected
from mlc_dagster.core.vocabulary import EntitySet, Pull, Scope, Sightings, Window, key_text
from mlc_dagster.systems.ifs.odata.expressions import MAX_TERMS, Order, any_of_keys, collection, equals, literal
from mlc_dagster.systems.ifs.odata.json_pages import Page
from mlc_dagster.systems.ifs.odata.tenant_time import seconds_ahead
from mlc_dagster.systems.ifs.reading.completion import Completion
from mlc_dagster.systems.ifs.reading.distinct_rows import DistinctRows
from mlc_dagster.systems.ifs.reading.documents import Documents
from mlc_dagster.systems.ifs.reading.key_ranges import Span, of_keys
from mlc_dagster.systems.ifs.reading.paging import PageWalk
from mlc_dagster.systems.ifs.reading.queries import Connection, Query, refuse_if_off
from mlc_dagster.systems.ifs.schema.catalogue import wire_name
from mlc_dagster.systems.ifs.schema.parts import parts_of
from mlc_dagster.systems.shared.first_seen import FirstSeen
from mlc_dagster.transport.threads import in_order

MARGIN = timedelta(minutes=2)
"""Before the walk's start: what was stamped then and committed while it ran, and clocks that are read a second late."""

MOST_TAILS = 5
"""Readings of the end of a running day, where each takes so long that something changes meanwhile."""

KEYS_IN_A_QUERY = 50
"""Rows fetched by key in one request, about; a page of the whole set holds a hundred times as many."""

Clock = Callable[[], datetime]


class PartitionRead:
    """Streams the rows of a scope, and fills in the pull. Raises Misconfigured for a set that the tenant has not."""

    def __init__(
        self,
        connection: Connection,
        entity: EntitySet,
        scope: Scope,
        pull: Pull,
        sightings: Sightings | None,
        clock: Clock,
    ) -> None:
        refuse_if_off(entity)
        entity = connection.typed(entity)
        self._connection, self._entity, self._scope, self._pull, self._clock = connection, entity, scope, pull, clock
        self._places, self._distinct = FirstSeen(entity, sightings), DistinctRows(entity)
        self._by_time, self._by_key = Order(entity, by_time=True), Order(entity, by_time=False)
        self._queries: list[Query] = []
        self._completions: list[Completion] = []
        self._documents = Documents(connection, entity) if entity.header_from_rows else None
        self._walks: list[PageWalk] = []
        self._reads_whole = entity.delta == "sweep" and (entity.lines is not None or bool(entity.children))
        self._throttled_before, self._time = connection.api.throttled_seconds, connection.time

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The rows, in the columns of `source_schema`; empty batches are left out."""
        self._pull.started_at = self._clock()
        for batch in self._parts():
            if batch.num_rows:
                self._distinct.add(batch)
                yield self._in_utc(batch)
                del batch
                pa.system_memory_pool().release_unused()
        self._end()

    def _in_utc(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        found = self._time.in_utc(batch, self._entity.modified)
        ahead = seconds_ahead(found, self._entity.modified, self._server_now())
        self._pull.seconds_ahead = max(self._pull.seconds_ahead, ahead)
        return found

    def _parts(self) -> Iterator[pa.RecordBatch]:
        scope, entity = self._scope, self._entity
        if self._documents:
            return self._sweep_documents(self._documents, scope.window.last_day if scope.window else None)
        if scope.company is not None:
            return self._of_sets({"company": scope.company})
        if scope.window is None:
            return self._of_sets({})
        if entity.delta == "sweep" or entity.modified is None:
            return self._sweep(scope.window.last_day)
        return self._window(scope.window)

    def _end(self) -> None:
        pull, api = self._pull, self._connection.api
        self._distinct.settle(pull)
        pull.requests += sum(query.requests for query in self._queries)
        pull.requests += sum(each.requests for each in self._completions)
        pull.pages += sum(walk.pages for walk in self._walks)
        if self._documents:
            pull.requests, pull.pages = pull.requests + self._documents.requests, pull.pages + self._documents.pages
        pull.windows += sum(walk.windows for walk in self._walks)
        if pull.expected_before is not None:
            pull.expected_before += pull.strays
        if pull.expected_after is not None:
            pull.expected_after += pull.strays
        pull.clock_skew_seconds = api.skew_seconds or 0.0
        pull.throttled_seconds = api.throttled_seconds - self._throttled_before
        pull.ended_at = self._clock()

    # --- all there is -------------------------------------------------------------------------------------------------

    def _of_sets(self, conditions: Mapping[str, object]) -> Iterator[pa.RecordBatch]:
        """All rows that have these values, of each set that holds such rows. They are counted where it is one set."""
        parts = [(part, part.narrowed(conditions)) for part in parts_of(self._entity)]
        for part, left in parts:
            if left is not None:
                entity = self._connection.typed(part.entity)
                names = [wire_name(name, entity.wire) for name in left]
                condition = equals(names, list(left.values()), entity.types) or None
                walk = self._walk(Order(entity, by_time=False), condition)
                pages = (replace(page, batch=part.filled(page.batch)) for page in walk)
                yield from self._counted(pages, condition) if len(parts) == 1 else (page.batch for page in pages)

    # --- by time ------------------------------------------------------------------------------------------------------

    def _window(self, window: Window) -> Iterator[pa.RecordBatch]:
        """Strays first: one that gets a timestamp meanwhile is then seen in its new place."""
        yield from self._strays(window)
        span, pages = Span(low=self._time.earliest(window.start), high=self._time.latest(window.end)), 0
        for batch in self._counted(
            self._walk(self._by_time, None, span), self._by_time.filter(None, span.low, span.high)
        ):
            pages += bool(batch.num_rows)
            yield batch
        if self._distinct.moving_since and (pages > 1 or self._asks_apart()):
            yield from self._tail(window, self._distinct.moving_since)

    def _tail(self, window: Window, since: datetime) -> Iterator[pa.RecordBatch]:
        """What was modified since; again while there is news, since many rows can have the timestamp of this second."""
        for _ in range(MOST_TAILS):
            began, pages, news = self._server_now(), 0, 0
            low, high = self._time.earliest(window.start), self._time.latest(window.end)
            span = Span(low=max(since, low), high=high)
            for page in self._walk(self._by_time, None, span, in_windows=False):
                fresh = self._distinct.unseen(page.batch)
                pages, news = pages + bool(page.rows), news + fresh.num_rows
                yield fresh
            if pages <= 1 or not news:
                return
            since = self._time.earliest(began.replace(microsecond=0) - MARGIN)

    def _strays(self, window: Window) -> Iterator[pa.RecordBatch]:
        """Rows without a timestamp, or with one beyond the running day, that are placed on this day."""
        day, now = window.last_day, self._server_now()
        running = window.start <= now < window.end
        if not running and not self._places.on(day):
            return
        modified = self._by_time.names[0]
        tomorrow = self._time.latest(datetime(now.year, now.month, now.day, tzinfo=UTC) + timedelta(days=1))
        for page in self._walk(self._by_key, f"{modified} eq null or {modified} ge {literal(tomorrow)}"):
            self._places.see(page.batch, now.date())
            batch = self._places.here(page.batch, frozenset(self._places.on(day)), keyless=running)
            self._pull.strays += batch.num_rows
            yield batch

    # --- without a modified column ------------------------------------------------------------------------------------

    def _sweep(self, day: date) -> Iterator[pa.RecordBatch]:
        """Keys and versions of the whole set are compared with those of the last sweep; what changed is fetched.

        Only on the running day: an earlier day fetches again what was placed on it.
        """
        total, today = 0, self._server_now().date()
        if self._reads_whole and day == today and self._places.remembers:
            yield from self._sweep_whole(day)
            return
        if day == today and self._places.remembers:
            seen: list[pa.RecordBatch] = []
            for page in self._walk(self._by_key, only_keys=True):
                seen.append(page.batch.select([*self._entity.keys, "etag"]))
                if page.batch["etag"].null_count:
                    self._reads_whole = True
                    yield from self._sweep_whole(day)
                    return
            for batch in seen:
                self._places.see(batch, today)
                total += batch.num_rows
        placed = self._places.on(day)
        if not total and len(placed) > MAX_TERMS:
            total = self._count(None) or 0
        if not self._places.remembers or len(placed) * self._connection.page_size > total * KEYS_IN_A_QUERY > 0:
            wanted = frozenset(placed)
            batches = (page.batch for page in self._walk(self._by_key))
            yield from (self._places.here(batch, wanted, keyless=day == today) for batch in batches)
        else:
            yield from self._by_keys(placed)

    def _sweep_whole(self, day: date) -> Iterator[pa.RecordBatch]:
        """Where ETags do not cover lines and children, or there are none: all is read, and a hash is its version."""
        for page in self._walk(self._by_key):
            self._places.see(page.batch, day)
            yield self._places.here(page.batch, frozenset(self._places.on(day)), keyless=True)

    def _sweep_documents(self, documents: Documents, day: date | None) -> Iterator[pa.RecordBatch]:
        """As `_sweep`, of documents that are made of rows."""
        today = self._server_now().date()
        if day is None or not self._places.remembers:
            yield from documents.read(documents.versions())
            yield from documents.keyless()
            return
        if day == today:
            versions = documents.versions().items()
            self._places.see_versions(((key_text(*key), version) for key, version in versions), today)
            yield from documents.keyless()
        yield from documents.read(self._places.keys(self._places.on(day)))

    def _by_keys(self, placed: list[str]) -> Iterator[pa.RecordBatch]:
        asked = any_of_keys(self._by_key.names, self._places.keys(placed), self._entity.types)

        def of(some: tuple[str, list[Sequence[object]]]) -> list[pa.RecordBatch]:
            return [of_keys(page.batch, self._by_key.fields, some[1]) for page in self._walk(self._by_key, some[0])]

        return (batch for batches in in_order(of, asked, self._connection.in_flight) for batch in batches)

    # --- one walk -----------------------------------------------------------------------------------------------------

    def _walk(
        self,
        order: Order,
        condition: str | None = None,
        span: Span | None = None,
        *,
        only_keys: bool = False,
        in_windows: bool = True,
    ) -> Iterator[Page]:
        query = Query(self._connection, order.entity, order, lines=not only_keys, only_keys=only_keys)
        apart = Completion(self._connection, order.entity, versions=self._reads_whole)

        def ask(part: Span) -> Page:
            page = query.page(part, condition)
            return page if only_keys else apart.complete(page)

        now = (lambda: self._time.latest(self._server_now())) if in_windows else None
        walk = PageWalk(order, ask, self._connection.in_flight, now, lambda: query.rows_of_a_page)
        self._queries.append(query)
        self._walks.append(walk)
        self._completions.append(apart)
        return walk.read(span or Span())

    def _asks_apart(self) -> bool:
        """Then lines may be newer than their headers, even within one page."""
        return any(each.requests for each in self._completions)

    def _counted(self, pages: Iterator[Page], condition: str | None) -> Iterator[pa.RecordBatch]:
        """The pages of the scope itself, with the tenant's count of it before and after."""
        self._pull.filter = condition or ""
        several = 0
        for page in pages:
            if not several:
                self._note_start(page, condition)
            several += 1
            yield page.batch
        if several > 1 and self._pull.expected_before is not None:
            self._pull.expected_after = self._count(condition)

    def _note_start(self, first: Page, condition: str | None) -> None:
        self._pull.expected_before = self._count(condition) if first.count is None else first.count
        window, started = self._scope.window, self._pull.started_at
        if window and started and self._entity.modified and not self._scope.company:
            since = (started + self._skew() - MARGIN).replace(microsecond=0)
            self._distinct.moving_since = self._time.earliest(since) if since < window.end else None

    def _count(self, condition: str | None) -> int | None:
        """What `/$count` answers; None where the tenant refuses it, or answers something else."""
        if not self._connection.counts:
            return None
        self._pull.requests += 1
        path, params = f"{collection(self._entity)}/$count", {"$filter": condition}
        try:
            text = self._connection.get(path, params, bytes).value.strip()
        except RecordRejected:
            text = b""
        self._connection.counts = text.isdigit()
        return int(text) if text.isdigit() else None

    def _server_now(self) -> datetime:
        return self._clock() + self._skew()

    def _skew(self) -> timedelta:
        return timedelta(seconds=self._connection.api.skew_seconds or 0.0)
