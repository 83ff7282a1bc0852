"""C36: an answer that drips, never ends, is a bomb or nested too deep ends by deadline or size, in a sentence."""

from __future__ import annotations

import gzip
import json
import re
import socket
import time
import zlib
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from mlc_dagster.core.errors import MlcError, OutcomeUnknown, TransientError
from mlc_dagster.ledger import Ledger
from mlc_dagster.sandbox import Sandbox
from mlc_dagster.systems.hubspot.client import HubspotClient
from mlc_dagster.transport.answer_limits import Bounds
from mlc_dagster.transport.client import ApiClient
from mlc_dagster.transport.notifications import NotSent, Webhook
from mlc_dagster.transport.sign_in import ClientCredentials
from mlc_dagster_tests.promises import work
from mlc_dagster_tests.promises.quick import COMPANIES, PLENTY, companies, deliver
from mlc_dagster_tests.promises.victims import Victims
from mlc_dagster_tests.systems.hubspot import samples as hubspot
from mlc_dagster_tests.systems.loopback import Asked, Loopback, answers

SECONDS, MEGABYTES = 0.6, 4.0
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def drips_its_body(connection: socket.socket) -> None:
    connection.sendall(HEAD + b"Content-Length: 100000\r\n\r\n")
    drip(connection, b" ")


def drips_its_head(connection: socket.socket) -> None:
    connection.sendall(HEAD + b"X-Padding: ")
    drip(connection, b"a")


def drips_interim_answers(connection: socket.socket) -> None:
    drip(connection, b"HTTP/1.1 100 Continue\r\n\r\n")


def drip(connection: socket.socket, piece: bytes) -> None:
    """Until the other side goes."""
    while True:
        connection.sendall(piece)
        time.sleep(0.05)


def never_ends(connection: socket.socket) -> None:
    connection.sendall(HEAD + b"\r\n[")
    while True:
        connection.sendall(b"1," * 32_768)


def never_ends_its_head(connection: socket.socket) -> None:
    connection.sendall(HEAD + b"X-Padding: ")
    while True:
        connection.sendall(b"a" * 65_536)


