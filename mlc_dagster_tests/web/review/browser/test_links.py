"""A link from a mail opens at its place after sign-in, and says a year later what became of it. Section 12, 16."""

from __future__ import annotations

import pytest
from sqlalchemy import delete

from mlc_dagster.ledger import Run
from mlc_dagster.ledger.records.differences import Found
from mlc_dagster.ledger.tables import contents
from mlc_dagster_tests.ledger.samples import deliver, ready
from mlc_dagster_tests.web.review.browser.conftest import text
from mlc_dagster_tests.web.review.conftest import FLOW, REASON, hold, path_of

pytestmark = pytest.mark.slow
KEY = "P/1 %?#&é"


def links(ledger):
    """One of each kind, as mails have them: (address, what stands on the page that it opens)."""
    hold(ledger, KEY, rule="period_is_open", amount="501.00")
    ledger.differences.see(FLOW, [Found("D1", "gone_in_the_source", amount="7", currency="NOK")])
    [held], [differs] = ledger.open_holds(), ledger.differences.open()
    ledger.proposals.propose(FLOW, KEY, "release", "x", "20", ("ola", REASON))
    [waits] = ledger.proposals.standing()
    marks = {one.cause.differs: one.cause.mark for one in ledger.open_items.causes()}
    return {
        "/": "Open: 2 items",
        f"/items?cause={marks[False]}&company=20": "closed period",
        f"/cause/{marks[False]}": "closed period",
        f"/cause/{marks[True]}": "no longer exists",
        f"/item/h{held.id}": KEY,
        f"/item/d{differs.id}": "D1",
        path_of(KEY): KEY,
        f"/approvals/{waits.id}": "Release of",
        "/close/2026-11/20": "Close 2026-11, company 20",
        "/decisions": "Decided",
    }


def test_each_link_opens_at_its_place_after_sign_in(both):
    at = both()
    token = at.ledger.users.add("kari", [("decide", "*"), ("confirm", "*")], 30)
    for path, words in links(at.ledger).items():
        page = at.visitor()
        page.goto(at.address + path)
        page.get_by_label("Your name").fill("kari")
        page.get_by_label("Your personal token").fill(token)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_selector("nav")
        assert words in text(page), path
        page.context.close()


def test_a_scanner_that_follows_every_link_changes_nothing(served, ledger):
    found = links(ledger)
    at = served()
    page = at.sign_in()
    before = (ledger.trail(FLOW, KEY), ledger.work.all(), ledger.proposals.standing(), ledger.open_holds())
    for path in found:
        for method in ("GET", "HEAD"):
            page.request.fetch(at.address + path, method=method)
    assert before == (ledger.trail(FLOW, KEY), ledger.work.all(), ledger.proposals.standing(), ledger.open_holds())


def test_a_year_later_each_says_what_became_of_it(both):
    at = both()
    ledger = at.ledger
    found = links(ledger)
    [held], [differs] = ledger.open_holds(), ledger.differences.open()
    [waits] = ledger.proposals.standing()
    ledger.proposals.end(waits, "refused", "ola", "not this month")
    ledger.decisions.discard(held, "kari", REASON, Run("review"))
    ledger.differences.close([differs.id], f"accepted by kari: {REASON}", Run("review"))
    page = at.sign_in()
    causes = [path for path in found if path.startswith("/cause/")]
    for path, how in zip(causes, ("discarded", "accepted by kari"), strict=True):
        page.goto(at.address + path)
        assert "Nothing of it is open any more." in text(page) and how in text(page)
    page.goto(at.address + next(path for path in found if path.startswith("/items?")))
    page.get_by_role("link", name="What became of it").click()
    assert "Nothing of it is open any more." in text(page)
    for path in (f"/item/h{held.id}", path_of(KEY)):
        page.goto(at.address + path)
        assert "not open any more" in text(page) and f"by kari: {REASON}" in text(page)
    page.goto(f"{at.address}/item/d{differs.id}")
    assert "not open any more" in text(page) and "accepted by kari" in text(page)
    page.goto(f"{at.address}/approvals/{waits.id}")
    assert "It waits no more: refused: not this month by ola" in text(page)


def test_of_erased_content_it_is_said_that_it_is_not_kept(served, ledger):
    deliver(ledger, ready("P7"))
    at = served()
    page = at.sign_in(path=path_of("P7"))
    assert "As it was sent" in text(page)
    with ledger._database.writing() as connection:
        connection.execute(delete(contents))
    page.reload()
    assert "What was sent is not kept any more: it was erased" in text(page) and "created" in text(page)
