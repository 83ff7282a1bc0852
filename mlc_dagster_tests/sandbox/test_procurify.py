"""The sandboxed Procurify refuses what the real one refuses, and is silent where the real one is."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest

from mlc_dagster.sandbox import Limits, Sandbox
from mlc_dagster.sandbox.procurify_lines import Cost, Line
from mlc_dagster_tests.sandbox.conftest import json_of

GRANT = {
    "client_id": "sandbox-procurify",
    "client_secret": "sandbox-procurify-secret",
    "audience": "https://api.procurify.com/",
    "grant_type": "client_credentials",
}
BILLS, ORDERS, VENDORS = "/api/v3/ap/bills/", "/api/v2/purchase_orders/purchased/all/", "/api/v3/vendors/"
VENDOR = {"name": "Acme", "email": [], "type": 3, "overall_score": None}
MARCH = [datetime(2026, 3, day, 12, tzinfo=UTC) for day in range(1, 6)]


@pytest.fixture
def box(start: Callable[..., Sandbox]) -> Sandbox:
    return start(limits=Limits(procurify_requests_per_second=10_000))


@pytest.fixture
def procurify(box: Sandbox) -> Iterator[httpx.Client]:
    with client_of(box) as client:
        yield client


def client_of(box: Sandbox) -> httpx.Client:
    token = httpx.post(f"{box.url}/procurify/oauth/token", json=GRANT).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}", "X-Procurify-Client": "api"}
    return httpx.Client(base_url=f"{box.url}/procurify", headers=headers)


def listed(client: httpx.Client, path: str, **options: Any) -> list[dict[str, Any]]:
    answer = client.get(path, params={"page_size": 100, **options})
    assert answer.status_code == 200, answer.text
    rows: list[dict[str, Any]] = json_of(answer)["data"]
    return rows


# --- sign-in --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes, status, error",
    [
        ({"client_secret": "wrong"}, 401, "access_denied"),
        ({"audience": ""}, 400, "invalid_request"),
        ({"audience": "https://api.procurify.com"}, 403, "access_denied"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
    ],
)
def test_a_grant_that_lacks_something_is_refused(box: Sandbox, changes: Any, status: int, error: str) -> None:
    answer = httpx.post(f"{box.url}/procurify/oauth/token", json={**GRANT, **changes})
    assert (answer.status_code, answer.json()["error"]) == (status, error)


def test_a_form_is_no_grant(box: Sandbox) -> None:
    answer = httpx.post(f"{box.url}/procurify/oauth/token", data=GRANT)
    assert answer.status_code == 400 and "JSON" in answer.json()["error_description"]


def test_a_grant_lasts_a_day_and_tokens_expire(box: Sandbox) -> None:
    granted = httpx.post(f"{box.url}/procurify/oauth/token", json=GRANT).json()
    assert (granted["expires_in"], granted["token_type"]) == (86_400, "Bearer")
    with client_of(box) as client:
        assert client.get("/api/v3/users/me/").json()["data"]["id"] == 7
        box.procurify.expire_tokens()
        assert client.get("/api/v3/users/me/").status_code == 401


def test_a_token_with_a_short_life_dies_by_itself(box: Sandbox) -> None:
    box.procurify.token_seconds = 0.2
    with client_of(box) as client:
        assert client.get("/api/v3/users/me/").status_code == 200
        time.sleep(0.25)
        assert client.get("/api/v3/users/me/").status_code == 401


def test_a_call_needs_its_token_and_its_client_header(box: Sandbox, procurify: httpx.Client) -> None:
    bearer = {"Authorization": procurify.headers["Authorization"]}
    assert httpx.get(f"{box.url}/procurify{BILLS}", headers=bearer).status_code == 403
    assert httpx.get(f"{box.url}/procurify{BILLS}", headers={"X-Procurify-Client": "api"}).status_code == 401


def test_a_role_that_may_not_see_something_is_told_so(box: Sandbox, procurify: httpx.Client) -> None:
    box.procurify.forbidden.add("/ap/bills/")
    assert procurify.get(BILLS).status_code == 403 and procurify.get(VENDORS).status_code == 200


# --- paths, pages, rate ---------------------------------------------------------------------------------------------


def test_a_path_without_its_slash_is_redirected_and_a_post_is_lost(box: Sandbox, procurify: httpx.Client) -> None:
    answer = procurify.post(VENDORS.rstrip("/"), json=VENDOR)
    assert (answer.status_code, answer.headers["location"]) == (301, f"{box.url}/procurify{VENDORS}")
    assert box.procurify.vendors == {}


@pytest.mark.parametrize(
    "method, path, status",
    [
        ("GET", "/api/v3/nothing/", 404),
        ("GET", "/api/v2/purchase_orders/purchased/approved/", 404),
        ("GET", "/api/v2/purchase_orders/9999/", 404),
        ("GET", "/api/v3/vendors/9999/", 404),
        ("GET", "/api/v3/vendors/nobody/", 404),
        ("POST", BILLS, 405),
        ("DELETE", VENDORS, 405),
    ],
)
def test_what_is_not_offered_is_refused(procurify: httpx.Client, method: str, path: str, status: int) -> None:
    answer = procurify.request(method, path)
    assert answer.status_code == status and answer.json()["detail"] and answer.headers["x-request-id"]


def test_pages_are_of_ten_at_most_a_hundred_and_end(box: Sandbox, procurify: httpx.Client) -> None:
    for number in range(101):
        box.procurify.put_vendor(name=f"V{number}")
    first = procurify.get(VENDORS).json()
    assert first["metadata"]["pagination"] == {
        "count": 101,
        "next": f"{box.url}/procurify{VENDORS}?page=2",
        "previous": None,
        "page_size": 10,
        "num_pages": 11,
        "current_page": 1,
    }
    pages = [procurify.get(VENDORS, params={"page_size": 500, "page": page}) for page in (1, 2, 3)]
    assert [len(page.json().get("data", ())) for page in pages] == [100, 1, 0]
    assert (pages[2].status_code, pages[2].json()) == (404, {"detail": "Invalid page."})
    assert procurify.get(VENDORS, params={"page": "x"}).status_code == 404


def test_a_tenant_may_put_pagination_at_the_top_or_link_to_another_host(box: Sandbox, procurify: httpx.Client) -> None:
    for number in range(11):
        box.procurify.put_vendor(name=f"V{number}")
    box.procurify.flat_pagination, box.procurify.link_origin = True, "https://elsewhere.example"
    answer = procurify.get(VENDORS).json()
    assert answer["pagination"]["num_pages"] == 2 and "pagination" not in answer["metadata"]
    assert answer["pagination"]["next"] == f"https://elsewhere.example/procurify{VENDORS}?page=2"


def test_more_than_two_calls_in_a_second_are_refused_with_the_time_to_wait(start: Callable[..., Sandbox]) -> None:
    box = start(limits=Limits(window_seconds=600))
    with client_of(box) as client:
        answers = [client.get("/api/v3/users/me/") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert 1 <= int(answers[2].headers["retry-after"]) <= 10
    assert box.peaks("procurify") == {"sandbox-procurify": 3}


# --- filters --------------------------------------------------------------------------------------------------------


def test_bills_are_filtered_by_moments_with_both_ends_in(box: Sandbox, procurify: httpx.Client) -> None:
    made = [box.procurify.put_bill(last_modified_datetime=moment) for moment in MARCH]
    window = {"last_modified_datetime_0": MARCH[1].isoformat(), "last_modified_datetime_1": "2026-03-03T12:00:00Z"}
    assert [row["uuid"].replace("-", "") for row in listed(procurify, BILLS, **window)] == made[1:3]
    assert procurify.get(BILLS, params={"last_modified_datetime_0": "soon"}).json() == {
        "last_modified_datetime_0": ["Enter a valid date/time."]
    }


def test_orders_are_filtered_by_dates_alone(box: Sandbox, procurify: httpx.Client) -> None:
    made = [box.procurify.put_purchase_order(last_modified=moment) for moment in MARCH]
    window = {"modified_date_0": "2026-03-02", "modified_date_1": "2026-03-03"}
    assert [row["procurify_PO"] for row in listed(procurify, ORDERS, **window)] == made[1:3]
    assert procurify.get(ORDERS, params={"modified_date_0": "2026-03-02T00:00:00Z"}).status_code == 400


def test_what_is_no_filter_is_ignored_without_a_word(box: Sandbox, procurify: httpx.Client) -> None:
    for status in range(9):
        box.procurify.put_bill(status=status, last_modified_datetime=MARCH[0])
    box.procurify.put_vendor(dateModified=MARCH[0])
    later = "2026-11-01T00:00:00Z"
    assert len(listed(procurify, BILLS, status=2)) == 9
    assert len(listed(procurify, BILLS, last_modified_date_time_0=later)) == 9
    assert len(listed(procurify, VENDORS, last_modified_datetime_0=later, dateModified=later)) == 2


def test_a_tenant_may_ignore_ranges_of_dates_altogether(box: Sandbox, procurify: httpx.Client) -> None:
    box.procurify.put_bill(last_modified_datetime=MARCH[0])
    box.procurify.put_purchase_order(last_modified=MARCH[0])
    assert not listed(procurify, BILLS, last_modified_datetime_0="2026-11-01T00:00:00Z")
    box.procurify.heeds_filters = False
    assert len(listed(procurify, BILLS, last_modified_datetime_0="2026-11-01T00:00:00Z")) == 1
    assert len(listed(procurify, ORDERS, modified_date_0="2026-11-01")) == 1


def test_a_touched_bill_moves_to_the_end_with_a_new_version(box: Sandbox, procurify: httpx.Client) -> None:
    first, second = (box.procurify.put_bill(last_modified_datetime=moment) for moment in MARCH[:2])
    box.procurify.touch_bill(first, status=3)
    rows = listed(procurify, BILLS, order_by="last_modified_datetime")
    assert [(row["uuid"].replace("-", ""), row["version"], row["status"]) for row in rows] == [
        (second, 1, 2),
        (first, 2, 3),
    ]
    assert datetime.fromisoformat(rows[1]["last_modified_datetime"]) > datetime.now(UTC) - timedelta(minutes=1)


# --- purchase orders and bills --------------------------------------------------------------------------------------


def test_a_list_of_orders_has_no_lines_and_one_order_has(box: Sandbox, procurify: httpx.Client) -> None:
    lines = [
        Line("500", quantity="10", tax="25"),
        Line("100", splits=(("4010", "Operations", "40"), ("4011", "R&D", "60"))),
    ]
    number = box.procurify.put_purchase_order(lines=lines, freight="20", currency="CAD")
    (row,) = listed(procurify, ORDERS)
    assert "order_items" not in row and row["total"] == "645.00"
    by_number, by_uuid = (
        json_of(procurify.get(f"/api/v2/purchase_orders/{which}/"))["data"] for which in (number, row["uuid"])
    )
    assert by_number == by_uuid
    first, second = by_number["order_items"]
    assert (first["price"], first["total_cost"], first["quantity"]) == ("50.00000000", "500.00", Decimal("10.0"))
    assert first["account"]["department"]["external_id"] == "CC100" and first["spend_allocation"] == []
    assert [each["amount"] for each in second["spend_allocation"]] == ["40.00", "60.00"]
    assert second["spend_allocation"][1]["account"]["department"]["name"] == "R&D"


def test_orders_are_listed_by_status_with_counts(box: Sandbox, procurify: httpx.Client) -> None:
    for state in (0, 1, 3, 4, 5):
        box.procurify.put_purchase_order(state=state)
    answer = procurify.get("/api/v2/purchase_orders/purchased/open/").json()
    assert [row["state"] for row in answer["data"]] == [0, 5]
    assert answer["metadata"]["counts"] == {"all": 5, "cancelled": 1, "closed": 1, "open": 2, "paid": 1, "partial": 0}


def test_one_bill_is_found_by_its_uuid_without_dashes_alone(box: Sandbox, procurify: httpx.Client) -> None:
    bill = box.procurify.put_bill()
    (row,) = listed(procurify, BILLS)
    assert row["uuid"].count("-") == 4 and row["uuid"].replace("-", "") == bill
    assert row["items"] == [row["id"] * 100 + 1] and "costs" not in row
    assert procurify.get(f"/api/v2/ap/bills/{bill}/").status_code == 200
    assert procurify.get(f"/api/v2/ap/bills/{row['uuid']}/").status_code == 404
    assert procurify.get(f"/api/v2/ap/bills/{bill.upper()}/").status_code == 404


def test_a_bills_totals_are_floats_and_its_parts_are_texts(box: Sandbox, procurify: httpx.Client) -> None:
    order = box.procurify.put_purchase_order(lines=[Line("500")])
    lines = [Line("500", tax="25", po=order, quantity="10"), Line("110", tax="10", tax_inclusive=True, shipping="5")]
    bill = box.procurify.put_bill(lines=lines, costs=[Cost("Freight", "20")], shipping="2.5")
    answer = procurify.get(f"/api/v2/ap/bills/{bill}/")
    found = json_of(answer)["data"]
    assert {name: found[name] for name in found if name.endswith(("cost", "amount", "with_tax"))} == {
        "subtotal_cost": Decimal("610.0"),
        "total_cost": Decimal("630.0"),
        "tax_amount": Decimal("35.0"),
        "inclusive_tax_amount": Decimal("10.0"),
        "exclusive_tax_amount": Decimal("25.0"),
        "shipping_amount": Decimal("7.5"),
        "total_cost_with_tax": Decimal("662.5"),
        "converted_total_cost": Decimal("662.5"),
    }
    assert b'"total_cost_with_tax":662.5' in answer.content and b'"quantity":"10.00"' in answer.content
    assert found["items"][0]["po"]["id"] == order == found["added_purchase_orders"][0]["id"]
    assert found["items"][0]["cost_allocations"][0]["amount"] == "500.00"
    assert found["costs"][0]["cost_allocation"]["budget"]["account_code"]["code"] == "4310"


def test_amounts_keep_the_decimals_of_their_currency(box: Sandbox, procurify: httpx.Client) -> None:
    bills = [
        box.procurify.put_bill(lines=[Line(amount)], currency=currency)
        for amount, currency in (("12.345", "KWD"), ("5000", "JPY"), ("-0.1", "SEK"))
    ]
    found = [json_of(procurify.get(f"/api/v2/ap/bills/{bill}/"))["data"] for bill in bills]
    assert [bill["total_cost_with_tax"] for bill in found] == [Decimal("12.345"), Decimal("5000.0"), Decimal("-0.1")]
    texts = [bill["items"][0]["cost_allocations"][0]["amount"] for bill in found]
    assert texts == ["12.345", "5000.00", "-0.10"]


def test_what_is_given_wins_over_what_is_computed(box: Sandbox, procurify: httpx.Client) -> None:
    bill = box.procurify.put_bill(
        lines=[Line("10", department=None, splits=None)], total_cost_with_tax="11", uuid="ab-1"
    )
    found = json_of(procurify.get(f"/api/v2/ap/bills/{bill}/"))["data"]
    assert bill == "ab1" and found["total_cost_with_tax"] == Decimal(11)
    assert found["items"][0]["cost_allocations"][0]["budget"]["department"] is None


# --- vendors --------------------------------------------------------------------------------------------------------


def test_the_usual_list_has_active_vendors_and_the_whole_one_has_all(box: Sandbox, procurify: httpx.Client) -> None:
    here = box.procurify.put_vendor(name="Here", external_id="S-1", currency="SEK")
    gone = box.procurify.put_vendor(name="Gone, and Closed", active=False)
    assert [row["id"] for row in listed(procurify, VENDORS)] == [here]
    assert [row["id"] for row in listed(procurify, f"{VENDORS}all/")] == [here, gone]
    assert [row["id"] for row in listed(procurify, VENDORS, external_id="S-1")] == [here]
    assert [row["id"] for row in listed(procurify, f"{VENDORS}all/", name="Gone, and Closed")] == [gone]


def test_a_new_vendor_needs_four_fields(box: Sandbox, procurify: httpx.Client) -> None:
    refused = procurify.post(VENDORS, json={"name": "Acme"})
    required = {name: ["This field is required."] for name in ("email", "type", "overall_score")}
    assert (refused.status_code, refused.json()) == (400, required)
    made = procurify.post(VENDORS, json={**VENDOR, "external_id": "S-1", "unknown": 1})
    assert made.status_code == 201 and "unknown" not in made.json()["data"]
    assert box.procurify.vendors[made.json()["data"]["id"]]["external_id"] == "S-1"
    assert [(entry["method"], entry["id"]) for entry in box.journal("procurify")] == [("POST", "81")]


@pytest.mark.parametrize(
    "changes",
    [
        {"name": " "},
        {"name": "x" * 151},
        {"email": "a@b.example"},
        {"email": ["nobody"]},
        {"type": 5},
        {"currency": 99},
        {"currency": "SEK"},
        {"external_id": "x" * 101},
        {"country": None},
        {"active": "yes"},
    ],
)
def test_a_vendor_that_does_not_hold_is_refused(box: Sandbox, procurify: httpx.Client, changes: Any) -> None:
    answer = procurify.post(VENDORS, json={**VENDOR, **changes})
    assert answer.status_code == 400 and list(answer.json()) == list(changes)
    assert box.procurify.vendors == {}


def test_an_empty_patch_still_moves_the_date_on(box: Sandbox, procurify: httpx.Client) -> None:
    vendor = box.procurify.put_vendor(name="Acme", dateModified=MARCH[0])
    answer = procurify.patch(f"{VENDORS}{vendor}/", json={})
    found = box.procurify.vendors[vendor]
    assert answer.status_code == 200 and found["name"] == "Acme"
    assert datetime.fromisoformat(found["dateModified"]) > MARCH[0]


def test_a_bill_shows_its_vendor_as_it_is_today(box: Sandbox, procurify: httpx.Client) -> None:
    vendor = box.procurify.put_vendor(name="Acme")
    bill = box.procurify.put_bill(vendor)
    procurify.patch(f"{VENDORS}{vendor}/", json={"external_id": "S-1"})
    assert procurify.get(f"/api/v2/ap/bills/{bill}/").json()["data"]["vendor"]["external_id"] == "S-1"
