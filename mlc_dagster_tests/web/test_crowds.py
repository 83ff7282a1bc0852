"""Who sends slowly, in great numbers, or with a wrong secret: the others are served, and one line tells of it."""

from __future__ import annotations

import json
import logging
import re
import socket
import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import httpx
import pytest
from cryptography.fernet import Fernet

from mlc_dagster.ledger import Ledger
from mlc_dagster.ledger.credentials import secret
from mlc_dagster.systems.configuration import known_secret as known
from mlc_dagster_tests.web.conftest import GOOD, SECRETS, event, serving
from mlc_dagster_tests.web.test_serve import served

HALF = b"POST /webhooks/airbase HTTP/1.1\r\nHost: x\r\nX-Webhook-Secret: marked-airbase-secret\r\n"
BODY = json.dumps(event("slow")).encode()
WHOLE_HEAD = HALF + f"Content-Length: {len(BODY)}\r\n\r\n".encode()


def port_of(client: httpx.Client) -> int:
    return client.base_url.port or 0


@contextmanager
def half_sent(port: int, many: int, sent: bytes = HALF) -> Iterator[list[socket.socket]]:
    with ExitStack() as open_ones:
        found = []
        for _ in range(many):
            each = open_ones.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10))
            each.sendall(sent)
            found.append(each)
        yield found


def answer(connection: socket.socket) -> bytes:
    """All that came until the end; what was cut off counts for what came before."""
    found = b""
    try:
        while more := connection.recv(10_000):
            found += more
    except ConnectionResetError:
        return found
    return found


def wait_for(words: str, caplog: pytest.LogCaptureFixture) -> None:
    deadline = time.monotonic() + 20
    while words not in caplog.text:
        assert time.monotonic() < deadline, f"nobody said {words!r}"
        time.sleep(0.02)


def good(client: httpx.Client, name: str) -> int:
    return client.post("/webhooks/airbase", json=event(name), headers=GOOD).status_code


