"""Procurify over real HTTP: every page, each row once, by day, whatever its filters, links and limits do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest

from mlc_dagster.core.arrow_columns import records_of
from mlc_dagster.core.errors import AccessDenied, Misconfigured, TransientError
from mlc_dagster.core.vocabulary import EntitySet, Pull, Scope, Window
from mlc_dagster.sandbox import Limits, Sandbox
from mlc_dagster.sandbox.procurify.lines import Cost, Line
from mlc_dagster.systems.procurify.api import TIMEOUT_WEIGHS, ProcurifyApi, classify
from mlc_dagster.systems.procurify.client import ProcurifyClient
from mlc_dagster.systems.procurify.documents.document_values import is_newest
from mlc_dagster.systems.procurify.records import BILLS, PURCHASE_ORDERS, VENDOR_LIST, Bill
from mlc_dagster.transport.client import ApiClient, LocalBudget
from mlc_dagster.transport.error_messages import sentence
from mlc_dagster_tests.systems.loopback import Asked, Loopback, answers

ClientOf = Callable[..., ProcurifyClient]
DAY = date(2026, 3, 3)
NOON = datetime(2026, 3, 3, 12, tzinfo=UTC)
DETAIL = "/procurify/api/v2/ap/bills/"


def read(client: ProcurifyClient, entity: EntitySet, day: date = DAY) -> tuple[list[Any], Pull]:
    """(records, or the reason why a row is none; the account of the read)"""
    pull = Pull("/".join(entity.key), day.isoformat())
    batches = client.read(entity, Scope(day.isoformat(), window=Window.day(day)), pull, None)
    rows = [row for batch in batches for row in records_of(batch, entity.record)]
    return [record if record is not None else unreadable for record, _, unreadable in rows], pull


def details(box: Sandbox) -> int:
    return sum(times for (_, path), times in box.calls("procurify").items() if path.startswith(DETAIL))


def test_a_day_is_its_own_rows_to_the_second(box: Sandbox, client_of: ClientOf) -> None:
    start = datetime(2026, 3, 3, tzinfo=UTC)
    moments = [start - timedelta(seconds=1), start, NOON, start + timedelta(days=1)]
    made = [box.procurify.put_bill(81, last_modified_datetime=moment) for moment in moments]
    found, pull = read(client_of(box), BILLS)
    assert {bill.uuid for bill in found} == set(made[1:3])
    assert pull.rows == 2 and pull.pages >= 1 and pull.requests >= 3
    assert "last_modified_datetime_0=2026-03-02T23:50:00+00:00" in pull.filter
    assert details(box) == 2, "what is of another day costs no call"


@pytest.mark.parametrize("flat", [False, True], ids=["below metadata", "beside the rows"])
def test_every_page_is_read_in_either_envelope_and_no_link_to_another_host_is_followed(
    box: Sandbox, client_of: ClientOf, flat: bool
) -> None:
    box.procurify.flat_pagination, box.procurify.link_origin = flat, "https://elsewhere.example"
    made = {box.procurify.put_bill(81, last_modified_datetime=NOON) for _ in range(23)}
    found, pull = read(client_of(box, page_size=5), BILLS)
    assert {bill.uuid for bill in found} == made and len(found) == 23
    assert pull.pages == 5


def test_a_tenant_that_heeds_no_filter_is_read_once_for_thirty_days(box: Sandbox, client_of: ClientOf) -> None:
    box.procurify.heeds_filters = False
    for day in range(30):
        box.procurify.put_bill(81, last_modified_datetime=NOON + timedelta(days=day))
    client = client_of(box)
    assert [len(read(client, BILLS, DAY + timedelta(days=day))[0]) for day in range(30)] == [1] * 30
    lists = sum(times for (_, path), times in box.calls("procurify").items() if path.endswith("/v3/ap/bills/"))
    assert lists == 1 and details(box) == 30


def test_only_what_may_be_posted_costs_a_call_of_its_own(box: Sandbox, client_of: ClientOf) -> None:
    for status in range(9):
        box.procurify.put_bill(81, status=status, last_modified_datetime=NOON)
    box.procurify.put_bill(81, type=2, last_modified_datetime=NOON)
    found, _ = read(client_of(box), BILLS)
    assert details(box) == 4 and len(found) == 10
    assert {bill.status for bill in found if bill.is_whole} == {2, 4, 6, 7}
    assert all(bool(bill.allocations) == bill.is_whole for bill in found)


def test_a_bill_comes_flat_and_exact(box: Sandbox, client_of: ClientOf) -> None:
    order = box.procurify.put_purchase_order(81)
    splits = (("4010", "Operations", "33.33"), ("4020", "Operations", "66.67"))
    lines = [Line("100.00", splits=splits, tax="25.00", po=order), Line("7", splits=())]
    uuid = box.procurify.put_bill(
        81, lines, [Cost("Freight", "20.00")], "4.50", last_modified_datetime=NOON, invoice_number=" INV-55 "
    )
    (bill,), _ = read(client_of(box), BILLS)
    assert isinstance(bill, Bill)
    assert (bill.uuid, bill.invoice_number, bill.vendor_id, bill.currency) == (uuid, "INV-55", "81", "SEK")
    assert (bill.total_cost, bill.exclusive_tax, bill.shipping) == (Decimal("127"), Decimal("25"), Decimal("4.5"))
    assert bill.payable == Decimal("156.5") and bill.orders == (str(order),)
    assert [(each.account, each.amount, each.is_cost) for each in bill.allocations] == [
        ("4010", Decimal("33.33"), False),
        ("4020", Decimal("66.67"), False),
        (None, Decimal("7"), False),
        ("4310", Decimal("20"), True),
    ]
    first = bill.allocations[0]
    assert (first.department, first.department_external_id) == ("Operations", "CC100")
    assert (first.location, first.location_external_id) == ("Stockholm", "0010")


def test_a_department_that_a_paper_names_and_no_more_is_completed(box: Sandbox, client_of: ClientOf) -> None:
    number = box.procurify.put_purchase_order(81, last_modified=NOON)
    bare = {"account_code": {"code": "4010"}, "department": {"name": "Operations"}}
    order = box.procurify.purchase_orders[number]
    item = {**order["order_items"][0], "spend_allocation": [{"id": 1, "amount": "100.00", "account": bare}]}
    box.procurify.touch_purchase_order(number, order_items=[item], last_modified=NOON)
    (found,), _ = read(client_of(box), PURCHASE_ORDERS)
    (row,) = found.allocations
    assert (row.department_external_id, row.location, row.location_external_id) == ("CC100", "Stockholm", "0010")


def test_orders_are_asked_for_by_dates_with_a_day_around_and_denied_lines_are_left_out(
    box: Sandbox, client_of: ClientOf
) -> None:
    lines = [Line("100"), Line("400", status=7), Line("250", status=8), Line("9", quantity="0"), Line("5", status=4)]
    number = box.procurify.put_purchase_order(81, lines, last_modified=datetime(2026, 3, 3, 23, 59, tzinfo=UTC))
    box.procurify.put_purchase_order(81, last_modified=datetime(2026, 3, 4, tzinfo=UTC))
    box.procurify.put_purchase_order(81, state=1, last_modified=NOON)
    found, pull = read(client_of(box), PURCHASE_ORDERS)
    assert "modified_date_0=2026-03-02" in pull.filter and "modified_date_1=2026-03-04" in pull.filter
    orders = {order.order_id: order for order in found}
    assert len(orders) == 2
    assert [each.amount for each in orders[str(number)].allocations] == [Decimal("100"), Decimal("5")]
    assert orders[str(number)].left_out == Decimal("659")
    assert {order.is_whole for order in found} == {True, False}, "a cancelled order needs no lines"


def test_vendors_have_their_currency_by_name(box: Sandbox, client_of: ClientOf) -> None:
    box.procurify.put_vendor(name="Ödla & Co", currency="JPY", email=["a@example.test", "b@example.test"], type=4)
    found, _ = read(client_of(box), VENDOR_LIST)
    assert [(row.name, row.currency, row.email) for row in found] == [
        ("Acme Tools", "SEK", None),
        ("Ödla & Co", "JPY", "a@example.test"),
    ]


def test_a_bill_that_is_listed_and_cannot_be_read_is_a_row_of_its_own_and_the_others_come(
    box: Sandbox, client_of: ClientOf
) -> None:
    gone, good = (box.procurify.put_bill(81, last_modified_datetime=NOON) for _ in range(2))
    box.faults.add(system="procurify", path=f"{DETAIL}{gone}", status=404, body='{"detail": "Not found."}', times=None)
    found, pull = read(client_of(box), BILLS)
    assert pull.unreadable == 1 and [each.uuid for each in found if isinstance(each, Bill)] == [good]
    (reason,) = [each for each in found if not isinstance(each, Bill)]
    assert "Not found" in reason and gone in reason


def test_a_token_that_expired_is_asked_for_again(box: Sandbox, client_of: ClientOf) -> None:
    box.procurify.put_bill(81, last_modified_datetime=NOON)
    client = client_of(box)
    read(client, BILLS)
    box.procurify.expire_tokens()
    assert len(read(client, BILLS)[0]) == 1
    assert box.calls("procurify")["POST", "/procurify/oauth/token"] == 2


def test_a_busy_procurify_is_waited_for_and_the_budget_is_kept(client_of: ClientOf) -> None:
    limits = Limits(procurify_requests_per_second=5, window_seconds=12)  # five in a fifth of a second
    with Sandbox(seed="empty", limits=limits) as box:
        vendor = box.procurify.put_vendor(name="Acme")
        made = {box.procurify.put_bill(vendor, last_modified_datetime=NOON) for _ in range(12)}
        found, _ = read(client_of(box), BILLS)
        assert {bill.uuid for bill in found} == made
        assert box.systems["procurify"].counts.by_credential["sandbox-procurify"].refused > 0


def test_a_role_that_may_not_see_bills_is_told_so_with_the_cure(box: Sandbox, client_of: ClientOf) -> None:
    box.procurify.forbidden.add("/ap/bills/")
    with pytest.raises(AccessDenied, match="permission") as said:
        read(client_of(box), BILLS)
    assert "role" in str(said.value) and "sandbox-procurify-secret" not in str(said.value)


def test_a_wrong_secret_is_told_with_its_name(box: Sandbox, client_of: ClientOf) -> None:
    with pytest.raises(AccessDenied, match="PROCURIFY_CLIENT_ID"):
        read(client_of(box, audience="https://elsewhere.example/"), BILLS)


def test_a_wrong_path_is_a_setting_to_correct(box: Sandbox, client_of: ClientOf) -> None:
    with pytest.raises(Misconfigured, match=r"procurify\.paths"):
        read(client_of(box, paths={"bills": "/api/v9/bills"}), BILLS)


@pytest.mark.parametrize("profile, told", [("no-zones", None), ("loose", 1)])
def test_where_a_location_tells_hours_or_nothing_mlc_yaml_says_which_day_a_moment_is(
    client_of: ClientOf, profile: str, told: float | None
) -> None:
    limits = Limits(procurify_requests_per_second=100_000)
    with Sandbox(seed="empty", limits=limits, profiles=[f"procurify.{profile}"]) as box:
        box.procurify.books.put_location("Stockholm", "0010", "SEK")
        box.procurify.put_bill(
            box.procurify.put_vendor(name="Acme"), gl_post_date="2026-03-02T23:30:00Z", last_modified_datetime=NOON
        )
        (row,) = client_of(box).listed("/api/v2/locations/")
        assert "locationTimezone" not in row and row.get("timezone") == told
        ((unsure,), _), ((sure,), _) = (
            read(client_of(box, time_zones=zones), BILLS) for zones in ({}, {"Stockholm": "Europe/Stockholm"})
        )
    assert (sure.gl_post_date, sure.unsure_dates) == (DAY, None)
    assert told is not None or (unsure.gl_post_date is None and "gl_post_date" in unsure.unsure_dates)


# --- a list that moves ----------------------------------------------------------------------------------------------


def api_on(url: str) -> ProcurifyApi:
    return ProcurifyApi(ApiClient("procurify", url, budget=LocalBudget(), classify=classify), page_size=2)


def page(asked: Asked, rows: list[int], count: int | None = None) -> bytes:
    number = int(httpx.URL(asked.target).params["page"])
    pages = -(-len(rows) // 2)
    pagination = {"count": len(rows) if count is None else count, "num_pages": pages, "current_page": number}
    data = [{"id": row} for row in rows[number * 2 - 2 : number * 2]]
    return answers(200, {"metadata": {"pagination": pagination}, "data": data})


def test_a_row_that_moves_while_pages_are_read_hides_no_other() -> None:
    """Ordered by time: row 1 is changed after the first page, goes to the end, and 3 slips to the first page."""
    rows = [1, 2, 3, 4, 5]

    def reply(asked: Asked) -> bytes:
        answer = page(asked, rows)
        if rows[0] == 1:
            rows.append(rows.pop(0))
        return answer

    with Loopback(reply).running() as server:
        assert sorted(row["id"] for row in api_on(server.url).listed("/list/", "id")) == [1, 2, 3, 4, 5]


def test_a_list_that_never_holds_still_is_not_taken_for_whole() -> None:
    with (
        Loopback(lambda asked: page(asked, [1, 2, 3], count=4)).running() as server,
        pytest.raises(TransientError, match="3 rows came of 4"),
    ):
        api_on(server.url).listed("/list/", "id")


def test_a_page_that_takes_too_long_is_asked_for_in_smaller_ones_and_not_eight_times_over() -> None:
    sizes: list[int] = []

    def reply(asked: Asked) -> bytes:
        size = int(httpx.URL(asked.target).params["page_size"])
        sizes.append(size)
        if size > 10:
            return answers(504, {"detail": "Gateway timeout"})
        pagination = {"count": 2, "num_pages": 1, "current_page": 1}
        return answers(200, {"metadata": {"pagination": pagination}, "data": [{"id": 1}, {"id": 2}]})

    with Loopback(reply).running() as server:
        api = ApiClient(
            "procurify",
            server.url,
            budget=LocalBudget(),
            classify=classify,
            timeout_weighs=TIMEOUT_WEIGHS,
            sleep=lambda _: None,
        )
        assert [row["id"] for row in ProcurifyApi(api, page_size=40).listed("/list/", "id")] == [1, 2]
    assert sizes == [40, 40, 20, 20, 10]


def test_what_times_out_in_the_smallest_page_is_told() -> None:
    with Loopback(lambda asked: answers(504, {"detail": "Gateway timeout"})).running() as server:
        api = ApiClient("procurify", server.url, budget=LocalBudget(), classify=classify, sleep=lambda _: None)
        with pytest.raises(TransientError, match="504"):
            ProcurifyApi(api, page_size=5).listed("/list/", "id")


def test_a_page_that_has_gone_is_the_end_of_the_list() -> None:
    def reply(asked: Asked) -> bytes:
        if "page=1" in asked.target:
            body = {"metadata": {"pagination": {"count": 2, "num_pages": 2}}, "data": [{"id": 1}, {"id": 2}]}
            return answers(200, body)
        return answers(404, {"detail": "Invalid page."})

    with Loopback(reply).running() as server:
        assert [row["id"] for row in api_on(server.url).listed("/list/", "id")] == [1, 2]


def test_a_list_without_any_envelope_is_one_page() -> None:
    with Loopback(lambda asked: answers(200, {"data": [{"id": 1}]})).running() as server:
        assert [row["id"] for row in api_on(server.url).listed("/list/", "id")] == [1]
        assert len(server.asked) == 1


@pytest.mark.parametrize(
    "body, said",
    [
        ({"detail": "Not found."}, "Not found."),
        ({"message": "No."}, "No."),
        ({"message": "No.", "currency": ["Unknown."]}, "No.; currency: Unknown."),
        ({"name": ["This field may not be blank."]}, "name: This field may not be blank."),
        ({"errors": {"null": {"message": "Already active.", "code": "X"}}}, "Already active."),
        ({"errors": {"name": {"message": "Too long.", "code": "X"}}}, "name: Too long."),
        (None, ""),
    ],
)
def test_refusals_are_said_in_procurifys_own_words(body: Any, said: str) -> None:
    assert sentence(body) == said


@pytest.mark.parametrize(
    "said, newest",
    [
        ({"version": 2, "most_recent_version": 2}, True),
        ({"version": 1, "most_recent_version": 2}, False),
        ({"version": 2, "most_recent_version": None}, True),
        ({"version": 2}, True),
        ({"version": 1, "most_recent_version": False}, False),
    ],
)
def test_an_order_is_the_newest_where_its_version_is_the_most_recent_or_there_is_no_other(
    said: dict[str, Any], newest: bool
) -> None:
    assert is_newest(said) is newest
