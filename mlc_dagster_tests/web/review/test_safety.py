"""Who is let in, what is refused, and that nothing of others acts on a page."""

import json
import logging

import pytest

from mlc_dagster.core.flows import Problem
from mlc_dagster.ledger.database import LedgerUnavailable
from mlc_dagster.ledger.entries import Held
from mlc_dagster.web.review.exports import harmless
from mlc_dagster.web.review.signing_in import local_path
from mlc_dagster_tests.web.review.conftest import FLOW, REASON, RUN, act, form, hold, path_of

TWO = {"two_people": {"limits": {"SEK": "500"}}}


def test_nobody_sees_anything_without_signing_in(ledger, page):
    hold(ledger, "P1")
    client = page()
    for path in ("/", "/items", path_of("P1"), "/approvals", "/decisions", "/due", "/export.csv"):
        answer = client.get(path)
        assert answer.status_code == 303 and "/sign-in?next=" in answer.headers["location"] and "P1" not in answer.text
    assert client.post(path_of("P1"), data={"action": "release", "reason": REASON}).status_code == 401
    assert client.get("/health").text == "ok"


def test_every_answer_has_the_headers(ledger, signed, page):
    hold(ledger, "P1")
    client = signed()
    answers = [client.get(path) for path in ("/", "/items", path_of("P1"), "/nothing", "/health", "/review.css")]
    answers += [
        page().get("/sign-in"),
        page().post("/sign-in", content=b"x"),
        page().get("/", headers={"host": "evil"}),
    ]
    for answer in answers:
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff" and answer.headers["cache-control"] == "no-store"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cross-origin-opener-policy"] == "same-origin"
        assert "camera=()" in answer.headers["permissions-policy"]
    assert answers[-1].status_code == 421


def test_a_wrong_token_and_a_wrong_name_are_answered_alike_and_slowed(ledger, page):
    ledger.users.add("kari", [("look", "*")], 30)
    client = page()
    wrong = [client.post("/sign-in", data={"name": name, "token": "x"}) for name in ("kari", "nobody")]
    assert [each.status_code for each in wrong] == [401, 401] and wrong[0].text == wrong[1].text
    for _ in range(9):
        last = client.post("/sign-in", data={"name": "kari", "token": "x"})
    assert last.status_code == 401
    assert client.post("/sign-in", data={"name": "KARI", "token": "x"}).status_code == 429


def test_a_session_ends_at_sign_out_and_with_the_person(ledger, signed):
    client = signed()
    cookie = client.cookies.get("mlc-review")
    csrf = form_token(client)
    assert client.post("/sign-out", data={"csrf": csrf}).status_code == 303
    client.cookies.set("mlc-review", cookie)
    assert client.get("/").status_code == 303
    other = signed("ola")
    assert other.get("/").status_code == 200
    ledger.users.remove("ola")
    assert other.get("/").status_code == 303


def form_token(client):
    return client.get("/").text.split('name="csrf" value="')[1].split('"')[0]


def test_the_cookie_is_kept_from_scripts_and_bound_to_https_behind_a_proxy(ledger, page):
    token = ledger.users.add("kari", [("look", "*")], 30)
    client = page(address="https://review.acme.com")
    said = client.post("/sign-in", data={"name": "kari", "token": token}, headers={"host": "review.acme.com"}).headers[
        "set-cookie"
    ]
    assert said.startswith("__Host-mlc-review=") and "HttpOnly" in said and "Secure" in said and "SameSite=lax" in said


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_a_form_of_another_site_is_refused(ledger, signed, headers):
    hold(ledger, "P1", rule="period_is_open")
    client = signed()
    sent = {**form(client, path_of("P1"), "release"), "reason": REASON}
    assert client.post(path_of("P1"), data=sent, headers=headers).status_code == 403
    assert len(ledger.open_holds()) == 1


def test_a_form_without_the_token_of_its_session_is_refused(ledger, signed):
    hold(ledger, "P1", rule="period_is_open")
    client, other = signed(), signed("ola")
    sent = {**form(client, path_of("P1"), "release"), "reason": REASON}
    for csrf in ("", "x", form(other, path_of("P1"), "release")["csrf"]):
        assert client.post(path_of("P1"), data={**sent, "csrf": csrf}).status_code == 403
    assert len(ledger.open_holds()) == 1


def test_nothing_is_decided_by_get(ledger, signed):
    hold(ledger, "P1", rule="period_is_open")
    client = signed()
    sent = {**form(client, path_of("P1"), "release"), "reason": REASON}
    client.get(path_of("P1"), params={"key": "P1", **sent})
    assert len(ledger.open_holds()) == 1


