"""Columns of a page that are made here: what stands elsewhere, sums of lines, and the version of a row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import reduce
from hashlib import blake2b

import pyarrow as pa

from mlc_dagster.core.arrow_columns import rows_of
from mlc_dagster.core.vocabulary import EXACT, Row


def with_column(batch: pa.RecordBatch, name: str, values: Sequence[object]) -> pa.RecordBatch:
    place = batch.schema.get_field_index(name)
    return batch.set_column(place, batch.schema.field(place), pa.array(values, batch.schema.types[place]))


def with_companies(batch: pa.RecordBatch, sites: Mapping[str, str]) -> pa.RecordBatch:
    """The company of each row by its site; none where mlc.yaml does not name the site."""
    return with_column(batch, "company", [sites.get(site) for site in batch["contract"].to_pylist()])


def with_sums(batch: pa.RecordBatch, sums: Mapping[str, str], lines: str) -> pa.RecordBatch:
    """Fields of the header that are the sums of a field of its lines; none where a line does not say its part."""
    for name, of in sums.items():
        below = batch[lines].to_pylist()
        batch = with_column(batch, name, [_sum([line[of] for line in each or ()]) for each in below])
    return batch


def _sum(values: Sequence[Decimal | None]) -> Decimal | None:
    given = [value for value in values if value is not None]
    return reduce(EXACT.add, given, Decimal(0)) if len(given) == len(values) else None


def with_versions(batch: pa.RecordBatch, lines: str | None) -> pa.RecordBatch:
    """The version of a row is a hash of all that was read of it, lines included, in place of an ETag that does not
    cover them, or that the tenant does not give.
    """
    return with_column(batch, "etag", [_hash(row, lines) for row in rows_of(batch)])


def _hash(row: Row, lines: str | None) -> str:
    """The order in which a tenant tells lines, or receipts, is no part of it, nor the header's own ETag."""
    told = {
        name: _sorted(value) if isinstance(value, list) else value
        for name, value in row.items()
        if name not in ("etag", lines)
    }
    below = _sorted(row[lines] or ()) if lines else []
    text = repr((sorted(told.items()), below)).encode("utf-8", "surrogatepass")
    return blake2b(text, digest_size=16).hexdigest()


def _sorted(lines: Sequence[Row]) -> list[str]:
    return sorted(repr(sorted(line.items())) for line in lines)
