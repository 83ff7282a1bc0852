"""The sandboxed Procurify refuses what the real one refuses, and is silent where the real one is."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from mlc_dagster.sandbox import Limits, Sandbox
from mlc_dagster_tests.sandbox.conftest import PROCURIFY_GRANT, listed, procurify_client

BILLS, ORDERS, VENDORS = "/api/v3/ap/bills/", "/api/v2/purchase_orders/purchased/all/", "/api/v3/vendors/"
VENDOR = {"name": "Acme", "email": [], "type": 3, "overall_score": None}
MARCH = [datetime(2026, 3, day, 12, tzinfo=UTC) for day in range(1, 6)]


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
    answer = httpx.post(f"{box.url}/procurify/oauth/token", json={**PROCURIFY_GRANT, **changes})
    assert (answer.status_code, answer.json()["error"]) == (status, error)


def test_a_form_is_no_grant(box: Sandbox) -> None:
    answer = httpx.post(f"{box.url}/procurify/oauth/token", data=PROCURIFY_GRANT)
    assert answer.status_code == 400 and "JSON" in answer.json()["error_description"]


def test_a_grant_lasts_a_day_and_tokens_expire(box: Sandbox) -> None:
    granted = httpx.post(f"{box.url}/procurify/oauth/token", json=PROCURIFY_GRANT).json()
    assert (granted["expires_in"], granted["token_type"]) == (86_400, "Bearer")
    with procurify_client(box) as client:
        assert client.get("/api/v3/users/me/").json()["data"]["id"] == 7
        box.procurify.expire_tokens()
        assert client.get("/api/v3/users/me/").status_code == 401


def test_a_token_with_a_short_life_dies_by_itself(box: Sandbox) -> None:
    box.procurify.token_seconds = 0.2
    with procurify_client(box) as client:
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
    with procurify_client(box) as client:
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
