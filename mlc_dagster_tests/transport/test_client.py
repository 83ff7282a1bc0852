"""Nothing is lost, doubled or taken for whole by what lies between us and a remote system."""

import gzip
import random
import socket
import threading
import time
import traceback
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import format_datetime
from typing import Any

import httpx
import msgspec
import pytest

from mlc_dagster.core.errors import (
    AccessDenied,
    Misconfigured,
    MlcError,
    OutcomeUnknown,
    RecordRejected,
    StaleRecord,
    ThrottledUntil,
    TransientError,
)
from mlc_dagster.transport.client import ApiClient, KeyRing, LocalBudget, Throttled
from mlc_dagster.transport.sign_in import Bearer, HeaderKeys
from mlc_dagster_tests.systems.loopback import Asked, FakeTime, Loopback, answers, reset

PAGE = b'{"value": [{"Amount": 1234567890123456789012345678901234.56, "Code": "0010"}]}'


def client(url: str = "https://erp.test", **options: Any) -> ApiClient:
    passing = FakeTime()
    return ApiClient("ifs", url, **{"clock": passing.clock, "sleep": passing.sleep, "timeout": 0.4} | options)


def answering(*replies: Any, **options: Any) -> tuple[ApiClient, list[httpx.Request]]:
    """A client whose exchanges are decided one after the other; the last reply is repeated."""
    asked: list[httpx.Request] = []

    def exchange(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        reply = replies[min(len(asked), len(replies)) - 1]
        if isinstance(reply, Exception):
            raise reply
        return reply if isinstance(reply, httpx.Response) else reply(request)

    return client(transport=httpx.MockTransport(exchange), **options), asked


def says(status: int = 200, body: Any = None, **headers: str) -> Any:
    """A reply made anew for each request."""
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    content = body if isinstance(body, bytes) else msgspec.json.encode(body if body is not None else {})
    return lambda request: httpx.Response(status, content=content, headers=fields)


# --- what goes over the wire ----------------------------------------------------------------------------------------


def test_keys_and_filters_reach_the_wire_unchanged() -> None:
    with Loopback(lambda asked: answers(body={})).running() as server, client(server.url + "/main/") as api:
        api.request(
            "GET", "/S(Key='a%2Fb%25c%27%27',Co='0010')", params={"$filter": "A eq 'x+y & z'", "$top": 5, "n": None}
        )
        api.request("GET", f"{server.url}/main/S?$skiptoken=a%2Bb'c", params={"$top": 5})

    assert server.asked[0].target == (
        "/main/S(Key='a%2Fb%25c%27%27',Co='0010')?$filter=A%20eq%20%27x%2By%20%26%20z%27&$top=5"
    )
    assert server.asked[1].target == "/main/S?$skiptoken=a%2Bb'c&$top=5"


def test_money_goes_out_and_comes_back_to_the_last_digit() -> None:
    amount = Decimal("1234567890123456789012345678901234.50")
    with Loopback(lambda asked: answers(body=asked.body)).running() as server, client(server.url) as api:
        sent = {"Total": amount, "Rate": Decimal("1E-7"), "At": datetime(2026, 11, 5, tzinfo=UTC), "Code": "0010"}
        back = api.request("POST", "/echo", json=sent).json()

    assert b'"Total":1234567890123456789012345678901234.50' in server.asked[0].body
    assert back == {"Total": amount, "Rate": Decimal("1E-7"), "At": "2026-11-05T00:00:00Z", "Code": "0010"}
    assert str(back["Total"]) == str(amount)


@pytest.mark.parametrize("bad", [Decimal("NaN"), Decimal("-Infinity"), "\ud800"])
def test_what_json_cannot_say_is_refused_before_it_is_sent(bad: Any) -> None:
    api, asked = answering(says())
    with pytest.raises(RecordRejected):
        api.request("POST", "/bills", json={"Total": bad})
    assert not asked


def test_the_word_nan_in_a_text_is_only_a_text() -> None:
    api, asked = answering(says())
    api.request("POST", "/suppliers", json={"Name": "NaN Infinity Ltd"})
    assert asked[0].content == b'{"Name":"NaN Infinity Ltd"}'


@pytest.mark.parametrize(
    "path", ["https://evil.test/x", "http://erp.test/x", "https://erp.test:444/x", "https://u:p@erp.test/x"]
)
def test_credentials_never_leave_for_another_origin(path: str) -> None:
    api, asked = answering(says(), auth=Bearer("marked-secret"))
    with pytest.raises(Misconfigured, match=r"ifs.base_url"):
        api.request("GET", path)
    assert not asked


@pytest.mark.parametrize("path", ["@evil.test/x", ".evil.test/x", "//evil.test/x", ":444/x"])
def test_a_path_cannot_become_a_host(path: str) -> None:
    api, asked = answering(says())
    api.request("GET", path)
    assert asked[0].url.host == "erp.test"


def test_a_redirect_is_not_followed_and_names_the_setting() -> None:
    with Loopback(lambda asked: answers(body={})).running() as elsewhere:
        away = {"Location": f"{elsewhere.url}/login?token=marked-secret"}
        server = Loopback(lambda asked: answers(302, {}, away))
        named = pytest.raises(Misconfigured, match=r"302 points to http://127.0.0.1:\d+\n  Check ifs.base_url")
        with server.running(), client(server.url) as api, named:
            api.request("POST", "/x", json={})
    assert (len(server.asked), len(elsewhere.asked)) == (1, 0)


@pytest.mark.parametrize("url", ["erp.test", "ftp://erp.test", "https://user:marked-secret@erp.test", "https://h/?k=1"])
def test_a_base_url_that_is_none_is_a_mistake_in_the_settings(url: str) -> None:
    with pytest.raises(Misconfigured, match=r"ifs\.base_url") as caught:
        client(url)
    assert "marked-secret" not in str(caught.value)


def test_a_session_cookie_is_not_kept() -> None:
    api, asked = answering(says(set_cookie="session=1; Path=/"))
    api.request("GET", "/a")
    api.request("GET", "/b")
    assert "cookie" not in asked[1].headers


# --- faults: C4 and C12 ---------------------------------------------------------------------------------------------


def hang(connection: socket.socket) -> None:
    time.sleep(0.8)


def raw(content: bytes) -> Any:
    """Written as it is; then the connection ends."""
    return lambda connection: connection.sendall(content)


HALF = PAGE[:40]
FAULTS: dict[str, Any] = {
    "500": answers(500, {"error": {"message": "ORA-00060"}}),
    "502 as HTML": answers(502, b"<html>bad gateway</html>", {"Content-Type": "text/html"}),
    "503": answers(503, b""),
    "504": answers(504, {"error": {"code": "ODP_OPERATION_TIMEOUT"}}),
    "408": answers(408, b""),
    "connection reset": reset,
    "closed without a word": raw(b""),
    "no answer in time": hang,
    "truncated, length known": raw(answers(body=HALF, headers={"Content-Length": str(len(PAGE))})),
    "truncated, chunked": raw(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + f"{len(PAGE):x}\r\n".encode() + HALF
    ),
    "truncated, length unknown": raw(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n" + HALF),
    "broken gzip": answers(body=b"\x1f\x8b\x08\x00rubbish", headers={"Content-Encoding": "gzip"}),
    "half a gzip": answers(body=gzip.compress(PAGE * 50)[:60], headers={"Content-Encoding": "gzip"}),
    "HTML with status 200": answers(body=b"<html>Sign in</html>", headers={"Content-Type": "text/html"}),
    "not HTTP": raw(b"SSH-2.0-OpenSSH_9.6\r\n"),
}


@pytest.mark.parametrize("fault", [*FAULTS, "an empty page"])
def test_a_page_that_is_not_whole_is_asked_for_again(fault: str) -> None:
    replies = iter([FAULTS.get(fault, answers(body=b"")), answers(body=PAGE)])
    with Loopback(lambda asked: next(replies)).running() as server, client(server.url) as api:
        page = api.request("GET", "/page")

    assert page.json() == {"value": [{"Amount": Decimal("1234567890123456789012345678901234.56"), "Code": "0010"}]}
    assert (len(server.asked), api.requests, api.retries) == (2, 2, 1)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT", "DELETE"])
def test_a_write_without_a_trustworthy_answer_is_never_repeated(fault: str, method: str) -> None:
    server = Loopback(lambda asked: FAULTS[fault])
    with server.running(), client(server.url) as api, pytest.raises(OutcomeUnknown):
        api.request(method, "/voucher", json={"No": 1})
    assert len(server.asked) == 1


def test_a_write_that_never_left_is_sent_again() -> None:
    for never_left in (httpx.ConnectError("refused"), httpx.ConnectTimeout("slow"), httpx.PoolTimeout("busy")):
        api, asked = answering(never_left, says(201, {"ID": 7}))
        assert api.request("POST", "/purchase", json={}).json() == {"ID": 7}
        assert len(asked) == 2


def test_a_write_that_is_repeatable_is_sent_again() -> None:
    api, asked = answering(httpx.ReadTimeout("slow"), says(204, b""))
    answer = api.request("PUT", "/supplier", json={"ID": "a"}, repeatable=True)
    assert (answer.status, answer.json(), len(asked)) == (204, None, 2)
    assert asked[0].content == asked[1].content == b'{"ID":"a"}'


def test_a_body_that_is_not_json_goes_out_as_it_is_under_its_own_media_type() -> None:
    api, asked = answering(says(204, b""))
    api.request("POST", "/$batch", content=("multipart/mixed;boundary=b", b"--b--\r\n"), repeatable=False)
    assert (asked[0].headers["content-type"], asked[0].content) == ("multipart/mixed;boundary=b", b"--b--\r\n")


def test_a_page_of_the_wrong_shape_is_asked_for_again_inside_the_loop() -> None:
    class Page(msgspec.Struct):
        value: list[dict[str, str]]

    api, asked = answering(says(body={"error": "maintenance"}), says(body={"value": [{"A": "1"}]}))
    answer = api.request("GET", "/page", decode=msgspec.json.Decoder(Page).decode)
    assert (answer.value.value, len(asked)) == ([{"A": "1"}], 2)


def test_a_maintenance_page_that_stays_is_shown_in_the_error() -> None:
    api, asked = answering(
        says(body=b"<html>\n<title>Down\x1b[31m</title>" + b"x" * 500, content_type="text/html; charset=x")
    )
    with pytest.raises(TransientError, match=r"ifs: GET /page: expected JSON, got text/html .*<title>Down\?") as caught:
        api.request("GET", "/page?secret=1")
    assert len(asked) == 8
    assert len(str(caught.value)) < 300


def test_a_byte_order_mark_is_no_part_of_a_number() -> None:
    api, _ = answering(says(body=b"\xef\xbb\xbf17", content_type="text/plain"))
    assert api.request("GET", "/Set/$count").json() == 17


def test_a_fifth_of_all_calls_failing_loses_nothing_and_doubles_nothing() -> None:
    """C4 as a whole: 20 seeds, reads and writes; a write in doubt is looked up before it is sent again."""
    faults = [fault for name, fault in FAULTS.items() if name != "no answer in time"]
    for seed in range(20):
        chance, stored = random.Random(seed), Counter[str]()

        def reply(asked: Asked, chance: random.Random = chance, stored: Counter[str] = stored) -> Any:
            number, faulty, acts = asked.target.split("/")[-1], chance.random() < 0.2, chance.random() < 0.5
            if asked.line.startswith("POST") and (acts or not faulty):
                stored[number] += 1
            return chance.choice(faults) if faulty else answers(body={"has": stored[number]})

        with Loopback(reply).running() as server, client(server.url) as api:
            for number in map(str, range(10)):
                while True:
                    try:
                        api.request("POST", f"/{number}", json={})
                        break
                    except OutcomeUnknown:
                        if api.request("GET", f"/{number}").json()["has"]:
                            break
        assert stored == Counter(dict.fromkeys(map(str, range(10)), 1)), f"seed {seed}"


# --- what an answer means -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "status, kind",
    [(400, RecordRejected), (401, AccessDenied), (403, AccessDenied), (404, RecordRejected), (405, RecordRejected),
     (409, RecordRejected), (412, StaleRecord), (422, RecordRejected), (428, RecordRejected),
     (501, RecordRejected), (304, Misconfigured)],
)  # fmt: skip
def test_a_refusal_is_final_and_says_what_to_do(status: int, kind: type[MlcError]) -> None:
    body = [{"ErrorCode": status, "Exception": "Account with specified ID not found"}]
    for method in ("GET", "PATCH"):
        api, asked = answering(says(status, body))
        with pytest.raises(kind) as caught:
            api.request(method, "/S(1)")
        assert type(caught.value) is kind
        assert len(asked) == 1
        if isinstance(caught.value, RecordRejected):
            assert (caught.value.status, caught.value.body) == (status, body)
            assert "Account with specified ID not found" in str(caught.value)


def test_a_systems_own_reading_of_an_answer_comes_first() -> None:
    def classify(response: httpx.Response) -> Exception | None:
        if b"MI_MODIFIED_ERROR" in response.content:
            return TransientError("ifs: metadata changed")
        if b"60 calls per" in response.content:
            return Throttled("cin7: too many calls", retry_after=10)
        return RecordRejected("cin7: no") if b"Exception" in response.content else None

    passing = FakeTime()
    api, asked = answering(
        says(400, b'{"error":{"code":"MI_MODIFIED_ERROR"}}'),
        says(400, b'[{"Exception":"You have reached 60 calls per 60 seconds API limit."}]'),
        says(201, {"ID": 1}),
        says(200, [{"Exception": "refused, with status 200"}]),
        classify=classify,
        clock=passing.clock,
        sleep=passing.sleep,
    )
    assert api.request("POST", "/purchase", json={}).json() == {"ID": 1}
    assert len(asked) == 3
    assert 10 <= api.throttled_seconds <= 11
    with pytest.raises(RecordRejected):
        api.request("GET", "/purchase")


def test_an_unreachable_host_names_the_setting() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        with client(f"http://127.0.0.1:{port}/api") as api, pytest.raises(TransientError) as caught:
            api.request("POST", "/x", json={})
    message, cure = str(caught.value).split("\n")
    assert message == f"ifs: cannot reach http://127.0.0.1:{port}/api: connection refused (given up after 8 tries)"
    assert cure == "  Check ifs.base_url in mlc.yaml."


def test_secrets_stay_out_of_messages_even_where_the_server_echoes_them() -> None:
    def echo(request: httpx.Request) -> httpx.Response:
        return httpx.Response(int(request.url.path[1:]), text=f"bad {request.headers['authorization']} {request.url}")

    for status in (200, 400, 401, 403, 404, 412, 429, 500, 501, 302):
        api, _ = answering(echo, auth=Bearer("marked-secret-token"), max_attempts=1)
        with pytest.raises(MlcError) as caught:
            api.request(
                "POST", f"/{status}?hapikey=other-secret", json={"IBAN": "third-secret"}, headers={"X": "fourth-secret"}
            )
        shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value) + repr(api)
        assert "marked-secret" not in shown, status
        assert "third-secret" not in shown
        assert "fourth-secret" not in shown
        assert "other-secret" not in str(caught.value).split("bad ")[0]


