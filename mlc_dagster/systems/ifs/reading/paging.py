"""Walks a collection page by page, several requests in flight, in order; rows that move meanwhile are not lost.

Each page goes on after the last row of the one before (keyset), never by a growing $skip: what was inserted, changed or
deleted in between shifts nothing. Pages by time go on with the last moment anew, so that no order of texts matters
there. The tenant's count of the rows still to come says which page is the last; where it gives none, only an empty page
is. When more than a page is left, the rest of the time is cut into windows that are walked side by side, and a window
that proves dense is cut again.

A keyset loses rows where the tenant sorts texts otherwise than it compares them (language against bytes). So the order
of each page is looked at, and what the counts do not account for is asked for: see `key_ranges`.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pyarrow as pa
import pyarrow.compute as pc

from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.systems.ifs.odata.expressions import Order
from mlc_dagster.systems.ifs.odata.json_pages import Page
from mlc_dagster.systems.ifs.reading.key_ranges import Ask, RangeReader, Span, rows_left
from mlc_dagster.transport.threads import in_order

SECOND = timedelta(seconds=1)
"""The precision of the ERP's timestamps: no bound lies within a second."""

FULL = 0.9
"""The share of a page that a window is meant to fill: activity is never quite even."""


@dataclass(frozen=True)
class PageRange:
    """What one page of a chain stands for: all rows of `span`, of which these were handed over."""

    span: Span
    keys: array[int]  # hashes
    expected: int | None  # rows behind it, by the tenant's count


