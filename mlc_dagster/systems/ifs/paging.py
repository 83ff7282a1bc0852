"""Walks a collection page by page, several requests in flight, in order; rows that move meanwhile are not lost.

Each page goes on after the last row of the one before (keyset), never by a growing $skip: what was inserted, changed or
deleted in between shifts nothing. The tenant's count of the rows still to come says which page is the last; where it
gives none, only an empty page is. When more than a page is left, the rest of the time is cut into windows that are
walked side by side, and a window that proves dense is cut again.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pyarrow as pa
import pyarrow.compute as pc

from mlc_dagster.errors import Misconfigured
from mlc_dagster.frames import rows_of
from mlc_dagster.systems.ifs.odata import Order
from mlc_dagster.systems.ifs.wire import Page
from mlc_dagster.systems.waiting import in_order

SECOND = timedelta(seconds=1)
"""The precision of the ERP's timestamps: no bound lies within a second."""

FULL = 0.9
"""The share of a page that a window is meant to fill: activity is never quite even."""


@dataclass(frozen=True)
class Span:
    """A part of a collection that is still to be read, from a place in its order on."""

    after: tuple[object, ...] | None = None  # the last row read, as values of the order
    low: datetime | None = None
    high: datetime | None = None
    link: str | None = None  # the tenant's own link to this part
    expected: int | None = None  # rows left, where the tenant counts


Ask = Callable[[Span], Page]


class Walk:
    """One walk through a collection. `windows` counts the spans that were walked side by side."""

    def __init__(self, order: Order, ask: Ask, in_flight: int = 1, now: Callable[[], datetime] | None = None) -> None:
        """`ask` sends one request; `now` is the server's time, where windows of a running day end for the present.

        Without it there is one window.
        """
        self._order, self._ask, self._in_flight, self._now = order, ask, in_flight, now
        self.windows = self.pages = 0

    def read(self, span: Span) -> Iterator[Page]:
        """The pages of a span, in order. Raises as `ask` does, and Misconfigured where the walk cannot go on."""
        self.windows += 1
        yield from self._side_by_side([span])

    def _side_by_side(self, spans: list[Span]) -> Iterator[Page]:
        in_flight = min(self._in_flight, len(spans))
        for span, page in in_order(lambda span: (span, self._ask(span)), spans, in_flight):
            page, rest = self._rest(span, page)
            yield page
            while len(rest) == 1:
                span = rest[0]
                page, rest = self._rest(span, self._ask(span))
                yield page
            self.windows += max(0, len(rest) - 1)
            yield from self._side_by_side(rest)

    def _rest(self, span: Span, page: Page) -> tuple[Page, list[Span]]:
        """The page, without the rows that will come again, and what is left of its span."""
        self.pages += 1
        left = _left(span, page)
        if page.rows == 0 or (left == 0 and page.link is None):
            return page, []
        last = self._last_readable(page.batch)
        if page.link and not _skips(page.link):
            return page, [replace(span, link=page.link, after=last and last[1], expected=left)]
        if last is None or last[1] == span.after:
            raise Misconfigured(
                f"ifs/{self._order.entity.name}: the walk does not move on from {span.after}",
                cure=f"{', '.join(self._order.names)} must be unique and sortable: check ifs.entity_sets in mlc.yaml.",
            )
        page = replace(page, batch=page.batch.slice(0, last[0] + 1))
        return page, self._cut(Span(last[1], span.low, span.high, expected=left), page)

    def _last_readable(self, batch: pa.RecordBatch) -> tuple[int, tuple[object, ...]] | None:
        """The last row whose place in the order can be read: (its number, its place)."""
        for number in range(batch.num_rows - 1, -1, -1):
            row = next(rows_of(batch.slice(number, 1).select(self._order.fields)))
            if (place := self._order.place(row)) is not None:
                return number, place
        return None

    def _cut(self, rest: Span, page: Page) -> list[Span]:
        """The rest in windows of about a page each; in one, where it is short, not counted, or not walked by time."""
        start = rest.after[0] if rest.after else None
        if self._now is None or not isinstance(start, datetime) or rest.high is None:
            return [rest]
        if not rest.expected or rest.expected <= page.rows:
            return [rest]
        if self._is_one_moment(page.batch):
            bounds = [start.replace(microsecond=0) + SECOND]
        else:
            pieces = math.ceil(rest.expected / (FULL * page.rows))
            bounds = _bounds(start, max(start, min(rest.high, self._now())), pieces)
        bounds = [bound for bound in bounds if bound < rest.high]
        if not bounds:
            return [rest]
        first = replace(rest, high=bounds[0], expected=None)
        later = zip(bounds, [*bounds[1:], rest.high], strict=True)
        return [first, *(Span(low=low, high=high) for low, high in later)]

    def _is_one_moment(self, batch: pa.RecordBatch) -> bool:
        """A page of one timestamp is followed by more of it: no cut of the time divides them."""
        found = pc.min_max(batch.column(self._order.fields[0]))
        return bool(found["min"] == found["max"])


def _left(span: Span, page: Page) -> int | None:
    """Rows still to come; None: unknown. That a full page is the last is not believed: some servers count the page."""
    total = page.count if span.link is None else span.expected
    if total is None or (total == page.rows and page.rows >= page.asked > 0):
        return None
    return max(0, total - page.rows)


def _skips(link: str) -> bool:
    """A link that counts rows loses some when others vanish; the walk goes on by its own place instead."""
    return "$skip" in parse_qs(urlsplit(link).query)


def _bounds(start: datetime, end: datetime, pieces: int) -> list[datetime]:
    """Whole seconds that cut start..end into so many pieces, ends excluded."""
    step = (end - start) / pieces
    cuts = {(start + step * number).replace(microsecond=0) for number in range(1, pieces)}
    return sorted(cut for cut in cuts if cut > start)
