"""A token that dies is renewed once and costs no call; a credential that is refused stops the run, never shown."""

import base64
import json
import threading
import time
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, unquote_plus

import httpx
import pytest

from mlc_dagster.core.errors import AccessDenied, Misconfigured, MlcError, TransientError
from mlc_dagster.transport.client import ApiClient
from mlc_dagster.transport.sign_in import Bearer, ClientCredentials, HeaderKeys, TokenHeader
from mlc_dagster_tests.systems.loopback import Asked, FakeTime, Loopback, answers

REALM = "/auth/realms/erp/protocol/openid-connect/token"
CURE = "Check IFS_CLIENT_ID / IFS_CLIENT_SECRET."


class Tenant:
    """Grants tokens, honours them while they live, keeps what it was sent."""

    def __init__(self, lifetime: float = 180.0, clock: Any = time.monotonic) -> None:
        self.lifetime, self.clock = lifetime, clock
        self.granted: dict[str, float] = {}  # token -> when it dies
        self.saved: list[str] = []
        self.token_status, self.token_body = 200, None
        self.sign_ins = self.refused = 0
        self.honours = True
        self.faults: list[int] = []
        self.lock = threading.Lock()

    def grant(self) -> tuple[int, Any]:
        with self.lock:
            self.sign_ins += 1
            if self.token_status != 200 or self.token_body is not None:
                return self.token_status, self.token_body
            token = f"token-number-{self.sign_ins}"
            self.granted[token] = self.clock() + self.lifetime
        return 200, {"access_token": token, "expires_in": self.lifetime, "token_type": "Bearer"}

    def call(self, path: str, authorization: str) -> tuple[int, Any]:
        with self.lock:
            token = authorization.removeprefix("Bearer ")
            if not self.honours or self.granted.get(token, 0) <= self.clock():
                self.refused += 1
                return 401, {"error": "expired"}
            if self.faults:
                return self.faults.pop(0), {}
            self.saved.append(path)
            return 200, {"path": path}

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == REALM:
            status, body = self.grant()
        else:
            status, body = self.call(request.url.path, request.headers.get("authorization", ""))
        return httpx.Response(status, **({"content": body} if isinstance(body, bytes) else {"json": body}))

    def over_the_wire(self, asked: Asked) -> bytes:
        if asked.target == REALM:
            return answers(*self.grant())
        time.sleep(0.02)
        return answers(*self.call(asked.target, asked.headers.get("authorization", "")))


def credentials(url: str = "https://iam.test", **options: Any) -> ClientCredentials:
    return ClientCredentials(url + REALM, "our-client", "marked-secret", **{"cure": CURE} | options)


def signed_in(tenant: Any, passing: FakeTime, **options: Any) -> ApiClient:
    auth = credentials(clock=passing.clock, **options)
    transport = httpx.MockTransport(tenant)
    return ApiClient(
        "ifs", "https://erp.test", auth=auth, transport=transport, clock=passing.clock, sleep=passing.sleep
    )


@contextmanager
def over_loopback(tenant: Tenant) -> Iterator[ApiClient]:
    with (
        Loopback(tenant.over_the_wire).running() as server,
        ApiClient("ifs", server.url, auth=credentials(server.url)) as api,
    ):
        yield api


# --- a token's life: C5 ---------------------------------------------------------------------------------------------


def test_a_token_that_lives_two_seconds_costs_eight_workers_no_call_and_one_renewal_each_time() -> None:
    tenant = Tenant(lifetime=2.0)
    with over_loopback(tenant) as api, ThreadPoolExecutor(8) as pool:
        ends = time.monotonic() + 4.0

        def work(worker: int) -> int:
            done = 0
            while time.monotonic() < ends:
                api.request("POST", f"/{worker}/{done}", json={})
                done += 1
            return done

        counts = list(pool.map(work, range(8)))
    expected = [f"/{worker}/{number}" for worker, done in enumerate(counts) for number in range(done)]
    assert sorted(tenant.saved) == sorted(expected)
    assert tenant.sign_ins == 3  # at 0, 1.67 and 3.33 seconds


def test_a_token_that_the_server_kills_early_is_renewed_once_for_eight_workers() -> None:
    tenant = Tenant()
    with Loopback(tenant.over_the_wire).running() as server:
        auth = credentials(server.url)
        with ApiClient("ifs", server.url, auth=auth, connections=8) as api, ThreadPoolExecutor(8) as pool:
            api.request("GET", "/first")
            for generation in range(5):
                tenant.granted.clear()
                list(pool.map(lambda n, g=generation: api.request("POST", f"/{g}/{n}", json={}), range(8)))
    assert len(tenant.saved) == len(set(tenant.saved)) == 41
    assert tenant.sign_ins == auth.renewals == 6
    assert tenant.refused >= 5


