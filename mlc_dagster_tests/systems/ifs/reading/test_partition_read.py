"""Reads over real HTTP against the sandbox: all rows, once, whatever the tenant and the clock do."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from mlc_dagster.core.errors import AccessDenied, Misconfigured
from mlc_dagster.core.vocabulary import Pull, Row, Scope, Window
from mlc_dagster.sandbox import Sandbox
from mlc_dagster.systems.ifs import records as ifs
from mlc_dagster.systems.ifs.odata.json_pages import Page, PageDecoder
from mlc_dagster.systems.ifs.settings import EntitySetSettings, LineSetSettings
from mlc_dagster_tests.systems.ifs.conftest import A_DAY, DAY, TEN, Memory, Reader, client_of

Start = Callable[..., Sandbox]


def suppliers(count: int, at: Callable[[int], datetime] = lambda _: TEN) -> list[dict[str, Any]]:
    return [{"SupplierId": f"S{n:05}", "Name": f"name {n}", "LastModified": at(n)} for n in range(count)]


def order(number: int, lines: int, at: datetime = TEN) -> dict[str, Any]:
    below = [
        {"LineNo": str(n + 1), "ReleaseNo": "1", "LineAmount": Decimal(n), "Account": "4010"} for n in range(lines)
    ]
    return {"OrderNo": f"P{number}", "Company": "0010", "LastModified": at, "PurchaseOrderLines": below}


def keys(rows: list[Row], *names: str) -> list[Any]:
    return [tuple(row[name] for name in names) if len(names) > 1 else row[names[0]] for row in rows]


# --- paging ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [7_000, 25_000])
def test_rows_with_one_timestamp_are_all_read_once_in_few_requests(box: Sandbox, count: int) -> None:
    box.ifs.put_many("SupplierSet", suppliers(count))
    rows, pull = Reader(client_of(box))(ifs.SUPPLIERS)
    assert sorted(keys(rows, "supplier_id")) == [f"S{n:05}" for n in range(count)]
    assert pull.requests <= math.ceil(count / 5_000) + pull.windows + 2
    assert (pull.expected_before, pull.expected_after, pull.duplicate_keys) == (count, count, 0)


def test_a_day_of_uneven_activity_is_read_side_by_side_and_in_order(box: Sandbox) -> None:
    dense = lambda n: TEN + timedelta(seconds=n // 40) if n % 3 else TEN - timedelta(hours=n % 7, seconds=n)  # noqa: E731
    box.ifs.put_many("SupplierSet", suppliers(6_000, dense))
    rows, pull = Reader(client_of(box, page_size=100))(ifs.SUPPLIERS)
    assert len(set(keys(rows, "supplier_id"))) == len(rows) == 6_000
    assert keys(rows, "last_modified", "supplier_id") == sorted(keys(rows, "last_modified", "supplier_id"))
    assert pull.windows > 8
    assert pull.requests <= 6_000 / 100 + pull.windows + 2


@pytest.mark.parametrize("seed", range(20))
def test_rows_that_are_inserted_changed_and_deleted_while_paging_are_neither_missed_nor_doubled(
    box: Sandbox, seed: int
) -> None:
    """Everything that lives from start to end is there, once, in its newest version."""
    rolls, now = random.Random(seed), datetime.now(UTC).replace(microsecond=0)
    today = now.replace(hour=0, minute=0, second=0)
    spread = (now - today) / 700
    box.ifs.put_many("SupplierSet", suppliers(600, lambda n: today + spread * n))

    def disturb(path: str, reads: int) -> None:
        if reads < 26 and "SupplierSet" in path:
            for _ in range(rolls.randint(1, 12)):
                key = f"S{rolls.randrange(700):05}"
                if rolls.random() < 0.2:
                    living = {row["SupplierId"] for row in box.ifs.rows("SupplierSet")}
                    _ = key in living and box.ifs.delete("SupplierSet", SupplierId=key)
                else:
                    box.ifs.put(
                        "SupplierSet",
                        {"SupplierId": key, "Name": f"changed {reads} {rolls.random()}"},
                        datetime.now(UTC),
                    )

    box.ifs.on_request = disturb
    scope = Scope(today.date().isoformat(), Window.day(today.date()))
    rows, pull = Reader(client_of(box, page_size=40, in_flight=4))(ifs.SUPPLIERS, scope)
    read = {row["supplier_id"]: row["name"] for row in rows}
    assert len(read) == len(rows), "a row is there twice"
    living = {row["SupplierId"]: row["Name"] for row in box.ifs.rows("SupplierSet")}
    assert {key: read.get(key) for key in living} == living
    assert pull.repeated == len(pull.stale)
    assert pull.duplicate_keys == 0


def test_rows_that_were_changed_just_now_are_handed_over_once_when_nothing_moves(box: Sandbox) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    box.ifs.put_many(
        "SupplierSet",
        suppliers(100, lambda n: max(now - timedelta(seconds=n), datetime.combine(now, datetime.min.time(), UTC))),
    )
    rows, pull = Reader(client_of(box, page_size=20))(ifs.SUPPLIERS, Scope(str(now.date()), Window.day(now.date())))
    assert (len(rows), pull.repeated, pull.stale) == (100, 0, frozenset())


def test_rows_of_a_past_day_that_change_while_it_is_read_move_to_today_and_nothing_else_is_missed(box: Sandbox) -> None:
    box.ifs.put_many("SupplierSet", suppliers(300, lambda n: TEN + timedelta(seconds=n)))
    touched = iter(range(0, 300, 7))

    def disturb(path: str, reads: int) -> None:
        if "SupplierSet" in path and (n := next(touched, None)) is not None:
            box.ifs.put("SupplierSet", {"SupplierId": f"S{n:05}", "Name": "moved"}, datetime.now(UTC))

    box.ifs.on_request = disturb
    rows, _ = Reader(client_of(box, page_size=20))(ifs.SUPPLIERS)
    moved = {row["SupplierId"] for row in box.ifs.rows("SupplierSet") if row["Name"] == "moved"}
    assert {f"S{n:05}" for n in range(300)} - moved <= set(keys(rows, "supplier_id"))
    assert "moved" not in keys(rows, "name")


def test_two_full_reads_of_a_source_that_rests_are_equal(box: Sandbox) -> None:
    box.ifs.put_many("PurchaseOrderSet", [order(n, n % 5, TEN + timedelta(seconds=n % 50)) for n in range(900)])
    first, one = Reader(client_of(box, page_size=300))(ifs.PURCHASE_ORDERS)
    second, other = Reader(client_of(box, page_size=5_000, in_flight=1))(ifs.PURCHASE_ORDERS)
    assert first == second
    assert one.etags == other.etags != ""


def test_the_fingerprint_of_a_pull_changes_when_one_row_changes(box: Sandbox) -> None:
    box.ifs.put_many("SupplierSet", suppliers(10))
    _, before = Reader(client_of(box))(ifs.SUPPLIERS)
    box.ifs.put("SupplierSet", {"SupplierId": "S00003", "Name": "other"}, TEN)
    _, after = Reader(client_of(box))(ifs.SUPPLIERS)
    assert before.etags != after.etags


def test_a_small_day_costs_one_request(box: Sandbox) -> None:
    box.ifs.put_many("SupplierSet", suppliers(500))
    _, pull = Reader(client_of(box))(ifs.SUPPLIERS)
    assert (pull.requests, pull.pages, pull.expected_before, pull.expected_after) == (1, 1, 500, None)


def test_no_page_holds_more_elements_than_a_response_may_and_the_first_is_none_of_them(
    box: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nested lines count, and nobody knows beforehand how many there are."""
    box.ifs.put_many("PurchaseOrderSet", [order(n, 40, TEN + timedelta(seconds=n)) for n in range(60)])
    sizes: list[int] = []
    decode = PageDecoder.decode

    def noted(wire: PageDecoder, content: bytes) -> Page:
        page = decode(wire, content)
        sizes.append(page.elements)
        return page

    monkeypatch.setattr(PageDecoder, "decode", noted)
    client = client_of(box, page_size=500)
    rows, _ = Reader(client)(ifs.PURCHASE_ORDERS)
    assert (len(rows), max(sizes)) == (60, max(each for each in sizes if each <= 500))
    first, sizes[:] = len(sizes), []
    assert Reader(client)(ifs.PURCHASE_ORDERS)[0] == rows
    assert len(sizes) <= first, "what was learned of the set's lines is remembered"


