"""Somebody is told, by webhook and by mail; what does not get out is a line in the log; no secret is in any of it."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography.fernet import Fernet
from typer.testing import CliRunner

from mlc_dagster.cli.app import app
from mlc_dagster.core.errors import Misconfigured, MlcError
from mlc_dagster.core.flows import Problem
from mlc_dagster.ledger import Failure, Held, Ledger, Run
from mlc_dagster.ledger.database import LedgerUnavailable
from mlc_dagster.pipeline import alerting, digest
from mlc_dagster.pipeline.alerting import FailedRun
from mlc_dagster.settings.alerts import AlertSettings
from mlc_dagster.systems import configuration as settings_file
from mlc_dagster.systems.configuration import all_secrets
from mlc_dagster.transport import notifications as sending
from mlc_dagster_tests.receivers import certificate, mail_server, webhook

TOKEN, PASSWORD = "B0/s3cr3t-t0ken", "p4ssw0rd-marked"
SECRET_NAMES = all_secrets()
FAILED = FailedRun(
    "cin7", "run-1", "2026-11-05", ("AccessDenied: cin7: GET /suppliers: 401\n  Check CIN7_ACCOUNT_ID.",)
)


@pytest.fixture(autouse=True)
def no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ALERTS_WEBHOOK_URL", "ALERTS_SMTP_PASSWORD", "MLC_MASTER_KEY"):
        monkeypatch.delenv(name, raising=False)


def alerts(**fields: Any) -> AlertSettings:
    return AlertSettings.model_validate(fields or {"webhook": "ALERTS_WEBHOOK_URL"})


def by_mail(port: int, **fields: Any) -> AlertSettings:
    mail = {"host": "127.0.0.1", "port": port, "sender": "mlc@acme.test", "to": ["ann@acme.test", "bo@acme.test"]}
    return alerts(email={"security": "none", **mail, **fields})


def file_with(**section: Any) -> dict[str, Any]:
    ifs = {"base_url": "https://erp.test", "token_url": "https://erp.test/token"}
    return {"companies": {"0010": {"currency": "SEK"}}, "ifs": ifs, "alerts": section}


# --- what is said ---------------------------------------------------------------------------------------------------


def test_a_failed_run_is_one_message_with_its_error_its_cure_and_the_way_to_it(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    with webhook() as receiver:
        monkeypatch.setenv("ALERTS_WEBHOOK_URL", receiver.url())
        named = alerts(webhook="ALERTS_WEBHOOK_URL", ui_url="https://dagster.acme.test")
        said = alerting.tell_failure(named, lambda: ledger, FAILED, SECRET_NAMES)
    assert said == "told that cin7 failed"
    assert receiver.texts == [
        "mlc: cin7 failed for 2026-11-05\n"
        "AccessDenied: cin7: GET /suppliers: 401\n  Check CIN7_ACCOUNT_ID.\n"
        "https://dagster.acme.test/runs/run-1"
    ]


def test_one_cause_is_told_once_an_hour_and_then_how_often_it_was_meanwhile(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = FailedRun("hubspot", "run-9", "2026-11-05", FAILED.errors)
    with webhook() as receiver:
        monkeypatch.setenv("ALERTS_WEBHOOK_URL", receiver.url())
        for number, day in ((1, "2026-11-05"), (2, "2026-11-06"), (3, "2026-11-06")):
            said = alerting.tell_failure(
                alerts(), lambda: ledger, FailedRun("cin7", f"run-{number}", day, FAILED.errors), SECRET_NAMES
            )
        assert "told then" in said and len(receiver.texts) == 1, "other days and runs are the same cause"
        alerting.tell_failure(alerts(), lambda: ledger, other, SECRET_NAMES)
        assert len(receiver.texts) == 2, "another job is another cause"
        at_once = alerts(webhook="ALERTS_WEBHOOK_URL", quiet_minutes=0)
        alerting.tell_failure(at_once, lambda: ledger, FAILED, SECRET_NAMES)
    assert "So did 2 more runs of it since the last message." in receiver.texts[2]


def test_the_daily_word_tells_each_flow_its_age_and_rules_and_what_is_paused(ledger: Ledger) -> None:
    run = Run("run", "2026-11-05")
    for key, rules in (("P1", ("gl_accounts_exist",)), ("P2", ("gl_accounts_exist", "supplier_is_delivered"))):
        problems = tuple(Problem(rule, "wrong") for rule in rules)
        ledger.hold("cin7/purchases", [Held(key, "1", problems, {}, "2026-11-05", "c")], run=run)
    pause, _ = ledger.pauses.pause("ifs", "anna", "month end")
    ledger.work.put_off([("ifs/suppliers_from_cin7", "2026-11-05")], "ifs", "paused", "month end", "run")
    since = ledger.open_holds()[0].opened_at
    assert digest.daily(ledger) == (
        "mlc: 2 on hold, ifs paused",
        f"cin7/purchases: 2 since {since:%Y-%m-%d} (gl_accounts_exist 2, supplier_is_delivered 1)\n"
        f"{pause} (1 load waits)",
    )


def test_nothing_in_a_message_calls_a_whole_channel(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    with webhook() as receiver:
        monkeypatch.setenv("ALERTS_WEBHOOK_URL", receiver.url())
        assert alerting.tell(alerts(), lambda: ledger, "subject", "supplier <!channel> & Co") == []
    assert receiver.texts == ["subject\nsupplier &lt;!channel&gt; &amp; Co"]


def test_a_day_without_holds_is_told_too(ledger: Ledger) -> None:
    assert digest.daily(ledger) == ("mlc: nothing on hold", "Nothing is on hold, and nothing is paused.")


# --- how it gets there ----------------------------------------------------------------------------------------------


def test_a_mail_without_a_sign_in_goes_to_all(ledger: Ledger) -> None:
    with mail_server() as receiver:
        assert alerting.tell(by_mail(receiver.port), lambda: ledger, "mlc: 2\non hold", "Größe: 2") == []
    (mail,) = receiver.mails
    assert (mail["Subject"], mail["From"], mail["To"]) == (
        "mlc: 2 on hold",
        "mlc@acme.test",
        "ann@acme.test, bo@acme.test",
    )
    assert mail.get_content().strip() == "Größe: 2" and receiver.sign_ins == []


@pytest.mark.parametrize("security", ["starttls", "ssl"])
def test_a_mail_with_a_sign_in_is_encrypted_before_the_password_goes(
    security: str, sqlite_ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, client = certificate(tmp_path)
    monkeypatch.setattr(sending, "trusted", lambda: client)
    monkeypatch.setenv("ALERTS_SMTP_PASSWORD", PASSWORD)
    with mail_server(server, at_once=security == "ssl") as receiver:
        section = by_mail(receiver.port, security=security, user="mlc")
        assert alerting.tell(section, lambda: sqlite_ledger, "subject", "text") == []
    assert receiver.encrypted == [True] and receiver.sign_ins == [("mlc", PASSWORD)]


def test_a_server_without_tls_gets_no_password(sqlite_ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALERTS_SMTP_PASSWORD", PASSWORD)
    with mail_server() as receiver:
        (said,) = alerting.tell(
            by_mail(receiver.port, security="starttls", user="mlc"), lambda: sqlite_ledger, "s", "t"
        )
    assert "STARTTLS" in said and "alerts.email.security" in said and receiver.sign_ins == receiver.mails == []


def test_the_secrets_may_stand_in_the_vault(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLC_MASTER_KEY", Fernet.generate_key().decode())
    with webhook() as receiver:
        ledger.vault(os.environ["MLC_MASTER_KEY"]).set("ALERTS_WEBHOOK_URL", receiver.url())
        assert alerting.tell(alerts(), lambda: ledger, "subject", "text") == []
    assert receiver.texts == ["subject\ntext"]


# --- what goes wrong ------------------------------------------------------------------------------------------------


def test_a_receiver_that_is_down_is_a_line_in_the_log_and_the_other_way_is_tried(
    sqlite_ledger: Ledger, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with webhook() as gone:
        pass
    monkeypatch.setenv("ALERTS_WEBHOOK_URL", gone.url())
    caplog.set_level(logging.DEBUG)
    with mail_server() as receiver:
        both = by_mail(receiver.port).model_copy(update={"webhook": "ALERTS_WEBHOOK_URL"})
        (said,) = alerting.tell(both, lambda: sqlite_ledger, "subject", "text")
    assert said.startswith("the webhook (ALERTS_WEBHOOK_URL) was not reached: [Errno 111] Connection refused")
    why, _, cure = said.partition("\n  ")
    in_one_line = f"an alert was not sent: {why} ({cure})"
    assert in_one_line in [record.getMessage() for record in caplog.records]
    assert len(receiver.mails) == 1


@pytest.mark.parametrize("answer", [b"no_service", b"unknown path /services/B0/s3cr3t-t0ken", b""])
def test_no_address_is_shown_whatever_the_receiver_answers(
    answer: bytes, sqlite_ledger: Ledger, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with webhook() as receiver:
        receiver.status, receiver.body = 404, answer
        monkeypatch.setenv("ALERTS_WEBHOOK_URL", receiver.url())
        (said,) = alerting.tell(alerts(), lambda: sqlite_ledger, "subject", "text")
        receiver.status = 200
        assert alerting.tell(alerts(), lambda: sqlite_ledger, "subject", "text") == []
    assert said.startswith("the webhook (ALERTS_WEBHOOK_URL) answered 404")
    for shown in (said, caplog.text, repr(list(alerting.channels(alerts(), lambda: sqlite_ledger)))):
        assert "s3cr3t" not in shown and "/services/" not in shown


@pytest.mark.parametrize(
    "url", ["hooks.test/s3cr3t", "https://[s3cr3t", "ftp://hooks.test/s3cr3t", "http://x\n/s3cr3t"]
)
def test_what_is_no_address_is_told_without_it(
    url: str, monkeypatch: pytest.MonkeyPatch, sqlite_ledger: Ledger
) -> None:
    monkeypatch.setenv("ALERTS_WEBHOOK_URL", url)
    (said,) = alerting.tell(alerts(), lambda: sqlite_ledger, "subject", "text")
    assert "was not reached" in said and "s3cr3t" not in said


def test_a_refused_sign_in_names_the_settings_and_not_the_password(
    sqlite_ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, client = certificate(tmp_path)
    monkeypatch.setattr(sending, "trusted", lambda: client)
    monkeypatch.setenv("ALERTS_SMTP_PASSWORD", PASSWORD)
    with mail_server(server) as receiver:
        receiver.refuses = True
        section = by_mail(receiver.port, security="starttls", user="mlc")
        (said,) = alerting.tell(section, lambda: sqlite_ledger, "subject", "text")
    assert "alerts.email.user" in said and PASSWORD not in said and receiver.mails == []


def test_a_missing_secret_is_told_by_its_name(sqlite_ledger: Ledger) -> None:
    (said,) = alerting.tell(alerts(), lambda: sqlite_ledger, "subject", "text")
    assert "ALERTS_WEBHOOK_URL is not set" in said and "mlc credentials set ALERTS_WEBHOOK_URL" in said


def test_no_secret_is_in_a_message_whatever_an_error_quotes(
    sqlite_ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CIN7_APPLICATION_KEYS", "key-one-s3cr3t, key-two-s3cr3t")
    monkeypatch.setenv("MLC_DATABASE_URL", "postgresql://mlc:db-s3cr3t@db.test/ledger")
    quoting = FailedRun("cin7", "run", "", ("ValueError: key-two-s3cr3t, key-one-s3cr3t and db-s3cr3t",))
    with webhook() as receiver:
        monkeypatch.setenv("ALERTS_WEBHOOK_URL", receiver.url())
        alerting.tell_failure(alerts(), lambda: sqlite_ledger, quoting, SECRET_NAMES)
    assert "ValueError: ***, *** and ***" in receiver.texts[0] and "s3cr3t" not in receiver.texts[0]


def test_a_ledger_that_fails_keeps_no_message_back(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone() -> Ledger:
        raise LedgerUnavailable("the disk is full")

    with webhook() as receiver:
        monkeypatch.setenv("ALERTS_WEBHOOK_URL", receiver.url())
        assert alerting.tell_failure(alerts(), gone, FAILED, SECRET_NAMES) == "told that cin7 failed"
        assert digest.tell_daily(alerts(), gone, SECRET_NAMES) == "told: what is on hold is not known"
    assert "the disk is full" in receiver.texts[1]


# --- settings and command -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "section, says",
    [
        ({}, "nobody is told: give webhook or email"),
        ({"webhook": "https://hooks.test/s3cr3t"}, "an address is a secret and does not stand here"),
        (
            {"email": {"host": "m", "sender": "a@b", "to": ["c@d"], "user": "u", "security": "none"}},
            "a password would be sent in clear",
        ),
    ],
)
def test_a_mistake_is_named_and_no_address_is_shown(section: dict[str, Any], says: str) -> None:
    with pytest.raises(Misconfigured, match=says) as caught:
        settings_file.parse(file_with(**section), "mlc.yaml")
    assert "s3cr3t" not in str(caught.value) and "alerts" in str(caught.value)


def test_a_test_message_is_sent_and_what_came_of_it_is_told(
    tmp_path: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with webhook() as receiver, mail_server() as mails:
        section = by_mail(mails.port).model_copy(update={"webhook": "ALERTS_WEBHOOK_URL"})
        config = tmp_path / "mlc.yaml"
        config.write_text(yaml.safe_dump(file_with(**section.model_dump(mode="json", exclude_none=True))))
        monkeypatch.setenv("MLC_CONFIG", str(config))
        monkeypatch.setenv("MLC_DATABASE_URL", sqlite_url)
        monkeypatch.setenv("ALERTS_WEBHOOK_URL", receiver.url())
        result = CliRunner().invoke(app, ["alerts", "test"])
        assert result.exit_code == 0, result.output
        assert result.output.splitlines() == [
            "webhook (ALERTS_WEBHOOK_URL): sent",
            f"e-mail (127.0.0.1:{mails.port}): sent",
        ]
        assert "This is a test." in receiver.texts[0] and "there is no ledger" in mails.mails[0].get_content()
        receiver.status = 500
        again = CliRunner().invoke(app, ["alerts", "test"])
        assert again.exit_code == 1 and "answered 500" in again.output and "e-mail" in again.output
        config.write_text(yaml.safe_dump({name: each for name, each in file_with().items() if name != "alerts"}))
        none = CliRunner().invoke(app, ["alerts", "test"])
        assert isinstance(none.exception, MlcError) and "nobody is told" in str(none.exception)


def test_what_is_on_hold_is_not_told_in_clear_to_another_machine_unless_mlc_yaml_says_why(
    monkeypatch: pytest.MonkeyPatch, sqlite_ledger: Ledger
) -> None:
    monkeypatch.setenv("ALERTS_WEBHOOK_URL", "http://hooks.acme.invalid/s3cr3t")
    (said,) = alerting.tell(alerts(), lambda: sqlite_ledger, "subject", "text")
    assert "is an http:// address of another machine" in said and "alerts.plain_http in mlc.yaml" in said
    assert "s3cr3t" not in said
    meant = alerts().model_copy(update={"plain_http": "our own network, no certificate"})
    (said,) = alerting.tell(meant, lambda: sqlite_ledger, "subject", "text")
    assert "was not reached" in said


def test_a_cause_is_told_once_whatever_day_or_job_meets_it_and_once_more_when_it_needs_a_person(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    with webhook() as receiver:
        monkeypatch.setenv("ALERTS_WEBHOOK_URL", receiver.url())
        at_once = alerts(webhook="ALERTS_WEBHOOK_URL", quiet_minutes=0)

        def fails(run: str, job: str, *days: str) -> None:
            failure = Failure("cin7:refused", "cin7", "GET /me: 401", run, patience=2)
            ledger.work.fail([("cin7/purchases", day) for day in days], failure)
            alerting.tell_failure(at_once, lambda: ledger, FailedRun(job, run, days[0], ("401",)), SECRET_NAMES)

        fails("run 1", "cin7", "2026-11-04", "2026-11-05")
        assert len(receiver.texts) == 1 and "2 of its loads are tried again from" in receiver.texts[0]
        fails("run 2", "another job", "2026-11-05")
        fails("run 3", "cin7", "2026-11-04")
        fails("run 4", "cin7", "2026-11-03")
        assert len(receiver.texts) == 2 and "When it is mended: mlc retry cin7:refused." in receiver.texts[1]
        assert "It goes on by itself when cin7 answers again." in receiver.texts[1]
        assert "cin7:refused: 3 loads need a person" in digest.daily(ledger)[1]