def test_a_token_that_dies_in_mid_page_and_in_the_retry_loop_is_renewed() -> None:
    passing = FakeTime()
    tenant = Tenant(lifetime=180, clock=passing.clock)
    api = signed_in(tenant, passing)
    api.request("GET", "/page-1")
    tenant.granted.clear()
    assert api.request("GET", "/page-2").json() == {"path": "/page-2"}

    api._patience.sleep(149)
    tenant.faults = [503, 503]  # the waits between these cross the renewal
    api.request("GET", "/page-3")
    passing.now += 500  # and this one the expiry
    api.request("POST", "/page-4", json={})

    assert tenant.saved == ["/page-1", "/page-2", "/page-3", "/page-4"]
    assert tenant.refused == 1
    assert 3 <= tenant.sign_ins <= 4


@pytest.mark.parametrize(
    "announced, renewed_at",
    [
        *[(180, 150), ("3600", 3000), (3600.0, 3000), (None, 250), (0, 250), (-1, 250), ("-180", 250), ("soon", 250)],
        *[("NaN", 250), ({"seconds": 180}, 250), ([180], 250), (True, 250), (10**400, 250)],
    ],
)
def test_a_token_is_renewed_at_five_sixths_of_what_was_announced(announced: Any, renewed_at: float) -> None:
    passing = FakeTime()
    tenant = Tenant()
    tenant.honours = True
    tenant.token_body = {"access_token": "token", "expires_in": announced}
    tenant.granted["token"] = float("inf")
    tenant.clock = passing.clock
    api = signed_in(tenant, passing)
    for moment in (0.0, renewed_at - 1, renewed_at + 1):
        passing.now = 1000 + moment
        api.request("GET", "/x")
        assert tenant.sign_ins == (1 if moment < renewed_at else 2)


def test_a_token_that_expires_while_its_answer_travels_is_renewed_again() -> None:
    passing = FakeTime()
    tenant = Tenant(lifetime=2, clock=passing.clock)
    slow = iter([1.9, 2.5, 2.5, 0.0])  # seconds that the call takes to arrive

    def travel(request: httpx.Request) -> httpx.Response:
        if request.url.path != REALM:
            passing.now += next(slow, 0.0)
        return tenant(request)

    assert signed_in(travel, passing).request("GET", "/x").status == 200
    assert signed_in(travel, passing).request("POST", "/y", json={}).status == 200
    assert tenant.saved == ["/x", "/y"]


# --- refusals -------------------------------------------------------------------------------------------------------


def test_a_fresh_token_that_is_refused_is_access_denied_within_two_tries() -> None:
    passing = FakeTime()
    tenant = Tenant()
    tenant.honours = False
    with pytest.raises(AccessDenied, match=r"ifs: POST /x: 401 .*\n  Check IFS_CLIENT_ID"):
        signed_in(tenant, passing).request("POST", "/x", json={})
    assert (tenant.refused, tenant.sign_ins) == (2, 2)


def test_revoked_credentials_stop_eight_workers_within_two_sign_ins() -> None:
    tenant = Tenant()
    with over_loopback(tenant) as api, ThreadPoolExecutor(8) as pool:
        api.request("GET", "/first")
        tenant.granted.clear()
        tenant.token_status, tenant.token_body = 401, {"error": "unauthorized_client"}
        asked = [pool.submit(api.request, "GET", f"/{n}") for n in range(24)]
        errors = [call.exception(10) for call in asked]
    assert all(isinstance(error, AccessDenied) for error in errors)
    assert all("401 unauthorized_client\n  Check IFS_CLIENT_ID" in str(error) for error in errors)
    assert tenant.sign_ins == 2


def test_credentials_that_are_put_right_work_again_without_a_restart() -> None:
    passing = FakeTime()
    tenant = Tenant(clock=passing.clock)
    api = signed_in(tenant, passing)
    tenant.token_status, tenant.token_body = 401, {"error": "invalid_client"}
    with pytest.raises(AccessDenied):
        api.request("GET", "/x")
    tenant.token_status, tenant.token_body = 200, None
    passing.now += 31
    assert api.request("GET", "/x").status == 200


