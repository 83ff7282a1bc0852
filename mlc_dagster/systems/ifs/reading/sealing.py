"""Bank details of the ERP's suppliers become marks before a row leaves the client: nothing stores them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pyarrow as pa

from mlc_dagster.core.bank_details import is_named, mark_of, without_in_text
from mlc_dagster.core.vocabulary import EntitySet, key_text

UNREADABLE = "unreadable"


def sealed(batches: Iterator[pa.RecordBatch], entity: EntitySet, salt: Callable[[], bytes]) -> Iterator[pa.RecordBatch]:
    """The same batches, with a salted mark in the place of each bank detail, and none in what could not be read."""
    names = [name for name in entity.record.__struct_fields__ if is_named(name)]
    return (_sealed(batch, entity, names, salt()) for batch in batches) if names else batches


def _sealed(batch: pa.RecordBatch, entity: EntitySet, names: list[str], salt: bytes) -> pa.RecordBatch:
    keys = [key_text(*key) for key in zip(*(batch[name].to_pylist() for name in entity.keys), strict=True)]
    columns = {name: _marks(batch[name].to_pylist(), name, keys, salt) for name in names}
    texts = [None if text is None else without_in_text(text) for text in batch[UNREADABLE].to_pylist()]
    for name, values in {**columns, UNREADABLE: texts}.items():
        place = batch.schema.get_field_index(name)
        batch = batch.set_column(place, batch.schema.field(place), pa.array(values, batch.schema.field(place).type))
    return batch


def _marks(values: list[str | None], name: str, keys: list[str], salt: bytes) -> list[str | None]:
    return [mark_of({name: value}, salt, key) for value, key in zip(values, keys, strict=True)]
