"""Which days changed: asked of headers, and of their lines and receipts where these have a stamp of their own.

IFS stamps the row that is written: a line that a buyer edits moves, or a receipt that the stores enter, and the header
does not. So the day that is named is the header's, in whose partition the line and the receipt are read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from hashlib import blake2b
from typing import Any, cast

import msgspec

from mlc_dagster.core.arrow_columns import rows_of
from mlc_dagster.core.errors import RecordRejected
from mlc_dagster.core.logs import logger
from mlc_dagster.core.vocabulary import EntitySet, LineSet, Record, Row
from mlc_dagster.systems.ifs.odata.expressions import Order, any_of_keys
from mlc_dagster.systems.ifs.reading.key_ranges import Span, of_keys
from mlc_dagster.systems.ifs.reading.paging import PageWalk
from mlc_dagster.systems.ifs.reading.queries import Connection, NoSuchSet, Query
from mlc_dagster.systems.ifs.reading.without_header import without_header
from mlc_dagster.systems.ifs.schema.parts import lines_alone
from mlc_dagster.transport.threads import in_order

STAMP = "last_modified"
LIMIT = 2**128

Key = tuple[object, ...]

log = logger("mlc_dagster.ifs")


@dataclass
class Changes:
    """What changed in one entity set. `now`: the tenant's time."""

    connection: Connection
    entity: EntitySet
    now: Callable[[], datetime]
    marks: dict[date, tuple[int, int]] = field(default_factory=dict)  # day -> (rows, sum of their digests)
    days: dict[Key, date] = field(default_factory=dict)  # header -> its day, as far as it was asked for

    def since(self, since: datetime) -> dict[date, str]:
        """The days touched since then, each with a mark that differs when other rows, or other versions, are seen."""
        if self.entity.modified is None:
            return {}
        start = since.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        for key, row in self._walked(self.entity, start):
            self._mark(key, row)
        for below in (self.entity.lines, self.entity.beside):
            if (
                below is not None
                and below.has_stamp
                and (below.name or self.entity.name) not in self.connection.unstamped
            ):
                self._below(below, start)
        return {day: f"{count} {digest % LIMIT:032x}" for day, (count, digest) in sorted(self.marks.items())}

    def _walked(self, entity: EntitySet, start: datetime) -> Iterator[tuple[Key, Row]]:
        """Keys, stamps and ETags of what was touched from `start` on."""
        now = self.now()
        end = datetime(now.year, now.month, now.day, tzinfo=UTC) + timedelta(days=1)
        order = Order(entity, by_time=True)
        query = Query(self.connection, entity, order, lines=False, only_keys=True)
        time = self.connection.time
        walk = PageWalk(order, query.page, self.connection.in_flight, lambda: time.latest(now))
        for page in walk.read(Span(low=time.earliest(start), high=time.latest(end))):
            batch = time.in_utc(page.batch, entity.modified)
            for row in rows_of(batch.select([*entity.keys, entity.modified, "etag"])):
                yield tuple(row[name] for name in entity.keys), row

    def _mark(self, key: Key, row: Row) -> None:
        moment = row[str(self.entity.modified)]
        if moment is not None:
            self.days[key] = moment.date()
            self._add(moment.date(), (list(key), row["etag"], moment))

    def _add(self, day: date, seen: object) -> None:
        text = repr(seen).encode("utf-8", "surrogatepass")
        count, digest = self.marks.get(day, (0, 0))
        number = int.from_bytes(blake2b(text, digest_size=16).digest(), "little")
        self.marks[day] = (count + 1, digest + number)

    # --- lines and receipts -------------------------------------------------------------------------------------------

    def _below(self, lines: LineSet, start: datetime) -> None:
        """The days of the headers whose lines were touched, whatever the header's own stamp says."""
        touched: dict[Key, list[Any]] = defaultdict(list)
        width = len(self.entity.keys)
        try:
            for key, row in self._walked(self.connection.typed(stamped(self.entity, lines)), start):
                touched[key[:width]].append((key[width:], row["etag"], row[STAMP]))
        except (RecordRejected, NoSuchSet) as error:
            self._note_unstamped(lines, error)
            return
        self._find(key for key in touched if key not in self.days and None not in key)
        if lines is self.entity.beside:
            without_header(self.connection, self.entity, lines, [key for key in touched if key not in self.days])
        for key, seen in touched.items():
            if key in self.days:
                self._add(self.days[key], (key, sorted(map(repr, seen))))

    def _note_unstamped(self, lines: LineSet, error: RecordRejected | NoSuchSet) -> None:
        """Said once; what changes in its lines alone is then found by the nightly sweep."""
        self.connection.unstamped.add(lines.name or self.entity.name)
        words = "%s: changes of %s alone are found by the nightly sweep only, since the %s cannot be asked what "
        words += "changed: %s. Say so in mlc.yaml: ifs.entity_sets.%s: null"
        where = f"{lines.name}.stamp" if lines.name else f"{self.entity.name}.lines.stamp"
        log.warning(words, self.entity.name, lines.field, lines.field, error.message.splitlines()[0], where)

    def _find(self, keys: Iterator[Key]) -> None:
        """The days of headers that were not touched themselves."""
        entity = self.connection.typed(self.entity)
        order = Order(entity, by_time=True)
        query = Query(self.connection, entity, order, lines=False, only_keys=True)
        names = Order(entity, by_time=False).names
        asked = list(any_of_keys(names, keys, entity.types))

        def of(some: tuple[str, list[Any]]) -> list[Row]:
            walk = PageWalk(order, lambda span: query.page(span, some[0]))
            return [row for page in walk.read(Span()) for row in rows_of(of_keys(page.batch, entity.keys, some[1]))]

        for rows in in_order(of, asked, self.connection.in_flight):
            for row in rows:
                if (wall := row[str(entity.modified)]) is not None:
                    moment = self.connection.time.utc(wall)
                    self.days[tuple(row[name] for name in entity.keys)] = moment.date()


def stamped(entity: EntitySet, lines: LineSet) -> EntitySet:
    """The lines' own set, of which keys and stamps are asked."""
    own = lines_alone(entity, lines)
    return replace(
        own,
        record=_keys_and_stamp(lines.record, lines.keys),
        modified=STAMP,
        wire={**own.wire, STAMP: lines.stamp},
        absent=frozenset(),
    )


@cache
def _keys_and_stamp(record: type[Record], keys: tuple[str, ...]) -> type[Record]:
    types = {one.name: one.type for one in msgspec.structs.fields(record)}
    fields: list[Any] = [(name, types[name], None) for name in keys]
    fields.append((STAMP, datetime | None, None))
    made = msgspec.defstruct(
        f"{record.__name__}Stamp", fields, bases=(Record,), module=__name__, frozen=True, kw_only=True, gc=False
    )
    return cast(type[Record], made)
