"""Pages of JSON: exact values, rows that do not fit, and answers that are no pages."""

from __future__ import annotations

import json
import random
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from mlc_dagster.core.arrow_columns import rows_of
from mlc_dagster.systems.ifs import records as ifs
from mlc_dagster.systems.ifs.odata.json_pages import Page, PageDecoder

ORDERS = PageDecoder.of(ifs.PURCHASE_ORDERS, expand=True)
SUPPLIERS = PageDecoder.of(ifs.SUPPLIERS, expand=False)
LINE = {"LineNo": "1", "ReleaseNo": "1"}


def page(*rows: Any, wire: PageDecoder = ORDERS, **more: Any) -> Page:
    return wire.decode(json.dumps({"value": list(rows), **more}).encode())


def order(**fields: Any) -> dict[str, Any]:
    return {"@odata.etag": 'W/"1"', "OrderNo": "P1", "PurchaseOrderLines": [LINE], **fields}


def only(found: Page) -> dict[str, Any]:
    (row,) = rows_of(found.batch)
    return row


def reason(found: Page) -> str:
    return str(json.loads(only(found)["unreadable"])["reason"])


BAD = order(OrderNo="bad", Company=10)
"""It makes the whole page go the slow way."""


@pytest.mark.parametrize("beside", [[], [BAD]], ids=["by column", "row by row"])
@pytest.mark.parametrize(
    "name, given, expected",
    [
        ("TotalAmount", 12.5, Decimal("12.5")),
        ("TotalAmount", "12.50", Decimal("12.5")),
        ("TotalAmount", 7, Decimal(7)),
        ("TotalAmount", "1e3", Decimal(1000)),
        ("OrderDate", "2026-02-28", date(2026, 2, 28)),
        ("OrderDate", "2026-02-28T00:00:00Z", date(2026, 2, 28)),
        ("OrderDate", "2026-02-28T23:30:00-05:00", date(2026, 2, 28)),
        ("LastModified", "2026-11-05T08:30:00Z", datetime(2026, 11, 5, 8, 30, tzinfo=UTC)),
        ("LastModified", "2026-11-05T08:30:00", datetime(2026, 11, 5, 8, 30, tzinfo=UTC)),
        ("LastModified", "2026-11-05T08:30:00+02:00", datetime(2026, 11, 5, 6, 30, tzinfo=UTC)),
        ("LastModified", "2026-11-05T08:30:00.1234567Z", datetime(2026, 11, 5, 8, 30, 0, 123456, tzinfo=UTC)),
        ("LastModified", "2999-12-31T00:00:00Z", datetime(2999, 12, 31, tzinfo=UTC)),
        ("Notes", "a\0b\U0001f600\u202e", "a\0b\U0001f600\u202e"),
        ("Company", "0010", "0010"),
    ],
)
def test_every_notation_of_a_value_is_read_the_same_both_ways(
    beside: list[Any], name: str, given: Any, expected: Any
) -> None:
    fields = {"TotalAmount": "total_amount", "OrderDate": "order_date", "LastModified": "last_modified"}
    found = page(order(**{name: given}), *beside)
    row = next(rows_of(found.batch))
    assert row["unreadable"] is None
    assert row[fields.get(name, name.lower())] == expected


@pytest.mark.parametrize(
    "fields, words",
    [
        ({"Company": 10}, "Company: expected text, found 10"),
        ({"TotalAmount": True}, "TotalAmount: expected a number, found True"),
        ({"TotalAmount": "12,50"}, "TotalAmount: expected a number, found '12,50'"),
        ({"TotalAmount": "NaN"}, "TotalAmount: expected a number, found 'NaN'"),
        ({"TotalAmount": "1E-31"}, "at most 46 digits before the point and 30 after it"),
        ({"TotalAmount": "1" * 47}, "at most 46 digits before the point and 30 after it"),
        ({"OrderDate": "28.02.2026"}, "OrderDate: expected a timestamp"),
        ({"OrderDate": "2026-02-30"}, "OrderDate: day is out of range for month"),
        ({"LastModified": "2026-13-01T00:00:00Z"}, "LastModified: month must be in 1..12"),
        ({"LastModified": 1700000000}, "LastModified: expected a timestamp"),
        ({"OrderNo": None}, "OrderNo: is missing"),
        ({"PurchaseOrderLines": [{"LineNo": "1"}]}, "ReleaseNo: is missing"),
        ({"PurchaseOrderLines": [{**LINE, "BuyQtyDue": "x"}]}, "BuyQtyDue: expected a number"),
        ({"PurchaseOrderLines": {"x": 1}}, "PurchaseOrderLines: expected a list"),
        ({"Notes": "\ud83d"}, "Notes: half of a surrogate pair"),
    ],
)
def test_a_row_that_does_not_fit_says_which_field_and_why_and_keeps_what_came(
    fields: dict[str, Any], words: str
) -> None:
    found = page(order(**fields))
    assert words in reason(found)
    row = only(found)
    assert row["order_no"] == fields.get("OrderNo", "P1")
    assert row["etag"] == 'W/"1"'
    assert row["company"] is row["total_amount"] is None
    name = next(iter(fields))
    assert json.loads(row["unreadable"])["row"][name] == fields[name]