def test_a_rule_that_nobody_waives_has_no_button_and_a_forged_form_is_refused_and_logged(ledger, signed, caplog):
    hold(ledger, "P1")
    client = signed()
    text = client.get(path_of("P1")).text
    assert "Release is not possible" in text and 'value="release"' not in text
    forged = {**form(client, path_of("P1"), "discard"), "action": "release", "reason": REASON}
    with caplog.at_level(logging.INFO, "mlc_dagster.access"):
        answer = client.post(path_of("P1"), data=forged)
    assert answer.status_code == 403 and "cannot be released by anybody" in answer.text
    assert any("release of gl_accounts_exist" in line.getMessage() for line in caplog.records)
    assert len(ledger.open_holds()) == 1


def test_another_companys_records_are_not_there_and_a_role_that_lacks_is_named(ledger, signed):
    hold(ledger, "P10", rule="period_is_open", company="10")
    hold(ledger, "P20", rule="period_is_open")
    reader = signed("reader")
    assert reader.get(path_of("P10")).status_code == 404 == reader.get(path_of("none")).status_code
    assert reader.get(path_of("P10")).text == reader.get(path_of("none")).text
    assert "P10" not in reader.get("/items").text and "P20" in reader.get("/items").text
    assert b"P10" not in reader.get("/export.csv").content
    text = reader.get(path_of("P20")).text
    assert "You have not the role decide" in text and "<textarea" not in text
    sent = {"csrf": form_token(reader), "once": "a" * 32, "action": "discard", "reason": REASON, "mark": "x"}
    answer = reader.post(path_of("P20"), data=sent)
    assert answer.status_code == 403 and "role decide for company 20" in answer.text
    assert reader.post(path_of("P10"), data=sent).status_code == 404
    assert len(ledger.open_holds()) == 2


def test_large_bodies_many_fields_and_other_kinds_are_refused(signed):
    client = signed()
    kind = {"content-type": "application/x-www-form-urlencoded"}
    assert client.post("/items", content=b"a=" + b"x" * 70_000, headers=kind).status_code == 413
    assert client.post("/items", content=(b"a=1&" * 20_000 for _ in range(2)), headers=kind).status_code == 413
    assert client.post("/items", content=b"a=1&" * 300, headers=kind).status_code == 400
    assert client.post("/items", content=b"a=%ff", headers=kind).status_code in (400, 403)
    assert client.post("/items", json={"a": 1}).status_code == 415


HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "evil\u202egnp.exe",
    "=HYPERLINK(0)",
    "a/b % ? # \n&",
    "x" * 100_000,
    "{{ 7 * 7 }}",
    "\x00\x1b[31m",
]


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_names_are_inert_everywhere(ledger, signed, name):
    problem = Problem("gl_accounts_exist", f"unknown account {name}", name)
    row = {"company": "20", "vendor_no": name, "gross_amount": "1", "currency_code": "SEK", "lines": [{"text": name}]}
    ledger.hold(FLOW, [Held(name, "", (problem,), row, "2026-11-05", "c")], run=RUN)
    ledger.notes.add(FLOW, name, "kari", name)
    client = signed()
    [item] = client.get("/items", headers={"accept": "application/json"}).json()["items"]
    for path in ("/", "/items", item["link"], "/decisions", f"/?text={'<b>'}"):
        answer = client.get(path)
        assert answer.status_code == 200, (path, answer.text[:500])
        shown = answer.text.replace('<script src="/review.js" defer></script>', "")
        assert "<script" not in shown and "<img" not in answer.text and ">49<" not in answer.text
        assert "\u202e" not in answer.text and "\x00" not in answer.text and "\x1b" not in answer.text
    csv = client.get("/export.csv").content.decode("utf-8-sig")
    assert "\r\n=" not in csv and ",=" not in csv


@pytest.mark.parametrize("text", ["//evil.example", "/\\evil", "https://evil", "\\\\evil", "/a\nb", "javascript:1", ""])
def test_after_sign_in_nobody_is_led_elsewhere(text):
    assert local_path(text) == "/"


def test_a_number_stays_a_number_in_a_spreadsheet():
    told = ["-5.25", "1204300.00", "=1", "+1", "@x", "\t=1", " =1", "-x", "P1"]
    assert [harmless(each) for each in told] == [
        *("-5.25", "1204300.00", "'=1", "'+1", "'@x", "'\t=1", "' =1", "'-x", "P1")
    ]


