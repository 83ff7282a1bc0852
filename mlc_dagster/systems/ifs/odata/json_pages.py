"""A page of JSON becomes Arrow columns, exactly; a row that does not fit is kept as text, and the others go on.

Arrow's own reader makes the columns without a Python object for each value: 300,000 rows of 25 fields a second, and
other threads run meanwhile. A page that it does not take is read again row by row.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from itertools import accumulate
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pj

from mlc_dagster.core.arrow_columns import AMOUNT, MOMENT, source_batch, source_schema
from mlc_dagster.core.vocabulary import EntitySet, LineSet, Record, Row, key_text
from mlc_dagster.systems.ifs.odata.strict_json import RepeatedMembers, document_of, may_repeat, repeats
from mlc_dagster.systems.ifs.schema.catalogue import fields_of, wire_name
from mlc_dagster.systems.shared.json_values import CONVERTERS, day, moment

ETAG, LINK, COUNT = "@odata.etag", "@odata.nextLink", "@odata.count"

NUMBER = pa.decimal256(46, 30)
"""Arrow checks the digits of what it reads, but not that they still fit when the scale grows: 46 + 30 always do."""

WHOLE = pa.decimal128(18, 0)
_fields = cache(msgspec.structs.fields)  # worked out from annotations, which takes longer than a page of some rows
_AS_READ = {AMOUNT: NUMBER, pa.int64(): WHOLE, pa.date32(): pa.string(), MOMENT: pa.string()}


@dataclass(frozen=True)
class Page:
    """What one answer held."""

    batch: pa.RecordBatch  # the columns of `source_schema`
    count: int | None = None  # how many rows match, this page's included; None where the tenant does not say
    link: str | None = None  # the tenant's link to the next page
    elements: int = 0  # rows and nested lines
    more_lines: Mapping[int, str] = field(default_factory=dict)  # row -> link to the rest of its lines
    asked: int = 0  # $top
    is_whole: bool = True  # False: the lines are still to be asked for

    @property
    def rows(self) -> int:
        return int(self.batch.num_rows)


@dataclass(frozen=True)
class Column:
    """A field of a record, and its name and type on the wire."""

    name: str
    wire: str
    kind: pa.DataType
    required: bool


class _Unreadable(ValueError):
    """A row, or a page, that the columns do not take as a whole."""


class PageDecoder:
    """Reads the rows of one entity set, or of one set of lines."""

    def __init__(
        self,
        record: type[Record],
        names: Mapping[str, str],
        lines: LineSet | None = None,
        gone: frozenset[str] = frozenset(),
        keys: tuple[str, ...] = (),
    ) -> None:
        """`lines`: nested in the rows, by $expand. `gone`: fields ("notes", "lines.part_no") that this tenant does not
        have; they are null. `keys`: of a row that does not fit they are told, where they can be read.
        """
        self.record, self.lines, self._keys = record, lines, keys
        self._schema = source_schema(record)
        self.columns = [
            Column(one.name, wire_name(one.name, names), self._schema.field(one.name).type, one.required)
            for one in _fields(record)
            if one.name not in gone and self._schema.field(one.name).type in CONVERTERS
        ]
        told = {column.name for column in self.columns}
        plain = (name for name in fields_of(record) if self._schema.field(name).type in CONVERTERS)
        self._untold: Row = {name: None for name in plain if name not in told}
        inner = frozenset(name.removeprefix(f"{lines.field}.") for name in gone) | lines.absent if lines else gone
        self.nested = PageDecoder(lines.record, lines.wire, gone=inner) if lines else None
        self._page = _page_schema(self._as_read())

    @classmethod
    def of(cls, entity: EntitySet, *, expand: bool, gone: frozenset[str] = frozenset()) -> PageDecoder:
        hidden = gone | entity.not_selected | (frozenset() if entity.modified else {"last_modified"})
        return cls(entity.record, entity.wire, entity.lines if expand else None, hidden, entity.keys)

    @property
    def select(self) -> str:
        return ",".join(column.wire for column in self.columns)

    @property
    def expand(self) -> str | None:
        return f"{self.lines.navigation}($select={self.nested.select})" if self.lines and self.nested else None

    def decode(self, content: bytes) -> Page:
        """Raises ValueError for what is no page: truncated, another document, not UTF-8."""
        try:
            page = self._columnar(content)
        except (pa.ArrowException, _Unreadable):
            return self._row_by_row(content)
        navigation = self.lines.navigation if self.lines and self.nested else ""
        if may_repeat(content, page.rows, page.elements - page.rows, navigation) and repeats(content):
            return self._row_by_row(content)
        return page

    def _as_read(self) -> list[pa.Field]:
        fields = [pa.field(column.wire, _AS_READ.get(column.kind, column.kind)) for column in self.columns]
        if self.lines and self.nested:
            kind = pa.list_(pa.struct(self.nested._as_read()))
            fields += [pa.field(self.lines.navigation, kind), pa.field(self.lines.navigation + LINK, pa.string())]
        return fields

    # --- all rows at once ---------------------------------------------------------------------------------------------

    def _columnar(self, content: bytes) -> Page:
        table = _parsed(content, self._page)
        rows = _only(table, "value")
        if rows.null_count or rows.flatten().null_count:
            raise _Unreadable("no rows, or a row that is null")
        rows = rows.flatten()
        found = dict(zip([one.name for one in rows.type], rows.flatten(), strict=True))
        arrays, nested = self._arrays(found, len(rows)), 0
        if self.lines and self.nested:
            if found[self.lines.navigation + LINK].null_count < len(rows):
                raise _Unreadable("lines that go on elsewhere")
            arrays[self.lines.field] = self._nested_array(found[self.lines.navigation])
            nested = len(arrays[self.lines.field].values)
        arrays |= {"etag": found[ETAG], "unreadable": pa.nulls(len(rows), pa.string())}
        columns = [arrays.get(one.name, pa.nulls(len(rows), one.type)) for one in self._schema]
        count, link = _only(table, COUNT)[0].as_py(), _only(table, LINK)[0].as_py()
        batch = pa.RecordBatch.from_arrays(columns, schema=self._schema)
        return Page(batch, None if count is None else int(count), link, len(rows) + nested)

    def _arrays(self, found: Mapping[str, pa.Array], rows: int) -> dict[str, pa.Array]:
        arrays = {column.name: _cast(found[column.wire], column.kind) for column in self.columns}
        if any(column.required and arrays[column.name].null_count for column in self.columns):
            raise _Unreadable("a key that is null")
        return arrays

    def _nested_array(self, lists: pa.Array) -> pa.Array:
        """Lists of wire structs become lists of record structs; null is no lines."""
        assert self.lines and self.nested
        kind, lines = self._schema.field(self.lines.field).type, lists.flatten()
        found = dict(zip([one.name for one in lines.type], lines.flatten(), strict=True))
        arrays = self.nested._arrays(found, len(lines))
        children = [arrays.get(one.name, pa.nulls(len(lines), one.type)) for one in kind.value_type]
        lengths = lists.value_lengths().fill_null(0).to_pylist()
        offsets = pa.array([0, *accumulate(lengths)], pa.int32())
        structs = pa.StructArray.from_arrays(children, fields=list(kind.value_type))
        return pa.ListArray.from_arrays(offsets, structs, type=kind)

    # --- row by row ---------------------------------------------------------------------------------------------------

    def _row_by_row(self, content: bytes) -> Page:
        document = document_of(content)
        if not isinstance(document, dict) or not isinstance(document.get("value"), list):
            raise ValueError("expected an OData collection: an object with a list under 'value'")
        if "value" in getattr(document, "repeated", ()):
            raise ValueError("expected one list of rows, found 'value' twice")
        rows, problems = [], []
        for raw in document["value"]:
            row, problem = self._row_or_problem(raw)
            rows.append(row)
            problems.append(problem)
        etags = [_etag(raw) for raw in document["value"]]
        batch = source_batch(rows, etags, problems, self.record)
        count, link = document.get(COUNT), document.get(LINK)
        nested = sum(len(row.get(self.lines.field) or ()) for row in rows) if self.lines else 0
        counted = int(count) if isinstance(count, int | Decimal | str) and str(count).isdigit() else None
        return Page(batch, counted, link if isinstance(link, str) else None, len(rows) + nested, self._links(document))

    def _row_or_problem(self, raw: Any) -> tuple[Row, str | None]:
        """The row; or what can be read of its keys and timestamp, and JSON of the reason and of the row as it came."""
        try:
            return self.row(raw), None
        except ValueError as error:
            row = self._readable(raw if isinstance(raw, dict) else {})
            told = {"reason": str(error), "row": raw, **self._key(row)}
            return row, json.dumps(told, default=str)

    def row(self, raw: Any) -> Row:
        """Raises ValueError that names the field."""
        if not isinstance(raw, dict):
            raise ValueError(f"expected an object, found {str(raw)[:80]!r}")
        if isinstance(raw, RepeatedMembers):
            raise ValueError(f"{', '.join(raw.repeated)}: stands twice, and which one counts is open")
        row = self._untold | {column.name: _converted(column, raw.get(column.wire)) for column in self.columns}
        if self.lines and self.nested:
            lines = raw.get(self.lines.navigation) or []
            if not isinstance(lines, list):
                raise ValueError(f"{self.lines.navigation}: expected a list, found {str(lines)[:80]!r}")
            row[self.lines.field] = [self.nested.row(line) for line in lines]
        return row

    def _readable(self, raw: Mapping[str, Any]) -> Row:
        row: Row = {}
        for column in self.columns:
            if (column.required or column.kind == MOMENT) and column.wire not in getattr(raw, "repeated", ()):
                try:
                    row[column.name] = _converted(column, raw.get(column.wire))
                except ValueError:
                    row[column.name] = None
        return row

    def _key(self, row: Row) -> dict[str, str]:
        """Under which the row is held, as it would be if it fitted: then its next version heals the hold."""
        parts = [row.get(name) for name in self._keys]
        return {} if not parts or None in parts else {"key": key_text(*parts)}

    def _links(self, document: Mapping[str, Any]) -> dict[int, str]:
        if self.lines is None:
            return {}
        name = self.lines.navigation + LINK
        raws = enumerate(document["value"])
        return {place: raw[name] for place, raw in raws if isinstance(raw, dict) and isinstance(raw.get(name), str)}


def _page_schema(fields: list[pa.Field]) -> pa.Schema:
    row = pa.struct([*fields, pa.field(ETAG, pa.string())])
    return pa.schema([pa.field("value", pa.list_(row)), pa.field(COUNT, WHOLE), pa.field(LINK, pa.string())])


def _parsed(content: bytes, schema: pa.Schema) -> pa.Table:
    """One JSON object as a table of one row. Line ends can only stand between tokens, where a space does as well.

    What is no object is never shown to Arrow: version 26 crashes on a document that is `null`.
    """
    if not content[:64].lstrip().startswith(b"{"):
        raise _Unreadable("not an object")
    if not content.isascii():
        content.decode()
    return pj.read_json(
        pa.BufferReader(content.replace(b"\n", b" ") if b"\n" in content else content),
        read_options=pj.ReadOptions(use_threads=False, block_size=len(content) + 1),
        parse_options=pj.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore"),
        memory_pool=pa.system_memory_pool(),  # gives back what a page took; Arrow's own keeps it for each thread
    )


def _only(table: pa.Table, name: str) -> pa.Array:
    column = table.column(name)
    if len(column) != 1:
        raise _Unreadable("more than one document")
    return column.chunk(0)


def _cast(array: pa.Array, kind: pa.DataType) -> pa.Array:
    if array.type == kind:
        return array
    if pa.types.is_string(array.type):
        try:
            return pc.cast(array, kind)
        except pa.ArrowInvalid:  # other notations: no zone, more digits, a date with a time
            return _texts_as(array, kind)
    return pc.cast(array, kind)


def _texts_as(array: pa.Array, kind: pa.DataType) -> pa.Array:
    """Each distinct text once. Raises _Misfit for a text that is neither date nor timestamp."""
    coded = array.dictionary_encode()
    read = day if kind == pa.date32() else moment
    try:
        values = pa.array([read(value) for value in coded.dictionary.to_pylist()], kind)
    except ValueError as error:
        raise _Unreadable(str(error)) from error
    return values.take(coded.indices)


def _converted(column: Column, value: Any) -> Any:
    if value is None and not column.required:
        return None
    try:
        if value is None:
            raise ValueError("is missing")
        return CONVERTERS[column.kind](value)
    except ValueError as error:
        raise ValueError(f"{column.wire}: {error}") from error


def _etag(raw: Any) -> str | None:
    found = raw.get(ETAG) if isinstance(raw, dict) else None
    return found if isinstance(found, str) else None