# --- tenants --------------------------------------------------------------------------------------------------------


def test_a_tenant_with_names_of_its_own_is_read_like_any_other(start: Start) -> None:
    names = {"OrderNo": "PoNo", "LastModified": "RowVersion"}
    box = start(
        projections={"PurchaseOrderHandling": "AcmeBuying"},
        sets={"PurchaseOrderSet": "Pos", "PurchaseOrderLineSet": "PoLines"},
        fields={"PurchaseOrderSet": names, "PurchaseOrderLineSet": {"OrderNo": "PoNo", "Account": "Konto"}},
        navigations={"PurchaseOrderLines": "Lines"},
    )
    box.ifs.put_many("PurchaseOrderSet", [order(n, 2) for n in range(30)])
    below = LineSetSettings(navigation="Lines", set="PoLines", fields={"order_no": "PoNo", "account": "Konto"})
    wire = {"order_no": "PoNo", "last_modified": "RowVersion"}
    own = EntitySetSettings(projection="AcmeBuying", set="Pos", fields=wire, lines=below)
    entity = ifs.catalogue({"purchase_order_set": own})["purchase_order_set"]
    rows, _ = Reader(client_of(box, page_size=50))(entity)
    assert len(rows) == 30
    assert [line["account"] for line in rows[0]["lines"]] == ["4010", "4010"]