def test_a_header_that_cannot_be_sent_is_not_shown() -> None:
    api, _ = answering(says())
    with pytest.raises(RecordRejected, match="If-Match") as caught:
        api.request("PATCH", "/S(1)", json={}, headers={"If-Match": 'W/"marked\nsecret"'})
    assert "marked" not in str(caught.value)


# --- rates: C3 ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers, least, most",
    [
        ({"retry_after": "7"}, 7, 8),
        ({"retry_after": "60 Seconds"}, 60, 61),
        ({"retry_after": "Thu, 05 Nov 2026 10:00:20 GMT", "date": "Thu, 05 Nov 2026 10:00:00 GMT"}, 20, 21),
        ({"retry_after": "Thu, 05 Nov 2020 10:00:20 GMT"}, 0, 1),
        ({}, 0, 0.5),
        ({"retry_after": "soon"}, 0, 0.5),
        ({"retry_after": "-5"}, 0, 0.5),
        ({"retry_after": "120"}, 120, 121),
        ({"retry_after": f"7{' ' * 50_000}Seconds{' ' * 50_000}!"}, 7, 8),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_servers_own_word_decides_the_wait(method: str, headers: dict[str, str], least: float, most: float) -> None:
    passing = FakeTime()
    api, asked = answering(
        says(429, b"busy", **headers), says(), clock=passing.clock, sleep=passing.sleep, proof=["^busy$"]
    )
    api.request(method, "/x")
    assert len(asked) == 2
    assert least <= passing.now - 1000 <= most
    assert api.throttled_seconds == pytest.approx(passing.now - 1000)


@pytest.mark.parametrize("word, seconds", [("3600", 3600), ("9" * 400, 86_400), ("9" * 100_000, 86_400)])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_who_is_asked_to_wait_for_longer_than_the_cap_is_told_until_when_and_nobody_calls_before(
    method: str, word: str, seconds: float
) -> None:
    passing = FakeTime()
    api, asked = answering(
        says(429, b"busy", retry_after=word), says(), clock=passing.clock, sleep=passing.sleep, proof=["^busy$"]
    )
    for _ in range(2):
        with pytest.raises(ThrottledUntil, match=r"ifs asks to be left alone until .* it is not called before") as told:
            api.request(method, "/x")
        assert seconds - 1 <= told.value.seconds <= seconds + 1
    assert len(asked) == 1 and not any(passing.slept), "the second one was not even sent"
    passing.now += seconds + 1
    api.request(method, "/x")
    assert len(asked) == 2


def test_a_write_that_may_have_acted_and_asks_for_an_hour_is_unknown_and_what_follows_is_not_sent() -> None:
    api, asked = answering(says(503, b"upstream", retry_after="3600"), says())
    with pytest.raises(OutcomeUnknown):
        api.request("POST", "/x")
    with pytest.raises(ThrottledUntil):
        api.request("GET", "/x")
    assert len(asked) == 1


def test_of_several_keys_one_that_is_silenced_for_an_hour_leaves_the_work_to_the_others() -> None:
    passing, silenced = FakeTime(), ["first-key"]

    def exchange(request: httpx.Request) -> httpx.Response:
        busy = request.headers["k"] in silenced
        return httpx.Response(429 if busy else 200, headers={"retry-after": "3600"}, json={})

    keys = [HeaderKeys({"k": key}) for key in ("first-key", "second-key")]
    ring = KeyRing(keys, [LocalBudget(clock=passing.clock, sleep=passing.sleep) for _ in keys], clock=passing.clock)
    api = client("https://cin7.test", budget=ring, transport=httpx.MockTransport(exchange))
    assert [api.request("GET", "/x").status for _ in range(5)] == [200] * 5
    silenced.append("second-key")
    with pytest.raises(ThrottledUntil):
        api.request("GET", "/x")


@pytest.mark.parametrize("seed", range(20))
def test_half_of_all_calls_answered_429_for_a_minute_is_a_non_event(seed: int) -> None:
    chance, passing, arrived = random.Random(seed), FakeTime(), []
    said = ({"retry-after": "2"}, {"retry-after": "0"}, {}, {"retry-after": "120"})

    def exchange(request: httpx.Request) -> httpx.Response:
        arrived.append(passing.now)
        passing.now += 0.01
        words = said[chance.randrange(3)] if chance.random() < 0.98 else said[3]
        if passing.now < 1060 and chance.random() < 0.5:
            return httpx.Response(429, headers=words, text="50 calls per 10 seconds")
        return httpx.Response(200, json={})

    budget = LocalBudget(50, 10.0, clock=passing.clock, sleep=passing.sleep)
    api = ApiClient(
        "ifs", "https://erp.test", budget=budget, transport=httpx.MockTransport(exchange), clock=passing.clock,
        sleep=passing.sleep, random=chance.random, proof=[r"\d+ calls per"],
    )  # fmt: skip
    for number in range(300):
        api.request("POST", f"/{number}", json={})

    assert len(arrived) <= 2.2 * 300
    assert max(passing.slept) < 121.001
    assert all(later - first > 10 for first, later in zip(arrived, arrived[50:], strict=False))


def test_a_call_is_given_up_after_its_time_even_if_the_server_only_says_wait() -> None:
    passing = FakeTime()
    api, asked = answering(says(429, b"busy", retry_after="100"), clock=passing.clock, sleep=passing.sleep)
    with pytest.raises(TransientError, match=r"429 busy \(given up after 4 tries\)"):
        api.request("GET", "/x")
    assert len(asked) == 4
    assert passing.now - 1000 < 300 + 121


def test_a_server_that_always_says_429_without_a_wait_is_given_up_too() -> None:
    api, asked = answering(says(429, b"busy", retry_after="0"), max_seconds=1e9)
    with pytest.raises(TransientError):
        api.request("GET", "/x")
    assert len(asked) <= 8 * 8


def within(times: list[float], period: float) -> int:
    """The most calls in any window of the period."""
    ordered = sorted(times)
    return max(sum(start <= when < start + period for when in ordered) for start in ordered)


def test_no_window_ever_holds_more_calls_than_the_budget() -> None:
    budget, taken = LocalBudget(5, 0.2), list[float]()

    def work(_: int) -> None:
        for _ in range(5):
            budget.take()
            taken.append(time.monotonic())

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert len(taken) == 40
    assert within(taken, 0.2) <= 5


def test_a_pause_holds_those_who_are_waiting_already() -> None:
    budget, done = LocalBudget(1, 0.2), list[float]()
    budget.take()
    started = time.monotonic()
    waiting = threading.Thread(target=lambda: done.append(budget.take()))
    waiting.start()
    time.sleep(0.05)
    budget.pause(0.5)
    waiting.join()
    assert time.monotonic() - started >= 0.5


def test_a_429_silences_the_key_that_got_it_and_the_others_go_on() -> None:
    passing, calls = FakeTime(), Counter[str]()

    def exchange(request: httpx.Request) -> httpx.Response:
        key = request.headers["api-auth-applicationkey"]
        calls[key] += 1
        status, words = (429, "60 calls per 60 seconds") if key == "first-key" else (200, "made")
        return httpx.Response(status, headers={"retry-after": "60 Seconds"}, json=words)

    keys = [HeaderKeys({"api-auth-applicationkey": key}) for key in ("first-key", "second-key")]
    budgets = [LocalBudget(60, 60, clock=passing.clock, sleep=passing.sleep) for _ in keys]
    ring = KeyRing(keys, budgets, clock=passing.clock, sleep=passing.sleep)
    api = ApiClient(
        "cin7", "https://cin7.test", budget=ring, transport=httpx.MockTransport(exchange), clock=passing.clock,
        sleep=passing.sleep, proof=["calls per"],
    )  # fmt: skip
    for _ in range(20):
        api.request("POST", "/purchase", json={})

    assert calls == {"first-key": 1, "second-key": 20}
    assert passing.now == 1000  # nobody waited: the other key was free


def test_each_key_is_counted_by_its_own_budget_under_eight_threads() -> None:
    calls: dict[str, list[float]] = {"key-number-1": [], "key-number-2": [], "key-number-3": []}

    def leaves(request: httpx.Request) -> httpx.Response:
        """In the thread that calls, when it does: a server of this process would see it when it has its turn."""
        request.extensions["trace"]("http11.send_request_headers.started", {})
        calls[request.headers["k"]].append(time.monotonic())
        return httpx.Response(200, json={})

    ring = KeyRing([HeaderKeys({"k": key}) for key in calls], [LocalBudget(5, 0.4) for _ in calls])
    api = ApiClient("cin7", "https://cin7.test", budget=ring, transport=httpx.MockTransport(leaves))
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: api.request("GET", f"/{n}"), range(60)))
    assert sum(map(len, calls.values())) == 60 and all(len(times) > 5 for times in calls.values()), (
        "they share the work"
    )
    assert all(within(times, 0.39) <= 5 for times in calls.values())


