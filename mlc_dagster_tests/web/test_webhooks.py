"""Webhooks over real HTTP: each event once, the forged nowhere, and 200 only for what is kept."""

from __future__ import annotations

import json
import random
import socket
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import httpx
import psycopg2
import pytest

from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.ledger import Ledger
from mlc_dagster.web import build, webhooks
from mlc_dagster.web.repeated_warnings import Tally
from mlc_dagster_tests.conftest import execute
from mlc_dagster_tests.web.conftest import (
    CIN7_SECRET,
    GOOD,
    SECRET,
    SECRETS,
    event,
    serving,
    settings_with,
)


def test_a_thousand_times_one_webhook_among_others_is_one_row_and_the_forged_none(ledger: Ledger) -> None:
    dice = random.Random(20261105)
    sent = [event("evt_1")] * 1000 + [event(f"other_{number}") for number in range(100)]
    forged = [event("forged")]
    mixed = [(each, GOOD) for each in sent] + [(each, {"X-Webhook-Secret": "guessed"}) for each in forged]
    dice.shuffle(mixed)
    with serving(ledger) as client, ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda each: client.post("/webhooks/airbase", json=each[0], headers=each[1]), mixed))
    statuses = {each[0]["id"]: answer.status_code for each, answer in zip(mixed, answers, strict=True)}
    assert statuses.pop("forged") == 401
    assert set(statuses.values()) == {200}
    kept = ledger.inbox.waiting("airbase", limit=None)
    assert sorted(each.event_id for each in kept) == sorted({each["id"] for each in sent})
    assert [answer.json().get("stored") for answer in answers].count("now") == 101


def test_an_event_is_told_by_kind_and_record(served: httpx.Client, sqlite_ledger: Ledger) -> None:
    body = json.dumps(event(type="Purchase-Request.Approved", data={"request": {"id": 17}}))
    assert served.post("/webhooks/airbase", content=body, headers=GOOD).json() == {"stored": "now"}
    (kept,) = sqlite_ledger.inbox.of_subject("airbase", "17")
    assert kept.kind == "purchase_request_approved" and kept.body == body


@pytest.mark.parametrize(
    "path, headers",
    [
        ("/webhooks/airbase", GOOD),
        ("/webhooks/airbase", {"X-Webhook-Secret": f"Bearer {SECRET}"}),
        (f"/webhooks/airbase/{SECRET}", {}),
        (f"/webhooks/airbase/{SECRET}", {"X-Webhook-Secret": "another"}),
    ],
)
def test_the_secret_comes_in_the_header_or_in_the_path(
    served: httpx.Client, path: str, headers: dict[str, str]
) -> None:
    assert served.post(path, json=event(), headers=headers).status_code == 200


@pytest.mark.parametrize(
    "path, headers",
    [
        ("/webhooks/airbase", {}),
        ("/webhooks/airbase", {"X-Webhook-Secret": ""}),
        ("/webhooks/airbase", {"X-Webhook-Secret": SECRET[:-1]}),
        ("/webhooks/airbase", {"X-Webhook-Secret": SECRETS["MONDAY_WEBHOOK_SECRET"]}),
        ("/webhooks/airbase", {"Authorization": SECRET}),
        ("/webhooks/airbase/", {}),
        ("/webhooks/airbase/guessed", GOOD),
        (f"/webhooks/airbase/{SECRET}x", {}),
        (f"/webhooks/airbase/{SECRET}/more", {}),
        ("/webhooks/airbase/%ff%00", {}),
        ("/webhooks/monday", {}),
    ],
)
def test_a_wrong_or_missing_secret_is_refused_and_kept_nowhere(
    served: httpx.Client, sqlite_ledger: Ledger, path: str, headers: dict[str, str]
) -> None:
    assert served.post(path, json=event(), headers=headers).status_code == 401
    assert sqlite_ledger.inbox.count() == 0


def test_a_secret_of_any_signs_works_in_a_path_and_as_a_bearer(sqlite_ledger: Ledger) -> None:
    body = {"EventType": "Purchase/OrderAuthorised", "TaskID": "8B1538E4"}
    with serving(sqlite_ledger, cin7={"header": "Authorization"}) as client:
        assert client.post(f"/webhooks/cin7/{CIN7_SECRET}", json=body).status_code == 200
        told = client.post("/webhooks/cin7", json=body, headers={"Authorization": f"Bearer {CIN7_SECRET}"})
    assert told.json() == {"stored": "before"}
    assert [each.subject for each in sqlite_ledger.inbox.waiting("cin7")] == ["8b1538e4"]