def test_two_people_decide_and_the_proposer_is_not_the_second(ledger, signed):
    hold(ledger, "P1", rule="period_is_open", amount="501.00")
    first = signed("kari", TWO)
    assert act(first, path_of("P1"), "release", reason=REASON).status_code == 303
    assert len(ledger.open_holds()) == 1
    [one] = ledger.proposals.standing()
    own = first.post(f"/approvals/{one.id}", data={"csrf": form_token(first), "answer": "confirm"})
    assert own.status_code == 403 and "somebody else" in own.text
    again = signed("kari", TWO)  # another session of the same person
    assert again.post(f"/approvals/{one.id}", data={"csrf": form_token(again), "answer": "confirm"}).status_code == 403
    second = signed("ola", TWO)
    assert "Confirm</button>" in second.get("/approvals").text
    assert (
        second.post(f"/approvals/{one.id}", data={"csrf": form_token(second), "answer": "confirm"}).status_code == 303
    )
    assert ledger.open_holds() == []
    assert ledger.decisions.of(FLOW, ["P1"])["P1"].who == "kari, confirmed by ola"


def test_a_small_one_needs_one_person_and_a_proposal_is_void_when_the_content_changes(ledger, signed):
    hold(ledger, "P1", rule="period_is_open", amount="501.00")
    hold(ledger, "P2", rule="period_is_open", amount="499.00")
    first, second = signed("kari", TWO), signed("ola", TWO)
    act(first, path_of("P1"), "release", reason=REASON)
    assert act(first, path_of("P2"), "release", reason=REASON).status_code == 303
    assert [each.key for each in ledger.open_holds()] == ["P1"]
    hold(ledger, "P1", rule="period_is_open", amount="777.00")
    [one] = ledger.proposals.standing()
    answer = second.post(f"/approvals/{one.id}", data={"csrf": form_token(second), "answer": "confirm"})
    assert answer.status_code == 409 and "void" in answer.text and len(ledger.open_holds()) == 1


def test_bank_details_take_two_people_who_are_signed_in(ledger, signed):
    hold(ledger, "V1", rule="bank_details_are_confirmed")
    first, second = signed("kari"), signed("ola")
    act(first, path_of("V1"), "release", reason=REASON)
    [held] = ledger.open_holds()
    with pytest.raises(Exception, match="has proposed it"):
        ledger.decisions.release(held, "somebody else", REASON, RUN)  # as the shell does
    assert len(ledger.open_holds()) == 1
    [one] = ledger.proposals.standing()
    assert one.who == "somebody else"
    assert (
        second.post(f"/approvals/{one.id}", data={"csrf": form_token(second), "answer": "confirm"}).status_code == 303
    )
    assert ledger.open_holds() == []


def test_a_ledger_that_is_away_is_told_without_its_password(ledger, signed, monkeypatch):
    client = signed()

    def away(*_):
        raise LedgerUnavailable("the ledger in db.acme/mlc failed: connection refused")

    monkeypatch.setattr(ledger.users, "signed_in", away)
    answer = client.get("/")
    assert answer.status_code == 503 and "db.acme/mlc" in answer.text and answer.headers["refresh"] == "10"
    assert "Nothing is open" not in answer.text


def test_the_access_log_holds_no_query_and_no_token(ledger, signed, caplog):
    with caplog.at_level(logging.INFO, "mlc_dagster.access"):
        client = signed()
        client.get("/export.csv?text=marked-query")
    lines = [json.loads(line.getMessage()) for line in caplog.records if line.name == "mlc_dagster.access"]
    assert [line["what"] for line in lines] == ["signed in", "export"]
    assert "marked-query" not in caplog.text and "mlc_" not in "".join(map(str, lines)).replace("mlc_dagster", "")


def test_where_others_reach_it_only_the_proxies_are_answered(ledger, caplog):
    from starlette.testclient import TestClient

    from mlc_dagster.web.review.app import build
    from mlc_dagster_tests.web.review.conftest import settings_with

    ledger.users.add("kari", [("look", "*")], 30)
    behind = {"sign_in_header": "X-Forwarded-User", "trusted_proxies": ["10.1.0.0/16"], "host": "0.0.0.0"}
    app = build(settings_with(**behind, address="https://review.acme.com"), ledger)
    header = {"X-Forwarded-User": "kari"}
    for address, status in (("10.1.2.3", 200), ("10.2.2.3", 403), ("192.0.2.1", 403)):
        client = TestClient(app, base_url="https://review.acme.com", client=(address, 5000), follow_redirects=False)
        with caplog.at_level(logging.INFO, "mlc_dagster.access"):
            assert client.get("/", headers=header).status_code == status
            assert client.get("/sign-in").status_code == status
    assert "no trusted proxy" in caplog.text