def test_lines_are_the_same_with_and_without_expand(start: Start) -> None:
    orders = [order(n, n % 7, TEN + timedelta(seconds=n % 9)) for n in range(400)]
    vouchers = [
        {
            "Company": "0010",
            "VoucherType": "M/'x",
            "AccountingYear": 2026,
            "VoucherNo": n,
            "VoucherRows": [{"RowNo": 1}],
        }
        for n in range(250)
    ]
    read = []
    for expand in (True, False):
        box = start(expand=expand)
        box.ifs.put_many("PurchaseOrderSet", orders)
        box.ifs.put_many("VoucherSet", vouchers, TEN)
        reader = Reader(client_of(box, page_size=500))
        found = [*reader(ifs.PURCHASE_ORDERS)[0], *reader(ifs.VOUCHERS)[0]]
        read.append([{**row, "etag": None} for row in found])
    assert read[0] == read[1]
    assert sum(len(row["lines"]) for row in read[0]) == sum(n % 7 for n in range(400)) + 250


def test_an_order_with_more_lines_than_a_response_may_hold_is_read_whole(box: Sandbox) -> None:
    box.ifs.put_many("PurchaseOrderSet", [order(1, 3), order(2, 6_000), order(3, 2_000), order(4, 4_900), order(5, 1)])
    rows, _ = Reader(client_of(box))(ifs.PURCHASE_ORDERS)
    assert [len(row["lines"]) for row in rows] == [3, 6_000, 2_000, 4_900, 1]
    assert len({line["line_no"] for line in rows[1]["lines"]}) == 6_000


def test_without_a_count_only_an_empty_page_ends_the_walk(start: Start) -> None:
    box = start(count=False)
    box.ifs.put_many("SupplierSet", suppliers(100, lambda n: TEN + timedelta(seconds=n)))
    rows, pull = Reader(client_of(box, page_size=25))(ifs.SUPPLIERS)
    assert len(rows) == 100
    assert (pull.expected_before, pull.pages) == (None, 5)


@pytest.mark.parametrize("link", [True, "http://127.0.0.1:48080", "http://elsewhere.example"])
def test_a_link_that_skips_rows_is_replaced_by_the_walks_own_place(start: Start, link: bool | str) -> None:
    box = start(next_link=link)
    box.ifs.put_many("SupplierSet", suppliers(100, lambda n: TEN + timedelta(seconds=n)))
    rows, _ = Reader(client_of(box, page_size=30))(ifs.SUPPLIERS)
    assert len(rows) == 100