def test_a_source_that_is_off_or_unknown_is_not_found(sqlite_ledger: Ledger) -> None:
    with serving(sqlite_ledger, sources=["airbase"]) as client:
        for path in ("/webhooks/cin7", f"/webhooks/cin7/{CIN7_SECRET}", "/webhooks/stripe", "/webhooks", "/"):
            assert client.post(path, json=event(), headers=GOOD).status_code == 404, path
        assert client.get("/webhooks/airbase", headers=GOOD).status_code == 405
    assert sqlite_ledger.inbox.count() == 0


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"null", b'"text"', b"{", b'{"id": NaN}', b"\xff\xfe{}", b"id=evt_1", b'{"a":' * 100_000]
)
def test_what_is_not_a_json_object_is_refused(served: httpx.Client, sqlite_ledger: Ledger, body: bytes) -> None:
    answer = served.post("/webhooks/airbase", content=body[:200_000], headers=GOOD)
    assert (answer.status_code, answer.json()) == (400, {"error": "the body is not a JSON object"})
    assert sqlite_ledger.inbox.count() == 0


def test_an_oversized_body_is_refused_with_and_without_a_length(sqlite_ledger: Ledger) -> None:
    fits, large = json.dumps(event(note="x" * 1800)).encode(), json.dumps(event(note="x" * 2000)).encode()

    def chunks(body: bytes) -> Iterator[bytes]:
        for start in range(0, len(body), 100):
            yield body[start : start + 100]

    with serving(sqlite_ledger, max_body_kib=2) as client:
        for body in (large, chunks(large), chunks(b"x" * 3_000_000)):
            assert client.post("/webhooks/airbase", content=body, headers=GOOD).status_code == 413
        assert sqlite_ledger.inbox.count() == 0
        assert client.post("/webhooks/airbase", content=chunks(fits), headers=GOOD).status_code == 200


