"""What two people do where both sides differ, and where a guard stopped a run, in their browsers."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from mlc_dagster.ledger import Run
from mlc_dagster.ledger.records.differences import Found
from mlc_dagster.ledger.records.looks import Remembered
from mlc_dagster.web.review.record import last_day
from mlc_dagster_tests.ledger.samples import deliver, ready
from mlc_dagster_tests.web.review.browser.conftest import text
from mlc_dagster_tests.web.review.browser.test_decisions import decide, open_form
from mlc_dagster_tests.web.review.conftest import FLOW, REASON, path_of
from mlc_dagster_tests.web.review.test_stopped_runs import STOPPED, stopped

pytestmark = pytest.mark.slow


def differs(ledger):
    deliver(ledger, ready("P1"))
    ledger.looks.saw(FLOW, {"P1": Remembered({"total": Decimal(100)})}, ledger.looks.now())
    ledger.differences.see(FLOW, [Found("P1", "edited_in_the_target", "total", "100", "90.50", "-9.50", "SEK")])


def test_ours_is_restored_by_the_word_of_two_and_each_step_is_seen(both):
    at = both()
    differs(at.ledger)
    first, second = at.sign_in("kari", path=path_of("P1")), at.sign_in("ola", path="/approvals")
    decide(first, "Restore ours", button="Propose: Restore ours")
    assert "Proposed to restore it: it waits for a second person." in text(first)
    second.reload()
    assert "Then and now: 0 of 1 values differ" in text(second)
    second.get_by_role("button", name="Confirm").click()
    first.reload()
    assert "Restore: decided, a run takes it up in about half a minute" in text(first)
    assert first.get_by_text("Restore ours...", exact=True).count() == 0
    [one] = at.ledger.action_requests.standing([FLOW])
    assert at.ledger.action_requests.take(one)
    first.reload()
    assert "Restore: a run has taken it up" in text(first) and first.get_by_text("Withdraw it...").count() == 0
    at.ledger.action_requests.end(one, "done", "sent again as it was delivered", Run("run-2"))
    first.reload()
    assert "Restore: done" in text(first) and "sent again as it was delivered" in text(first)


def test_an_acceptance_is_taken_back_and_a_difference_is_explained(served, ledger):
    differs(ledger)
    page = served().sign_in(path=path_of("P1"))
    decide(page, "Accept theirs")
    assert ledger.differences.open() == []
    decide(page, "Take the acceptance back", "it was the wrong one", "Take back")
    assert "Taken back: it differs as before." in text(page) and len(ledger.differences.open()) == 1
    form = open_form(page, "Explain until")
    until = last_day(datetime.now(UTC).date()).isoformat()
    form.get_by_label("Until", exact=False).fill(until)
    form.locator("textarea").fill(REASON)
    form.get_by_role("button", name="Explain").click()
    assert f"Explained until {until} by kari: {REASON}" in text(page)
    page.goto(page.url.partition("/record")[0] + "/items?explained=yes")
    assert f"explained until {until}" in text(page) and "1 items" in text(page)


def test_a_run_that_a_guard_stopped_is_allowed_once_by_two_and_withdrawn(served, ledger):
    stopped(ledger)
    at = served()
    first, second = at.sign_in("kari", path=path_of("P1")), at.sign_in("ola", path="/approvals")
    first.get_by_role("link", name="Allow this run once...").click()
    assert "3 would be created, 0 changed" in text(first) and "300.00 SEK" in text(first)
    decide(first, "Allow this run once", button="Propose: allow 3 once")
    second.reload()
    second.get_by_role("button", name="Confirm").click()
    second.get_by_text("Done: 3 of 3.").wait_for(timeout=20_000)
    first.goto(at.address + STOPPED)
    assert ledger.open_holds() == []
    decide(first, "Withdraw what was allowed", "it was the wrong day", "Withdraw")
    assert len(ledger.open_holds()) == 3 and "3 would be created" in text(first)


def test_a_reason_that_was_given_before_is_chosen_by_keyboard_and_a_tag_is_put_on(served, ledger):
    differs(ledger)
    page = served().sign_in(path=path_of("P1"))
    decide(page, "Restore ours", button="Propose: Restore ours")
    form = open_form(page, "Forget it")
    form.get_by_label("Or one of your last reasons").select_option(REASON)
    form.get_by_role("button", name="Propose: Forget it").press("Enter")
    assert "Proposed to forget it" in text(page)
    assert [one.reason for one in ledger.proposals.standing()] == [REASON] * 2
    page.get_by_label("Tags, such as: urgent, asked supply").fill("Month end")
    page.get_by_role("button", name="Tag", exact=True).click()
    assert "Tagged month end." in text(page)
    page.goto(page.url.partition("/record")[0] + "/items?tag=month end")
    assert "P1" in text(page)
    page.get_by_label("Keep this filter as").fill("for the close")
    page.get_by_role("button", name="Keep").click()
    assert page.get_by_role("link", name="for the close").count() == 1
