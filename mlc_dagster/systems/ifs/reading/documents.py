"""Headers that a tenant does not have: its rows that share a key are one, and come as lines of it.

The rows are walked in the order of their keys, and a page may end within a document. So no document is made of a page:
it is made of all rows that are asked for by its key. Source: facts/ifs-tenants.md, section 3.5.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from hashlib import blake2b
from typing import Any, cast

import msgspec
import pyarrow as pa

from mlc_dagster.core.arrow_columns import rows_of, source_batch
from mlc_dagster.core.vocabulary import EntitySet, Record, Row, key_text
from mlc_dagster.systems.ifs.odata.expressions import Order, any_of_keys, collection, equals
from mlc_dagster.systems.ifs.odata.json_pages import PageDecoder
from mlc_dagster.systems.ifs.reading.columns import with_sums, with_versions
from mlc_dagster.systems.ifs.reading.key_ranges import Span, of_keys
from mlc_dagster.systems.ifs.reading.paging import PageWalk
from mlc_dagster.systems.ifs.reading.queries import Connection, Query
from mlc_dagster.systems.ifs.schema.catalogue import fields_of, wire_name
from mlc_dagster.systems.ifs.schema.parts import headers_alone, lines_alone
from mlc_dagster.transport.threads import in_order

Key = tuple[object, ...]

ROWS_OF_ONE = 100
"""Of a document, about: as many are asked for where some documents do, and more when they do not suffice."""

HEAD = "head__"
"""Before a field of the header that stands on each row, where the row has a field of its own by that name."""


class Documents:
    """The documents of an entity whose set holds rows. `pages` and `requests` count what they took."""

    def __init__(self, connection: Connection, entity: EntitySet) -> None:
        assert entity.lines is not None
        self._connection, self._entity, self._lines = connection, entity, entity.lines
        self._rows, self._head = _rows_with_headers(connection.typed(lines_alone(entity, entity.lines)), entity)
        self._order = Order(self._rows, by_time=False)
        self._queries: list[Query] = []
        self._keyless: list[str | None] = []
        self.pages = 0

    @property
    def requests(self) -> int:
        return sum(query.requests for query in self._queries)

    # --- which there are ----------------------------------------------------------------------------------------------

    def versions(self, condition: str | None = None) -> dict[Key, str]:
        """Key of each document -> a version that is another one where a row came, went or changed."""
        found = self._versions(condition, only_keys=True)
        if found is None:
            found = self._versions(condition, only_keys=False)
        return found or {}

    def _versions(self, condition: str | None, *, only_keys: bool) -> dict[Key, str] | None:
        """By keys and ETags; None where rows have none, and so must be read whole."""
        found: dict[Key, int] = {}
        for batch in self._walk(condition, only_keys=only_keys):
            if only_keys and batch["etag"].null_count:
                return None
            for row in rows_of(batch):
                told = row["etag"], [row[name] for name in self._rows.keys], None if only_keys else sorted(row.items())
                text = repr(told).encode("utf-8", "surrogatepass")
                key = tuple(row[name] for name in self._entity.keys)
                digest = int.from_bytes(blake2b(text, digest_size=16).digest(), "little")
                found[key] = (found.get(key, 0) + digest) % 2**128
                self._keyless += [row["unreadable"]] if None in key and not only_keys else []
        if only_keys and any(None in key for key in found):
            return None
        return {key: f"{digest:032x}" for key, digest in found.items() if None not in key}

    def keyless(self) -> Iterator[pa.RecordBatch]:
        """The rows that `versions` met of which nobody can say what document they are of: each is held by itself."""
        if self._keyless:
            nothing: list[None] = [None] * len(self._keyless)
            yield source_batch([{} for _ in nothing], nothing, self._keyless, self._entity.record)

    def keys(self, conditions: Mapping[str, object], most: int | None = None) -> list[Key]:
        """Of documents of which a row has these values, by names of the header's fields, else of the lines'."""
        condition = equals(*self._asked(conditions), self._rows.types) if conditions else None
        found: dict[Key, None] = {}
        for batch in self._walk(condition, top=most and most + ROWS_OF_ONE):
            found |= dict.fromkeys(zip(*(batch[name].to_pylist() for name in self._entity.keys), strict=True))
            if most is not None and len(found) >= most:
                break
        return [key for key in found if None not in key][:most]

    def latest(self, conditions: Mapping[str, object], most: int, by: str) -> list[Key]:
        """Of the documents whose rows have the greatest values of a field, by at most so many rows."""
        names, values = self._asked(conditions)
        wire = PageDecoder.of(self._rows, expand=False)
        params = {
            "$filter": equals(names, values, self._rows.types) if names else None,
            "$orderby": f"{self._asked({by: None})[0][0]} desc,{self._order.orderby}",
            "$top": str(most),
            "$select": wire.select,
        }
        batch = self._connection.get(collection(self._rows), params, wire.decode).value.batch
        return list(dict.fromkeys(zip(*(batch[name].to_pylist() for name in self._entity.keys), strict=True)))

    def keys_of_any(self, field: str, values: Iterable[object], also: Mapping[str, object]) -> list[Key]:
        """Of documents of which a row's field has one of these values."""
        names, others = self._asked({field: None, **also})
        filters = any_of_keys(names, ((value, *others[1:]) for value in values), self._rows.types)
        walks = in_order(lambda some: list(self._walk(some[0])), filters, self._connection.in_flight)
        found: dict[Key, None] = {}
        for batch in (batch for batches in walks for batch in batches):
            found |= dict.fromkeys(zip(*(batch[name].to_pylist() for name in self._entity.keys), strict=True))
        return [key for key in found if None not in key]

    def _asked(self, conditions: Mapping[str, object]) -> tuple[list[str], list[object]]:
        wire = self._entity.wire
        known = frozenset(fields_of(self._entity.record)) - self._entity.absent
        names = [wire_name(name, wire) if name in known else wire_name(name, self._rows.wire) for name in conditions]
        return names, list(conditions.values())

    # --- what they hold -----------------------------------------------------------------------------------------------

    def read(self, keys: Iterable[Key]) -> Iterator[pa.RecordBatch]:
        """The documents of these keys, whole, some at a time; one that is gone is left out."""
        names = [wire_name(name, self._rows.wire) for name in self._entity.keys]
        asked = any_of_keys(names, keys, self._rows.types)
        return (
            batch
            for batch in in_order(self._some, asked, self._connection.in_flight)
            if batch is not None and batch.num_rows
        )

    def _some(self, some: tuple[str, Sequence[Sequence[object]]]) -> pa.RecordBatch | None:
        """All rows of some documents, whatever page they came on."""
        rows: dict[Key, list[Row]] = {}
        for batch in self._walk(some[0]):
            for row in rows_of(of_keys(batch, self._entity.keys, some[1])):
                rows.setdefault(self._key(row), []).append(row)
        asked = frozenset(tuple(key) for key in some[1])
        documents = [self._document(key, below) for key, below in rows.items() if None in key or key in asked]
        if not documents:
            return None
        made, problems = [row for row, _ in documents], [problem for _, problem in documents]
        batch = source_batch(made, [None] * len(made), problems, self._entity.record)
        batch = with_sums(batch, self._entity.sums, self._lines.field)
        return with_versions(batch, self._lines.field)

    def _key(self, row: Row) -> Key:
        """Its document's. A row that cannot be read has lost its columns, and tells them where it says why."""
        key = tuple(row[name] for name in self._entity.keys)
        if None not in key or not row["unreadable"]:
            return key
        wire = json.loads(row["unreadable"])["row"]
        return tuple(wire.get(wire_name(name, self._rows.wire)) for name in self._entity.keys)

    def _document(self, key: Key, rows: Sequence[Row]) -> tuple[Row, str | None]:
        """The header from what its rows agree on. A field of rows alone, which may differ, is theirs."""
        head: Row = dict(zip(self._entity.keys, key, strict=True))
        unread = next((row["unreadable"] for row in rows if row["unreadable"]), None)
        if unread is not None:
            return head, _problem(f"a row: {json.loads(unread)['reason']}", key, head)
        for name, column in self._head.items():
            values = {row[column] for row in rows} - {None}
            if len(values) > 1 and column.startswith(HEAD):
                return head, _problem(f"its rows differ in {name}: {_few(values)}", key, head)
            head[name] = next(iter(values)) if len(values) == 1 else None
        ordered = sorted(rows, key=lambda row: [(row[name] is None, row[name]) for name in self._rows.keys])
        return {**head, self._lines.field: [{name: row[name] for name in self._line_fields} for row in ordered]}, None

    @property
    def _line_fields(self) -> tuple[str, ...]:
        return fields_of(self._lines.record)

    def _walk(
        self, condition: str | None, *, only_keys: bool = False, top: int | None = None
    ) -> Iterator[pa.RecordBatch]:
        query = Query(self._connection, self._rows, self._order, lines=False, only_keys=only_keys)
        self._queries.append(query)
        for page in PageWalk(self._order, lambda span: query.page(span, condition)).read(Span(top=top)):
            self.pages += 1
            yield page.batch


