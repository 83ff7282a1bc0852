"""Many at once: frozen, counted, decided on in the background, stopped; what is left out is named. Section 12, 6."""

from decimal import Decimal

import pytest

from mlc_dagster.core.flows import Problem
from mlc_dagster.ledger.entries import Held
from mlc_dagster_tests.web.review.browser.conftest import csrf, forged, text
from mlc_dagster_tests.web.review.conftest import FLOW, REASON, RUN

pytestmark = pytest.mark.slow
MAY = [("decide", "20"), ("look", "10")]


def fill(ledger, number, rule="period_is_open", company="20", first=0, content="a"):
    """Holds of one cause, P0000 and on, of 1.10 SEK each."""
    problem = Problem(rule, "closed", "2026-10-31")
    row = {"company": company, "vendor_no": "4711", "gross_amount": "1.10", "currency_code": "SEK"}
    keys = [f"P{each:04}" for each in range(first, first + number)]
    ledger.hold(FLOW, [Held(key, "", (problem,), row, "2026-11-05", f"{content} {key}") for key in keys], run=RUN)
    return keys


def choose_all(page, label, number):
    page.get_by_label(f"all {number} that match").check()
    page.get_by_role("button", name=f"{label}...").click()


def test_of_1204_what_changed_what_nobody_waives_and_another_companys_is_named(both):
    at = both()
    fill(at.ledger, 1197)
    fill(at.ledger, 5, rule="gl_accounts_exist", first=1197)
    fill(at.ledger, 2, company="10", first=1202)
    page = at.sign_in("anna", MAY, path="/items")
    choose_all(page, "Release", "1,204")
    asked = text(page)
    assert "Release: 1,197 items" in asked and "Left out: 7" in asked
    assert "1,316.70 SEK" in asked, "the sum by company and currency, of what is decided on"
    assert page.locator("caption:has-text('The largest') + thead + tbody tr").count() == 5
    assert asked.count("cannot be waived") == 5 and asked.count("you have not the role decide for company 10") == 2
    assert len(at.ledger.history.open_keys(FLOW)) == 1204, "nothing is decided by looking"

    changed = fill(at.ledger, 3, first=100, content="b")  # meanwhile
    page.get_by_label("Why (at least").fill(REASON)
    sent = {"csrf": csrf(page), "answer": "begin", "reason": REASON}
    page.get_by_role("button", name="Release 1,197").click()
    assert forged(page, page.url, **sent).status == 303, "a double click is answered as the first"
    page.get_by_text("Done: 1,194 of 1,204").wait_for(timeout=120_000)
    told = text(page)
    assert "Not decided on: 10" in told and told.count("it has changed since it was chosen") == 3
    assert all(key in told for key in changed)
    left = set(at.ledger.history.open_keys(FLOW))
    assert left == {*changed, *(f"P{each}" for each in range(1197, 1204))}
    decisions = at.ledger.decisions.of(FLOW, [f"P{each:04}" for each in range(1204)])
    assert len(decisions) == 1194 and {one.who for one in decisions.values()} == {"anna"}
    name = page.url.rpartition("/")[2]
    assert decisions["P0000"].reason == f"{REASON} ({name})", "the trail names the selection"
    released = [line for line in at.ledger.notes.decisions([FLOW], None, 5_000) if line.event == "released"]
    assert len(released) == 1194, "each once"
    assert len(at.ledger.work.all()) == 1


def test_stopped_at_half_the_rest_is_untouched_and_the_page_says_which(served, ledger):
    keys = fill(ledger, 1000)
    page = served().sign_in(path="/items")
    choose_all(page, "Discard", "1,000")
    page.get_by_label("Why (at least").fill(REASON)
    page.get_by_role("button", name="Discard 1,000").click()
    page.get_by_role("button", name="Stop").click()
    page.get_by_text("Stopped:").wait_for(timeout=60_000)
    open_now = [one.key for one in ledger.open_holds()]
    assert 0 < len(open_now) < 1000
    told = text(page)
    assert f"Stopped: {1000 - len(open_now):,} decided, {len(open_now):,} untouched" in told
    page.locator("summary", has_text="Untouched").click()
    assert sorted(page.locator("details:has-text('Untouched') li").all_inner_texts()) == sorted(open_now)
    page.get_by_role("button", name="Go on with the other").click()
    page.get_by_text("Done: 1,000 of 1,000").wait_for(timeout=120_000)
    assert ledger.open_holds() == [] and len(ledger.decisions.of(FLOW, keys)) == 1000


def test_a_selection_is_its_makers_own_and_bank_details_are_never_in_one(served, ledger):
    fill(ledger, 1)
    fill(ledger, 1, rule="bank_details_are_confirmed", first=1)
    at = served({"two_people": {"limits": {"SEK": str(Decimal(1000))}}})
    page = at.sign_in(path="/items")
    choose_all(page, "Release", "2")
    assert "bank details are never released in bulk" in text(page) and "Release: 1 items" in text(page)
    other = at.sign_in("ola")
    assert other.goto(page.url).status == 404
    answer = forged(other, page.url, csrf=csrf(at_home(other, at)), answer="begin", reason=REASON)
    assert answer.status == 404 and len(ledger.open_holds()) == 2


def at_home(page, at):
    page.goto(at.address)
    return page
