"""The review page on a real ledger, and people who are signed in to it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from mlc_dagster.core.flows import Problem
from mlc_dagster.ledger import Ledger
from mlc_dagster.ledger.entries import Held, Run
from mlc_dagster.systems import configuration
from mlc_dagster.web.review.app import build

FLOW, INVOICES, RUN = "cin7/purchases", "cin7/purchase_invoices", Run("run-1", "2026-11-05")
BASE = "http://127.0.0.1:8789"
REASON = "checked with the supplier by phone"
PEOPLE = {
    "kari": [("decide", "*"), ("confirm", "*")],
    "ola": [("decide", "*"), ("confirm", "*")],
    "clerk": [("decide", "20")],
    "reader": [("look", "20")],
}


def settings_with(policies: dict[str, Any] | None = None, **review: Any) -> Any:
    content = {
        "companies": {"10": {"currency": "SEK"}, "20": {"currency": "SEK"}},
        "ifs": {"base_url": "http://127.0.0.1:9", "token_url": "http://127.0.0.1:9/token"},
        "cin7": {"base_url": "http://127.0.0.1:9"},
        "policies": policies or {},
        "review": review,
    }
    return configuration.parse(content, "mlc.yaml")


def hold(
    ledger: Ledger, key: str, rule: str = "gl_accounts_exist", amount: str = "100.00", flow: str = FLOW, **row: Any
) -> None:
    told = {"company": "20", "vendor_no": "4711", "gross_amount": amount, "currency_code": "SEK", **row}
    problem = Problem(rule, "unknown account 4O10", row.pop("missing", "4O10"))
    held = Held(key, "2026-11-05T10:00:00.000000Z", (problem,), told, "2026-11-05", f"content {amount}")
    ledger.hold(flow, [held], run=RUN, owner="team:finance")


@pytest.fixture
def ledger(sqlite_ledger: Ledger) -> Ledger:
    """What the page asks of a ledger is tried on both databases beside the ledger's own tests."""
    return sqlite_ledger


@pytest.fixture
def page(ledger: Ledger) -> Callable[..., TestClient]:
    """A browser at the page, not signed in."""

    def made(policies: dict[str, Any] | None = None, **review: Any) -> TestClient:
        app = build(settings_with(policies, **review), ledger)
        return TestClient(app, base_url=BASE, follow_redirects=False, raise_server_exceptions=False)

    return made


@pytest.fixture
def signed(ledger: Ledger, page: Callable[..., TestClient]) -> Iterator[Callable[..., TestClient]]:
    """The browser of one of the people."""

    def made(name: str = "kari", policies: dict[str, Any] | None = None, **review: Any) -> TestClient:
        token = ledger.users.add(name, PEOPLE[name], 30)
        client = page(policies, **review)
        answer = client.post("/sign-in", data={"name": name, "token": token, "next": "/"})
        assert answer.status_code == 303, answer.text
        return client

    return made


def form(client: TestClient, path: str, action: str) -> dict[str, str]:
    """The hidden fields of the form of an action, as a browser would send them."""
    text = client.get(path).text
    for each in re.findall(r"<form method=\"post\".*?</form>", text, re.S):
        fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', each))
        if fields.get("action") == action:
            return fields
    raise AssertionError(f"{path} offers no {action}: {text}")


def act(client: TestClient, path: str, action: str, **more: str) -> Any:
    return client.post(path, data={**form(client, path, action), **more})


def path_of(key: str, flow: str = FLOW) -> str:
    from urllib.parse import quote

    return f"/record/{flow}?key={quote(key, safe='')}"
