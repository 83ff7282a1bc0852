"""What a stored file lacks of a record's columns: a file of an older release never passes for empty values."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from mlc_dagster.core.arrow_columns import schema_of
from mlc_dagster.core.vocabulary import Record


def lacking(found: pa.Schema, record: type[Record]) -> list[str]:
    """The columns of a record, `lines.unit` for one within a list, that a file with this schema does not have."""
    return list(_lacking(dict(zip(found.names, found.types, strict=True)), schema_of(record), ""))


def _lacking(found: dict[str, pa.DataType], expected: pa.Schema | pa.StructType, above: str) -> Iterator[str]:
    for field in expected:
        if field.name not in found:
            yield f"{above}{field.name}"
            continue
        kinds = _within(found[field.name]), _within(field.type)
        if all(map(pa.types.is_struct, kinds)):
            yield from _lacking({each.name: each.type for each in kinds[0]}, kinds[1], f"{above}{field.name}.")


def _within(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_list(kind) else kind