@pytest.mark.parametrize(
    "status, body, kind, words",
    [
        (400, {"error": "invalid_scope"}, AccessDenied, "400 invalid_scope"),
        (401, {"error": "marked-echo", "error_description": "our-client marked-secret"}, AccessDenied, ": 401\n"),
        (403, b"<html>marked-echo</html>", AccessDenied, CURE),
        (200, {"error": "invalid_client"}, AccessDenied, "invalid_client"),
        (404, {"error": "Realm does not exist"}, Misconfigured, "token_url"),
        (302, {}, Misconfigured, "token_url"),
        (405, {}, Misconfigured, "token_url"),
        (200, {"id_token": "marked-echo"}, Misconfigured, "without a usable token"),
        (200, {"access_token": "a\nmarked-echo"}, Misconfigured, "without a usable token"),
        (200, b"<html>marked-echo</html>", TransientError, "expected a token as JSON"),
        (200, b'{"access_token": "marked-echo', TransientError, "expected a token as JSON"),
        (500, b"marked-echo", TransientError, "500"),
        (401, {"error": {"code": "401", "message": "marked-echo"}}, AccessDenied, "is an object with code 401, not"),
        (400, {"error": {"code": "marked-echo"}}, AccessDenied, "its error is an object, not a word of OAuth"),
        (403, {"error": {"code": {"marked": "echo"}}}, AccessDenied, "403 (its error is an object, not"),
        (401, {"error": ["marked-echo", {}]}, AccessDenied, "401 (its error is a list, not"),
        (401, {"error": 401}, AccessDenied, "401 (its error is a number, not"),
        (401, {"error": None}, AccessDenied, ": 401\n"),
        (401, ["marked-echo"], AccessDenied, ": 401\n"),
        (401, b"", AccessDenied, ": 401\n"),
        (401, b'{"a":' * 50_000, AccessDenied, ": 401\n"),
        (500, {"error": {"code": "500"}}, TransientError, "500 (its error is an object with code 500"),
        (404, {"error": {"code": 404}}, Misconfigured, "404 (its error is an object with code 404"),
        (200, {"error": {"code": "401"}}, AccessDenied, "200 (its error is an object with code 401"),
        (200, {"access_token": {"marked": "echo"}}, Misconfigured, "without a usable token"),
        (200, {"access_token": 12345678}, Misconfigured, "without a usable token"),
        (200, {"access_token": None, "expires_in": "marked-echo"}, Misconfigured, "without a usable token"),
        (200, ["marked-echo"], TransientError, "expected a token as JSON"),
        (200, b"", TransientError, "expected a token as JSON"),
        (200, b"\xff\xfe", TransientError, "expected a token as JSON"),
        (503, {}, TransientError, "503"),
        (429, {}, TransientError, "429"),
    ],
)  # fmt: skip
def test_what_the_token_endpoint_says_is_understood_and_never_shown(
    status: int, body: Any, kind: type[MlcError], words: str
) -> None:
    passing = FakeTime()
    tenant = Tenant()
    tenant.token_status, tenant.token_body = status, body
    with pytest.raises(MlcError) as caught:
        signed_in(tenant, passing).request("POST", "/x", json={})
    shown = "".join(traceback.format_exception(caught.value))
    assert type(caught.value) is kind
    assert words in str(caught.value)
    assert "marked" not in shown
    assert tenant.saved == []
    assert (tenant.sign_ins > 1) is (kind is TransientError)


def test_a_sign_in_that_never_got_through_leaves_a_write_unsent_and_the_lock_free() -> None:
    passing = FakeTime()
    tenant = Tenant(clock=passing.clock)
    lost = iter([httpx.ReadTimeout("timed out"), httpx.ConnectError("refused"), httpx.RemoteProtocolError("hung up")])

    def exchange(request: httpx.Request) -> httpx.Response:
        if request.url.path == REALM and (error := next(lost, None)):
            raise error
        return tenant(request)

    assert signed_in(exchange, passing).request("POST", "/x", json={}).status == 200
    assert tenant.saved == ["/x"]