def test_another_body_under_the_same_id_is_answered_and_told_of_without_its_content(
    served: httpx.Client, sqlite_ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    served.post("/webhooks/airbase", json=event("evt_1", data={"id": "first"}), headers=GOOD)
    served.post("/webhooks/airbase", json=event("evt_1", data={"id": "first"}), headers=GOOD)
    assert caplog.text == "", "the same again is no matter"
    second = served.post("/webhooks/airbase", json=event("evt_1", data={"id": "marked-second"}), headers=GOOD)
    assert (second.status_code, second.json()) == (200, {"stored": "before"})
    assert "'evt_1' again with another body" in caplog.text and "marked-second" not in caplog.text
    assert [each.subject for each in sqlite_ledger.inbox.waiting("airbase")] == ["first"]


def test_a_ledger_without_room_is_503_until_there_is_room(served: httpx.Client, sqlite_ledger: Ledger) -> None:
    big = event("evt_big", note="x" * 200_000)
    _limit_pages(sqlite_ledger, 1)
    refused = served.post("/webhooks/airbase", json=big, headers=GOOD)
    assert refused.status_code == 503 and int(refused.headers["retry-after"]) > 0
    assert sqlite_ledger.inbox.count() == 0
    _limit_pages(sqlite_ledger, 1_000_000)
    assert served.post("/webhooks/airbase", json=big, headers=GOOD).json() == {"stored": "now"}


def _limit_pages(ledger: Ledger, pages: int) -> None:
    with ledger._database.writing() as connection:
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")


def test_a_ledger_that_is_gone_is_503_and_unhealthy_until_it_is_back(
    postgres_server: str, postgres_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    name = psycopg2.extensions.parse_dsn(postgres_url)["dbname"]
    away = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
    with Ledger.open(postgres_url) as ledger, serving(ledger) as client:
        assert client.get("/health").json() == {"status": "ok"}
        execute(postgres_server, f"ALTER DATABASE {name} ALLOW_CONNECTIONS false", away)
        answers = [client.post("/webhooks/airbase", json=event(), headers=GOOD), client.get("/health")]
        execute(postgres_server, f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
        assert [answer.status_code for answer in answers] == [503, 503]
        assert all("retry-after" in answer.headers and name not in answer.text for answer in answers)
        assert client.post("/webhooks/airbase", json=event(), headers=GOOD).json() == {"stored": "now"}
        assert client.get("/health").status_code == 200
    assert "not stored" in caplog.text and "Traceback" not in caplog.text


def test_a_ledger_that_is_busy_for_too_long_is_503_and_a_late_store_is_known_again(
    served: httpx.Client, sqlite_ledger: Ledger, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhooks, "LEDGER_SECONDS", 0.2)
    with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)) as another:
        another.execute("BEGIN IMMEDIATE")
        assert served.post("/webhooks/airbase", json=event(), headers=GOOD).status_code == 503
        assert served.get("/health").status_code == 200, "reading goes on, and so does the server"
        another.execute("ROLLBACK")
    monkeypatch.undo()
    assert served.post("/webhooks/airbase", json=event(), headers=GOOD).status_code == 200
    assert sqlite_ledger.inbox.count("airbase") == 1


def test_a_sender_that_hangs_up_leaves_nothing(
    served: httpx.Client, sqlite_ledger: Ledger, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    head = f"POST /webhooks/airbase HTTP/1.1\r\nHost: x\r\nX-Webhook-Secret: {SECRET}\r\nContent-Length: 100\r\n\r\n"
    with socket.create_connection((served.base_url.host, served.base_url.port or 0)) as connection:
        connection.sendall(head.encode() + b'{"id": "evt_1"')
    assert served.post("/webhooks/airbase", json=event("evt_2"), headers=GOOD).status_code == 200
    assert [each.event_id for each in sqlite_ledger.inbox.waiting("airbase")] == ["evt_2"]
    assert "Traceback" not in caplog.text + capfd.readouterr().err


def test_no_secret_and_no_refused_body_is_logged_or_answered(
    sqlite_ledger: Ledger, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    answers: list[httpx.Response] = []
    with caplog.at_level("INFO"), serving(sqlite_ledger) as client:
        for path in ("/webhooks/airbase", f"/webhooks/airbase/{SECRET}", "/webhooks/airbase/marked-guess"):
            for body in (json.dumps(event("evt_1", note="marked-note")), "marked-note"):
                for headers in ({}, GOOD, {"X-Webhook-Secret": "marked-guess"}):
                    answers.append(client.post(path, content=body, headers=headers))
        _limit_pages(sqlite_ledger, 1)
        answers.append(client.post("/webhooks/airbase", json=event("evt_2", note="marked-note" * 9999), headers=GOOD))
    assert {answer.status_code for answer in answers} == {200, 400, 401, 503}
    ours = [record.getMessage() for record in caplog.records if not record.name.startswith("httpx")]
    assert any("were refused" in line for line in ours) and any("not stored" in line for line in ours)
    printed = capfd.readouterr()
    shown = [*ours, *(f"{dict(each.headers)}{each.text}" for each in answers), printed.out, printed.err]
    assert not any("marked" in text for text in shown)


@pytest.mark.parametrize(
    "secrets, web, said",
    [
        ({}, {}, "AIRBASE_WEBHOOK_SECRET"),
        ({"AIRBASE_WEBHOOK_SECRET": "  "}, {}, "AIRBASE_WEBHOOK_SECRET"),
        ({"AIRBASE_WEBHOOK_HMAC_KEY": "k"}, {}, "web.airbase.hmac_header"),
        ({"AIRBASE_WEBHOOK_SECRET": "s"}, {"airbase": {"hmac_header": "X-Sig"}}, "AIRBASE_WEBHOOK_HMAC_KEY"),
    ],
)
def test_a_source_that_would_check_nothing_does_not_start(
    sqlite_ledger: Ledger, secrets: dict[str, str], web: dict[str, Any], said: str
) -> None:
    settings = settings_with(sources=["airbase"], **web)
    with pytest.raises(Misconfigured, match=said):
        build(settings, sqlite_ledger, lambda name: secrets.get(name, ""), Tally(60))


def test_settings_name_the_mistake() -> None:
    with pytest.raises(Misconfigured, match=r"web\.sources\.0"):
        settings_with(sources=["stripe"])
    with pytest.raises(Misconfigured, match=r"web\.monday\.hmac_header: no setting of this name"):
        settings_with(monday={"hmac_header": "X-Sig"})