class PageWalk:
    """One walk through a collection. `windows` counts the spans that were walked side by side."""

    def __init__(
        self,
        order: Order,
        ask: Ask,
        in_flight: int = 1,
        now: Callable[[], datetime] | None = None,
        size: Callable[[], int] | None = None,
    ) -> None:
        """`ask` sends one request; `now` is the server's time, where windows of a running day end for the present.

        Without it there is one window. `size`: the rows of the next page, where the first one says little of it.
        """
        self._size = size
        self._order, self._ask, self._in_flight, self._now = order, ask, in_flight, now
        self._range_reader = RangeReader(order, ask)
        self.windows = self._pages = 0

    @property
    def pages(self) -> int:
        return self._pages + self._range_reader.pages

    def read(self, span: Span) -> Iterator[Page]:
        """The pages of a span, in order. Raises as `ask` does, and Misconfigured where the walk cannot go on."""
        self.windows += 1
        yield from self._side_by_side([span])

    def _side_by_side(self, spans: list[Span], page_range: PageRange | None = None) -> Iterator[Page]:
        """`stretch`: what the page before them stands for, proved by the counts of all."""
        in_flight, counts = min(self._in_flight, len(spans)), list[int | None]()
        for span, page in in_order(lambda span: (span, self._ask(span)), spans, in_flight):
            counts.append(page.count)
            yield from self._chain(span, page)
        if page_range and None not in counts:
            yield from self._missed(page_range, sum(each or 0 for each in counts))

    def _chain(self, span: Span, page: Page) -> Iterator[Page]:
        """One page after the other, until all of the span is there, or is cut into windows."""
        start, page_ranges = span, list[PageRange]()
        while True:
            self._pages += 1
            left = rows_left(span, page)
            is_last = page.rows == 0 or (left == 0 and page.link is None)
            if why := self._not_in_order(span, page, is_last):
                yield from self._without_order(span, page_ranges, why)
                return
            if page_ranges and page.count is not None and span.link is None:
                yield from self._missed(page_ranges.pop(), page.count)
            if is_last or self._is_all(start, page_ranges, span, page, left):
                yield page
                yield from self._unproven(start, page_ranges, page.rows)
                return
            if page.link and not _skips(page.link):
                yield page
                last = self._range_reader.last_readable(page.batch)
                span = replace(span, link=page.link, after=last and last[1], expected=left)
            else:
                page, rest, page_range = self._behind(span, page, left)
                yield page
                if len(rest) > 1:
                    self.windows += len(rest) - 1
                    yield from self._side_by_side(rest, page_range)
                    return
                page_ranges.append(page_range)
                (span,) = rest
            page = self._ask(span)

    # --- where the next page begins -----------------------------------------------------------------------------------

    def _not_in_order(self, span: Span, page: Page, is_last: bool) -> str:
        """What shows that a keyset loses rows here, or sees some twice; empty where nothing does."""
        if span.link is not None or (page.link and not _skips(page.link)):
            return ""
        again = self._range_reader.comes_again(page.batch, span.after)
        if again or is_last:
            return again
        if self._order.by_time and not self._is_one_moment(page.batch):
            return self._range_reader.not_in_order_of_time(page.batch)
        return self._range_reader.not_in_order_of_bytes(page.batch)

    def _without_order(self, span: Span, page_ranges: list[PageRange], why: str) -> Iterator[Page]:
        """The rest, and what the last page stands for: only of that rows were left out, or would come again."""
        last = page_ranges.pop() if page_ranges else None
        rest = span if last is None else replace(span, after=last.span.after, low=last.span.low)
        yield from self._range_reader.read(rest, last.keys if last else (), why)
        yield from self._missed_in(page_ranges)

    def _behind(self, span: Span, page: Page, left: int | None) -> tuple[Page, list[Span], PageRange]:
        """The page, without the rows that will come again, what is left of its span, and what the page stands for."""
        last = self._range_reader.last_readable(page.batch)
        if last is None or last[1] == span.after:
            raise Misconfigured(
                f"ifs/{self._order.entity.name}: the walk does not move on from {span.after}",
                cure=f"{', '.join(self._order.names)} must be unique and sortable: check ifs.entity_sets in mlc.yaml.",
            )
        number, place = last
        if self._order.by_time and not self._is_one_moment(page.batch):
            moment = place[0]
            assert isinstance(moment, datetime)
            kept = _before(page.batch.column(self._order.fields[0]), moment)
            covered, rest = replace(span, high=moment), Span(low=moment, high=span.high)
        else:
            kept = number + 1
            covered, rest = replace(span, upto=place), Span(place, span.low, span.high, span.upto)
        expected = None if left is None else left + page.rows - kept
        rest = replace(rest, expected=expected)
        cut = page if kept == page.rows else replace(page, batch=page.batch.slice(0, kept))
        page_range = PageRange(covered, array("q", self._range_reader.hashes(cut.batch)), expected)
        return cut, self._cut(rest, page), page_range

    def _cut(self, rest: Span, page: Page) -> list[Span]:
        """The rest in windows of about a page each; in one, where it is short, not counted, or not walked by time."""
        start = rest.after[0] if rest.after else rest.low
        if self._now is None or not isinstance(start, datetime) or rest.high is None or rest.upto is not None:
            return [rest]
        rows = max(page.rows, self._size() if self._size else 0)
        if not rest.expected or rest.expected <= rows or self._is_one_moment(page.batch):
            return [rest]
        pieces = math.ceil(rest.expected / (FULL * rows))
        bounds = _bounds(start, max(start, min(rest.high, self._now())), pieces)
        bounds = [bound for bound in bounds if bound < rest.high]
        if not bounds:
            return [rest]
        first = replace(rest, high=bounds[0], expected=None)
        later = zip(bounds, [*bounds[1:], rest.high], strict=True)
        return [first, *(Span(low=low, high=high) for low, high in later)]

    def _is_one_moment(self, batch: pa.RecordBatch) -> bool:
        """A page of one timestamp may be followed by more of it: no cut of the time divides them."""
        found = pc.min_max(batch.column(self._order.fields[0]))
        return bool(found["min"] == found["max"])

    # --- what no page has shown ---------------------------------------------------------------------------------------

    def _missed(self, page_range: PageRange, count: int) -> Iterator[Page]:
        """Rows that the tenant counted before a place, and does not count behind it, though no page had them."""
        if page_range.expected is not None and count < page_range.expected:
            yield from self._range_reader.unseen(page_range.span, page_range.keys)

    def _is_all(self, start: Span, page_ranges: list[PageRange], span: Span, page: Page, left: int | None) -> bool:
        """Whether nothing comes behind a page that is not full, where the tenant does not count.

        Then it is asked of all rows since the start at once, and the stretches are proved with it.
        """
        if left is not None or page.link or page.rows >= page.asked:
            return False
        if self._range_reader.has_more(start, _handed_over(page_ranges) + page.rows) is False:
            page_ranges.clear()
            return True
        return bool(page_ranges) and self._range_reader.has_more(span, page.rows) is False

    def _unproven(self, start: Span, page_ranges: list[PageRange], rows: int) -> Iterator[Page]:
        """Where nothing was counted: whether there are more rows than were handed over, and then which."""
        if page_ranges and self._range_reader.has_more(start, _handed_over(page_ranges) + rows):
            yield from self._missed_in(page_ranges)

    def _missed_in(self, page_ranges: list[PageRange]) -> Iterator[Page]:
        for each in page_ranges:
            if self._range_reader.has_more(each.span, len(each.keys)):
                yield from self._range_reader.unseen(each.span, each.keys)


def _handed_over(page_ranges: list[PageRange]) -> int:
    return sum(len(each.keys) for each in page_ranges)


def _before(times: pa.Array, moment: datetime) -> int:
    """How many rows stand before the first one of this moment."""
    return int(pc.index(times, pa.scalar(moment, times.type)).as_py())


def _skips(link: str) -> bool:
    """A link that counts rows loses some when others vanish; the walk goes on by its own place instead."""
    return "$skip" in parse_qs(urlsplit(link).query)


def _bounds(start: datetime, end: datetime, pieces: int) -> list[datetime]:
    """Whole seconds that cut start..end into so many pieces, ends excluded."""
    step = (end - start) / pieces
    cuts = {(start + step * number).replace(microsecond=0) for number in range(1, pieces)}
    return sorted(cut for cut in cuts if cut > start)