def test_a_tenant_without_a_modified_column_is_swept(start: Start) -> None:
    """The day of a sweep holds what was new or changed in it, and a replay of that day fetches the same rows again."""
    box = start(modified=False)
    box.ifs.put_many("SupplierSet", [{"SupplierId": f"S/{n}%'", "Name": "a"} for n in range(120)])
    entity = ifs.catalogue({"supplier_set": EntitySetSettings(delta="sweep")})["supplier_set"]
    memory, monday = Memory(), datetime(2026, 11, 2, 8, tzinfo=UTC)
    days = [Scope(str(day), Window.day(day)) for day in (monday.date(), date(2026, 11, 3))]
    first, _ = Reader(client_of(box, page_size=50, clock=lambda: monday))(entity, days[0], memory)
    box.ifs.put("SupplierSet", {"SupplierId": "S/7%'", "Name": "b"})
    box.ifs.put("SupplierSet", {"SupplierId": "S/new", "Name": "b"})
    box.ifs.delete("SupplierSet", SupplierId="S/9%'")
    reader = Reader(client_of(box, page_size=50, clock=lambda: monday + timedelta(days=1)))
    second, pull = reader(entity, days[1], memory)
    again, _ = reader(entity, days[0], memory)
    assert len(first) == 120
    assert sorted(keys(second, "supplier_id", "name")) == [("S/7%'", "b"), ("S/new", "b")]
    assert pull.requests == 4  # three pages of keys, one request for the two rows
    assert set(keys(again, "supplier_id")) == {f"S/{n}%'" for n in range(120)} - {"S/7%'", "S/9%'"}


def test_a_company_is_read_by_its_code_as_text(box: Sandbox) -> None:
    box.ifs.put_many(
        "AccountSet", [{"Company": company, "Account": f"{n:04}"} for company in ("0010", "10") for n in range(70)]
    )
    rows, pull = Reader(client_of(box, page_size=20))(ifs.ACCOUNTS, Scope("0010", company="0010"))
    assert keys(rows, "company", "account") == [("0010", f"{n:04}") for n in range(70)]
    assert (pull.expected_before, pull.filter) == (70, "Company eq '0010'")


# --- rows that are odd ----------------------------------------------------------------------------------------------


def test_rows_that_no_timestamp_places_belong_to_the_day_they_were_first_seen(box: Sandbox) -> None:
    box.ifs.put("SupplierSet", {"SupplierId": "null"}, None)
    box.ifs.put("SupplierSet", {"SupplierId": "2999"}, datetime(2999, 1, 1, tzinfo=UTC))
    box.ifs.put("SupplierSet", {"SupplierId": "usual"}, TEN)
    memory = Memory()
    clock = [TEN + timedelta(hours=3)]
    reader = Reader(client_of(box, clock=lambda: clock[0]))
    first, pull = reader(ifs.SUPPLIERS, A_DAY, memory)
    assert set(keys(first, "supplier_id")) == {"null", "2999", "usual"}
    assert (pull.strays, pull.rows, pull.expected_before) == (2, 3, 3)

    clock[0] += timedelta(days=1)
    box.ifs.put("SupplierSet", {"SupplierId": "2999", "Name": "changed"}, datetime(2999, 1, 1, tzinfo=UTC))
    tomorrow = date(2026, 11, 6)
    second, _ = reader(ifs.SUPPLIERS, Scope(str(tomorrow), Window.day(tomorrow)), memory)
    again, _ = reader(ifs.SUPPLIERS, A_DAY, memory)
    assert keys(second, "supplier_id", "name") == [("2999", "changed")]
    assert set(keys(again, "supplier_id")) == {"null", "usual"}


