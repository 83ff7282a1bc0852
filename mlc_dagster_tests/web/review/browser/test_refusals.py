"""Who may not, may not: refused in words, with nothing of a record in the answer. Section 12, 10."""

from __future__ import annotations

import logging
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import httpx
import pytest
import yaml
from sqlalchemy import update

from mlc_dagster.ledger import Ledger
from mlc_dagster.ledger.tables import users
from mlc_dagster_tests.web.review.browser.conftest import csrf, forged, text
from mlc_dagster_tests.web.review.conftest import FLOW, REASON, hold, path_of, settings_with

pytestmark = pytest.mark.slow
SECRET = "P10-marked"  # a key of company 10: it stands in no answer to those who may not see it
PATHS = ("/", "/items", "/approvals", "/due", "/decisions", "/close/2026-11", "/me", "/export.csv", "/export.xlsx")
FORM = {"content-type": "application/x-www-form-urlencoded"}


@pytest.fixture
def at(served, ledger):
    hold(ledger, SECRET, company="10", rule="period_is_open")
    hold(ledger, "P20", rule="period_is_open")
    return served()


def test_who_is_not_signed_in_sees_the_form_alone_and_comes_back_to_his_place(at):
    page = at.visitor()
    for path in (*PATHS, path_of(SECRET), "/item/h1", "/cause/abc", "/approvals/1"):
        page.goto(at.address + path)
        assert "/sign-in" in page.url and SECRET not in page.content().replace(f"key={SECRET}", "").replace(
            SECRET, "", 1
        )
        assert page.get_by_role("button", name="Sign in").count() == 1
    answer = forged(page, at.address + path_of(SECRET), action="discard", reason=REASON)
    assert answer.status == 401 and len(at.ledger.open_holds()) == 2


def test_a_session_that_ended_brings_back_what_was_typed(at):
    page = at.sign_in(path=path_of("P20"))
    page.get_by_text("Discard...", exact=True).click()
    page.locator("details[open] textarea").fill("typed with much thought")
    at.ledger.users.sign_out(page.context.cookies()[0]["value"])
    page.locator("details[open]").get_by_role("button", name="Discard").click()
    assert "Your session has ended" in text(page)
    assert page.get_by_label("What you had typed").input_value() == "typed with much thought"
    assert len(at.ledger.open_holds()) == 2


def test_a_wrong_role_and_another_company_are_refused_in_words(at):
    page = at.sign_in("reader", path=path_of("P20"))
    assert "You have not the role decide for company 20" in text(page)
    sent = {"csrf": csrf(page), "once": "a" * 32, "action": "discard", "mark": "x", "reason": REASON}
    answer = forged(page, at.address + path_of("P20"), **sent)
    assert answer.status == 403 and "You need the role decide for company 20" in answer.text()
    assert forged(page, at.address + path_of(SECRET), **sent).status == 404
    seen = [page.goto(at.address + path) for path in (path_of(SECRET), path_of("never there"))]
    assert [each.status for each in seen] == [404, 404]
    for path in PATHS:
        answer = page.request.get(at.address + path)
        assert SECRET.encode() not in answer.body(), path
    numbers = {one.key: one.id for one in at.ledger.open_holds()}
    assert page.goto(f"{at.address}/item/h{numbers[SECRET]}").status == 404
    assert page.goto(f"{at.address}/close/2026-11/10").status == 404
    assert forged(page, f"{at.address}/close/2026-11/20", csrf=csrf(at_home(page, at)), reason=REASON).status == 403


def at_home(page, at):
    page.goto(at.address)
    return page


