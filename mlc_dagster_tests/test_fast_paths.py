"""What was made fast says the same as the plain way of saying it: seeded random values, and the awkward ones."""

from __future__ import annotations

import random
import re
from datetime import UTC, datetime, timedelta, timezone
from decimal import ROUND_HALF_UP, Context, Decimal

import pyarrow as pa
import pytest

from mlc_dagster.core.amounts import round_half_up, times
from mlc_dagster.core.arrow_columns import AMOUNT, MOMENT, rows_of
from mlc_dagster.core.vocabulary import key_text, plain, version_of
from mlc_dagster.rules.records import texts_fit

RANDOM = random.Random(20261105)
EXACT = Context(prec=120, rounding=ROUND_HALF_UP)
AWKWARD = [Decimal(text) for text in ("0", "-0", "0E-10", "-0.00", "1E+5", "1E-30", "0.125", "-0.125", "9" * 38)]
AMOUNTS = AWKWARD + [
    Decimal(RANDOM.choice((-1, 1)) * RANDOM.randrange(10 ** RANDOM.randint(1, 38))).scaleb(-RANDOM.randint(0, 14))
    for _ in range(3000)
]
PIECES = [
    "",
    "0010",
    "%",
    "/",
    "%2F",
    "a/b",
    "\0",
    "\x1f",
    "\t",
    "\n",
    "\x7f",
    "\U0001f600",
    "e\u0301",
    "\u2028",
    "\xa0",
]
TEXTS = PIECES + ["".join(RANDOM.choices(PIECES, k=RANDOM.randint(1, 6))) for _ in range(3000)]


def same(one: Decimal, other: Decimal) -> bool:
    """To the digit: 1.50 is not 1.5, and -0 is not 0."""
    return one.as_tuple() == other.as_tuple()


@pytest.mark.parametrize("decimals", range(13))
def test_an_amount_is_rounded_as_by_quantize(decimals: int) -> None:
    step = Decimal(1).scaleb(-decimals)
    for amount in AMOUNTS:
        assert same(round_half_up(amount, decimals), amount.quantize(step, ROUND_HALF_UP, EXACT)), amount


def test_a_product_has_every_digit() -> None:
    for quantity, price in zip(AMOUNTS, reversed(AMOUNTS), strict=True):
        exact = quantity.as_integer_ratio(), price.as_integer_ratio()
        found = times(quantity, price).as_integer_ratio()
        assert found[0] * exact[0][1] * exact[1][1] == exact[0][0] * exact[1][0] * found[1], (quantity, price)


def test_a_key_is_escaped_part_by_part() -> None:
    for one, other in zip(TEXTS, reversed(TEXTS), strict=True):
        escaped = [part.replace("%", "%25").replace("/", "%2F") for part in (one, other)]
        assert key_text(one, other) == "/".join(escaped)
    assert key_text("0010", 7, None) == "0010/7/None"


def test_a_version_has_six_decimals_in_utc_and_sorts_as_the_moments_do() -> None:
    zones = [UTC, timezone(timedelta(hours=5, minutes=30)), timezone(-timedelta(hours=9, seconds=1, microseconds=7))]
    moments = [
        datetime(RANDOM.randint(2, 9998), 3, RANDOM.randint(1, 28), 23, 59, 59, RANDOM.choice((0, 7, 120_000)), zone)
        for zone in zones
        for _ in range(300)
    ]
    for moment in moments:
        expected = moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds")
        assert version_of(moment) == f"{expected}Z"
    assert sorted(map(version_of, moments)) == [version_of(moment) for moment in sorted(moments)]


class Named:
    """A record of one text."""

    def __init__(self, text: str) -> None:
        self.text = text

    def texts(self) -> list[tuple[str, str, int]]:
        return [("name", self.text, 20)]


def test_a_text_is_held_where_it_is_too_long_or_has_a_control_character() -> None:
    control = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
    for text in TEXTS + [chr(code) for code in range(0x300)]:
        wrong = len(text) > 20 or control.search(text) is not None
        assert (texts_fit(None, Named(text), None) is not None) == wrong, repr(text)  # type: ignore[arg-type]


def test_moments_come_out_of_columns_as_they_went_in() -> None:
    first, last = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, 999_999, UTC)
    given = [None, first, last, *(first + (last - first) * RANDOM.random() for _ in range(1000)), None]
    found = [row["at"] for row in rows_of(pa.record_batch([pa.array(given, MOMENT)], names=["at"]))]
    assert found == given
    assert {moment.tzinfo for moment in found if moment} == {UTC}


def stored(amounts: list[Decimal | None]) -> list[Decimal | None]:
    return [row["a"] for row in rows_of(pa.record_batch([pa.array(amounts, AMOUNT)], names=["a"]))]


def test_amounts_come_out_of_columns_as_their_plain_digits() -> None:
    fitting = [each for each in AMOUNTS if each == round_half_up(each, 10) and abs(each) < Decimal(10) ** 28]
    assert len(fitting) > 1000
    large: list[Decimal | None] = [None, *(each for each in fitting if abs(each) >= 1)]  # none with an exponent
    for column in (large, [None, *fitting], [None, Decimal(0), Decimal("1.5E-8"), Decimal("-1E-10"), Decimal(100)]):
        for found, given in zip(stored(column), column, strict=True):
            assert (found is None) == (given is None), given
            if found is not None and given is not None:
                assert same(found, plain(given) if given else Decimal(0)), given
