"""Ledger away, sensor stopped, connection paused, nothing read for a day: told on every screen. Section 12, 14."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from mlc_dagster.ledger.database import LedgerUnavailable
from mlc_dagster.ledger.records.loads import Loads
from mlc_dagster_tests.web.review.browser.conftest import text
from mlc_dagster_tests.web.review.conftest import hold, path_of, settings_with

pytestmark = pytest.mark.slow
SCREENS = (
    "/",
    "/items",
    path_of("P1"),
    "/approvals",
    "/due",
    "/decisions",
    "/close/2026-11",
    "/close/2026-11/20",
    "/me",
)


def all_fresh(ledger: Any) -> None:
    from mlc_dagster.systems import configuration

    for flow in configuration.known_flows(settings_with()):
        ledger.loads.ended(flow, "2026-11-30", "run-9")
    ledger.loads.sensors_look()


def on_every_screen(page: Any, at: Any, words: str) -> None:
    for path in SCREENS:
        page.goto(at.address + path)
        assert words in text(page), path
        assert "Nothing is open." not in text(page), path


def test_a_pause_is_told_on_every_screen_with_reason_and_person(served, ledger):
    hold(ledger, "P1")
    all_fresh(ledger)
    ledger.pauses.pause("cin7", "ola", "stock count")
    at = served()
    on_every_screen(at.sign_in(), at, "cin7 is paused by ola")
    on_every_screen(at.sign_in("ola"), at, "stock count")


def test_a_sensor_that_stopped_is_told_on_every_screen(served, ledger, monkeypatch):
    hold(ledger, "P1")
    all_fresh(ledger)
    at = served()
    page = at.sign_in()
    assert "no sensor" not in text(page)
    looked = ledger.loads.sensors_looked_at()
    monkeypatch.setattr(Loads, "sensors_looked_at", lambda _: looked - timedelta(seconds=110))
    page.reload()
    assert "no sensor" not in text(page)
    monkeypatch.setattr(Loads, "sensors_looked_at", lambda _: looked - timedelta(minutes=3))
    on_every_screen(page, at, "no sensor has looked for 3 minutes: what is decided here waits")
    monkeypatch.setattr(Loads, "sensors_looked_at", lambda _: None)
    on_every_screen(page, at, "no sensor has looked yet")


def test_what_was_not_read_for_a_day_is_told_on_every_screen(served, ledger, monkeypatch):
    hold(ledger, "P1")
    all_fresh(ledger)
    kept = Loads.latest

    def older(self: Loads) -> Any:
        found = kept(self)
        flow = "cin7/purchases"
        return {**found, flow: found[flow]._replace(ended_at=found[flow].ended_at - timedelta(hours=30))}

    monkeypatch.setattr(Loads, "latest", older)
    at = served()
    on_every_screen(at.sign_in(), at, "cin7/purchases was loaded last 1 day ago")


def test_nothing_open_is_an_all_clear_only_where_all_is_fresh(served, ledger):
    at = served()
    page = at.sign_in()
    assert "but this is no all-clear" in text(page) and "were never loaded" in text(page)
    all_fresh(ledger)
    page.reload()
    assert "Nothing is open." in text(page) and "no all-clear" not in text(page)
    ledger.work.ask("cin7/purchases", ["2026-11-05"], "asked for")
    page.reload()
    assert "but this is no all-clear: 1 day is due" in text(page) and "Nothing is open." not in text(page)


def test_a_ledger_that_is_away_is_told_and_tried_again_by_itself(served, ledger, monkeypatch):
    hold(ledger, "P1")
    at = served()
    page = at.sign_in()
    kept = ledger.users.signed_in

    def away(*_: object) -> None:
        raise LedgerUnavailable("the ledger in db.acme/mlc does not answer")

    monkeypatch.setattr(ledger.users, "signed_in", away)
    for path in SCREENS:
        answer = page.goto(at.address + path)
        assert answer.status == 503 and "The ledger does not answer." in text(page) and "db.acme/mlc" in text(page)
        assert "Nothing is open" not in text(page) and "P1" not in page.locator("main").inner_text()
    page.goto(at.address)
    monkeypatch.setattr(ledger.users, "signed_in", kept)
    page.get_by_text("Open: 1 items").wait_for(timeout=20_000)


def test_a_list_that_lies_open_keeps_what_it_shows_while_the_ledger_is_away(served, ledger, monkeypatch):
    hold(ledger, "P1")
    page = served().sign_in()
    broken = LedgerUnavailable("away")

    def away(*_: object, **__: object) -> None:
        raise broken

    monkeypatch.setattr(ledger.open_items, "causes", away)
    page.get_by_text("This list could not be looked at again").wait_for(timeout=60_000)
    told = text(page)
    assert "Open: 1 items of 1 causes" in told
    assert "This list could not be looked at again" in told, "what is shown is old, and says so"