@pytest.mark.parametrize("timestamp", ["2026-11-05T25:61:00Z", "soon", ""])
def test_a_row_with_an_unreadable_timestamp_is_kept_as_text_and_stops_nobody(box: Sandbox, timestamp: str) -> None:
    box.ifs.put_many("SupplierSet", suppliers(50, lambda n: TEN + timedelta(seconds=n)))
    box.ifs.put("SupplierSet", {"SupplierId": "odd"}, timestamp)
    reader = Reader(client_of(box, page_size=7, clock=lambda: TEN + timedelta(hours=3)))
    rows, pull = reader(ifs.SUPPLIERS)
    found = {row["supplier_id"]: row for row in rows}
    assert {f"S{n:05}" for n in range(50)} <= set(found)
    if timestamp:  # a text before every window belongs to none: only reconciliation finds it
        assert pull.unreadable == 1
        assert "LastModified" in json.loads(found["odd"]["unreadable"])["reason"]


def test_one_bad_row_of_a_page_is_kept_as_text_and_the_others_are_read(box: Sandbox) -> None:
    box.ifs.put_many("SupplierSet", suppliers(20))
    box.ifs.put("SupplierSet", {"SupplierId": "bad", "Name": 10, "CreditLimit": Decimal("1.5")}, TEN)
    rows, pull = Reader(client_of(box))(ifs.SUPPLIERS)
    bad = next(row for row in rows if row["supplier_id"] == "bad")
    assert (len(rows), pull.rows, pull.unreadable) == (21, 21, 1)
    assert json.loads(bad["unreadable"])["reason"] == "Name: expected text, found 10"
    assert json.loads(bad["unreadable"])["row"]["CreditLimit"] == "1.5"


AMOUNTS = ["0.0000000001", "-0.01", "123456789012345678.1234567891", "9" * 28, "-1234.5000", "0", "1E+3", "100"]


def test_amounts_are_exact_to_the_last_digit(box: Sandbox) -> None:
    box.ifs.put_many("SupplierSet", [{"SupplierId": text, "CreditLimit": Decimal(text)} for text in AMOUNTS], TEN)
    rows, pull = Reader(client_of(box))(ifs.SUPPLIERS)
    assert {row["supplier_id"]: row["credit_limit"] for row in rows} == {text: Decimal(text) for text in AMOUNTS}
    assert pull.unreadable == 0


def test_an_amount_with_more_digits_than_can_be_kept_is_never_rounded(box: Sandbox) -> None:
    wide = {"deep": Decimal("0.1234567890123456789012345678901"), "large": Decimal("1" * 47)}
    box.ifs.put_many("SupplierSet", [{"SupplierId": key, "CreditLimit": value} for key, value in wide.items()], TEN)
    rows, _ = Reader(client_of(box))(ifs.SUPPLIERS)
    for row in rows:
        assert row["credit_limit"] is None
        assert str(json.loads(row["unreadable"])["row"]["CreditLimit"]) == str(wide[row["supplier_id"]])


HOSTILE = [
    "a'b",
    "a/b",
    "100%",
    "%2F",
    "a b+c",
    "å",
    "日本",
    "0001",
    "1",
    "''",
    "(x=1)",
    "a#b?c&d",
    "\U0001f600",
    '"',
    "\\",
]


def test_keys_hold_anything_and_the_walk_passes_them_all(box: Sandbox) -> None:
    box.ifs.put_many("PurchaseOrderSet", [{**order(0, 1), "OrderNo": key} for key in HOSTILE])
    for size in (12, 5_000):
        rows, _ = Reader(client_of(box, page_size=size))(ifs.PURCHASE_ORDERS)
        assert sorted(keys(rows, "order_no")) == sorted(HOSTILE)
        assert {len(row["lines"]) for row in rows} == {1}


