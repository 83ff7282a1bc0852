"""Records to columns and back: the same values, or an error; never something near them."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import StrEnum
from typing import Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mlc_dagster.core.arrow_columns import (
    batch_of,
    read_ready,
    ready_batch,
    ready_schema,
    records_of,
    rows_of,
    schema_of,
    source_batch,
    source_schema,
    without,
)
from mlc_dagster.core.outcomes import Ready
from mlc_dagster.core.vocabulary import Record, fingerprint, plain


class Colour(StrEnum):
    RED = "red"


class Part(Record, frozen=True, kw_only=True):
    name: str
    amount: Decimal | None = None


class Thing(Record, frozen=True, kw_only=True):
    key: str
    code: str | None = None
    amount: Decimal | None = None
    number: int | None = None
    flag: bool | None = None
    day: date | None = None
    at: datetime | None = None
    state: Literal["open", "closed"] = "open"
    colour: Colour | None = None
    part: Part | None = None
    parts: tuple[Part, ...] = ()
    more: tuple[Part, ...] | None = None
    words: tuple[str, ...] = ()


def through_parquet(batch: pa.RecordBatch, tmp_path: Any) -> list[pa.RecordBatch]:
    with pq.ParquetWriter(tmp_path / "x.parquet", batch.schema, compression="zstd") as out:
        out.write_batch(batch)
    return list(pq.ParquetFile(tmp_path / "x.parquet").iter_batches(batch_size=100))


def there_and_back(records: list[Thing], tmp_path: Any) -> list[Thing | None]:
    etags = {name: (pa.string(), [None] * len(records)) for name in ("etag", "unreadable")}
    batches = through_parquet(batch_of(records, Thing, etags), tmp_path)
    return [record for batch in batches for record, _, _ in records_of(batch, Thing)]


TEXTS = ["", "0010", "a\0b", "\U0001f600", "שלום", "a" * 1_000_000, "'; --", "\u2028", "\r\n", "e\u0301", "1E5", "NaN"]


def test_every_text_comes_back_as_it_was(tmp_path: Any) -> None:
    things = [Thing(key=text, code=text, words=(text, text)) for text in TEXTS]
    assert there_and_back(things, tmp_path) == things


def test_every_kind_of_value_comes_back_as_it_was(tmp_path: Any) -> None:
    full = Thing(
        key="a",
        amount=Decimal("-1.5"),
        number=-(2**63),
        flag=False,
        day=date(9999, 12, 31),
        at=datetime(2999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
        state="closed",
        colour=Colour.RED,
        part=Part(name="p", amount=Decimal("0.0000000001")),
        parts=(Part(name="x"), Part(name="y", amount=Decimal(7))),
        more=(),
        words=("a",),
    )
    things = [full, Thing(key="b"), Thing(key="c", parts=(Part(name="z"),), at=datetime(1, 1, 1, tzinfo=UTC))]
    assert there_and_back(things, tmp_path) == things


def test_random_amounts_come_back_to_the_last_digit_and_in_one_notation(tmp_path: Any) -> None:
    rolls = random.Random(5)
    exponents = range(-10, 18)
    amounts = [Decimal(rolls.randrange(-(10**10), 10**10)).scaleb(rolls.choice(exponents)) for _ in range(3_000)]
    things = [Thing(key=str(n), amount=amount) for n, amount in enumerate(amounts)]
    found = [one.amount for one in there_and_back(things, tmp_path) if one and one.amount is not None]
    assert found == amounts
    assert [str(amount) for amount in found] == [f"{amount.normalize():f}" for amount in amounts]


@pytest.mark.parametrize(
    "given, text", [("-0", "0"), ("0E-20", "0"), ("1.5000", "1.5"), ("1E+3", "1000"), ("1.0E-9", "0.0000000010")]
)
def test_one_number_has_one_notation(given: str, text: str, tmp_path: Any) -> None:
    (found,) = there_and_back([Thing(key="a", amount=Decimal(given))], tmp_path)
    assert found is not None
    assert found.amount == Decimal(text)
    assert f"{found.amount:f}" == f"{Decimal(text).normalize():f}"


@pytest.mark.parametrize("amount", ["1E-31", "1E+46", "1" * 47, "NaN", "Infinity"])
def test_an_amount_that_does_not_fit_is_an_error_that_names_the_field(amount: str) -> None:
    with pytest.raises(ValueError, match=r"^amount: "):
        batch_of([Thing(key="a", parts=(Part(name="x", amount=Decimal(amount)),))], Thing)


def test_amounts_of_an_older_file_are_read_as_they_are() -> None:
    """They have ten decimals and 38 digits in all."""
    amounts = [Decimal("0E-10"), Decimal("1.5"), Decimal("0.0000000001"), Decimal("9" * 28), None]
    older = pa.record_batch([pa.array(amounts, pa.decimal128(38, 10))], names=["amount"])
    assert [str(row["amount"]) for row in rows_of(older)] == ["0", "1.5", "1E-10", "9" * 28, "None"]


def test_an_amount_of_more_digits_than_pythons_usual_context_has_keeps_them_all() -> None:
    amount = Decimal("1234567890123456789.12345678901234567891")
    (row,) = rows_of(batch_of([Thing(key="a", amount=amount)], Thing))
    assert row["amount"] == amount and plain(amount) == amount


def test_a_time_without_a_zone_is_an_error_and_other_zones_become_utc(tmp_path: Any) -> None:
    with pytest.raises(ValueError, match=r"^at: a time needs a zone"):
        batch_of([Thing(key="a", at=datetime(2026, 1, 1))], Thing)
    east = datetime(2026, 1, 1, 1, tzinfo=timezone(timedelta(hours=2)))
    (found,) = there_and_back([Thing(key="a", at=east)], tmp_path)
    assert found is not None and found.at == datetime(2025, 12, 31, 23, tzinfo=UTC)


def test_no_rows_are_a_batch_with_every_column() -> None:
    batch = source_batch([], [], [], Thing)
    assert batch.schema == source_schema(Thing)
    assert list(records_of(batch, Thing)) == list(rows_of(batch)) == []


def test_a_row_that_did_not_fit_comes_out_as_text_between_the_others() -> None:
    given = {"state": "open", "words": []}
    rows: list[dict[str, Any]] = [{"key": "a", "parts": [], **given}, {"key": None}]
    rows.append({"key": "c", "parts": [{"name": "x"}], **given})
    batch = source_batch(rows, ["1", None, "3"], [None, '{"reason":"x"}', None], Thing)
    assert list(records_of(batch, Thing)) == [
        (Thing(key="a"), "1", None),
        (None, None, '{"reason":"x"}'),
        (Thing(key="c", parts=(Part(name="x"),)), "3", None),
    ]


def test_a_file_of_an_earlier_release_lacks_columns_and_takes_their_defaults() -> None:
    batch = source_batch([{"key": "a", "parts": [{"name": "x"}]}], ["1"], [None], Thing).drop_columns(
        ["state", "words"]
    )
    assert [record for record, _, _ in records_of(batch, Thing)] == [Thing(key="a", parts=(Part(name="x"),))]


def test_a_slice_of_a_batch_holds_its_own_rows() -> None:
    things = [Thing(key=str(n), parts=tuple(Part(name=f"{n}{m}") for m in range(n % 3))) for n in range(10)]
    etags = {name: (pa.string(), [None] * 10) for name in ("etag", "unreadable")}
    batch = batch_of(things, Thing, etags).slice(4, 3)
    assert [record for record, _, _ in records_of(batch, Thing)] == things[4:7]


def test_prepared_records_come_back_with_their_key_version_and_fingerprint(tmp_path: Any) -> None:
    things = [Thing(key=text[:50], amount=Decimal(n)) for n, text in enumerate(TEXTS)]
    ready = [Ready(f"k{n}", f"v{n}", fingerprint(thing), thing) for n, thing in enumerate(things)]
    batch = ready_batch(ready, Thing)
    assert batch.schema == ready_schema(Thing)
    found = [one for stored in through_parquet(batch, tmp_path) for one in read_ready(stored, Thing)]
    assert found == ready
    assert [fingerprint(one.record) for one in found] == [one.fingerprint for one in ready]


def test_prepared_records_of_an_earlier_release_do_not_tell_their_source() -> None:
    told = Ready("k", "v", "f", Thing(key="a"), "of the source")
    batch = ready_batch([told], Thing)
    assert list(read_ready(batch, Thing)) == [told]
    assert [one.source for one in read_ready(batch.drop_columns(["mlc_source"]), Thing)] == [""]


def test_rows_at_named_places_are_left_out_across_batches() -> None:
    batches = [source_batch([{"key": f"{b}{n}"} for n in range(3)], ["e"] * 3, [None] * 3, Thing) for b in range(3)]
    kept = [row["key"] for batch in without(batches, {0, 4, 8}) for row in rows_of(batch)]
    assert kept == ["01", "02", "10", "12", "20", "21"]


class Vague(Record, frozen=True, kw_only=True):
    value: float


class Reserved(Record, frozen=True, kw_only=True):
    etag: str


def test_a_record_that_cannot_be_kept_exactly_is_refused_when_its_schema_is_made() -> None:
    with pytest.raises(TypeError, match=r"Vague\.value"):
        schema_of(Vague)
    with pytest.raises(TypeError, match="etag"):
        source_schema(Reserved)
