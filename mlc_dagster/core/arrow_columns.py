"""Records as Arrow columns and back, exactly: codes stay text, amounts stay decimal, times stay UTC.

Frames of other kinds turn "0010" into 10 and amounts into floats. Here the schema comes from the record, and a value
that does not fit it exactly is an error, never rounded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from functools import cache
from itertools import accumulate, islice, repeat
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from mlc_dagster.core.arrow_values import exact_amounts, python_objects
from mlc_dagster.core.outcomes import Ready
from mlc_dagster.core.vocabulary import Record, Row

AMOUNT = pa.decimal256(76, 30)
"""Up to 46 digits before the point, 30 after it: ERPs of Edm.Decimal(130,65) compute twenty. Older files have ten."""

MOMENT = pa.timestamp("us", "UTC")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

SOURCE_COLUMNS = {"etag": pa.string(), "unreadable": pa.string()}
"""Beside the record's own, in what was read: `unreadable` is null, or JSON {"reason": ..., "row": ..., "key": ...}
where the row did not fit the record; then only its keys, and its timestamp where that is readable, are set."""

READY_PARTS = {"key": pa.string(), "version": pa.string(), "fingerprint": pa.string(), "source": pa.string()} | {
    "read_number": pa.int64()
}
READY_COLUMNS = {f"mlc_{part}": kind for part, kind in READY_PARTS.items()}
"""Beside the record's own, in what was prepared."""

READ_NUMBER = b"mlc_dagster.read_number"
"""Under which stored rows say of which walk they are."""

_PLAIN = {str: pa.string(), Decimal: AMOUNT, int: pa.int64(), bool: pa.bool_(), date: pa.date32(), datetime: MOMENT}

AnyRecord = TypeVar("AnyRecord", bound=Record)
_Pick = Callable[[Any, str], Any]
_Build = Callable[[tuple[str, ...]], Callable[..., Any]]


# --- schemas ----------------------------------------------------------------------------------------------------------


@cache
def _fields(record: type[Record]) -> dict[str, pa.DataType]:
    return {
        field.name: _type(field.type, f"{record.__name__}.{field.name}") for field in msgspec.structs.fields(record)
    }


def _type(hint: Any, where: str) -> pa.DataType:
    """The Arrow type of an annotation. Raises TypeError for one that Parquet could not give back exactly."""
    origin, inner = get_origin(hint), [part for part in get_args(hint) if part is not NoneType]
    if origin in (Union, UnionType) and len(inner) == 1:
        return _type(inner[0], where)
    if origin in (tuple, list):
        return pa.list_(_type(inner[0], where))
    if origin is Literal and all(isinstance(value, str) for value in inner):
        return pa.string()
    if isinstance(hint, type) and issubclass(hint, Record):
        return pa.struct(list(_fields(hint).items()))
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return pa.string()
    if hint not in _PLAIN:
        raise TypeError(
            f"{where} is {hint}; a record has text, Decimal, int, bool, date, datetime, records and tuples of them"
        )
    return _PLAIN[hint]


def schema_of(record: type[Record], extra: Mapping[str, pa.DataType] | None = None) -> pa.Schema:
    """The columns of a record, and extra ones after them. Raises TypeError where a name stands twice."""
    if twice := _fields(record).keys() & (extra or {}).keys():
        raise TypeError(f"{record.__name__} has a field of a reserved name: {', '.join(sorted(twice))}")
    return pa.schema({**_fields(record), **(extra or {})})


def source_schema(record: type[Record]) -> pa.Schema:
    """The columns of rows as read."""
    return schema_of(record, SOURCE_COLUMNS)


def ready_schema(record: type[Record]) -> pa.Schema:
    """The columns of prepared records."""
    return schema_of(record, READY_COLUMNS)


# --- in ---------------------------------------------------------------------------------------------------------------


def batch_of(
    records: Sequence[Record],
    record_type: type[Record],
    extra: Mapping[str, tuple[pa.DataType, Sequence[Any]]] | None = None,
) -> pa.RecordBatch:
    """Records as columns, and extra columns (name -> type, values) after them.

    Raises ValueError that names the field where a value does not fit exactly.
    """
    return _batch(records, getattr, record_type, extra or {})


