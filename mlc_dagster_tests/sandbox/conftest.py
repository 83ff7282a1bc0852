"""A running sandbox, and clients that are signed in to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import httpx
import msgspec
import pytest

from mlc_dagster.sandbox import Limits, Sandbox, Tenant

TOKEN = "/ifs/auth/realms/sandbox/protocol/openid-connect/token"
SECRET = {"grant_type": "client_credentials", "client_id": "sandbox", "client_secret": "sandbox-secret"}
SURFACE = "/ifs/main/ifsapplications/projection/v1"
ORDERS = "/PurchaseOrderHandling.svc/PurchaseOrderSet"
CIN7 = {"api-auth-accountid": "sandbox-account", "api-auth-applicationkey": "sandbox-key-1"}
PROCURIFY_GRANT = {
    "client_id": "sandbox-procurify",
    "client_secret": "sandbox-procurify-secret",
    "audience": "https://api.procurify.com/",
    "grant_type": "client_credentials",
}
_exact = msgspec.json.Encoder(decimal_format="number")


def json_of(answer: httpx.Response) -> Any:
    import json

    return json.loads(answer.content, parse_float=Decimal)


def ifs_client(box: Sandbox) -> httpx.Client:
    token = httpx.post(box.url + TOKEN, data=SECRET).json()["access_token"]
    return httpx.Client(base_url=box.url + SURFACE, headers={"Authorization": f"Bearer {token}"})


def procurify_client(box: Sandbox) -> httpx.Client:
    token = httpx.post(f"{box.url}/procurify/oauth/token", json=PROCURIFY_GRANT).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}", "X-Procurify-Client": "api"}
    return httpx.Client(base_url=f"{box.url}/procurify", headers=headers)


def listed(client: httpx.Client, path: str, **options: Any) -> list[dict[str, Any]]:
    """A list of Procurify's, up to a hundred rows."""
    answer = client.get(path, params={"page_size": 100, **options})
    assert answer.status_code == 200, answer.text
    rows: list[dict[str, Any]] = json_of(answer)["data"]
    return rows


class Cin7:
    """Cin7 calls with exact numbers."""

    def __init__(self, url: str) -> None:
        self._client = httpx.Client(base_url=f"{url}/cin7/ExternalApi/v2", headers=CIN7)

    def __call__(self, method: str, path: str, body: Any = None, **options: Any) -> httpx.Response:
        content = None if body is None else _exact.encode(body)
        return self._client.request(method, path, content=content, params=options or None)


@pytest.fixture
def start() -> Iterator[Callable[..., Sandbox]]:
    """Start a sandbox with a tenant or limits of its own."""
    boxes: list[Sandbox] = []

    def started(tenant: Tenant | None = None, limits: Limits | None = None, **options: Any) -> Sandbox:
        fast = Limits(
            cin7_calls_per_minute=10_000, ifs_requests_per_minute=10_000, procurify_requests_per_second=10_000
        )
        box = Sandbox(tenant=tenant, limits=limits or fast, **options)
        boxes.append(box)
        return box.__enter__()

    yield started
    for box in boxes:
        box.__exit__(None, None, None)


@pytest.fixture
def box(start: Callable[..., Sandbox]) -> Sandbox:
    return start()


@pytest.fixture
def ifs(box: Sandbox) -> Iterator[httpx.Client]:
    with ifs_client(box) as client:
        yield client


@pytest.fixture
def cin7(box: Sandbox) -> Cin7:
    return Cin7(box.url)


@pytest.fixture
def procurify(box: Sandbox) -> Iterator[httpx.Client]:
    with procurify_client(box) as client:
        yield client