def test_an_unreachable_token_endpoint_names_its_own_setting() -> None:
    def exchange(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("[Errno 111] Connection refused")

    with pytest.raises(TransientError, match=r"cannot reach https://iam.test: connection refused") as caught:
        signed_in(exchange, FakeTime()).request("POST", "/x", json={})
    assert "Check ifs.token_url in mlc.yaml." in str(caught.value)


def test_a_token_endpoint_that_hangs_holds_nobody_for_ever() -> None:
    passing = FakeTime()
    with Loopback(lambda asked: lambda connection: time.sleep(0.6)).running() as server:
        api = ApiClient(
            "ifs", server.url, auth=credentials(server.url), timeout=0.2, max_attempts=2, sleep=passing.sleep
        )
        started = time.monotonic()
        with api, pytest.raises(TransientError, match="no whole answer: timed out"):
            api.request("POST", "/x", json={})
    assert time.monotonic() - started < 3


# --- what is sent, and what is shown --------------------------------------------------------------------------------


@pytest.mark.parametrize("body", ["form", "json"])
def test_the_grant_is_sent_as_the_endpoint_wants_it(body: Any) -> None:
    asked: list[httpx.Request] = []

    def exchange(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json={"access_token": "token-1", "expires_in": 180})

    options = {"scope": "openid microprofile-jwt", "audience": "erp", "extra_headers": {"X-Tenant": "t1"}}
    signed_in(exchange, FakeTime(), body=body, **options).request("GET", "/x")

    sent = asked[0].content.decode()
    grant = json.loads(sent) if body == "json" else {name: values[0] for name, values in parse_qs(sent).items()}
    assert grant == {
        "grant_type": "client_credentials", "client_id": "our-client", "client_secret": "marked-secret",
        "scope": "openid microprofile-jwt", "audience": "erp",
    }  # fmt: skip
    assert asked[0].headers["x-tenant"] == "t1"
    assert asked[1].headers["authorization"] == "Bearer token-1"
    assert "x-tenant" not in asked[1].headers


@pytest.mark.parametrize("body", ["form", "json"])
def test_by_client_secret_basic_the_secret_stands_in_the_header_and_not_in_the_body(body: Any) -> None:
    asked: list[httpx.Request] = []

    def exchange(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json={"access_token": "token-1", "expires_in": 180})

    auth = ClientCredentials(
        "https://iam.test", "our:client", "a b%ö", scope="openid", body=body, authentication="basic"
    )
    with ApiClient("ifs", "https://erp.example", auth=auth, transport=httpx.MockTransport(exchange)) as api:
        api.request("GET", "/x")
    kind, _, text = asked[0].headers["authorization"].partition(" ")
    name, secret = base64.b64decode(text).decode().split(":")
    assert (kind, unquote_plus(name), unquote_plus(secret)) == ("Basic", "our:client", "a b%ö")
    assert b"secret" not in asked[0].content and b"client_id" not in asked[0].content
    assert b"client_credentials" in asked[0].content
    assert asked[1].headers["authorization"] == "Bearer token-1"
    assert "Basic" not in repr(auth)


@pytest.mark.parametrize(
    "auth, expected",
    [
        (Bearer(" marked-secret\n"), {"authorization": "Bearer marked-secret"}),
        (TokenHeader("marked-secret"), {"authorization": "Token marked-secret"}),
        (
            HeaderKeys({"api-auth-accountid": "marked-id", "api-auth-applicationkey": "marked-key"}),
            {"api-auth-accountid": "marked-id", "api-auth-applicationkey": "marked-key"},
        ),
    ],
)
def test_fixed_credentials_are_headers_and_are_not_shown(auth: httpx.Auth, expected: dict[str, str]) -> None:
    asked: list[httpx.Request] = []

    def exchange(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json={})

    ApiClient("cin7", "https://cin7.test", auth=auth, transport=httpx.MockTransport(exchange)).request("GET", "/me")
    assert {name: asked[0].headers[name] for name in expected} == expected
    assert "marked" not in repr(auth)


@pytest.mark.parametrize("secret", ["", "  ", "marked\nsecret", "marked-s\u00e9cret", "marked\x00"])
def test_a_secret_that_no_header_can_hold_is_a_mistake_that_is_not_shown(secret: str) -> None:
    for kind in (Bearer, TokenHeader, lambda value: HeaderKeys({"key": value})):
        with pytest.raises(Misconfigured) as caught:
            kind(secret)
        assert "marked" not in "".join(traceback.format_exception(caught.value))


def test_client_credentials_show_their_endpoint_and_nothing_else() -> None:
    auth = credentials()
    auth._token = auth._accept(httpx.Response(200, json={"access_token": "marked-token"}), 0.0)
    shown = repr(auth) + repr(auth._token)
    assert "marked" not in shown
    assert "our-client" not in shown
    with pytest.raises(Misconfigured, match="IFS_CLIENT_ID"):
        ClientCredentials("https://iam.test", "id", "", cure=CURE)
