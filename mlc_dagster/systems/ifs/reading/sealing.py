"""Bank details of the ERP's suppliers become marks before a row leaves the client: nothing stores them in clear."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import pyarrow as pa

from mlc_dagster.core.bank_details import is_named, mark_of, without_in_text
from mlc_dagster.core.vocabulary import EntitySet, key_text

UNREADABLE = "unreadable"
Keep = Callable[[Mapping[str, str]], None]
"""Seals details by their marks, where they go outwards."""


def sealed(
    batches: Iterator[pa.RecordBatch], entity: EntitySet, salt: Callable[[], bytes], keep: Keep | None = None
) -> Iterator[pa.RecordBatch]:
    """The same batches, with a salted mark in the place of each bank detail, and none in what could not be read."""
    names = [name for name in entity.record.__struct_fields__ if is_named(name)]
    return (_sealed(batch, entity, names, salt(), keep) for batch in batches) if names else batches


def _sealed(
    batch: pa.RecordBatch, entity: EntitySet, names: list[str], salt: bytes, keep: Keep | None
) -> pa.RecordBatch:
    keys = [key_text(*key) for key in zip(*(batch[name].to_pylist() for name in entity.keys), strict=True)]
    details = {name: batch[name].to_pylist() for name in names}
    columns = {name: _marks(values, name, keys, salt) for name, values in details.items()}
    if keep is not None:
        pairs = [pair for name in names for pair in zip(columns[name], details[name], strict=True)]
        keep({mark: value for mark, value in pairs if mark is not None})
    texts = [None if text is None else without_in_text(text) for text in batch[UNREADABLE].to_pylist()]
    for name, values in {**columns, UNREADABLE: texts}.items():
        place = batch.schema.get_field_index(name)
        batch = batch.set_column(place, batch.schema.field(place), pa.array(values, batch.schema.field(place).type))
    return batch


def _marks(values: list[str | None], name: str, keys: list[str], salt: bytes) -> list[str | None]:
    return [mark_of({name: value}, salt, key) for value, key in zip(values, keys, strict=True)]
