"""Reads one partition from a plain JSON list: each document becomes a row of the day that it belongs to, once.

For systems without OData. Their filters by time may do nothing, silently, so each row is placed by what it says itself:
by its modified timestamp, or, in a set that is swept, by the day on which its present state was first seen.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from hashlib import blake2b
from typing import Any

import pyarrow as pa

from mlc_dagster.core.arrow_columns import source_batch
from mlc_dagster.core.bank_details import MARK, mark_of, without
from mlc_dagster.core.vocabulary import EntitySet, Pull, Row, Scope, Sightings, key_text
from mlc_dagster.systems.shared.json_rows import converted_row, readable

Document = Mapping[str, Any]
Extract = Callable[[Document], Mapping[str, Any]]
"""A document -> its values by record field, as JSON gave them."""

AHEAD = timedelta(days=2)
"""A timestamp further in the future than this places no row: it would be read in a day that never comes."""

ROWS_AT_ONCE = 5000


@dataclass(frozen=True)
class _ReadDocument:
    """One document, read."""

    row: Row
    etag: str
    problem: str | None
    key: str


class ListByDay:
    """One read of one partition. Fills in the pull; the caller counts requests and pages."""

    def __init__(
        self,
        entity: EntitySet,
        scope: Scope,
        pull: Pull,
        sightings: Sightings | None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        only: frozenset[str] | None = None,
        salt: bytes = b"",
    ) -> None:
        """`only`: the keys of the rows that are wanted; None: all. `salt`: of the ledger, for marks of bank details."""
        self._only, self._salt = only, salt
        self._marks = MARK in entity.record.__struct_fields__
        self._entity, self._scope, self._pull, self._sightings, self._clock = entity, scope, pull, sightings, clock

    def batches(self, documents: Iterable[Document], extract: Extract) -> Iterator[pa.RecordBatch]:
        """The rows of the scope, by `arrow_columns.source_schema`. The documents are read to their end first: a page
        that fails leaves the partition as it was.
        """
        self._pull.started_at = self._clock()
        rows = list(self._here(self._newest(documents, extract)))
        self._account(rows)
        for start in range(0, len(rows), ROWS_AT_ONCE):
            part = rows[start : start + ROWS_AT_ONCE]
            yield source_batch(
                [one.row for one in part],
                [one.etag for one in part],
                [one.problem for one in part],
                self._entity.record,
            )
        self._pull.ended_at = self._clock()

    def _newest(self, documents: Iterable[Document], extract: Extract) -> list[_ReadDocument]:
        """One for each key: a row that moved while paging is seen twice, and the later answer is the newer one."""
        found: dict[str, _ReadDocument] = {}
        for document in documents:
            one = self._read(document, extract)
            self._pull.repeated += one.key in found
            found[one.key] = one
        return [one for key, one in found.items() if self._only is None or key in self._only]

    def _read(self, document: Document, extract: Extract) -> _ReadDocument:
        etag = digest(document)
        values: Mapping[str, Any] = {}
        try:
            values = extract(document)
            if self._marks:
                values = {**values, MARK: mark_of(document, self._salt, str(values.get(self._entity.keys[0])))}
            row, problem = converted_row(self._entity.record, values), None
        except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError) as error:
            names = (*self._entity.keys, *((self._entity.modified,) if self._entity.modified else ()))
            row = readable(self._entity.record, values, names)
            reason = str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
            shown = without(document) if self._marks else document
            problem = json.dumps({"reason": reason, "row": shown, "key": self._key(row)}, default=str)
        return _ReadDocument(row, etag, problem, self._key(row) or f"unreadable {etag}")

    def _key(self, row: Row) -> str:
        parts = [row.get(name) for name in self._entity.keys]
        return "" if None in parts else key_text(*parts)

    # --- which day ----------------------------------------------------------------------------------------------------

    def _here(self, rows: list[_ReadDocument]) -> Iterator[_ReadDocument]:
        window = self._scope.window
        if window is None:
            yield from rows
            return
        strays = [one for one in rows if self._moment(one) is None]
        placed = self._placed(strays, window.last_day)
        for one in rows:
            moment = self._moment(one)
            if moment is None:
                if one.key in placed:
                    self._pull.strays += 1
                    yield one
            elif window.start <= moment < window.end:
                yield one

    def _moment(self, one: _ReadDocument) -> datetime | None:
        """What places the row; None where nothing does."""
        if self._entity.delta == "sweep" or self._entity.modified is None:
            return None
        moment: datetime | None = one.row.get(self._entity.modified)
        return None if moment is None or moment > self._clock() + AHEAD else moment

    def _placed(self, strays: list[_ReadDocument], day: date) -> frozenset[str]:
        name = "/".join(self._entity.key)
        if self._sightings is None:
            return frozenset(one.key for one in strays)
        self._sightings.place(name, [(one.key, one.etag) for one in strays], self._clock().date())
        return frozenset(self._sightings.placed_on(name, day))

    def _account(self, rows: list[_ReadDocument]) -> None:
        self._pull.rows = len(rows)
        self._pull.unreadable = sum(one.problem is not None for one in rows)
        together = sum(int(digest([one.key, one.etag]), 16) for one in rows)
        self._pull.etags = f"{together % 2**128:032x}"


def alone(
    entity: EntitySet, documents: Iterable[Document], extract: Extract, keys: Sequence[str], salt: bytes = b""
) -> Iterator[pa.RecordBatch]:
    """The documents of these keys, whatever day they belong to, in the columns of `source_schema`."""
    wanted, pull = frozenset(keys), Pull("/".join(entity.key), "")
    yield from ListByDay(entity, Scope(""), pull, None, only=wanted, salt=salt).batches(documents, extract)


def digest(document: Any) -> str:
    """The document's ETag, where its system gives none: equal content, equal text."""
    text = json.dumps(document, sort_keys=True, default=str, ensure_ascii=True)
    return blake2b(text.encode(), digest_size=16).hexdigest()
