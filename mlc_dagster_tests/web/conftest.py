"""The webhooks' server as it is: uvicorn on the loopback, a ledger beside it, secrets that can be searched for."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import httpx
import pytest

from mlc_dagster.core.loopback import bound_socket
from mlc_dagster.ledger import Ledger
from mlc_dagster.settings import Settings
from mlc_dagster.systems import configuration as settings_file
from mlc_dagster.web import build
from mlc_dagster.web.repeated_warnings import Tally
from mlc_dagster.web.senders import Secrets
from mlc_dagster.web.serve import server

SECRET, CIN7_SECRET, KEY = "marked-airbase-secret", "marked/cin7+secret=", "marked-hmac-key"
SECRETS = {
    "AIRBASE_WEBHOOK_SECRET": SECRET,
    "CIN7_WEBHOOK_SECRET": CIN7_SECRET,
    "MONDAY_WEBHOOK_SECRET": "marked-monday-secret",
}
GOOD = {"X-Webhook-Secret": SECRET}
Served = Callable[..., AbstractContextManager[httpx.Client]]


def content_with(**web: Any) -> dict[str, Any]:
    """An mlc.yaml in which all three sources are on."""
    return {
        "companies": {"0010": {"currency": "SEK"}},
        "ifs": {"base_url": "http://127.0.0.1:9", "token_url": "http://127.0.0.1:9/token"},
        "cin7": {"base_url": "http://127.0.0.1:9"},
        "airbase": {"base_url": "http://127.0.0.1:9"},
        "monday": {"boards": {"suppliers": {"board": "1", "columns": {"supplier_no": "No"}}}},
        "web": {"sources": ["airbase", "cin7", "monday"], **web},
    }


def settings_with(**web: Any) -> Settings:
    return settings_file.parse(content_with(**web), "mlc.yaml")


@contextmanager
def serving(
    ledger: Ledger, secrets: dict[str, str] | Secrets | None = None, *, again: float = 10.0, **web: Any
) -> Iterator[httpx.Client]:
    """A client of the server that runs with these settings."""
    held = SECRETS if secrets is None else secrets
    ask = held if callable(held) else lambda name: held.get(name, "")
    settings = settings_with(**web)
    tally = Tally(settings.web.tell_seconds)
    app = build(settings, ledger, ask, tally, again)
    place, running = bound_socket(0), server(app, settings.web, tally)
    thread = threading.Thread(target=running.run, args=([place],), daemon=True)
    thread.start()
    while not running.started:
        assert thread.is_alive()
        time.sleep(0.005)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{place.getsockname()[1]}", timeout=30) as client:
            yield client
    finally:
        running.should_exit = True
        thread.join(15)
        tally.tell()
        place.close()


@pytest.fixture
def served(sqlite_ledger: Ledger) -> Iterator[httpx.Client]:
    """The server with all three sources on, on SQLite."""
    with serving(sqlite_ledger) as client:
        yield client


def event(event_id: str = "evt_1", **fields: Any) -> dict[str, Any]:
    """What Airbase sends."""
    envelope = {"object": "event", "type": "purchase_request_approved", "created_date": "2026-07-01T12:00:00Z"}
    return {"id": event_id, **envelope, "data": {"id": "pr_1"}, **fields}


def signature(body: bytes, encoding: str = "hex", key: str = KEY) -> str:
    digest = hmac.digest(key.encode(), body, "sha256")
    return digest.hex() if encoding == "hex" else base64.b64encode(digest).decode()


def token(key: str = KEY, algorithm: str = "HS256", **claims: Any) -> str:
    """A JWT as monday.com makes it."""

    def part(content: bytes) -> bytes:
        return base64.urlsafe_b64encode(content).rstrip(b"=")

    header = {"alg": algorithm, "typ": "JWT"}
    content = b".".join(part(json.dumps(each).encode()) for each in (header, claims))
    return (content + b"." + part(hmac.new(key.encode(), content, hashlib.sha256).digest())).decode()
