"""Signatures over the body, monday.com's challenge and token, and which event is which."""

from __future__ import annotations

import json
import time
from typing import Any

import httpx
import pytest

from mlc_dagster.ledger import Ledger
from mlc_dagster.systems.registry import systems
from mlc_dagster.systems.shared.webhooks import WebhookEvent
from mlc_dagster_tests.web.conftest import GOOD, KEY, SECRETS, event, serving, signature, token

SIGNED = {"hmac_header": "X-Signature", "hmac_prefix": "sha256="}
WITH_KEY = {**SECRETS, "AIRBASE_WEBHOOK_HMAC_KEY": KEY}
MONDAY = {"MONDAY_WEBHOOK_HMAC_KEY": KEY}


@pytest.mark.parametrize("encoding", ["hex", "base64"])
def test_a_good_signature_is_needed_beside_the_secret(sqlite_ledger: Ledger, encoding: str) -> None:
    body = json.dumps(event()).encode()
    right = f"sha256={signature(body, encoding)}"
    wrong = [
        {},
        {"X-Signature": ""},
        {"X-Signature": "sha256="},
        {"X-Signature": signature(body, encoding)},
        {"X-Signature": f"sha256={signature(body, encoding, key='another')}"},
        {"X-Signature": f"sha256={signature(body + b' ', encoding)}"},
        {"X-Signature": right + "é"},
    ]
    with serving(sqlite_ledger, WITH_KEY, sources=["airbase"], airbase={**SIGNED, "hmac_encoding": encoding}) as client:
        for headers in wrong:
            raw = [(name.encode(), value.encode("latin-1")) for name, value in {**GOOD, **headers}.items()]
            assert client.post("/webhooks/airbase", content=body, headers=raw).status_code == 401, headers
        assert client.post("/webhooks/airbase", content=body, headers={"X-Signature": right}).status_code == 401
        assert sqlite_ledger.inbox.count() == 0
        good = {**GOOD, "X-Signature": right}
        assert client.post("/webhooks/airbase", content=body, headers=good).status_code == 200


def test_a_signature_alone_is_enough_where_there_is_no_secret(sqlite_ledger: Ledger) -> None:
    body = json.dumps(event()).encode()
    key = {"AIRBASE_WEBHOOK_HMAC_KEY": KEY}
    right = {"X-Signature": f"sha256={signature(body).upper()}"}
    with serving(sqlite_ledger, key, sources=["airbase"], airbase=SIGNED) as client:
        assert client.post("/webhooks/airbase/guessed", content=body, headers=right).status_code == 401
        assert client.post("/webhooks/airbase", content=body).status_code == 401
        assert client.post("/webhooks/airbase", content=body, headers=right).status_code == 200


def test_mondays_challenge_is_answered_to_who_knows_the_secret_and_is_no_event(
    served: httpx.Client, sqlite_ledger: Ledger
) -> None:
    asked = {"challenge": "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P"}
    told = served.post(f"/webhooks/monday/{SECRETS['MONDAY_WEBHOOK_SECRET']}", json=asked)
    assert (told.status_code, told.json()) == (200, asked)
    assert served.post("/webhooks/monday", json=asked).status_code == 401
    assert served.post("/webhooks/airbase", json=asked, headers=GOOD).json() == {"stored": "now"}, (
        "monday.com alone asks"
    )
    assert sqlite_ledger.inbox.count("monday") == 0


def test_mondays_token_is_checked_by_the_apps_signing_secret(sqlite_ledger: Ledger) -> None:
    soon, now = time.time() + 300, time.time()
    wrong = [
        "",
        "a.b.c",
        token(exp=now - 3600),
        token(),
        token(exp="soon"),
        token(key="another", exp=soon),
        token(algorithm="none", exp=soon),
        token(exp=soon)[:-1],
        token(exp=soon).rpartition(".")[0] + ".",
        "é" + token(exp=soon),
    ]
    body = {"event": {"type": "create_pulse", "pulseId": 7, "triggerUuid": "b5ed", "subscriptionId": 3}}
    with serving(sqlite_ledger, MONDAY, sources=["monday"]) as client:
        for each in wrong:
            raw = [(b"Authorization", each.encode("latin-1"))]
            assert client.post("/webhooks/monday", json=body, headers=raw).status_code == 401, each
        assert sqlite_ledger.inbox.count() == 0
        for right in (token(exp=soon, aud="https://x.test/webhooks/monday"), f"Bearer {token(exp=soon)}"):
            assert client.post("/webhooks/monday", json=body, headers={"Authorization": right}).status_code == 200
    (kept,) = sqlite_ledger.inbox.waiting("monday")
    assert (kept.event_id, kept.kind, kept.subject) == ("b5ed/3", "create_pulse", "7")


