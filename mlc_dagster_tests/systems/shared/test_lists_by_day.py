"""A plain JSON list becomes partitions: each row in its day, once, whatever the server's filters do."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from mlc_dagster.core.arrow_columns import records_of, rows_of
from mlc_dagster.core.vocabulary import EntitySet, Pull, Record, Row, Scope, Window
from mlc_dagster.ledger import Ledger
from mlc_dagster.systems.shared.json_rows import converted_row
from mlc_dagster.systems.shared.lists_by_day import ListByDay

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAY = date(2026, 11, 5)


class Share(Record, frozen=True, kw_only=True):
    """A part of a bill."""

    account: str | None = None
    amount: Decimal


class Bill(Record, frozen=True, kw_only=True):
    """A bill, for these tests."""

    uuid: str
    total: Decimal | None = None
    orders: tuple[str, ...] = ()
    lines: tuple[Share, ...] = ()
    changed_at: datetime | None = None


BILLS = EntitySet("procurify", "bill_list", "", "bills", Bill, ("uuid",), modified="changed_at")
SWEPT = replace(BILLS, delta="sweep")


def document(uuid: str, at: datetime | str | None = None, **more: Any) -> dict[str, Any]:
    return {"uuid": uuid, "changed_at": at.isoformat() if isinstance(at, datetime) else at, **more}


def extract(found: Mapping[str, Any]) -> Mapping[str, Any]:
    return found


def read(
    documents: list[dict[str, Any]],
    ledger: Ledger | None = None,
    entity: EntitySet = BILLS,
    day: date = DAY,
    now: datetime = NOW,
) -> tuple[list[Row], Pull]:
    pull = Pull("/".join(entity.key), day.isoformat())
    listing = ListByDay(
        entity, Scope(day.isoformat(), Window.day(day)), pull, ledger.sightings if ledger else None, lambda: now
    )
    return [row for batch in listing.batches(documents, extract) for row in rows_of(batch)], pull


def test_a_filter_that_the_server_ignores_moves_no_row_into_another_day() -> None:
    start = datetime(2026, 11, 5, tzinfo=UTC)
    moments = [start - timedelta(microseconds=1), start, start + timedelta(hours=23), start + timedelta(days=1)]
    rows, pull = read([document(str(n), at) for n, at in enumerate(moments)])
    assert [row["uuid"] for row in rows] == ["1", "2"]
    assert (pull.rows, pull.strays, pull.unreadable) == (2, 0, 0)


def test_a_row_seen_twice_while_paging_is_kept_as_it_was_seen_last() -> None:
    at = datetime(2026, 11, 5, 8, tzinfo=UTC)
    rows, pull = read([document("a", at, total="1.00"), document("b", at), document("a", at, total="2.50")])
    assert {row["uuid"]: row["total"] for row in rows} == {"a": Decimal("2.5"), "b": None}
    assert (pull.rows, pull.repeated) == (2, 1)


def test_amounts_are_exact_codes_stay_text_and_lists_nest() -> None:
    row = converted_row(
        Bill,
        {
            "uuid": "0010",
            "total": Decimal("0.10"),
            "orders": ["007"],
            "lines": [{"account": "0400", "amount": "33.330"}],
        },
    )
    assert row["uuid"] == "0010" and row["total"] == Decimal("0.1") and row["orders"] == ["007"]
    assert row["lines"] == [{"account": "0400", "amount": Decimal("33.33")}]


@pytest.mark.parametrize(
    "found, says",
    [
        ({"uuid": 10}, "uuid: expected text, found 10"),
        ({}, "uuid: is missing"),
        ({"uuid": "a", "total": "12,50"}, "total: expected a number"),
        ({"uuid": "a", "lines": {"amount": "1"}}, "lines: expected a list"),
        ({"uuid": "a", "lines": [{"account": "1"}]}, "lines: amount: is missing"),
        ({"uuid": "a", "changed_at": "yesterday"}, "changed_at: expected a timestamp"),
    ],
)
def test_a_misfit_names_its_field(found: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        converted_row(Bill, found)


def test_a_row_that_does_not_fit_is_kept_as_text_in_its_day_and_the_others_go_on() -> None:
    at = datetime(2026, 11, 5, 8, tzinfo=UTC)
    pull = Pull("procurify/bill_list", DAY.isoformat())
    listing = ListByDay(BILLS, Scope(DAY.isoformat(), Window.day(DAY)), pull, None, lambda: NOW)
    documents = [document("a", at, total="many"), document("b", at)]
    (batch,) = listing.batches(documents, extract)
    (_, _, problem), (good, _, _) = records_of(batch, Bill)
    assert problem is not None and good is not None and good.uuid == "b"
    assert json.loads(problem) == {"reason": "total: expected a number, found 'many'", "row": documents[0], "key": "a"}
    assert (pull.rows, pull.unreadable) == (2, 1)


def test_rows_without_a_believable_timestamp_belong_to_the_day_they_were_first_seen(sqlite_ledger: Ledger) -> None:
    strays = [document("null"), document("far", "2999-12-31T00:00:00Z"), document("odd", "soon")]
    rows, pull = read(strays, sqlite_ledger, day=NOW.date())
    assert [row["uuid"] for row in rows] == ["null", "far", "odd"] and pull.strays == 3
    later = NOW + timedelta(days=1)
    assert read(strays, sqlite_ledger, day=later.date(), now=later)[0] == [], "they are in their day already"
    assert len(read(strays, sqlite_ledger, day=NOW.date(), now=later)[0]) == 3, "which can be read again"


def test_a_swept_row_moves_to_the_day_on_which_it_changed(sqlite_ledger: Ledger) -> None:
    first = [document("a", total="1"), document("b", total="1")]
    assert len(read(first, sqlite_ledger, SWEPT, NOW.date())[0]) == 2
    later = NOW + timedelta(days=1)
    second = [document("a", total="2"), document("b", total="1")]
    assert [row["uuid"] for row in read(second, sqlite_ledger, SWEPT, later.date(), later)[0]] == ["a"]
    assert [row["uuid"] for row in read(second, sqlite_ledger, SWEPT, NOW.date(), later)[0]] == ["b"]


@pytest.mark.parametrize("seed", range(20))
def test_every_row_is_in_exactly_one_day_of_a_month(seed: int, sqlite_ledger: Ledger) -> None:
    dice = random.Random(seed)
    start = datetime(2026, 11, 1, tzinfo=UTC)
    documents = [
        document(str(n), start + timedelta(seconds=dice.randrange(20 * 86400)) if dice.random() < 0.9 else None)
        for n in range(200)
    ]
    found = Counter(
        row["uuid"]
        for day in range(20)
        for row in read(documents, sqlite_ledger, day=start.date() + timedelta(days=day))[0]
    )
    assert found == Counter(str(n) for n in range(200))


def test_the_same_list_has_the_same_version_and_another_order_of_fields_is_no_change() -> None:
    at = datetime(2026, 11, 5, 8, tzinfo=UTC)
    one, other = document("a", at, total="1"), {"total": "1", "changed_at": at.isoformat(), "uuid": "a"}
    assert read([one])[1].etags == read([other])[1].etags != read([document("a", at, total="2")])[1].etags
