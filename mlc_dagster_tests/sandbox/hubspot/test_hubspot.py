"""The sandboxed HubSpot: what it keeps, what it refuses, and in which words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from mlc_dagster.sandbox import Limits, Sandbox

UNIQUE = {"name": "k", "label": "k", "groupName": "g", "type": "string", "fieldType": "text", "hasUniqueValue": True}


class Hubspot:
    def __init__(self, url: str) -> None:
        self._client = httpx.Client(base_url=f"{url}/hubspot", headers={"Authorization": "Bearer pat-na1-sandbox"})

    def __call__(self, path: str, *inputs: Any, **more: Any) -> httpx.Response:
        if not inputs and not more:
            return self._client.get(path)
        return self._client.post(path, json={"inputs": list(inputs)} if inputs else more)


def put(number: int, trace: str | None = None, **properties: str) -> dict[str, Any]:
    traced = {"objectWriteTraceId": trace} if trace else {}
    return {"id": f"K{number}", "idProperty": "k", "properties": {"name": f"N{number}", **properties}, **traced}


UPSERT = "/crm/objects/2026-09/companies/batch/upsert"


@pytest.fixture
def hubspot(box: Sandbox) -> Hubspot:
    ask = Hubspot(box.url)
    assert ask("/crm/properties/2026-09/companies/groups", name="g", label="g").status_code == 201
    assert ask("/crm/properties/2026-09/companies/batch/create", UNIQUE).status_code == 200
    return ask


def test_an_upsert_is_found_again_by_its_unique_value_in_any_case(hubspot: Hubspot) -> None:
    first = hubspot(UPSERT, put(1, "a")).json()["results"][0]
    again = hubspot(UPSERT, {**put(1, "b"), "id": " k1 "}).json()["results"][0]
    assert (first["new"], again["new"], again["id"]) == (True, False, first["id"])


def test_with_trace_ids_the_good_ones_are_written_and_the_answer_is_207(hubspot: Hubspot, box: Sandbox) -> None:
    answer = hubspot(UPSERT, put(1, "a"), put(2, "b", nope="1"), put(3, "c"))
    assert answer.status_code == 207 and answer.json()["numErrors"] == 1
    assert answer.json()["errors"][0]["context"]["objectWriteTraceId"] == ["b"]
    assert [row["objectWriteTraceId"] for row in answer.json()["results"]] == ["c", "a"], "not in the order of inputs"
    assert len(box.hubspot.live("companies")) == 2


def test_without_trace_ids_one_bad_input_refuses_all(hubspot: Hubspot, box: Sandbox) -> None:
    answer = hubspot(UPSERT, put(1), put(2, nope="1"))
    assert answer.status_code == 400 and answer.json()["errors"][0]["code"] == "PROPERTY_DOESNT_EXIST"
    assert box.hubspot.live("companies") == {}


@pytest.mark.parametrize(
    "inputs, word",
    [
        ([put(n, str(n)) for n in range(101)], "maximum number of inputs"),
        ([put(1, "a"), put(1, "b")], "Duplicate IDs"),
        ([{**put(1, "a"), "idProperty": "name"}], "non-unique"),
    ],
)
def test_a_batch_is_refused(hubspot: Hubspot, inputs: list[dict[str, Any]], word: str) -> None:
    answer = hubspot(UPSERT, *inputs)
    said = answer.json()
    text = said.get("message") or said["errors"][0]["message"]
    assert word in (text if answer.status_code == 400 else said["errors"][0]["message"])


def test_an_invoice_opens_only_with_a_line_and_its_total_is_that_of_its_lines(hubspot: Hubspot, box: Sandbox) -> None:
    write, link = box.hubspot.objects.write, box.hubspot.objects.associate
    invoice = write("invoices", {"hs_currency": "SEK", "hs_invoice_billable": "false"}, None)["id"]
    opened = {"id": invoice, "properties": {"hs_invoice_status": "open", "hs_amount_billed": "99"}}
    path = "/crm/objects/2026-09/invoices/batch/update"
    assert "INVOICE_TO_LINE_ITEM" in hubspot(path, opened).json()["message"]
    line = write("line_items", {"price": "2.005", "quantity": "2"}, None)["id"]
    link("line_items", line, "invoices", invoice)
    assert hubspot(path, opened).json()["results"][0]["properties"]["hs_amount_billed"] == "4.010"
    hubspot("/crm/objects/2026-09/line_items/batch/archive", {"id": line})
    assert box.hubspot.of("invoices", "line_items", invoice) == []


def test_other_versions_and_tokens_are_refused(hubspot: Hubspot, box: Sandbox) -> None:
    assert hubspot("/crm/v3/objects/companies/batch/upsert", put(1)).status_code == 404
    assert httpx.get(f"{box.url}/hubspot/account-info/2026-09/details").status_code == 401


def test_limits_answer_with_their_policy_and_headers(start: Callable[..., Sandbox]) -> None:
    ask = Hubspot(start(limits=Limits(hubspot_calls_per_10_seconds=2)).url)
    path = "/account-info/2026-09/details"
    answers = [ask(path) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[1].headers["x-hubspot-ratelimit-remaining"] == "0"
    assert answers[2].json()["policyName"] == "TEN_SECONDLY_ROLLING"
    daily = Hubspot(start(limits=Limits(hubspot_calls_per_day=1)).url)
    assert [daily(path).status_code for _ in range(2)] == [200, 429] and daily(path).json()["policyName"] == "DAILY"


def test_what_it_keeps_survives_a_restart(hubspot: Hubspot, box: Sandbox) -> None:
    hubspot(UPSERT, put(1, "a"))
    with Sandbox(seed="empty") as other:
        other.hubspot.recall(box.hubspot.remembered())
        assert other.hubspot.live("companies") == box.hubspot.live("companies")
        assert Hubspot(other.url)(UPSERT, put(1, "a")).json()["results"][0]["new"] is False
