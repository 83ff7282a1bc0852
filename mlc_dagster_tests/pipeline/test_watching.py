"""Each condition is told by mail and in a chat, once for its cause, to those whom it concerns."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import get_args

import httpx
import pytest
import yaml
from sqlalchemy import update
from typer.testing import CliRunner

from mlc_dagster.cli.app import app
from mlc_dagster.core.flows import Problem
from mlc_dagster.core.vocabulary import Pull
from mlc_dagster.ledger import Failure, Held, Ledger, Run
from mlc_dagster.ledger.records.differences import Found
from mlc_dagster.ledger.records.open_item_entries import Wanted
from mlc_dagster.ledger.tables import differences
from mlc_dagster.pipeline.alerting import FailedRun, tell_failure
from mlc_dagster.pipeline.digest import tell_daily
from mlc_dagster.pipeline.watching.conditions import Watch
from mlc_dagster.pipeline.watching.ends import Ends, ends_of
from mlc_dagster.pipeline.watching.telling import tell
from mlc_dagster.settings.alerts import AlertSettings, AlertThresholds, Kind
from mlc_dagster.systems import configuration
from mlc_dagster.systems.hubspot.api import HubspotApi
from mlc_dagster.transport.client import ApiClient
from mlc_dagster_tests.promises.journey import flow_of
from mlc_dagster_tests.receivers import mail_server, webhook

FLOW, SOURCE, RUN = "cin7/purchases", "ifs/purchase_order_set", Run("r", "2026-11-05")
TODAY = datetime.now(UTC)
FLOWS = [flow_of(FLOW), flow_of("cin7/suppliers")]


def fails(ledger: Ledger, word: str, times: int = 1) -> None:
    for number in range(times):
        ledger.work.fail([(FLOW, "2026-11-05")], Failure(f"cin7:{word}", "cin7", "GET /me: 4xx", f"run {number}"))


def is_due(ledger: Ledger) -> None:
    ledger.work.ask_all([(FLOW, day) for day in ("2026-11-04", "2026-11-05")], "changed in the ERP")


def is_held(ledger: Ledger) -> None:
    problem = Problem("gl_accounts_exist", "no such account", "4O10")
    row = {"company": "0010", "total_amount": "2000000.01", "currency_code": "SEK"}
    ledger.hold(FLOW, [Held("P1", "1", (problem,), row, "2026-11-05")], run=RUN, owner="team:finance")


def is_loaded(ledger: Ledger) -> None:
    ledger.loads.ended(FLOW, "2026-11-05", "r")


def is_held_of_few(ledger: Ledger) -> None:
    is_held(ledger)
    is_loaded(ledger)
    ledger.record_pull(Pull(SOURCE, "2026-11-05", rows=10, ended_at=TODAY), run=RUN)


def has_few_rows(ledger: Ledger) -> None:
    for ago in range(2, 9):
        day = (TODAY - timedelta(days=ago)).date().isoformat()
        ledger.record_pull(Pull(SOURCE, day, rows=5 if ago == 2 else 500, ended_at=TODAY), run=RUN)


def differs(ledger: Ledger) -> None:
    ledger.differences.see(FLOW, [Found("P2", "gone_in_the_source", "", "PO-2", None, "-1500000", "SEK")])


def is_tampered(ledger: Ledger) -> None:
    """A difference is closed beside the trail."""
    differs(ledger)
    with ledger._database.writing() as connection:
        connection.execute(update(differences).where(differences.c.flow == FLOW).values(closed_at=TODAY))


CONDITIONS: dict[str, tuple[Callable[[Ledger], object], float, str]] = {
    "failed_twice": (lambda ledger: fails(ledger, "unreachable", 2), 0, "cin7:unreachable made 2 runs in a row fail"),
    "credential": (lambda ledger: fails(ledger, "refused"), 0, "cin7 refuses the credential"),
    "quota": (
        lambda ledger: ledger.work.fail(
            [(FLOW, "2026-11-05")], Failure("cin7:throttled", "cin7", "429", "r", seconds=7200)
        ),
        0,
        "the quota of cin7 is used up",
    ),
    "not_fresh": (is_loaded, 25, "1 flow(s) not loaded for 24 hours"),
    "days_due": (is_due, 0, "2 days are due"),
    "held_share": (is_held_of_few, 0, "10% of cin7/purchases is on hold"),
    "open_long": (is_held, 8 * 24, "gl_accounts_exist: 4O10 (cin7, company 0010)"),
    "open_amount": (differs, 0, "-1500000.00 SEK open: gone_in_the_source (cin7)"),
    "few_rows": (has_few_rows, 0, "ifs/purchase_order_set has few rows"),
    "paused": (lambda ledger: ledger.pauses.pause("cin7", "anna", "month end"), 25, "cin7 is paused still"),
    "chain_broken": (is_tampered, 0, "the trail was tampered with, or damaged"),
}


def settings(port: int, **more: object) -> AlertSettings:
    mail = {"host": "127.0.0.1", "port": port, "sender": "mlc@acme.test", "to": ["ann@acme.test"], "security": "none"}
    return AlertSettings.model_validate(
        {"webhook": "ALERTS_WEBHOOK_URL", "email": mail, "page_url": "https://review.test", **more}
    )


def watch(ledger: Ledger, hours: float = 0, ends: Ends | None = None) -> Watch:
    limits = AlertThresholds(open_amounts={"SEK": Decimal(1_000_000)})
    return Watch(ledger, FLOWS, limits, datetime.now(UTC) + timedelta(hours=hours), ends or Ends())


def tells(ledger: Ledger, told: AlertSettings, kind: str, hours: float, ends: Ends | None = None) -> list[str]:
    found = [*watch(ledger, hours, ends).alerts(), *watch(ledger, hours).chain_broken()]
    return tell(told, ledger, [each for each in found if each.kind == kind], ())


@pytest.mark.parametrize("kind", CONDITIONS)
def test_each_condition_is_one_mail_and_one_chat_message_for_its_cause(
    kind: str, sqlite_ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    make, hours, says = CONDITIONS[kind]
    with webhook() as chat, mail_server() as post:
        monkeypatch.setenv("ALERTS_WEBHOOK_URL", chat.url())
        assert tells(sqlite_ledger, settings(post.port), kind, hours) == [], "nothing stands, nothing is told"
        make(sqlite_ledger)
        assert len(tells(sqlite_ledger, settings(post.port), kind, hours)) == 1
        assert tells(sqlite_ledger, settings(post.port), kind, hours) == [], "it stands still: it was told"
    (text,), (mail,) = chat.texts, post.mails
    assert says in text and says in mail["Subject"]
    for told in (text, mail.get_content()):
        assert re.search(r"^https://review\.test/(due|decisions|cause/[0-9a-f]{16})?$", told.strip(), re.M)


@pytest.mark.parametrize("form", ["slack", "teams"])
def test_every_kind_of_alert_is_tried_here_and_is_taken_by_slack_and_by_teams(
    form: str, sqlite_ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert set(CONDITIONS) == set(get_args(Kind)) - {"run_failed", "digest"}, "these two have tests of their own"
    with webhook() as chat, mail_server() as post:
        monkeypatch.setenv("ALERTS_WEBHOOK_URL", chat.url())
        for make, _, _ in CONDITIONS.values():
            make(sqlite_ledger)
        found = [*watch(sqlite_ledger, 8 * 24).alerts(), *watch(sqlite_ledger).chain_broken()]
        tell(settings(post.port, webhook_form=form), sqlite_ledger, found, ())
    assert len(chat.texts) == len(post.mails) == len({each.cause for each in found}) > 6
    assert all(("attachments" in body) is (form == "teams") for body in chat.bodies)


# --- before it ends ---------------------------------------------------------------------------------------------------


def jwt(**claims: float) -> str:
    """Unsigned: nothing that we read of it rests on the signature."""
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode() for part in ({}, claims, {}))


def ends_by(monkeypatch: pytest.MonkeyPatch, ledger: Ledger, days: float, made_for: float = 90) -> Ends:
    content = {
        "companies": {"10": {"currency": "SEK"}},
        "ifs": {"base_url": "https://erp.test", "token_url": "https://erp.test/t"},
        "cin7": {"credential_ends": f"{TODAY + timedelta(days=days):%Y-%m-%d}"},
        "alerts": {"webhook": "ALERTS_WEBHOOK_URL"},
    }
    end = (TODAY + timedelta(days=days)).timestamp()
    monkeypatch.setenv("MONDAY_TOKEN", jwt(exp=end, iat=end - made_for * 86400))
    return ends_of(configuration.parse(content, "mlc.yaml"), ["MONDAY_TOKEN", "HUBSPOT_TOKEN"], lambda: ledger)


def test_a_credential_is_told_before_it_ends_by_mlc_yaml_by_itself_and_a_persons_by_the_ledger(
    sqlite_ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    sqlite_ledger.users.add("clerk", [("decide", "20")], days=10)
    with webhook() as chat, mail_server() as post:
        monkeypatch.setenv("ALERTS_WEBHOOK_URL", chat.url())
        ends = ends_by(monkeypatch, sqlite_ledger, days=10)
        assert len(tells(sqlite_ledger, settings(post.port), "credential", 0, ends)) == 3
        assert tells(sqlite_ledger, settings(post.port), "credential", 1, ends) == []
    assert {mail["Subject"].partition(" ends on ")[0] for mail in post.mails} == {
        "mlc: the credential of cin7",
        "mlc: MONDAY_TOKEN",
        "mlc: the token of clerk for the review page",
    }
    assert "mlc credentials set MONDAY_TOKEN" in "".join(chat.texts) and "eyJ" not in "".join(chat.texts)


@pytest.mark.parametrize("days, made_for", [(60, 90), (10, 20), (-1, 90)])
def test_what_ends_later_what_is_renewed_by_its_use_and_what_has_ended_is_not_told_beforehand(
    days: float, made_for: float, sqlite_ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends = ends_by(monkeypatch, sqlite_ledger, days, made_for)
    told = [each.subject for each in watch(sqlite_ledger, 0, ends).alerts()]
    assert [each for each in told if "MONDAY_TOKEN" in each] == []


def test_calls_of_a_day_that_run_out_are_told_while_some_are_left_as_hubspot_tells_them(sqlite_ledger: Ledger) -> None:
    budget = sqlite_ledger.budget("hubspot 0a1b", 190, 10)
    left = iter([250_000, 60_000, 24_000])

    def answer(_: httpx.Request) -> httpx.Response:
        told = {"X-HubSpot-RateLimit-Daily": "250000", "X-HubSpot-RateLimit-Daily-Remaining": str(next(left))}
        return httpx.Response(200, json={"results": []}, headers=told)

    api = HubspotApi(ApiClient("hubspot", "https://api.test", transport=httpx.MockTransport(answer)), budget)
    for expected in ([], [], ["10% of the day's calls of hubspot are left"]):
        api.get("/crm/v3/objects/companies")
        assert [each.subject for each in watch(sqlite_ledger).alerts()] == expected
    assert [each.subject for each in watch(sqlite_ledger, hours=3).alerts()] == [], "what was seen then may be over"


# --- one cause, one message -------------------------------------------------------------------------------------------


def test_one_cause_is_one_message_whatever_kinds_of_alert_it_makes_and_whoever_meets_it(
    sqlite_ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """cin7 is away for a day: its runs fail, its days are due, its flows are not fresh, one after another."""
    with webhook() as chat, mail_server() as post:
        monkeypatch.setenv("ALERTS_WEBHOOK_URL", chat.url())
        told = settings(post.port)
        for flow in ("cin7/purchases", "cin7/suppliers"):
            sqlite_ledger.loads.ended(flow, "2026-11-03", "r")
        for number, day in enumerate(("2026-11-04", "2026-11-05")):
            failure = Failure("cin7:unreachable", "cin7", "GET /me: no answer", f"run {number}")
            for flow in ("cin7/purchases", "cin7/suppliers"):
                sqlite_ledger.work.fail([(flow, day)], failure)
                failed = FailedRun("cin7", f"run {number}", day, ("no answer",), frozenset({flow}))
                tell_failure(told, lambda: sqlite_ledger, failed, (), {FLOW: "team:finance"})
            tell(told, sqlite_ledger, watch(sqlite_ledger, 25 + number).alerts(), ())
    assert len(chat.texts) == len(post.mails) == 1, chat.texts


def test_a_cause_that_concerns_others_by_its_kind_is_one_message_for_each_of_them(
    sqlite_ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    with mail_server() as post:
        routed = settings(post.port, webhook=None, routes=[{"kinds": ["days_due"], "to": ["bo@a.test"]}])
        for day in ("2026-11-04", "2026-11-05"):
            for run in (f"first of {day}", f"second of {day}"):
                failure = Failure("cin7:unreachable", "cin7", "GET /me: no answer", run)
                sqlite_ledger.work.fail([(FLOW, day)], failure)
        for _ in range(3):
            tell(routed, sqlite_ledger, watch(sqlite_ledger).alerts(), ())
    assert sorted(mail["To"] for mail in post.mails) == ["ann@acme.test", "bo@a.test"]


def test_who_could_not_be_reached_is_told_the_next_time_and_who_was_is_not_told_twice(
    sqlite_ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    differs(sqlite_ledger)
    with webhook() as chat, mail_server() as post:
        monkeypatch.setenv("ALERTS_WEBHOOK_URL", chat.url())
        chat.status = 500
        (said,) = tells(sqlite_ledger, settings(post.port), "open_amount", 0)
        assert "answered 500" in said and len(post.mails) == 1
        chat.status = 200
        assert tells(sqlite_ledger, settings(post.port), "open_amount", 0)[0].startswith("told: ")
        assert tells(sqlite_ledger, settings(post.port), "open_amount", 0) == []
    assert len(chat.texts) == 2 and len(post.mails) == 1


def test_the_link_of_a_cause_is_that_of_the_page_and_a_long_text_does_not_push_it_out(
    sqlite_ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    differs(sqlite_ledger)
    (cause,) = sqlite_ledger.open_items.causes(Wanted(connections={FLOW: "cin7"}))
    (alert,) = [each for each in watch(sqlite_ledger).alerts() if each.kind == "open_amount"]
    with webhook() as chat, mail_server() as post:
        monkeypatch.setenv("ALERTS_WEBHOOK_URL", chat.url())
        tell(settings(post.port), sqlite_ledger, [replace(alert, text="word " * 1000)], ())
    assert chat.texts[0].endswith(f"\nhttps://review.test/cause/{cause.cause.mark}")


# --- once a day -------------------------------------------------------------------------------------------------------


def test_the_digest_tells_what_differs_with_its_money_and_each_owner_his_own(
    sqlite_ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_held(sqlite_ledger)
    differs(sqlite_ledger)
    other = Held("A1", "1", (Problem("supplier_is_delivered", "not there", "4711"),), {}, "2026-11-05")
    sqlite_ledger.hold("airbase/vendors", [other], run=RUN, owner="team:supply")
    with webhook() as chat, mail_server() as post:
        monkeypatch.setenv("ALERTS_WEBHOOK_URL", chat.url())
        route = {"kinds": ["digest"], "owners": ["team:supply"], "to": ["supply@a.test"]}
        owners = {FLOW: "team:finance", "airbase/vendors": "team:supply"}
        said = tell_daily(settings(post.port, routes=[route]), lambda: sqlite_ledger, (), (), owners)
    assert said == "told: 2 on hold, 1 differ"
    whole, own = (mail.get_content() for mail in post.mails)
    assert "gone_in_the_source (cin7): 1 since" in whole and "-1500000.00 SEK" in whole and FLOW in whole
    assert "2000000.01 SEK" in whole and whole.strip().endswith("https://review.test")
    assert post.mails[1]["To"] == "supply@a.test" and "airbase/vendors: 1 since" in own and FLOW not in own


# --- routes -----------------------------------------------------------------------------------------------------------


def test_a_test_goes_to_each_route_and_says_what_came_of_each(
    tmp_path: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with webhook() as everybody, webhook() as finance, mail_server() as post:
        routes = [
            {"kinds": ["open_amount"], "owners": ["team:finance"], "webhook": "FINANCE_URL", "to": ["bo@a.test"]},
            {"kinds": ["credential"], "webhook": "NOT_SET_URL"},
            {"kinds": ["quota"], "to": ["bo@a.test"]},
        ]
        content = {
            "companies": {"10": {"currency": "SEK"}},
            "ifs": {"base_url": "https://erp.test", "token_url": "https://erp.test/t"},
            "alerts": settings(post.port, routes=routes).model_dump(mode="json", exclude_none=True),
        }
        (tmp_path / "mlc.yaml").write_text(yaml.safe_dump(content))
        monkeypatch.setenv("MLC_CONFIG", str(tmp_path / "mlc.yaml"))
        monkeypatch.setenv("MLC_DATABASE_URL", sqlite_url)
        monkeypatch.setenv("ALERTS_WEBHOOK_URL", everybody.url())
        monkeypatch.setenv("FINANCE_URL", finance.url())
        result = CliRunner().invoke(app, ["alerts", "test"])
    assert result.exit_code == 1 and "NOT_SET_URL is not set" in result.output, "one way lacks its address"
    assert len(everybody.texts) == len(finance.texts) == 1 and "You are told of: open_amount" in finance.texts[0]
    assert [mail["To"] for mail in post.mails] == ["ann@acme.test", "bo@a.test"], "each of them once"


def test_a_route_tells_those_whom_kind_and_owner_concern_and_nobody_else(
    sqlite_ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    with webhook() as everybody, webhook() as finance, mail_server() as post:
        monkeypatch.setenv("ALERTS_WEBHOOK_URL", everybody.url())
        monkeypatch.setenv("FINANCE_URL", finance.url())
        route = {
            "kinds": ["open_amount"],
            "owners": [flow_of(FLOW).owner],
            "webhook": "FINANCE_URL",
            "to": ["bo@a.test"],
        }
        routed = settings(post.port, routes=[route])
        differs(sqlite_ledger)
        fails(sqlite_ledger, "refused")
        tells(sqlite_ledger, routed, "open_amount", 0)
        tells(sqlite_ledger, routed, "credential", 0)
    assert len(finance.texts) == len(everybody.texts) == 1
    assert [mail["To"] for mail in post.mails] == ["bo@a.test", "ann@acme.test"]


def test_teams_is_sent_a_card_in_which_nothing_acts(sqlite_ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    from mlc_dagster.transport.notifications import Webhook

    body = Webhook("https://x.test", "X", form="teams")._body("mlc: [P1](http://evil)", "one\n*two* <at>all</at>")
    (attachment,) = body["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    assert [block["text"] for block in attachment["content"]["body"]] == [
        r"mlc: \[P1\](http://evil)", "one", r"\*two\* \<at\>all\</at\>"
    ]  # fmt: skip