def packed(megabytes: int, head: bytes = b"\x1f\x8b\x08" + bytes(7)) -> bytes:
    """So many megabytes of blanks, by default as gzip; nobody reads as far as its end."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return head + (packer.compress(b" " * 2**20) + packer.flush(zlib.Z_FULL_FLUSH)) * megabytes


GZIP = {"Content-Encoding": "gzip"}
SLOW = [drips_its_body, drips_its_head, drips_interim_answers]
LARGE: list[tuple[str, Any]] = [
    ("never ends", never_ends),
    ("never ends its head", never_ends_its_head),
    ("gzip", answers(200, packed(64), GZIP)),
    ("deflate", answers(200, packed(64, b""), {"Content-Encoding": "deflate"})),
    ("gzip in gzip", answers(200, gzip.compress(packed(64)), {"Content-Encoding": "gzip, gzip"})),
    ("values", answers(200, b"[" + b"[]," * 2**20 + b"1]")),
    ("told", HEAD + b"Content-Length: 99999999999\r\n\r\n" + b" " * 5 * 2**20),
]
UNREADABLE: list[tuple[str, Any]] = [
    ("nested", answers(200, b"[" * 500_000 + b"]" * 500_000)),
    ("nested and open", answers(200, b'{"a":' * 500_000)),
    ("half of a gzip", answers(200, gzip.compress(json.dumps(list(range(9999))).encode())[:-50], GZIP)),
    ("no gzip", answers(200, b"{}", GZIP)),
    ("not asked for", answers(200, b"{}", {"Content-Encoding": "br"})),
]


def client(url: str, **options: Any) -> ApiClient:
    quick: dict[str, Any] = {"timeout": 0.4, "bounds": Bounds(SECONDS, MEGABYTES), "random": lambda: 0.001}
    return ApiClient("ifs", url, **quick | options)


def in_one_sentence(error: MlcError) -> None:
    assert "\n" not in error.message and len(error.message) < 400 and "Traceback" not in str(error), error


@pytest.mark.promise("C36", "one byte now and then in a body, in a header, as interim answers: ended by the deadline")
@pytest.mark.parametrize("manner", SLOW)
def test_c36_an_answer_that_drips_ends_at_its_deadline(manner: Callable[[socket.socket], None]) -> None:
    with Loopback(lambda _: manner).running() as server, client(server.url) as api:
        begun = time.monotonic()
        with pytest.raises(TransientError, match=rf"did not end within {SECONDS} s \(given up after 2 tries\)") as read:
            api.request("GET", "/rows")
        assert len(server.asked) == 2 and time.monotonic() - begun < 10
        with pytest.raises(OutcomeUnknown, match=f"no whole answer: it did not end within {SECONDS} s") as write:
            api.request("POST", "/rows", json={})
        assert len(server.asked) == 3, "a write is looked for, not sent again"
        assert "ifs.answer_seconds in mlc.yaml" in str(read.value.cure) == str(write.value.cure)
        in_one_sentence(read.value)


@pytest.mark.promise(
    "C36", "an answer or a header without an end, bombs of gzip and deflate, a million values: ended by size"
)
@pytest.mark.parametrize("reply", [pytest.param(reply, id=name) for name, reply in LARGE])
def test_c36_an_answer_that_is_too_large_ends_by_its_size(reply: Any) -> None:
    with Loopback(lambda _: reply).running() as server, client(server.url, timeout=5.0, bounds=Bounds(9, 4)) as api:
        begun = time.monotonic()
        with pytest.raises(
            TransientError, match=r"it is larger than 4 MB|more values than 4 MB|buffer too long"
        ) as read:
            api.request("GET", "/rows")
        with pytest.raises(OutcomeUnknown, match="no whole answer"):
            api.request("POST", "/rows", json={})
        assert time.monotonic() - begun < 15
        in_one_sentence(read.value)


@pytest.mark.promise("C36", "JSON nested 500,000 deep, half of a gzip, no gzip, br: in one sentence, with any status")
@pytest.mark.parametrize("reply", [pytest.param(reply, id=name) for name, reply in UNREADABLE])
@pytest.mark.parametrize("status", [200, 400, 429, 500])
def test_c36_an_answer_that_cannot_be_read_is_told_in_one_sentence(reply: bytes, status: int) -> None:
    said = reply.replace(b"HTTP/1.1 200", f"HTTP/1.1 {status}".encode(), 1)
    with Loopback(lambda _: said).running() as server, client(server.url, timeout=5.0) as api:
        for method in ("GET", "POST"):
            with pytest.raises(MlcError) as told:
                api.request(method, "/rows")
            in_one_sentence(told.value)


@pytest.mark.promise("C36", "the sign-in drips, is a bomb, is nested deep: as any other answer, and no secret is told")
@pytest.mark.parametrize(
    "reply",
    [drips_its_body, drips_its_head, answers(200, packed(64), GZIP), UNREADABLE[0][1]],
    ids=["body", "head", "bomb", "nested"],
)
def test_c36_the_sign_in_ends_as_any_answer(reply: Any) -> None:
    with Loopback(lambda _: reply).running() as server:
        auth = ClientCredentials(f"{server.url}/token", "id", "marked-secret")
        with client(server.url, auth=auth) as api, pytest.raises(TransientError, match="/token") as told:
            api.request("POST", "/rows", json={})
        in_one_sentence(told.value)
        assert "marked-secret" not in str(told.value)


@pytest.mark.promise("C36", "the answer to an alert drips or has no end: it is not waited for")
@pytest.mark.parametrize("reply", [drips_its_body, drips_its_head, never_ends])
def test_c36_the_answer_to_an_alert_is_not_waited_for(reply: Any) -> None:
    with Loopback(lambda _: reply).running() as server:
        begun = time.monotonic()
        with pytest.raises(NotSent, match="was not reached"):
            Webhook(f"{server.url}/hook", "ALERTS_WEBHOOK", timeout=0.2).send("subject", "text")
        assert time.monotonic() - begun < 5


@pytest.mark.promise("C36", "a Retry-After or Date of 100,000 characters, in each shape that takes a pattern long")
@pytest.mark.parametrize("word", ["1", " ", "1 ", "1.", "a", "Thu, 05 Nov ", "1a", "-"])
def test_c36_a_header_that_is_made_to_take_long_takes_no_time(word: str) -> None:
    text = (word * 100_000)[:90_000] + "!"
    reply = answers(429, {}, {"Retry-After": text, "Date": text})
    with Loopback(lambda _: reply).running() as server, client(server.url, sleep=lambda _: None) as api:
        begun = time.monotonic()
        with pytest.raises(MlcError):
            api.request("POST", "/rows", json={})
        assert time.monotonic() - begun < 2


@pytest.mark.promise(
    "C36", "each pattern of ours over what systems say, searched in 100,000 characters made to take long"
)
def test_c36_no_pattern_of_ours_takes_the_square_of_what_a_system_says() -> None:
    import importlib
    import pkgutil

    from mlc_dagster import systems

    tried = 0
    for module in pkgutil.walk_packages(systems.__path__, f"{systems.__name__}."):
        for name, pattern in vars(importlib.import_module(module.name)).items():
            if isinstance(pattern, re.Pattern) and name not in FULL_MATCHES:
                tried += 1
                took = max(time_of(pattern, piece) for piece in PIECES)
                assert took < 1.0, (module.name, name, took)
    assert tried >= 10


FULL_MATCHES = ("_HTML", "_OF_AN_INVOICE", "_PROXY")
"""Those that are asked only whether a text begins with, or is, what they say: linear, where a search is not."""

PIECES = (
    "1",
    "a",
    " ",
    "\r\n",
    "<",
    "/",
    "[",
    "complexity",
    "IFS a/",
    "2026-",
    "/.svc",
    ".",
    "1 calls per",
    "reset in 1",
)


def time_of(pattern: re.Pattern[Any], piece: str) -> float:
    text = (piece * 100_000)[:100_000]
    begun = time.perf_counter()
    pattern.search(text.encode() if isinstance(pattern.pattern, bytes) else text)
    return time.perf_counter() - begun


@pytest.mark.promise("C36", "a bomb, JSON of a million lists, an endless answer: memory of the process under 400 MB")
@pytest.mark.parametrize("what", ["bomb", "lists", "endless"])
def test_c36_memory_stays_below_400_megabytes(what: str, victims: Victims) -> None:
    lists = gzip.compress(b"[" + b"[]," * 10 * 2**20 + b"1]", 1)
    replies: dict[str, Any] = {"bomb": packed(1024), "lists": lists}
    reply = answers(200, replies[what], GZIP) if what in replies else never_ends
    with Loopback(lambda _: reply).running() as server:
        end = victims.start(work.ask_and_weigh, server.url).wait(60)
    assert "larger than 32 MB" in end.value[0] or "more values than 32 MB" in end.value[0], end.value
    assert end.value[1] < 400, "megabytes"


@pytest.mark.promise(
    "C36", "a write acts and its answer drips: looked for, not sent again unseen, nothing held, 0 doubled"
)
def test_c36_a_load_whose_answer_drips_delivers_once(ledger: Ledger) -> None:
    with Sandbox(limits=PLENTY) as box:
        dripped: list[str] = []

        def between(asked: Asked) -> Any:
            names = ("authorization", "content-type")
            headers = {name: asked.headers[name] for name in names if name in asked.headers}
            method = asked.line.split(" ")[0]
            found = httpx.request(method, box.url + asked.target, headers=headers, content=asked.body, trust_env=False)
            if "upsert" in asked.target and not dripped:
                dripped.append(asked.target)
                return drips_its_body
            return answers(found.status_code, found.content)

        with Loopback(between).running() as server:
            api = hubspot.api_on(server.url, bounds=Bounds(1.0))
            loaded = deliver(ledger, COMPANIES, companies(range(3)), HubspotClient(api))
        assert dripped and (loaded.delivered, loaded.held, loaded.paused) == (3, 0, 0)
        assert len(box.hubspot.live("companies")) == 3
