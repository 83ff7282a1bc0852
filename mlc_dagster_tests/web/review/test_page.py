"""The whole way: signed in, what is open, one record, a decision, what became of it."""

from decimal import Decimal

import pytest

from mlc_dagster.core.stakes import Stake, document_key
from mlc_dagster.ledger.records.differences import Found
from mlc_dagster.ledger.records.looks import Remembered
from mlc_dagster_tests.ledger.samples import deliver, ready
from mlc_dagster_tests.web.review.conftest import FLOW, INVOICES, REASON, RUN, act, form, hold, path_of

pytestmark = pytest.mark.usefixtures("ledger")


def test_causes_are_told_with_their_sums_and_cure(ledger, signed):
    hold(ledger, "P1")
    hold(ledger, "P2", amount="250.50")
    hold(ledger, "I1", amount="3", currency_code="EUR", flow=INVOICES)
    ledger.differences.see(FLOW, [Found("P9", "gone_in_the_source", amount="7", currency="NOK")])
    text = signed().get("/").text
    assert "Open: 4 items of 2 causes" in text
    assert "350.50 SEK" in text and "3.00 EUR" in text and "7.00 NOK" in text
    assert "no open account &#34;4O10&#34; (company 20)" in text
    assert "Looks like 4010: sign 2 is the letter O." in text
    assert "It cannot be released: the target would refuse the record" in text
    assert "3 in 2 flows" in text
    assert "gl_accounts_exist" in text


def test_a_release_is_written_for_the_sensors_and_closes_the_hold(ledger, signed):
    hold(ledger, "P/1 %?#", rule="period_is_open")
    client = signed()
    answer = act(client, path_of("P/1 %?#"), "release", reason=REASON)
    assert answer.status_code == 303
    assert "Released: taken up by the next run" in client.get(answer.headers["location"]).text
    assert ledger.open_holds() == []
    [decision] = ledger.decisions.of(FLOW, ["P/1 %?#"]).values()
    assert (decision.verdict, decision.who, decision.reason) == ("released", "kari", REASON)
    assert [(task.flow, task.partition, task.why) for task in ledger.work.all()] == [
        (FLOW, "2026-11-05", "released by kari")
    ]
    assert "by kari: checked with the supplier" in client.get("/decisions").text


def test_a_discard_needs_a_reason_and_keeps_what_was_typed(ledger, signed):
    hold(ledger, "P1", rule="period_is_open")
    client = signed()
    answer = act(client, path_of("P1"), "discard", reason="no <b>")
    assert answer.status_code == 422 and "at least 10 signs" in answer.text and "no &lt;b&gt;" in answer.text
    assert len(ledger.open_holds()) == 1
    assert act(client, path_of("P1"), "discard", reason=REASON).status_code == 303
    assert [one.verdict for one in ledger.decisions.of(FLOW, ["P1"]).values()] == ["discarded"]


def test_what_the_other_system_has_is_accepted_as_it_was_seen(ledger, signed):
    deliver(ledger, ready("P1"))
    moment = ledger.looks.now()
    ledger.looks.saw(FLOW, {"P1": Remembered({"total": Decimal("100"), "memo": "a"})}, moment)
    ledger.differences.see(FLOW, [Found("P1", "edited_in_the_target", "total", "100", "90.50", "-9.50", "SEK")])
    client = signed()
    assert act(client, path_of("P1"), "accept", reason=REASON).status_code == 303
    assert ledger.differences.open() == []
    [look] = ledger.looks.of(FLOW, ["P1"])
    assert look.shown == {"total": Decimal("90.50"), "memo": "a"}
    assert look.accepted == {"total": (Decimal(100), Decimal("90.50"))}


def test_what_was_never_looked_at_as_a_whole_is_not_accepted_blindly(ledger, signed):
    deliver(ledger, ready("P1"))
    ledger.differences.see(FLOW, [Found("P1", "edited_in_the_target", "total", "100", "90.50")])
    answer = act(signed(), path_of("P1"), "accept", reason=REASON)
    assert answer.status_code == 409 and "not known what the target has" in answer.text and REASON in answer.text
    assert len(ledger.differences.open()) == 1


def test_what_was_taken_back_is_closed_by_a_word_and_told_in_the_trail(ledger, signed):
    ledger.differences.see(FLOW, [Found("P1", "taken_back", amount="5", currency="SEK")])
    assert act(signed(), path_of("P1"), "accept", reason=REASON).status_code == 303
    [closed] = ledger.differences.history(FLOW, "P1")
    assert closed.closed_by == f"accepted by kari: {REASON}"


def test_two_browsers_the_second_hears_what_changed_and_keeps_his_reason(ledger, signed):
    hold(ledger, "P1", rule="period_is_open")
    first, second = signed("kari"), signed("ola")
    theirs = form(second, path_of("P1"), "release")
    assert act(first, path_of("P1"), "discard", reason=REASON).status_code == 303
    answer = second.post(path_of("P1"), data={**theirs, "reason": "I know it is right"})
    assert answer.status_code == 409
    assert "it is not open any more" in answer.text and "by kari" in answer.text


