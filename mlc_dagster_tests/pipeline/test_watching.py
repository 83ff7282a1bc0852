"""Each condition is told by mail and in a chat, once for its cause, to those whom it concerns."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import update

from mlc_dagster.core.flows import Problem
from mlc_dagster.core.vocabulary import Pull
from mlc_dagster.ledger import Failure, Held, Ledger, Run
from mlc_dagster.ledger.records.differences import Found
from mlc_dagster.pipeline.watching.conditions import Watch
from mlc_dagster.pipeline.watching.telling import tell
from mlc_dagster.settings.alerts import AlertSettings, AlertThresholds
from mlc_dagster_tests.promises.journey import flow_of
from mlc_dagster_tests.receivers import mail_server, webhook

FLOW, SOURCE, RUN = "cin7/purchases", "ifs/purchase_order_set", Run("r", "2026-11-05")
TODAY = datetime.now(UTC)


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
    is_held(ledger)
    from mlc_dagster.ledger.tables import attempts

    with ledger._database.writing() as connection:
        connection.execute(update(attempts).where(attempts.c.flow == FLOW).values(detail="nothing was wrong"))


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
    "open_long": (is_held, 8 * 24, "gl_accounts_exist: 4O10 (cin7)"),
    "open_amount": (differs, 0, "-1500000 SEK open: gone_in_the_source (cin7)"),
    "few_rows": (has_few_rows, 0, "ifs/purchase_order_set has few rows"),
    "paused": (lambda ledger: ledger.pauses.pause("cin7", "anna", "month end"), 25, "cin7 is paused still"),
    "chain_broken": (is_tampered, 0, "the trail was tampered with, or damaged"),
}


def settings(port: int, **more: object) -> AlertSettings:
    mail = {"host": "127.0.0.1", "port": port, "sender": "mlc@acme.test", "to": ["ann@acme.test"], "security": "none"}
    return AlertSettings.model_validate(
        {"webhook": "ALERTS_WEBHOOK_URL", "email": mail, "page_url": "https://review.test", **more}
    )


def tells(ledger: Ledger, told: AlertSettings, kind: str, hours: float) -> list[str]:
    limits = AlertThresholds(open_amounts={"SEK": Decimal(1_000_000)})
    watch = Watch(ledger, [flow_of(FLOW)], limits, datetime.now(UTC) + timedelta(hours=hours))
    found = [*watch.alerts(), *watch.chain_broken()]
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
    assert says in text and says in mail["Subject"] and "https://review.test" in text


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
