"""The rows of one entity set: kept by key, ordered by modified timestamp, each with an ETag that changes with it."""

from __future__ import annotations

import itertools
import time
from base64 import b64encode
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from types import EllipsisType
from typing import Any

from mlc_dagster.sandbox.ifs.catalogue import Kind, Lines

Modified = datetime | str | None | EllipsisType
"""A time, a text as it stands (even an unreadable one), null, or `...`: now."""

_versions = itertools.count(time.time_ns() // 1000)  # goes on rising after a restart
_LATE = "\uffff"  # orders rows without a timestamp last, as Oracle does


class Stored:
    """A row: its fields under the catalogue's names, its ETag, its lines; and its JSON, for the last shape asked."""

    __slots__ = ("etag", "fields", "key", "lines", "order", "shape", "text")

    def __init__(self, fields: dict[str, Any], keys: Sequence[str], lines: list[Stored], etag: str | None) -> None:
        self.fields, self.lines = fields, lines
        self.key = tuple([fields[name] for name in keys])
        self.etag = etag or new_etag()
        self.order = (fields["LastModified"] or _LATE, *[_sortable(part) for part in self.key])
        self.shape: Any = None
        self.text = b""


def new_etag() -> str:
    """Base64 of objid:version, as IFS builds it; no two are alike."""
    version = next(_versions)
    return f'W/"{b64encode(f"W/{chr(34)}AAAPvgACr{version:09X}AAG:{version}{chr(34)}".encode()).decode()}"'


def _sortable(part: Any) -> Any:
    return part if isinstance(part, int) else str(part)


def exact(value: Any) -> Any:
    """A value as it is kept: text, int, bool, null or exact Decimal without exponent."""
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        value = Decimal(repr(value))
    if isinstance(value, Decimal):
        return value.quantize(Decimal(1)) if int(value.as_tuple().exponent) > 0 else value
    if isinstance(value, datetime):
        return timestamp(value)
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"a row cannot hold {type(value).__name__}: {value!r}")


