"""One record is decided on: what cannot be waived, two browsers, two people, and the way back."""

import logging

import pytest

from mlc_dagster.ledger import Run
from mlc_dagster_tests.web.review.browser.conftest import csrf, forged, text
from mlc_dagster_tests.web.review.conftest import FLOW, REASON, hold, path_of

pytestmark = pytest.mark.slow
TWO = {"two_people": {"limits": {"SEK": 500}}}


def open_form(page, label):
    page.get_by_text(f"{label}...", exact=True).click()
    return page.locator("details[open] form")


def decide(page, label, reason=REASON, button=None):
    found = open_form(page, label)
    found.locator("textarea").fill(reason)
    found.get_by_role("button", name=button or label).click()


def test_a_rule_that_nobody_waives_has_no_button_and_a_forged_form_is_refused_and_logged(served, ledger, caplog):
    """Section 12, 3."""
    hold(ledger, "P1")
    at = served()
    page = at.sign_in(path=path_of("P1"))
    assert "Release is not possible. gl_accounts_exist cannot be waived" in text(page)
    assert page.get_by_text("Release...", exact=True).count() == 0
    mark = page.locator("input[name=mark]").first.get_attribute("value")
    sent = {"csrf": csrf(page), "once": "f" * 32, "action": "release", "mark": mark, "reason": REASON}
    with caplog.at_level(logging.INFO, "mlc_dagster.access"):
        answer = forged(page, at.address + path_of("P1"), **sent)
    assert answer.status == 403 and "cannot be released by anybody" in answer.text()
    assert any("release of gl_accounts_exist" in line.getMessage() for line in caplog.records)
    assert len(ledger.open_holds()) == 1 and ledger.decisions.of(FLOW, ["P1"]) == {}


def test_of_two_browsers_the_second_hears_what_changed_and_keeps_its_reason(both):
    """Section 12, 4, its first half."""
    at = both()
    hold(at.ledger, "P1", rule="period_is_open")
    first, second = at.sign_in("kari", path=path_of("P1")), at.sign_in("ola", path=path_of("P1"))
    late = open_form(second, "Release")
    late.locator("textarea").fill("I know that it is right")
    decide(first, "Discard")
    assert "Discarded: it is never sent as it is now." in text(first)
    with second.expect_response(lambda answer: answer.request.method == "POST") as posted:
        late.get_by_role("button", name="Release").click()
    assert posted.value.status == 409
    told = text(second)
    assert "Nothing was decided: it is not open any more" in told and "by kari" in told
    assert second.get_by_label("What you had typed").input_value() == "I know that it is right"
    assert [one.verdict for one in at.ledger.decisions.of(FLOW, ["P1"]).values()] == ["discarded"]


def test_a_proposal_of_a_content_that_changed_is_void(both):
    """Section 12, 4, its second half."""
    at = both(TWO)
    hold(at.ledger, "P1", rule="period_is_open", amount="501.00")
    first, second = at.sign_in("kari", path=path_of("P1")), at.sign_in("ola", path="/approvals")
    decide(first, "Release", button="Propose: Release")
    assert "it waits for a second person" in text(first)
    second.reload()
    assert "The content is as it was proposed." in text(second)
    hold(at.ledger, "P1", rule="period_is_open", amount="777.00")
    second.get_by_role("button", name="Confirm").click()
    assert "The proposal is void: its content has changed since" in text(second)
    assert len(at.ledger.open_holds()) == 1 and at.ledger.proposals.standing() == []


def test_who_proposed_it_does_not_confirm_it_by_any_way(both):
    """Section 12, 5: not by the page, a forged form, the shell, or a second session."""
    at = both(TWO)
    hold(at.ledger, "P1", rule="period_is_open", amount="501.00")
    hold(at.ledger, "V1", rule="bank_details_are_confirmed", amount="1")
    token = at.ledger.users.add("kari", [("decide", "*"), ("confirm", "*")], 30)
    page = at.sign_in("kari", token=token, path=path_of("P1"))
    decide(page, "Release", button="Propose: Release")
    page.goto(at.address + path_of("V1"))
    decide(page, "Release", button="Propose: Release")
    numbers = [one.id for one in at.ledger.proposals.standing()]
    assert len(numbers) == 2
    for session in (page, at.sign_in("kari", token=token)):
        session.goto(at.address + "/approvals")
        assert "You proposed it yourself" in text(session)
        assert session.get_by_role("button", name="Confirm").count() == 0
        for number in numbers:
            answer = forged(session, f"{at.address}/approvals/{number}", csrf=csrf(session), answer="confirm")
            assert answer.status == 403 and "somebody else has to confirm" in answer.text()
    held = next(one for one in at.ledger.open_holds() if one.key == "V1")
    with pytest.raises(Exception, match="has proposed it"):
        at.ledger.decisions.release(held, "Kari", REASON, Run("cli"))  # as `mlc holds release` does
    assert len(at.ledger.open_holds()) == 2
    other = at.sign_in("ola", path="/approvals")
    other.get_by_role("button", name="Confirm").first.click()
    assert [one.key for one in at.ledger.open_holds()] == ["V1"]


def test_a_discard_is_taken_back_and_held_anew(both):
    """Section 12, 7, its first third."""
    at = both()
    hold(at.ledger, "P1")
    page = at.sign_in(path=path_of("P1"))
    decide(page, "Discard")
    assert at.ledger.open_holds() == []
    decide(page, "Take the discard back", "it was the wrong one", "Take back")
    assert "Taken back: it is on hold as before." in text(page)
    [held] = at.ledger.open_holds()
    assert (held.key, held.amount) == ("P1", "100.00") and at.ledger.decisions.of(FLOW, ["P1"]) == {}
    assert "decision taken back" in text(page) and "it was the wrong one" in text(page)
    page.goto(at.address + "/decisions")
    assert "discarded by kari is taken back: it was the wrong one" in text(page)


def test_a_release_is_withdrawn_until_a_run_takes_it(served, ledger):
    """Section 12, 7."""
    hold(ledger, "P1", rule="period_is_open")
    hold(ledger, "P2", rule="period_is_open")
    at = served()
    page = at.sign_in(path=path_of("P1"))
    decide(page, "Release")
    assert "Not taken up yet: a run does so in about" in text(page)
    decide(page, "Withdraw the release", "the period stays closed", "Withdraw")
    assert [one.key for one in ledger.open_holds()] == ["P1", "P2"]

    page.goto(at.address + path_of("P2"))
    decide(page, "Release")
    stale = open_form(page, "Withdraw the release")
    stale.locator("textarea").fill("the period stays closed")
    from mlc_dagster_tests.ledger.samples import deliver, ready

    deliver(ledger, ready("P2"))  # the run is there before the form
    stale.get_by_role("button", name="Withdraw").click()
    told = text(page)
    assert "Nothing was taken back" in told and "It cannot be taken back any more: a run has taken it up: sent" in told
    assert "What is left" in told and page.get_by_text("Withdraw the release").count() == 0
    assert [one.key for one in ledger.open_holds()] == ["P1"]