def test_a_form_of_another_site_or_without_the_sessions_token_is_refused(at):
    page = at.sign_in(path=path_of("P20"))
    sent = {"once": "a" * 32, "action": "note", "reason": "from elsewhere"}
    for token in ("", "f" * 64):
        answer = forged(page, at.address + path_of("P20"), csrf=token, **sent)
        assert answer.status == 403 and "not of your session" in answer.text()
    theirs = csrf(at.sign_in("ola", path=path_of("P20")))
    assert forged(page, at.address + path_of("P20"), csrf=theirs, **sent).status == 403
    for headers in ({"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}, {"origin": "null"}):
        answer = page.request.post(
            at.address + path_of("P20"), form={**sent, "csrf": csrf(page)}, headers=headers, max_redirects=0
        )
        assert answer.status == 403 and "another site" in answer.text(), headers
    assert [line.event for line in at.ledger.trail(FLOW, "P20")] == ["held"]


def test_no_other_page_frames_it_nor_reads_it(at):
    page = at.sign_in()
    other = page.context.new_page()
    other.goto("about:blank")
    other.set_content(f"<iframe src='{at.address}/' width=600 height=400></iframe>")
    other.wait_for_timeout(500)
    framed = [each for each in other.frames if each != other.main_frame]
    assert framed and all("P20" not in each.content() and "Causes" not in each.content() for each in framed)
    at.complaints[:] = [line for line in at.complaints if "frame-ancestors" not in line and "X-Frame" not in line]
    reads = f"fetch('{at.address}/', {{credentials: 'include'}}).then(a => a.text()).catch(() => 'refused')"
    assert other.evaluate(reads) == "refused"
    at.complaints.clear()


def test_100_megabytes_and_path_tricks_are_refused(at):
    page = at.sign_in()
    cookie = {each["name"]: each["value"] for each in page.context.cookies()}
    with httpx.Client(base_url=at.address, cookies=cookie, timeout=30) as client:
        chunks = (b"a" * 65_536 for _ in range(1_600))
        with suppress(httpx.TransportError):  # the answer came while we were still sending
            assert client.post("/items", content=chunks, headers=FORM).status_code == 413
        for path in (
            "/../../etc/passwd",
            "/%2e%2e/%2e%2e/etc/passwd",
            "/review.css/../app.py",
            "//evil.example/",
            "/static/",
        ):
            answer = client.get(at.address + path)
            assert answer.status_code in (303, 404) and "root:" not in answer.text, path
            assert "evil" not in answer.headers.get("location", "").partition("?")[0]
        assert client.get("/record/cin7/purchases%00?key=P20").status_code in (400, 404)
        assert client.get("/", headers={"host": "evil.example"}).status_code == 421
        assert client.request("DELETE", "/items").status_code in (404, 405)


def test_ten_thousand_sign_ins_are_slowed_and_let_nobody_in(at):
    token = at.ledger.users.add("kari", [("decide", "*")], 30)

    def tried(first: int) -> list[int]:
        with httpx.Client(base_url=at.address, timeout=60) as client:
            forms = ({"name": "kari", "token": f"mlc_{first}_{number}"} for number in range(2_500))
            return [client.post("/sign-in", data=form).status_code for form in forms]

    with ThreadPoolExecutor(4) as pool:
        found = [status for some in pool.map(tried, range(4)) for status in some]
    assert len(found) == 10_000 and set(found) == {401, 429} and found.count(401) <= 10
    assert at.ledger.users.sign_in("kari", token), "the token itself is as good as before"


def test_a_header_of_a_proxy_is_believed_from_the_proxy_alone(serving, ledger, caplog):
    hold(ledger, "P20")
    ledger.users.add("kari", [("decide", "*")], 30)
    trusted = serving(ledger, settings_with(sign_in_header="X-Forwarded-User", trusted_proxies=["127.0.0.1"]))
    page = trusted.visitor(extra_http_headers={"X-Forwarded-User": "kari"})
    page.goto(trusted.address)
    assert "Open: 1 items" in text(page) and page.get_by_role("link", name="kari").count() == 1
    page.goto(trusted.address + path_of("P20"))
    page.get_by_label("Note").fill("asked the supplier")
    page.get_by_role("button", name="Note").click()
    assert "Noted." in text(page)
    unknown = trusted.visitor(extra_http_headers={"X-Forwarded-User": "mallory"})
    answer = unknown.goto(trusted.address)
    assert answer.status == 403 and "mallory" in text(unknown) and "P20" not in text(unknown)

    for review in ({"sign_in_header": "X-Forwarded-User", "trusted_proxies": ["10.1.2.3"]}, {}):
        other = serving(ledger, settings_with(**review))
        forger = other.visitor(extra_http_headers={"X-Forwarded-User": "kari"})
        with caplog.at_level(logging.INFO, "mlc_dagster.access"):
            answer = forger.goto(other.address)
        if review:
            assert answer.status == 403 and "not a proxy that is trusted" in text(forger)
            assert any("sign-in header from elsewhere" in line.getMessage() for line in caplog.records)
        else:
            assert "/sign-in" in forger.url


@pytest.fixture
def mlc_serve(tmp_path, monkeypatch, migrated):
    """`mlc serve` as it is started, with webhooks and the page: (webhooks' address, page's address, ledger's)."""
    from mlc_dagster_tests.conftest import copied

    url = copied(migrated, f"sqlite:///{tmp_path / 'ledger.db'}")
    content = {
        "companies": {"20": {"currency": "SEK"}},
        "ifs": {"base_url": "http://127.0.0.1:9", "token_url": "http://127.0.0.1:9/token"},
        "airbase": {"base_url": "http://127.0.0.1:9"},
        "web": {"sources": ["airbase"], "port": 0},
        "review": {"port": 0},
    }
    (tmp_path / "mlc.yaml").write_text(yaml.safe_dump(content))
    monkeypatch.setenv("MLC_CONFIG", str(tmp_path / "mlc.yaml"))
    monkeypatch.setenv("MLC_DATABASE_URL", url)
    monkeypatch.setenv("AIRBASE_WEBHOOK_SECRET", "marked-secret")
    words = [sys.executable, "-m", "mlc_dagster", "serve"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=tmp_path) as started:
        lines = [started.stdout.readline(), started.stdout.readline()]
        webhooks, page = (re.search(r"http://\S+", line)[0].rstrip("/") for line in lines)
        yield webhooks.removesuffix("/webhooks"), page, url
        started.terminate()
        started.wait(20)


def test_the_listener_of_webhooks_knows_nothing_of_the_page(mlc_serve, chromium):
    webhooks, address, url = mlc_serve
    with Ledger.open(url) as ledger:
        hold(ledger, "P20")
        token = ledger.users.add("kari", [("decide", "*")], 30)
    context = chromium.new_context()
    page = context.new_page()
    for path in ("/", "/sign-in", "/items", "/review.css"):
        answer = page.goto(webhooks + path)
        assert answer.status in (404, 405) and "Sign in" not in page.content() and "P20" not in page.content()
    page.goto(address)
    page.get_by_label("Your name").fill("kari")
    page.get_by_label("Your personal token").fill(token)
    page.get_by_role("button", name="Sign in").click()
    assert "Open: 1 items of 1 causes" in text(page)
    assert page.goto(f"{address}/webhooks/airbase").status == 404
    context.close()


def test_a_session_ends_after_half_an_hour_of_rest(at, monkeypatch):
    page = at.sign_in()
    monkeypatch.setattr("mlc_dagster.ledger.records.users.IDLE", timedelta(0))
    page.wait_for_timeout(1_100)
    page.goto(at.address)
    assert "/sign-in" in page.url


def test_a_token_that_has_ended_signs_nobody_in_and_ends_the_session(at):
    token = at.ledger.users.add("kari", [("decide", "*")], 30)
    page = at.sign_in("kari", token=token)
    with at.ledger._database.writing() as connection:
        connection.execute(update(users).values(ends_at=datetime(2026, 1, 1, tzinfo=UTC)))
    page.goto(at.address)
    assert "/sign-in" in page.url
    page.get_by_label("Your name").fill("kari")
    page.get_by_label("Your personal token").fill(token)
    page.get_by_role("button", name="Sign in").click()
    assert "Name and token do not go together, or the token has ended" in text(page) and "P20" not in page.content()