def test_content_that_changed_meanwhile_is_not_decided_on(ledger, signed):
    hold(ledger, "P1", rule="period_is_open")
    client = signed()
    old = form(client, path_of("P1"), "release")
    hold(ledger, "P1", rule="period_is_open", amount="999.00")
    answer = client.post(path_of("P1"), data={**old, "reason": REASON})
    assert answer.status_code == 409 and REASON in answer.text and len(ledger.open_holds()) == 1
    assert ledger.decisions.of(FLOW, ["P1"]) == {}


def test_a_form_that_is_sent_twice_is_one_decision(ledger, signed):
    hold(ledger, "P1", rule="period_is_open")
    client = signed()
    sent = {**form(client, path_of("P1"), "note"), "reason": "asked the supplier"}
    assert [client.post(path_of("P1"), data=sent).status_code for _ in range(3)] == [303, 303, 303]
    assert [line.event.value for line in ledger.trail(FLOW, "P1")].count("noted") == 1


def test_assign_note_and_look_again_are_told(ledger, signed):
    hold(ledger, "P1")
    client = signed("clerk")
    assert act(client, path_of("P1"), "assign", to="ap.clerk2").status_code == 303
    assert act(client, path_of("P1"), "note", reason="asked supply").status_code == 303
    assert act(client, path_of("P1"), "look").status_code == 303
    assert "ap.clerk2" in client.get("/items?owner=ap.clerk2").text
    assert [line.detail for line in ledger.trail(FLOW, "P1")][-2:] == [
        "by clerk: to ap.clerk2",
        "by clerk: asked supply",
    ]
    assert [task.why for task in ledger.work.all()] == ["clerk asked to look again"]


def test_items_are_shown_fifty_at_a_time_with_the_sums_of_all(ledger, signed):
    for number in range(120):
        hold(ledger, f"P{number:03}", amount=f"{number}.10")
    client, path, seen = signed(), "/items?company=20", []
    while path:
        told = client.get(path, headers={"accept": "application/json"}).json()
        assert (told["count"], told["sums"]) == (120, {"SEK": "7152"})
        seen += [each["key"] for each in told["items"]]
        path = told["next"]
    assert len(seen) == len(set(seen)) == 120 and seen[0] == "P119"
    assert "Next 50" in client.get("/items").text


def test_some_are_given_to_a_person_at_once(ledger, signed):
    hold(ledger, "P1")
    hold(ledger, "P2", company="10")
    client = signed("clerk")
    ids = [one.id for one in ledger.open_holds()]
    csrf = form(client, path_of("P1"), "note")["csrf"]
    sent = {"csrf": csrf, "item": [f"h{number}" for number in ids], "action": "assign", "to": "kari"}
    assert client.post("/items", data=sent).status_code == 303
    assert {one.key: one.assigned for one in ledger.open_holds()} == {"P1": "kari", "P2": ""}


def test_the_export_has_the_rows_and_sums_of_the_list(ledger, signed):
    hold(ledger, "=HYPERLINK(1)", amount="1204300.00")
    hold(ledger, "P2", amount="-5.25", vendor_no="@SUM(A1)")
    text = signed().get("/export.csv").content.decode("utf-8-sig")
    header, first, second = text.splitlines()
    assert header.startswith("document,party,company,amount,currency")
    assert first.startswith("'=HYPERLINK(1),4711,20,1204300.00,SEK") and second.startswith("P2,'@SUM(A1),20,-5.25,SEK")


def test_nothing_open_is_no_all_clear_where_nothing_was_loaded(ledger, signed):
    client = signed()
    assert "but this is no all-clear" in client.get("/").text
    for flow in client.app._app._site.connections:
        ledger.loads.ended(flow, "2026-11-30", "run-9")
    assert "no sensor has looked yet" in client.get("/").text
    ledger.loads.sensors_look()
    assert "Nothing is open." in client.get("/").text
    ledger.pauses.pause("cin7", "kari", "counting stock")
    text = client.get("/").text
    assert "no all-clear" in text and "cin7 is paused by kari" in text
    assert "cin7 is paused by kari" in client.get("/due").text


def test_an_empty_filter_says_which_one_hides_how_many(ledger, signed):
    hold(ledger, "P1")
    text = signed().get("/items?company=10").text
    assert "The filter <b>company</b> hides 1" in text


def test_a_filter_that_means_nothing_is_refused_and_not_left_out(signed):
    for query in ("age=x", "amount_from=abc", "period=2026-13", "kind=all", "after=1.2"):
        assert signed().get(f"/items?{query}").status_code == 400


def test_a_record_that_is_open_no_more_tells_its_story(ledger, signed):
    hold(ledger, "P1")
    ledger.close_holds(FLOW, ["P1"], "delivered", run=RUN)
    text = signed("clerk").get(path_of("P1")).text
    assert "not open any more" in text and "closed" in text


def test_a_supplier_of_an_invoice_may_be_seen_by_its_company(ledger, signed):
    ledger.stakes.note(INVOICES, {"I1": Stake("980.00", "SEK", document_key("10", "4711", "F1"))})
    ledger.differences.see(INVOICES, [Found("I1", "taken_back", amount="980.00", currency="SEK")])
    assert signed("clerk").get(path_of("I1", INVOICES)).status_code == 404
    assert signed("kari").get(path_of("I1", INVOICES)).status_code == 200