def told(source: str, content: Any) -> WebhookEvent:
    webhooks = systems()[source].webhooks
    assert webhooks is not None
    return webhooks.read(content, json.dumps(content).encode())


@pytest.mark.parametrize(
    "content, subject",
    [
        ({"data": {"id": "pr_1"}}, "pr_1"),
        ({"data": {"id": None, "airbase_id": 12}}, "12"),
        ({"data": {"request": {"id": "r"}}}, "r"),
        ({"data": {"purchase_request": {"id": "r"}}}, "r"),
        ({"data": {"id": True}}, ""),
        ({"data": "pr_1"}, ""),
        ({"data": ["pr_1"]}, ""),
        ({}, ""),
    ],
)
def test_airbases_record_is_found_where_it_may_stand(content: dict[str, Any], subject: str) -> None:
    assert told("airbase", content).subject == subject


def test_an_airbase_event_without_an_id_is_known_by_its_body() -> None:
    first, again, other = (told("airbase", {"type": "a", "data": {"id": each}}) for each in ("1", "1", "2"))
    assert first.event_id.startswith("sha256:") and first == again and first.event_id != other.event_id


def cin7(*suppliers: tuple[str, str]) -> dict[str, Any]:
    listed = [{"Supplier": {"ID": key, "Name": "ABC", "LastModifiedOn": date}} for key, date in suppliers]
    return {"NumberOfSuppliers": len(listed), "SupplierDetailsList": listed, "EventType": "Supplier/Updated"}


def test_a_cin7_event_is_its_type_records_and_dates() -> None:
    first = told("cin7", cin7(("592E-AB", "2018-02-07")))
    assert (first.kind, first.subject) == ("supplier_updated", "592e-ab")
    assert told("cin7", {**cin7(("592e-ab", "2018-02-07")), "Note": "x"}).event_id == first.event_id, "sent again"
    others = [
        cin7(("592E-AB", "2018-02-08")),
        cin7(("592E-AC", "2018-02-07")),
        cin7(("592E-AB", "2018-02-07"), ("592E-AC", "2018-02-07")),
        cin7(("592E-AB", "2018-02-07"), ("592E-AD", "2018-02-07")),
        {**cin7(("592E-AB", "2018-02-07")), "EventType": "Supplier/Created"},
        cin7(("", "2018-02-07")),
        cin7(),
    ]
    ids = {told("cin7", each).event_id for each in others}
    assert len(ids) == len(others) and first.event_id not in ids


def test_a_cin7_purchase_is_listed_as_a_customer_and_undated_events_are_their_body() -> None:
    purchase = {
        "ID": "8B15",
        "SupplierID": "592e",
        "OrderNumber": "PO-00080",
        "LastUpdatedDate": "2018-04-19T04:03:06.52Z",
    }
    updated = told("cin7", {"NumberOfPurchase": 1, "CustomerDetailsList": [purchase], "EventType": "Purchase/Updated"})
    assert (updated.kind, updated.subject) == ("purchase_updated", "8b15")
    task = {"TaskID": "8b1538e4", "PurchaseOrderNumber": "PO-00005", "EventType": "Purchase/OrderAuthorised"}
    authorised, again, other = told("cin7", task), told("cin7", task), told("cin7", {**task, "TaskID": "8b1538e5"})
    assert authorised == again and authorised.event_id != other.event_id
    assert (authorised.kind, authorised.subject) == ("purchase_orderauthorised", "8b1538e4")


def test_mondays_token_is_for_our_address_alone_where_mlc_yaml_names_it(sqlite_ledger: Ledger) -> None:
    """Another webhook of the same app has tokens by the same key, and whoever gets them could send them on to us."""
    ours, soon = "https://hooks.acme.test/webhooks/monday", time.time() + 300
    body = {"event": {"type": "create_pulse", "pulseId": 7, "triggerUuid": "t", "subscriptionId": 1}}
    with serving(sqlite_ledger, MONDAY, sources=["monday"], monday={"address": ours}) as client:

        def asked(**claims: Any) -> int:
            headers = {"Authorization": token(**claims)}
            return client.post("/webhooks/monday", json=body, headers=headers).status_code

        wrong = [None, "", "https://other.test/webhooks/monday", f"{ours}-too", 7, ["https://other.test/"]]
        assert [asked(exp=soon, aud=each) for each in wrong] == [401] * len(wrong) and asked(exp=soon) == 401
        assert asked(exp=time.time() - 3600, aud=ours) == 401, "it has ended"
        assert [asked(exp=soon, aud=each) for each in (ours, f"{ours}/", f"{ours}/secret", [ours])] == [200] * 4


def test_a_monday_event_without_a_trigger_is_known_by_its_body() -> None:
    first, other = (told("monday", {"event": {"type": "create_pulse", "pulseId": each}}) for each in (1, 2))
    assert first.event_id != other.event_id and (first.subject, other.subject) == ("1", "2")
