"""The sandboxed Airbase refuses what the real one refuses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from mlc_dagster.sandbox import Limits, Sandbox

TOKEN = {"Authorization": "Token sandbox-airbase-token"}


@pytest.fixture
def airbase(box: Sandbox) -> Iterator[httpx.Client]:
    box.airbase.add_subsidiary("0010", "Plant 1", "SEK")
    box.airbase.add_account("4010", "Material")
    with httpx.Client(base_url=f"{box.url}/airbase/v1/accounting", headers=TOKEN) as client:
        yield client


def order(vendor_id: str, **changes: Any) -> dict[str, Any]:
    line = {"line_number": 1, "description": "Bolts", "quantity": "2", "unit_price": "5", "amount": "10.00"}
    good = {
        "erp_reference_id": "P1",
        "po_number": "P1",
        "vendor": {"airbase_id": vendor_id},
        "currency": {"iso_code": "SEK"},
        "status": "open",
        "order_date": "2026-11-05",
        "total_amount": "10.00",
        "line_items": [{**line, "account": {"erp_reference_id": "4010"}}],
    }
    return {**good, **changes}


def test_another_scheme_is_no_credential(box: Sandbox, airbase: httpx.Client) -> None:
    answer = airbase.get("/vendors/", headers={"Authorization": "Bearer sandbox-airbase-token"})
    assert answer.status_code == 401 and "credentials" in answer.json()["detail"]


def test_a_path_without_its_slash_is_redirected(airbase: httpx.Client) -> None:
    assert airbase.get("/vendors").status_code == 301


def test_pages_end_with_null(airbase: httpx.Client, box: Sandbox) -> None:
    for number in range(3):
        box.airbase.add_vendor(name=f"V{number}")
    first, second = (airbase.get("/vendors/", params={"page": page, "page_size": 2}).json() for page in (1, 2))
    assert (len(first["data"]), first["pagination"]["next"]) == (2, 2)
    assert (len(second["data"]), second["pagination"]["next"]) == (1, None)


def test_a_bulk_is_all_or_nothing_and_names_each_place(airbase: httpx.Client, box: Sandbox) -> None:
    entities = [
        {"name": "A", "erp_reference_id": "1"},
        {"name": ""},
        {"name": "C", "subsidiary_reference_ids": [{"erp_reference_id": "X"}]},
    ]
    answer = airbase.post("/vendors/bulk_upsert/", json={"entities": entities})
    assert answer.status_code == 400 and [each["index"] for each in answer.json()["validation_errors"]] == [1, 2]
    assert box.airbase.vendors == {}


def test_a_bulk_of_more_than_a_hundred_is_refused(airbase: httpx.Client) -> None:
    answer = airbase.post("/vendors/bulk_upsert/", json={"entities": [{"name": "A"}] * 101})
    assert answer.status_code == 400 and "100" in answer.text


def test_an_upsert_matches_by_key_and_never_changes_one(airbase: httpx.Client, box: Sandbox) -> None:
    first = airbase.post("/vendors/", json={"name": "A", "erp_reference_id": "1"}).json()
    again = airbase.post("/vendors/bulk_upsert/", json={"entities": [{"name": "B", "erp_reference_id": "1"}]}).json()
    assert [row["airbase_id"] for row in again["updated"]] == [first["airbase_id"]]
    changed = airbase.patch(f"/vendors/{first['airbase_id']}/", json={"erp_reference_id": "2"}).json()
    assert (changed["erp_reference_id"], changed["name"]) == ("1", "B")


@pytest.mark.parametrize(
    "changes, said",
    [
        ({"total_amount": "10.01"}, "total_amount"),
        ({"total_amount": 10}, "total_amount"),
        ({"vendor": {"airbase_id": "nobody"}}, "vendor"),
        ({"subsidiary": {"erp_reference_id": "X"}}, "subsidiary"),
        ({"line_items": []}, "line_items"),
        ({"currency": {}}, "iso_code"),
    ],
)
def test_an_order_that_does_not_hold_is_refused(airbase: httpx.Client, box: Sandbox, changes: Any, said: str) -> None:
    vendor = box.airbase.add_vendor(name="A", erp_reference_id="1")
    assert airbase.post("/purchase_orders/", json=order(vendor)).status_code == 201
    answer = airbase.post("/purchase_orders/", json=order(vendor, **changes))
    assert answer.status_code == 400 and said in answer.text


def test_too_many_calls_are_refused_with_the_time_to_wait(start: Callable[..., Sandbox]) -> None:
    box = start(limits=Limits(airbase_requests_per_minute=2))
    answers = [httpx.get(f"{box.url}/airbase/v1/accounting/vendors/", headers=TOKEN) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert [answer.headers["x-ratelimit-remaining"] for answer in answers] == ["1", "0", "0"]
    assert 1 <= int(answers[2].headers["retry-after"]) <= 60


def test_what_it_holds_outlives_a_restart(box: Sandbox, airbase: httpx.Client) -> None:
    box.airbase.add_vendor(name="A", erp_reference_id="1")
    other = Sandbox(seed="empty")
    other.airbase.recall(box.airbase.remembered())
    assert other.airbase.state() == box.airbase.state()