@pytest.mark.parametrize(
    "sent", [HALF, b"", b"P", WHOLE_HEAD, WHOLE_HEAD + BODY[:-1]], ids=["headers", "none", "a byte", "no body", "body"]
)
def test_who_does_not_come_to_a_whole_request_is_answered_408_in_time(
    sqlite_ledger: Ledger, sent: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    with serving(sqlite_ledger, request_seconds=0.3, tell_seconds=0.2) as client:
        with half_sent(port_of(client), 1, sent) as (connection,):
            began = time.monotonic()
            assert answer(connection).startswith(b"HTTP/1.1 408 Request Timeout\r\n")
            assert time.monotonic() - began < 5
        assert good(client, "evt_1") == 200
        wait_for("without a whole request in time", caplog)
    assert sqlite_ledger.inbox.count() == 1


def test_a_body_that_drips_has_the_same_end(sqlite_ledger: Ledger) -> None:
    with (
        serving(sqlite_ledger, request_seconds=0.5) as client,
        half_sent(port_of(client), 1, WHOLE_HEAD) as (connection,),
    ):
        connection.settimeout(0.05)
        began, got = time.monotonic(), b""
        for sign in BODY * 100:
            assert time.monotonic() - began < 5, "each byte asked for more time"
            try:
                connection.sendall(bytes([sign]))
                got = connection.recv(1000)
                break
            except TimeoutError:
                continue
        assert got.startswith(b"HTTP/1.1 408")
    assert sqlite_ledger.inbox.count() == 0


def test_a_connection_is_kept_for_more_than_one_request(
    sqlite_ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    with serving(sqlite_ledger, request_seconds=1, max_connections=4) as client:
        assert [good(client, f"evt_{number}") for number in range(20)] == [200] * 20
    assert [record for record in caplog.records if record.name.startswith("mlc_dagster.web")] == []


def test_a_thousand_half_sent_requests_stand_in_nobodys_way(
    sqlite_ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    with (
        serving(sqlite_ledger, max_connections=16, request_seconds=60, tell_seconds=600) as client,
        half_sent(port_of(client), 1010 - 16) as crowd,
    ):
        assert [good(client, f"evt_{number}") for number in range(10)] == [200] * 10
        busy = answer(crowd[0])
        assert busy.startswith(b"HTTP/1.1 503 ") and b"retry-after: 30" in busy
    (line,) = [record.getMessage() for record in caplog.records if "for others" in record.getMessage()]
    assert re.search(r": 9\d\d within 600 s, from 127.0.0.1 \(9\d\d\)$", line), line


def as_a_sender(url: str, name: str) -> int:
    """It tries again where it is asked to."""
    for _ in range(20):
        status = httpx.post(url, json=event(name), headers=GOOD, timeout=30).status_code
        if status != 503:
            break
    return status


def test_where_every_place_is_at_work_the_next_is_answered_503_and_others_later_200(
    sqlite_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    with (
        Ledger.open(sqlite_url) as ledger,
        serving(ledger, max_connections=4, tell_seconds=0.2) as client,
        ThreadPoolExecutor(4) as pool,
        closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)) as another,
    ):
        another.execute("BEGIN IMMEDIATE")
        url = f"http://127.0.0.1:{port_of(client)}/webhooks/airbase"
        at_work = [pool.submit(as_a_sender, url, f"evt_{number}") for number in range(4)]
        deadline, status = time.monotonic() + 5, 0
        while status != 503 and time.monotonic() < deadline:
            with httpx.Client(timeout=1) as late:
                try:
                    status = late.get(url.replace("webhooks/airbase", "nothing")).status_code
                except httpx.TransportError:
                    continue
        assert status == 503
        another.execute("ROLLBACK")
        assert [each.result() for each in at_work] == [200] * 4
        assert good(client, "evt_9") == 200
        wait_for("all places are taken", caplog)


def test_what_is_no_http_is_counted_too_and_not_logged_one_by_one(
    sqlite_ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    strange = (
        b"\x16\x03\x01\x02\x00\x01\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
    )
    with serving(sqlite_ledger, tell_seconds=600) as client:
        for _ in range(10):
            for sent, said in zip(strange, (b"HTTP/1.1 400", b"HTTP/1.1 404"), strict=True):
                with half_sent(port_of(client), 1, sent) as (connection,):
                    assert connection.recv(12) == said
        assert good(client, "evt_1") == 200
    assert "requests that are no HTTP were answered 400: 10 within 600 s, from 127.0.0.1 (10)" in caplog.text
    assert len([record for record in caplog.records if record.name != "httpx"]) == 1


def test_many_forged_calls_are_one_warning_that_counts_them(
    sqlite_ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    forged = {"X-Webhook-Secret": "guessed", "X-Forwarded-For": "203.0.113.7"}
    with serving(sqlite_ledger, tell_seconds=600) as client:
        for number in range(100):
            headers = forged if number % 4 else {**forged, "X-Forwarded-For": "\x1b[31m 198.51.100.9\x9d"}
            raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
            assert client.post("/webhooks/airbase", json=event(), headers=raw).status_code == 401
    (line,) = [record for record in caplog.records if "were refused" in record.getMessage()]
    assert line.levelno == logging.WARNING
    said = line.getMessage()
    assert "in the name of airbase" in said and ": 100 within 600 s, from 203.0.113.7 (75)" in said
    assert said.isprintable()


def test_one_forged_call_is_told_too_at_the_end_at_the_latest(sqlite_url: str, tmp_path: Path) -> None:
    with served(tmp_path, sqlite_url) as (process, url):
        assert httpx.post(f"{url}/webhooks/airbase", json=event()).status_code == 401
        process.terminate()
        said, _ = process.communicate(timeout=20)
    assert "in the name of airbase were refused" in said and ": 1 within 60 s, from 127.0.0.1 (1)" in said


# --- two secrets at once ----------------------------------------------------------------------------------------------


def test_a_secret_is_rotated_while_the_server_runs_and_no_call_is_refused(sqlite_ledger: Ledger) -> None:
    name, held = "AIRBASE_WEBHOOK_SECRET", dict(SECRETS)
    old, new = ({"X-Webhook-Secret": secret} for secret in (SECRETS[name], "the-new-secret"))
    with serving(sqlite_ledger, held, again=0.0) as client:

        def status(headers: dict[str, str]) -> int:
            return client.post("/webhooks/airbase", json=event(), headers=headers).status_code

        assert (status(old), status(new)) == (200, 401)
        held[f"{name}_NEXT"] = "the-new-secret"
        assert (status(old), status(new)) == (200, 200)
        held[name] = "the-new-secret"
        assert (status(old), status(new)) == (401, 200)
        del held[f"{name}_NEXT"]
        assert (status(old), status(new)) == (401, 200)


def test_a_secret_that_is_taken_away_lets_nobody_in_and_is_told_once(
    sqlite_ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    held = dict(SECRETS)
    with serving(sqlite_ledger, held, again=0.0) as client:
        assert good(client, "evt_1") == 200
        del held["AIRBASE_WEBHOOK_SECRET"]
        assert [good(client, "evt_2"), good(client, "evt_3")] == [401, 401]
        assert client.post("/webhooks/airbase", json=event()).status_code == 401
    told = [record.getMessage() for record in caplog.records if "nobody is let in" in record.getMessage()]
    assert len(told) == 1 and "no secret" in told[0] and "AIRBASE_WEBHOOK_SECRET" in told[0]
    assert sqlite_ledger.inbox.count() == 1


def test_what_is_sealed_in_the_vault_meanwhile_counts_without_a_restart(
    sqlite_ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, name = Fernet.generate_key().decode(), "AIRBASE_WEBHOOK_SECRET"
    monkeypatch.setenv("MLC_MASTER_KEY", key)
    vault = sqlite_ledger.vault(key)
    vault.set(name, "sealed-old")

    def asked(each: str) -> str:
        return secret(each, lambda: sqlite_ledger)

    with serving(sqlite_ledger, asked, again=0.0, sources=["airbase"]) as client:

        def statuses() -> list[int]:
            both = ({"X-Webhook-Secret": each} for each in ("sealed-old", "sealed-new"))
            return [client.post("/webhooks/airbase", json=event(), headers=each).status_code for each in both]

        assert statuses() == [200, 401]
        vault.set(f"{known(name)}_NEXT", "sealed-new")
        assert statuses() == [200, 200]
        vault.set(name, "sealed-new")
        assert statuses() == [401, 200] and vault.remove(known(f"{name}_NEXT"))
        assert statuses() == [401, 200]