def batch_of_rows(
    rows: Sequence[Row],
    record_type: type[Record],
    extra: Mapping[str, tuple[pa.DataType, Sequence[Any]]] | None = None,
) -> pa.RecordBatch:
    """As `batch_of`, from rows; a field that a row lacks is null."""
    return _batch(rows, lambda row, name: row.get(name), record_type, extra or {})


def source_batch(
    rows: Sequence[Row], etags: Sequence[str | None], unreadable: Sequence[str | None], record_type: type[Record]
) -> pa.RecordBatch:
    """Rows as read, in the columns of `source_schema`."""
    extra = {"etag": (pa.string(), etags), "unreadable": (pa.string(), unreadable)}
    return batch_of_rows(rows, record_type, extra)


def ready_batch(ready: Sequence[Ready], record_type: type[Record]) -> pa.RecordBatch:
    """Prepared records, in the columns of `ready_schema`. Raises ValueError as `batch_of`."""
    extra = {f"mlc_{part}": (kind, [getattr(one, part) for one in ready]) for part, kind in READY_PARTS.items()}
    return batch_of([one.record for one in ready], record_type, extra)


def _batch(
    items: Sequence[Any], pick: _Pick, record: type[Record], extra: Mapping[str, tuple[pa.DataType, Sequence[Any]]]
) -> pa.RecordBatch:
    schema = schema_of(record, {name: kind for name, (kind, _) in extra.items()})
    arrays = _columns(items, pick, _fields(record).items())
    arrays += [_array(list(values), kind, pick, name) for name, (kind, values) in extra.items()]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _columns(items: Sequence[Any], pick: _Pick, fields: Iterable[tuple[str, pa.DataType]]) -> list[pa.Array]:
    return [
        _array([None if item is None else pick(item, name) for item in items], kind, pick, name)
        for name, kind in fields
    ]


def _array(values: list[Any], kind: pa.DataType, pick: _Pick, name: str) -> pa.Array:
    if pa.types.is_struct(kind):
        children = _columns(values, pick, [(field.name, field.type) for field in kind])
        mask = pa.array([value is None for value in values], pa.bool_())
        return pa.StructArray.from_arrays(children, fields=list(kind), mask=mask)
    if pa.types.is_list(kind):
        return _list_array(values, kind, pick, name)
    try:
        return pa.array(_aware(values) if kind == MOMENT else values, kind)
    except (pa.ArrowException, ValueError, OverflowError, TypeError) as error:
        raise ValueError(f"{name}: {error}") from error


def _list_array(values: list[Any], kind: pa.DataType, pick: _Pick, name: str) -> pa.Array:
    offsets = pa.array([0, *accumulate(len(value or ()) for value in values)], pa.int32())
    children = [child for value in values for child in value or ()]
    mask = pa.array([value is None for value in values], pa.bool_())
    child = _array(children, kind.value_type, pick, name)
    return pa.ListArray.from_arrays(offsets, child, type=kind, mask=mask)


def _aware(values: list[Any]) -> list[Any]:
    """Arrow would take a time without a zone for UTC."""
    if naive := [value for value in values if value is not None and value.tzinfo is None]:
        raise ValueError(f"a time needs a zone; found {naive[0]}")
    return values


# --- out --------------------------------------------------------------------------------------------------------------


def rows_of(batch: pa.RecordBatch) -> Iterator[Row]:
    """The rows of a batch: exact values, amounts without trailing zeros, times in UTC."""
    return iter(_rows(batch.schema.names, batch.columns, _as_dict))


class StoredRows(Iterator[tuple[AnyRecord | None, str | None, str | None]]):
    """(record, ETag, None) of each row as read; (None, ETag, JSON text) of a row that did not fit."""

    def __init__(self, batch: pa.RecordBatch, record: type[AnyRecord]) -> None:
        self._rows = _records_as_read(batch, record)
        self.read_number = read_number_of(batch)

    def __next__(self) -> tuple[AnyRecord | None, str | None, str | None]:
        return next(self._rows)


def records_of(batch: pa.RecordBatch, record: type[AnyRecord]) -> StoredRows[AnyRecord]:
    """The rows of a batch, and of which walk they are.

    A column that an older file lacks takes the record's default. Raises msgspec.ValidationError where a file holds what
    the record does not allow.
    """
    return StoredRows(batch, record)


