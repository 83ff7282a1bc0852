"""Reads a part of a collection by ranges of its key, where its order cannot be trusted.

A tenant may sort texts as a language does and compare them by their bytes, or the other way round, or not heed $orderby
at all. Ranges need no order: whatever `gt` means, a row is up to a value or behind it. A range that fits a page is all
there when the tenant's count says so, or when nothing comes behind the rows of the page; one that does not is cut in
two at a key of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise

import pyarrow as pa
import pyarrow.compute as pc

from mlc_dagster.core.arrow_columns import rows_of
from mlc_dagster.core.errors import Misconfigured, RecordRejected
from mlc_dagster.core.logs import logger
from mlc_dagster.core.vocabulary import Row
from mlc_dagster.systems.ifs.odata.expressions import Order
from mlc_dagster.systems.ifs.odata.json_pages import Page

log = logger("mlc_dagster.ifs")

Place = tuple[object, ...]

WORD = "sorts otherwise than it compares"


@dataclass(frozen=True)
class Span:
    """A part of a collection that is still to be read, from a place in its order on."""

    after: Place | None = None  # the last row read, as values of the order
    low: datetime | None = None
    high: datetime | None = None
    upto: Place | None = None  # the last row that belongs to it
    link: str | None = None  # the tenant's own link to this part
    expected: int | None = None  # rows left, where the tenant counts
    skip: int = 0
    top: int | None = None  # fewer than a page


Ask = Callable[[Span], Page]


def rows_left(span: Span, page: Page) -> int | None:
    """Rows still to come; None: unknown. That a full page is the last is not believed: some servers count the page."""
    total = page.count if span.link is None else span.expected
    if total is None or (total == page.rows and page.rows >= page.asked > 0):
        return None
    return max(0, total - page.rows)


class RangeReader:
    """The order of one walk, and what is read without it. `pages` counts what that took."""

    def __init__(self, order: Order, ask: Ask) -> None:
        self._order, self._ask = order, ask
        self._told = False
        self.pages = 0

    def read(self, span: Span, keys: Iterable[int], why: str) -> Iterator[Page]:
        """All rows of a span but those of these keys, whatever their order.

        Raises Misconfigured where a range cannot be cut.
        """
        if not self._told:
            self._told = True
            words = "ifs/%s: the tenant %s: %s. It is read by ranges of %s, which takes more requests."
            log.warning(words, self._entity, WORD, why, ", ".join(self._order.names))
        for page, _ in self._new(span, keys):
            yield page

    def unseen(self, span: Span, keys: Iterable[int]) -> Iterator[Page]:
        """The rows of a span whose keys are none of these, by their hashes."""
        for page, new in self._new(span, keys):
            if not self._told:
                self._told = True
                words = "ifs/%s: %d row(s) were not in their place when it was passed (up to %s): "
                why = f"they moved meanwhile, or the tenant {WORD}. They were asked for by ranges, and are read."
                log.warning(words + why, self._entity, new, _named(span.upto or (span.high,)))
            yield page

    def _new(self, span: Span, keys: Iterable[int]) -> Iterator[tuple[Page, int]]:
        seen = frozenset(keys)
        for page in self._parts(span):
            new = [each not in seen for each in self.hashes(page.batch)]
            if any(new):
                yield replace(page, batch=page.batch.filter(pa.array(new, pa.bool_()))), sum(new)

    def has_more(self, span: Span, rows: int) -> bool | None:
        """Whether a span has more rows than so many. None: the tenant takes no $skip, so nobody can tell."""
        try:
            return self._ask(replace(span, skip=rows, top=1)).rows > 0
        except RecordRejected as error:
            log.warning("ifs/%s: it cannot be told whether all rows were read: %s", self._entity, error.message)
            return None

    @property
    def _entity(self) -> str:
        return self._order.entity.name

    def _parts(self, span: Span) -> Iterator[Page]:
        parts = [(replace(span, expected=None), frozenset({span.upto}))]
        while parts:
            part, bounds = parts.pop()
            page = self._ask(part)
            self.pages += 1
            if self._is_whole(part, page):
                yield page
            else:
                middle = self._middle(part, page, bounds)
                tried = bounds | {middle} if self._divides_nothing(part, page) else frozenset({part.upto})
                behind = replace(part, after=middle), tried
                parts += [behind, (replace(part, upto=middle), bounds | {middle})]

    def _divides_nothing(self, part: Span, page: Page) -> bool:
        """Whether the row that a part begins behind is in it: its moment is finer than what we can say of it."""
        return part.after is not None and part.after in self._places(page.batch)

    def _is_whole(self, part: Span, page: Page) -> bool:
        left = rows_left(part, page)
        if left is not None or page.rows == 0:
            return not left
        return page.rows < page.asked and self.has_more(part, page.rows) is False

    def _middle(self, part: Span, page: Page, bounds: frozenset[Place | None]) -> Place:
        """A key of the page that was no upper bound of it yet: where one divides nothing, another one does."""
        places = sorted({place for place in self._places(page.batch) if place not in bounds})
        if not places:
            raise Misconfigured(
                f"ifs/{self._entity}: the tenant {WORD}, and {page.rows} or more rows up to {part.upto} are one to it, "
                f"ordered by {self._order.orderby}",
                cure="Ask for a binary order (NLS_SORT and NLS_COMP) for the service user, or raise ifs.page_size.",
            )
        return places[(len(places) - 1) // 2]

    # --- the order of a page ------------------------------------------------------------------------------------------

    def not_in_order_of_time(self, batch: pa.RecordBatch) -> str:
        """What shows that the tenant does not order by time; empty where it does."""
        times = pc.drop_null(batch.column(self._order.fields[0]))
        falls = pc.less(times[1:], times[:-1])
        if not pc.any(falls).as_py():
            return ""
        at = pc.index(falls, pa.scalar(True)).as_py()
        return f"{times[at + 1].as_py()} comes behind {times[at].as_py()}"

    def not_in_order_of_bytes(self, batch: pa.RecordBatch) -> str:
        """What shows that the tenant does not order by bytes; empty where nothing does."""
        for before, behind in pairwise(self._places(batch)):
            if not before < behind:
                return f"{_named(behind)} comes behind {_named(before)}"
        return ""

    def comes_again(self, batch: pa.RecordBatch, after: Place | None) -> str:
        """What shows that a tenant does not compare by bytes: a row that the page before this one had, or passed by.

        It sorts by bytes, or the page before would have shown it; so such a row comes first.
        """
        first = min(self._places(batch), default=None) if after is not None else None
        if after is None or first is None or not first < after:
            return ""
        return f"{_named(first)} comes behind {_named(after)}"

    def hashes(self, batch: pa.RecordBatch) -> list[int]:
        """Of the key of each row."""
        columns = (batch.column(name).to_pylist() for name in self._order.entity.keys)
        return [hash(key) for key in zip(*columns, strict=True)]

    def _places(self, batch: pa.RecordBatch) -> list[Place]:
        """Those that can be read."""
        columns = (batch.column(name).to_pylist() for name in self._order.fields)
        return [place for place in zip(*columns, strict=True) if None not in place]

    def last_readable(self, batch: pa.RecordBatch) -> tuple[int, Place] | None:
        """The last row whose place in the order can be read: (its number, its place)."""
        for number in range(batch.num_rows - 1, -1, -1):
            row = next(rows_of(batch.slice(number, 1).select(self._order.fields)))
            if (place := self._order.place(row)) is not None:
                return number, place
        return None


def of_keys(batch: pa.RecordBatch, names: Sequence[str], keys: Iterable[Sequence[object]]) -> pa.RecordBatch:
    """The rows under just these keys, and those whose key is not readable: to some tenants 'a' equals 'A'."""
    asked = frozenset(tuple(key) for key in keys)
    found = zip(*(batch.column(name).to_pylist() for name in names), strict=True)
    keep = [None in key or key in asked for key in found]
    return batch if all(keep) else batch.filter(pa.array(keep, pa.bool_()))


def each_once(
    pairs: Iterable[tuple[Row, str]], keys: Sequence[str], field: str, values: Iterable[object]
) -> list[tuple[Row, str]]:
    """The rows whose field has just one of these values; numbers are left as the tenant found them."""
    texts = {value for value in values if isinstance(value, str)}
    unique = {tuple(row[name] for name in keys): (row, etag) for row, etag in pairs}
    return [pair for pair in unique.values() if not isinstance(pair[0][field], str) or pair[0][field] in texts]


def _named(place: Place) -> str:
    return " ".join(repr(part) if isinstance(part, str) else str(part) for part in place)