def _problem(reason: str, key: Key, row: Row) -> str:
    return json.dumps({"reason": reason, "row": row, "key": key_text(*key)}, default=str)


def _few(values: Iterable[object]) -> str:
    return ", ".join(sorted(map(str, values)))[:80]


def _rows_with_headers(rows: EntitySet, entity: EntitySet) -> tuple[EntitySet, dict[str, str]]:
    """The rows, with the header's fields as more columns; and header's field -> column that it is read from."""
    header = headers_alone(entity)
    by_wire = {wire_name(name, rows.wire): name for name in fields_of(rows.record) if name not in rows.absent}
    columns: dict[str, str] = {}
    for name in fields_of(entity.record, without=entity.lines.field if entity.lines else None):
        if name not in entity.keys and name not in header.not_selected and name != "last_modified":
            columns[name] = by_wire.get(wire_name(name, entity.wire), f"{HEAD}{name}")
    own = tuple(name for name, column in columns.items() if column.startswith(HEAD))
    wire = {f"{HEAD}{name}": wire_name(name, entity.wire) for name in own}
    return replace(rows, record=_wider(rows.record, entity.record, own), wire={**rows.wire, **wire}), columns


@cache
def _wider(lines: type[Record], header: type[Record], names: tuple[str, ...]) -> type[Record]:
    types = {one.name: one.type for one in msgspec.structs.fields(header)}
    fields: list[Any] = [(f"{HEAD}{name}", types[name], None) for name in names]
    made = msgspec.defstruct(
        lines.__name__, fields, bases=(lines,), module=lines.__module__, frozen=True, kw_only=True, gc=False
    )
    return cast(type[Record], made)