@pytest.mark.parametrize("row", [None, 5, "x", []])
def test_what_is_no_row_at_all_is_kept_as_text(row: Any) -> None:
    found = page(order(), row)
    assert found.rows == 2
    assert "expected an object" in json.loads(list(rows_of(found.batch))[1]["unreadable"])["reason"]


@pytest.mark.parametrize("beside", [[], [BAD]], ids=["by column", "row by row"])
def test_null_lines_and_missing_fields_are_no_lines_and_null(beside: list[Any]) -> None:
    found = page({"@odata.etag": "e", "OrderNo": "P1", "PurchaseOrderLines": None, "Unknown": [{"x": 1}]}, *beside)
    row = next(rows_of(found.batch))
    assert (row["lines"], row["notes"], row["unreadable"]) == ([], None, None)


def test_both_ways_of_reading_agree_on_random_pages() -> None:
    rolls = random.Random(11)
    texts = [None, "", "0010", "å", "\U0001f600", "null", "'"]
    for _ in range(20):
        rows = [
            order(
                OrderNo=f"P{n}",
                Company=rolls.choice(texts),
                TotalAmount=rolls.choice([None, rolls.randrange(10**12) / 10**4, rolls.randrange(9), "7.25"]),
                OrderDate=rolls.choice([None, "2026-01-31", "2026-01-31T00:00:00Z"]),
                LastModified=rolls.choice([None, "2026-01-31T10:00:00Z", "2026-01-31T10:00:00+01:00"]),
                PurchaseOrderLines=[{**LINE, "BuyQtyDue": round(rolls.random(), 6)} for _ in range(rolls.randrange(4))],
            )
            for n in range(rolls.randrange(1, 40))
        ]
        by_column, row_by_row = page(*rows), page(*rows, BAD)
        assert list(rows_of(by_column.batch)) == list(rows_of(row_by_row.batch))[:-1]
        assert by_column.elements == row_by_row.elements - 1


@pytest.mark.parametrize("count, expected", [(7, 7), ("7", 7), (None, None)])
@pytest.mark.parametrize("beside", [[], [BAD]], ids=["by column", "row by row"])
def test_the_count_and_the_link_of_a_page_are_read(beside: list[Any], count: Any, expected: int | None) -> None:
    found = page(order(), *beside, **{"@odata.count": count, "@odata.nextLink": "https://erp.test/next"})
    assert (found.count, found.link) == (expected, "https://erp.test/next")


def test_a_link_to_the_rest_of_the_lines_is_noted_with_its_row() -> None:
    found = page(order(), order(OrderNo="P2", **{"PurchaseOrderLines@odata.nextLink": "rest"}))
    assert found.more_lines == {1: "rest"}


WHOLE = json.dumps({"value": [order()]}).encode()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html>",
        WHOLE[:-2],
        WHOLE + WHOLE,
        b'{"error":{}}',
        b'{"value":5}',
        b"[]",
        b"null",
        b"{\xff}",
        b'{"value":[NaN]}',
    ],
)
def test_what_is_no_page_is_an_error_so_that_it_is_asked_for_again(content: bytes) -> None:
    with pytest.raises(ValueError):
        ORDERS.decode(content)


def test_a_page_may_be_written_over_several_lines() -> None:
    assert ORDERS.decode(json.dumps({"value": [order(Notes="a\nb")]}, indent=2).encode()).rows == 1


def test_a_field_that_the_tenant_lacks_is_not_asked_for_and_is_null() -> None:
    wire = PageDecoder.of(ifs.PURCHASE_ORDERS, expand=True, gone=frozenset({"notes", "lines.part_no"}))
    assert "Notes" not in wire.select
    assert wire.expand is not None and "PartNo" not in wire.expand
    row = only(wire.decode(WHOLE))
    assert (row["notes"], row["lines"][0]["part_no"]) == (None, None)


@pytest.mark.parametrize(
    "text, name",
    [
        ('{"OrderNo": "P1", "TotalAmount": 1.5, "TotalAmount": 99}', "TotalAmount"),
        ('{"OrderNo": "P1", "OrderNo": "P2"}', "OrderNo"),
        ('{"OrderNo": "P1", "PurchaseOrderLines": [{"LineNo": "1", "ReleaseNo": "1", "LineNo": "2"}]}', "LineNo"),
    ],
)
def test_a_name_that_stands_twice_in_an_object_holds_its_row_and_no_other(text: str, name: str) -> None:
    found = ORDERS.decode(f'{{"value": [{text}, {json.dumps(order(OrderNo="P7"))}]}}'.encode())
    bad, good = rows_of(found.batch)
    assert f"{name}: stands twice" in json.loads(bad["unreadable"])["reason"]
    assert (bad["order_no"] is None) == (name == "OrderNo")
    assert (good["order_no"], good["unreadable"]) == ("P7", None)


def test_two_lists_of_rows_are_no_page() -> None:
    with pytest.raises(ValueError, match="twice"):
        ORDERS.decode(b'{"value": [], "value": [{"OrderNo": "P1"}]}')