def timestamp(moment: datetime) -> str:
    """UTC, whole seconds. Raises ValueError for a time without a zone."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment!r} has no time zone; give an aware time")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class RowSet:
    """The rows of one kind. Rows may hold names that the catalogue lacks: they are the tenant's custom fields."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.by_key: dict[tuple[Any, ...], Stored] = {}
        self.extra: dict[str, str] = {}  # custom fields of headers: name -> type
        self.line_extra: dict[str, str] = {}
        self._ordered: list[Stored] | None = None
        self._lines: list[Stored] | None = None

    def put(self, row: Mapping[str, Any], modified: Modified = ..., etags: str = "") -> Stored:
        """Insert or replace a row. `etags`: the field with its ETag and those of its lines, where they keep them."""
        stored = self._stored(row, _modified_text(row, modified), etags)
        self.by_key[stored.key] = stored
        self._ordered = self._lines = None
        return stored

    def put_many(self, rows: Iterable[Mapping[str, Any]], modified: Modified = ..., etags: str = "") -> int:
        """Insert or replace many rows; how many are new. `etags`: the field with their ETags, if they keep them."""
        before = len(self.by_key)
        for row in rows:
            stored = self._stored(row, _modified_text(row, modified), etags)
            self.by_key[stored.key] = stored
        self._ordered = self._lines = None
        return len(self.by_key) - before

    def remove(self, key: tuple[Any, ...]) -> Stored:
        """Raises KeyError where there is no such row."""
        stored = self.by_key.pop(key)
        self._ordered = self._lines = None
        return stored

    def restore(self, by_key: dict[tuple[Any, ...], Stored]) -> None:
        """The rows as they were."""
        self.by_key = by_key
        self._ordered = self._lines = None

    def _stored(self, row: Mapping[str, Any], modified: str | None, etags: str) -> Stored:
        kind, given = self.kind, dict(row)
        lines = given.pop(kind.lines.navigation, None) or () if kind.lines else ()
        self._learn(given, kind.fields, self.extra, self.by_key.values())
        fields = _filled(given, {**kind.fields, **self.extra}, modified)
        if absent := [name for name in kind.keys if fields[name] is None]:
            raise ValueError(f"{kind.set}: the key {', '.join(absent)} is missing in {given!r}")
        return Stored(fields, kind.keys, self._stored_lines(fields, lines, etags), row.get(etags))

    def _stored_lines(
        self, header: Mapping[str, Any], rows: Iterable[Mapping[str, Any] | Stored], etags: str
    ) -> list[Stored]:
        """A line that is stored already stays as it is: a bill may have 5,000 of them, made one by one."""
        lines = self.kind.lines
        numbered = enumerate(rows, 1) if lines else ()
        return [
            row if isinstance(row, Stored) else self._line(lines, header, row, number, etags)
            for number, row in numbered
            if lines
        ]

    def _line(self, lines: Lines, header: Mapping[str, Any], row: Mapping[str, Any], number: int, etags: str) -> Stored:
        parents = {name: header[name] for name in self.kind.keys}
        if "Company" in lines.fields and "Company" in header:  # a supplier has lines of several
            parents["Company"] = header["Company"]
        counted = {name: number if lines.fields[name] == "int" else str(number) for name in lines.keys}
        given = {
            **counted,
            **lines.first,
            **parents,
            **{name: value for name, value in row.items() if value is not None},
        }
        every = (stored for head in self.by_key.values() for stored in head.lines)
        self._learn(given, lines.fields, self.line_extra, every)
        modified = row.get("LastModified", header["LastModified"])
        fields = _filled(given, {**lines.fields, **self.line_extra}, modified)
        fields["ObjState"] = fields["ObjState"] or header["ObjState"]
        return Stored(fields, lines.keys, [], row.get(etags))

    @staticmethod
    def _learn(
        given: Mapping[str, Any], known: Mapping[str, str], extra: dict[str, str], earlier: Iterable[Stored]
    ) -> None:
        """Names that are not known become custom fields, null in the rows that are there already."""
        new = [name for name in given if name not in known and name not in extra and not name.startswith("@")]
        if new:
            extra.update({name: _type_of(given[name]) for name in new})
            for stored in earlier:
                stored.fields.update(dict.fromkeys(new))

    def insertion_order(self) -> list[Stored]:
        return list(self.by_key.values())

    def by_modified(self, low: str | None = None, high: str | None = None) -> list[Stored]:
        """Rows ordered by (LastModified, keys), nulls last; between two timestamps, both included, where given."""
        if self._ordered is None:
            self._ordered = sorted(self.by_key.values(), key=lambda stored: stored.order)
        return _between(self._ordered, low, high)

    def lines_by_modified(self, low: str | None = None, high: str | None = None) -> list[Stored]:
        """The lines of all rows, likewise."""
        if self._lines is None:
            lines = itertools.chain.from_iterable(stored.lines for stored in self.by_key.values())
            self._lines = sorted(lines, key=lambda stored: stored.order)
        return _between(self._lines, low, high)


def _between(rows: list[Stored], low: str | None, high: str | None) -> list[Stored]:
    start = 0 if low is None else bisect_left(rows, low, key=lambda stored: stored.order[0])
    end = len(rows) if high is None else bisect_right(rows, high, key=lambda stored: stored.order[0])
    return rows if (start, end) == (0, len(rows)) else rows[start:end]


def _modified_text(row: Mapping[str, Any], modified: Modified) -> str | None:
    given = row.get("LastModified", datetime.now(UTC)) if modified is ... else modified
    return timestamp(given) if isinstance(given, datetime) else given


def _filled(given: Mapping[str, Any], types: Mapping[str, str], modified: Any) -> dict[str, Any]:
    """Every field by its name, null where it is not given. JSON says 120 of a decimal, too."""
    fields: dict[str, Any] = dict.fromkeys(types)
    for name, value in given.items():
        if name in fields:
            is_whole = type(value) is int and types[name] == "decimal"
            fields[name] = value if type(value) is str else exact(Decimal(value) if is_whole else value)
    fields["LastModified"] = modified if isinstance(modified, str | None) else timestamp(modified)
    return fields


def _type_of(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    return {int: "int", float: "decimal", Decimal: "decimal", datetime: "timestamp", date: "date"}.get(
        type(value), "text"
    )


def shown(stored: Stored, navigation: str | None) -> dict[str, Any]:
    """A row as an answer has it, with its lines where they are asked for."""
    lines = {navigation: [shown(line, None) for line in stored.lines]} if navigation else {}
    return {"@odata.etag": stored.etag, **stored.fields, **lines}