# --- answers that go wrong ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault",
    [
        {"truncate": True},
        {"status": 200, "body": "<html>maintenance</html>", "headers": {"content-type": "text/html"}},
        {"status": 503, "body": '{"error":{"code":"MI_MODIFIED_ERROR","message":"metadata changed"}}'},
        {"status": 500, "body": '{"error":{"code":"MI_MODIFIED_ERROR","message":"metadata changed"}}'},
        {"drop": "after"},
    ],
)
def test_a_page_that_comes_broken_is_asked_for_again(box: Sandbox, fault: dict[str, Any]) -> None:
    box.ifs.put_many("SupplierSet", suppliers(100, lambda n: TEN + timedelta(seconds=n)))
    box.faults.add(system="ifs", method="GET", path="SupplierSet", times=2, **fault)
    rows, _ = Reader(client_of(box, page_size=30))(ifs.SUPPLIERS)
    assert len(rows) == 100


def test_a_page_that_takes_too_long_is_asked_for_in_smaller_ones(box: Sandbox) -> None:
    box.ifs.put_many("SupplierSet", suppliers(100))
    timeout = '{"error":{"code":"ODP_OPERATION_TIMEOUT","message":"Operation did not complete in the expected time."}}'
    box.faults.add(system="ifs", method="GET", path="SupplierSet", times=2, status=504, body=timeout)
    rows, pull = Reader(client_of(box, page_size=80))(ifs.SUPPLIERS)
    assert len(rows) == 100
    assert pull.pages >= 100 / 20


def test_a_set_that_the_tenant_does_not_have_is_named_with_its_place_in_the_settings(start: Start) -> None:
    box = start(sets={"SupplierSet": "VendorSet"})
    with pytest.raises(Misconfigured, match=r"ifs\.entity_sets\.supplier_set\.projection"):
        Reader(client_of(box))(ifs.SUPPLIERS)


def test_a_missing_right_names_the_projection_to_grant(box: Sandbox) -> None:
    body = '{"error":{"code":"SE_UNAUTHORIZED","message":"Insufficient privileges."}}'
    box.faults.add(system="ifs", path="SupplierSet", times=None, status=403, body=body)
    with pytest.raises(AccessDenied, match="Grant the projection SupplierHandling"):
        Reader(client_of(box))(ifs.SUPPLIERS)


# --- what changed ---------------------------------------------------------------------------------------------------


def test_the_mark_of_a_day_tells_every_change_and_rests_when_nothing_changes(box: Sandbox) -> None:
    box.ifs.put_many("SupplierSet", suppliers(30, lambda n: TEN + timedelta(minutes=n - 20)))
    client = client_of(box, page_size=10, clock=lambda: TEN + timedelta(hours=1))
    first = client.changed_since(ifs.SUPPLIERS, TEN + timedelta(minutes=1))
    assert client.changed_since(ifs.SUPPLIERS, TEN + timedelta(minutes=2)) == first
    box.ifs.put("SupplierSet", {"SupplierId": "late"}, TEN + timedelta(minutes=3))  # committed late, behind the newest
    second = client.changed_since(ifs.SUPPLIERS, TEN + timedelta(minutes=2))
    box.ifs.put("SupplierSet", {"SupplierId": "late", "Name": "again"}, TEN + timedelta(minutes=3))
    third = client.changed_since(ifs.SUPPLIERS, TEN + timedelta(minutes=2))
    assert list(first) == list(second) == list(third) == [DAY]
    assert len({first[DAY], second[DAY], third[DAY]}) == 3


def test_a_pull_says_how_far_the_clocks_are_apart(start: Start) -> None:
    box = start(clock_skew_seconds=300)
    box.ifs.put_many("SupplierSet", suppliers(3))
    _, pull = Reader(client_of(box))(ifs.SUPPLIERS)
    assert pull.clock_skew_seconds == pytest.approx(300, abs=2)


def test_memory_of_a_pull_that_nobody_finishes_is_let_go(box: Sandbox) -> None:
    """The caller stops after one batch: no thread goes on asking."""
    box.ifs.put_many("SupplierSet", suppliers(400, lambda n: TEN + timedelta(seconds=n)))
    batches = client_of(box, page_size=10, in_flight=3).read(ifs.SUPPLIERS, A_DAY, Pull("ifs/supplier_set", "x"))
    next(batches), next(batches)
    batches.close()  # type: ignore[attr-defined]
    asked = box.ifs.reads
    assert asked < 12
    assert box.ifs.reads == asked