def _records_as_read(
    batch: pa.RecordBatch, record: type[AnyRecord]
) -> Iterator[tuple[AnyRecord | None, str | None, str | None]]:
    unreadable = batch.column("unreadable").to_pylist()
    readable = batch if not any(unreadable) else batch.filter(pc.is_null(batch.column("unreadable")))
    records = iter(_records(readable, record))
    for etag, problem in zip(batch.column("etag").to_pylist(), unreadable, strict=True):
        yield (next(records) if problem is None else None), etag, problem


def read_ready(batch: pa.RecordBatch, record: type[Record]) -> Iterator[Ready]:
    """What `ready_batch` stored; a file of an older release tells neither the source's fingerprint nor its walk."""
    stored = [batch[name].to_pylist() if name in batch.schema.names else repeat(None) for name in READY_COLUMNS]
    for key, version, content, source, number, one in zip(*stored, _records(batch, record)):  # noqa: B905 - one repeats
        yield Ready(key, version, content, one, source or "", number)


def read_number_of(batch: pa.RecordBatch) -> int | None:
    """Of the walk that stored rows are of; None where they do not say."""
    found = (batch.schema.metadata or {}).get(READ_NUMBER)
    return int(found) if found else None


def without(batches: Iterable[pa.RecordBatch], places: AbstractSet[int]) -> Iterator[pa.RecordBatch]:
    """The batches without the rows at these places, counted from 0 through all batches: `Pull.stale`."""
    start, pending = 0, iter(sorted(places))
    following = next(pending, None)
    for batch in batches:
        end, dropped = start + batch.num_rows, set[int]()
        while following is not None and following < end:
            dropped.add(following - start)
            following = next(pending, None)
        keep = pa.array([place not in dropped for place in range(batch.num_rows)], pa.bool_())
        yield batch.filter(keep) if dropped else batch
        start = end


def _records(batch: pa.RecordBatch, record: type[AnyRecord]) -> list[AnyRecord]:
    names = [name for name in _fields(record) if name in batch.schema.names]
    rows = _rows(names, [batch.column(name) for name in names], _shell)
    return msgspec.convert(rows, list[record], from_attributes=True)  # type: ignore[valid-type]


def _as_dict(names: tuple[str, ...]) -> Callable[..., Row]:
    return lambda *values: dict(zip(names, values, strict=True))


@cache
def _shell(names: tuple[str, ...]) -> Callable[..., Any]:
    """A bare struct of these fields, on the way to a record: a quarter of the time of a dict."""
    return msgspec.defstruct("Shell", [(name, Any) for name in names], gc=False)


def _rows(names: Sequence[str], arrays: Sequence[pa.Array], build: _Build) -> list[Any]:
    return list(map(build(tuple(names)), *(_values(array, build) for array in arrays)))


def _values(array: pa.Array, build: _Build) -> list[Any]:
    kind = array.type
    if array.null_count == len(array):
        return [None] * len(array)
    if pa.types.is_decimal(kind):
        return exact_amounts(array)
    if pa.types.is_timestamp(kind):
        since = python_objects(array.cast(MOMENT).cast(pa.int64()).cast(pa.duration("us")))
        return [None if passed is None else EPOCH + passed for passed in since]  # a tenth of the time of `replace`
    if pa.types.is_date32(kind):
        return python_objects(array)
    if pa.types.is_struct(kind):
        return _structs(array, build)
    if pa.types.is_list(kind):
        return _lists(array, build)
    found: list[Any] = array.to_pylist()
    return found


def _structs(array: pa.Array, build: _Build) -> list[Any]:
    rows = _rows([field.name for field in array.type], array.flatten(), build)
    if not array.null_count:
        return rows
    return [row if valid else None for row, valid in zip(rows, array.is_valid().to_pylist(), strict=True)]


def _lists(array: pa.Array, build: _Build) -> list[list[Any] | None]:
    values = iter(_values(array.flatten(), build))
    lengths = array.value_lengths().to_pylist()
    return [None if length is None else list(islice(values, length)) for length in lengths]
