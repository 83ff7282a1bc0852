"""What a guard stopped is allowed once by two people, as a whole, for these contents; never by one person."""

import time

from mlc_dagster.core.flows import Problem
from mlc_dagster.ledger.entries import Held
from mlc_dagster.ledger.records.selections import ENDED
from mlc_dagster_tests.ledger.samples import deliver, ready
from mlc_dagster_tests.web.review.conftest import FLOW, REASON, RUN, act, form, path_of
from mlc_dagster_tests.web.review.test_differences import confirm

STOPPED = f"/stopped/{FLOW}?partition=2026-11-05"
WHY = "3 records would be created, and max_creates is 2 (P0, P1, P2)"


def stopped(ledger, *, amount="100.00", company="20", other=()):
    problem = Problem("guards_allow_it", WHY, "max_creates 2")
    rows = [
        Held(f"P{n}", "2026-11-05T10:00:00.000000Z", (problem, *other), {
            "company": company, "vendor_no": "4711", "gross_amount": amount, "currency_code": "SEK",
        }, "2026-11-05", f"content {n} {amount}")
        for n in range(3)
    ]  # fmt: skip
    ledger.hold(FLOW, rows, run=RUN, owner="team:finance")


def propose(client, action="allow", **more):
    return client.post(STOPPED, data={**form(client, STOPPED, action), "reason": REASON, **more})


def ended(ledger, answer):
    name = answer.headers["location"].rpartition("/")[2]
    for _ in range(400):
        one = ledger.selections.of(name)
        if one.state == ENDED:
            return one
        time.sleep(0.02)
    raise AssertionError(one)


def test_the_plan_is_shown_proposed_and_each_is_released_by_the_word_of_two(ledger, signed):
    deliver(ledger, ready("P2", day=4))
    stopped(ledger)
    kari, ola = signed("kari"), signed("ola")
    text = kari.get(STOPPED).text
    assert WHY in text and "2 would be created, 1 changed" in text and "300.00 SEK" in text
    assert "2026-11-05" in kari.get(f"/stopped/{FLOW}").text
    assert "/stopped/cin7/purchases" in kari.get(path_of("P1")).text
    assert propose(kari).status_code == 303 and len(ledger.open_holds()) == 3
    [one] = ledger.proposals.standing()
    assert confirm(kari, one.id).status_code == 403
    assert "2 of 2" not in ola.get("/approvals").text and "Then and now: 0 of" in ola.get("/approvals").text
    answer = confirm(ola, one.id)
    assert answer.status_code == 303 and ended(ledger, answer).done == 3
    assert ledger.open_holds() == []
    found = ledger.decisions.of(FLOW, ["P0", "P1", "P2"])
    assert {(each.verdict, each.who) for each in found.values()} == {("released", "kari, confirmed by ola")}
    assert [task.partition for task in ledger.work.all()] == ["2026-11-05"]

    assert propose(kari, "withdraw").status_code == 303
    assert len(ledger.open_holds()) == 3 and ledger.decisions.of(FLOW, ["P0"]) == {}


def test_other_contents_than_were_proposed_are_not_allowed(ledger, signed):
    stopped(ledger)
    kari, ola = signed("kari"), signed("ola")
    old = form(kari, STOPPED, "allow")
    propose(kari)
    [one] = ledger.proposals.standing()
    stopped(ledger, amount="900.00")
    text = ola.get("/approvals").text
    assert "Void: its content has changed since" in text and "2700" in text, "the sums then and now"
    assert confirm(ola, one.id).status_code == 409 and len(ledger.open_holds()) == 3
    answer = kari.post(STOPPED, data={**old, "reason": REASON})
    assert answer.status_code == 409 and REASON in answer.text


def test_one_person_does_not_let_them_pass_one_by_one_nor_in_bulk(ledger, signed):
    stopped(ledger)
    kari = signed("kari")
    act(kari, path_of("P1"), "release", reason=REASON)
    assert len(ledger.open_holds()) == 3 and [one.action for one in ledger.proposals.standing()] == ["release"]
    csrf = form(kari, path_of("P1"), "note")["csrf"]
    answer = kari.post("/items", data={"csrf": csrf, "all": "1", "action": "release"})
    assert "a guard stopped its run" in kari.get(answer.headers["location"]).text


def test_a_run_with_records_of_other_companies_is_not_shown_and_needs_the_role_for_all(ledger, signed):
    stopped(ledger, company="10")
    assert signed("clerk").get(STOPPED).status_code == 404
    assert signed("reader").post(STOPPED, data={"action": "allow"}).status_code in (403, 404)


def test_what_other_rules_hold_too_stays(ledger, signed):
    stopped(ledger, other=(Problem("gl_accounts_exist", "unknown account 4O10", "4O10"),))
    text = signed("kari").get(STOPPED).text
    assert "Nothing of it is stopped any more" in text or "3 more are held by other rules" in text
    assert 'value="allow"' not in text