def test_a_key_without_rights_is_named_but_not_shown() -> None:
    ring = KeyRing([HeaderKeys({"k": "marked-secret"}, cure="Check CIN7_APPLICATION_KEYS.")], [LocalBudget()])
    api, _ = answering(lambda request: httpx.Response(403, text=request.headers["k"]), budget=ring)
    with pytest.raises(AccessDenied, match=r"403 \*\*\*\n.*key 1 of 1.*CIN7_APPLICATION_KEYS"):
        api.request("GET", "/me")


# --- many at once ---------------------------------------------------------------------------------------------------


def test_thirty_two_threads_share_one_client() -> None:
    server = Loopback(lambda asked: answers(body={"at": asked.target}))
    with server.running(), ApiClient("ifs", server.url, connections=8) as api, ThreadPoolExecutor(32) as pool:
        found = list(pool.map(lambda n: api.request("POST", f"/{n}", json={}).json()["at"], range(400)))
    assert found == [f"/{n}" for n in range(400)]
    assert api.requests == len(server.asked) == 400
    assert server.connections <= 8


def test_the_servers_clock_is_compared_with_ours() -> None:
    now = datetime(2026, 11, 5, 10, 0, tzinfo=UTC)
    api, _ = answering(says(date=format_datetime(now, usegmt=True)), wall=lambda: now.timestamp() + 300)
    api.request("GET", "/x")
    assert api.skew_seconds == -300
