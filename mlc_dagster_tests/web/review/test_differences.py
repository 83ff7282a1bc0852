"""What is done where both sides differ: two people ask a run for it, or say why it may differ for a while."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from mlc_dagster.ledger import Run
from mlc_dagster.ledger.records.differences import Found
from mlc_dagster.ledger.records.looks import Remembered
from mlc_dagster.ledger.records.proposals import mark_of
from mlc_dagster.web.review.looking_there import BothDocuments
from mlc_dagster.web.review.record import last_day
from mlc_dagster_tests.ledger.samples import deliver, ready
from mlc_dagster_tests.web.review.conftest import FLOW, REASON, act, form, path_of

PAYMENTS = "ifs/vouchers_from_airbase_payments"
EDITED = Found("P1", "edited_in_the_target", "total", "100", "90.50", "-9.50", "SEK")


def differs(ledger, found=EDITED, flow=FLOW):
    deliver(ledger, ready(found.key), flow=flow) if flow != FLOW else deliver(ledger, ready(found.key))
    ledger.looks.saw(flow, {found.key: Remembered({"total": Decimal(100), "memo": "a"})}, ledger.looks.now())
    ledger.differences.see(flow, [found])


def confirm(client, number):
    text = client.get("/approvals").text
    csrf = text.partition('name="csrf" value="')[2].partition('"')[0]
    return client.post(f"/approvals/{number}", data={"csrf": csrf, "answer": "confirm"})


@pytest.mark.parametrize(
    ("kind", "action"),
    [
        ("edited_in_the_target", "restore"),
        ("deleted_in_the_target", "recreate"),
        ("edited_in_the_target", "forget"),
        ("gone_in_the_source", "forget"),
    ],
)
def test_it_is_proposed_by_one_confirmed_by_another_and_left_to_a_run(ledger, signed, kind, action):
    differs(ledger, EDITED._replace(kind=kind))
    kari, ola = signed("kari"), signed("ola")
    text = kari.get(path_of("P1")).text
    assert "A second person confirms it." in text and f'value="{action}"' in text
    assert act(kari, path_of("P1"), action, reason=REASON).status_code == 303
    [one] = ledger.proposals.standing()
    assert (one.action, one.who) == (action, "kari") and ledger.action_requests.last(FLOW, "P1") is None
    assert confirm(kari, one.id).status_code == 403, "not by who proposed it"
    assert confirm(ola, one.id).status_code == 303
    request = ledger.action_requests.last(FLOW, "P1")
    assert (request.action, request.who, request.reason) == (action, "kari, confirmed by ola", REASON)
    assert request.content == mark_of(*ledger.differences.open(FLOW, "P1"))
    text = kari.get(path_of("P1")).text
    assert "decided, a run takes it up in about half a minute" in text and "waits for a run already" in text
    assert "action requested" in kari.get("/decisions").text


def test_what_differs_otherwise_than_was_proposed_is_not_confirmed_and_both_are_shown(ledger, signed):
    differs(ledger)
    kari, ola = signed("kari"), signed("ola")
    act(kari, path_of("P1"), "restore", reason=REASON)
    ledger.differences.see(FLOW, [EDITED._replace(theirs="80.00")])
    [one] = ledger.proposals.standing()
    text = ola.get(f"/approvals/{one.id}").text
    assert "ours 100, theirs 90.50" in text and "ours 100, theirs 80.00" in text and "1 of 1 values differ" in text
    assert confirm(ola, one.id).status_code == 409
    assert ledger.action_requests.last(FLOW, "P1") is None and ledger.proposals.standing() == []


def test_each_says_what_it_overwrites_and_what_way_back_there_is(ledger, signed):
    differs(ledger)
    text = signed("kari").get(path_of("P1")).text
    assert "total: &#34;90.50&#34; becomes &#34;100&#34;" in text and "overwrites what a person entered there" in text
    assert "There is no way back." in text and "is left as it is, and is none of ours any more" in text
    assert 'value="recreate"' not in text and 'value="reverse"' not in text, "what differs does not ask for it"


def test_in_shadow_nothing_is_offered_that_writes(ledger, page, signed):
    differs(ledger)
    client = signed("kari")
    site = client.app._app._site
    site.settings = site.settings.model_copy(
        update={"cin7": site.settings.targets["cin7"].model_copy(update={"mode": "shadow"})}
    )
    assert "Restore ours is not possible.</b> cin7 is in shadow" in client.get(path_of("P1")).text


def test_a_relink_shows_both_and_keeps_the_id(ledger, signed, monkeypatch):
    differs(ledger)
    rows = [("total", "90.50", "100", True), ("memo", "a", "a", False)]
    both = BothDocuments("remote-P1", "51234567", ("there", "there"), rows)
    for module in ("record", "approvals"):
        monkeypatch.setattr(f"mlc_dagster.web.review.{module}.both_documents", lambda *_: both)
    kari, ola = signed("kari"), signed("ola")
    text = kari.get(path_of("P1")).text
    assert "Look at both" in text and 'value="relink"' not in text, "not before both were looked at"
    path = f"{path_of('P1')}&to=51234567"
    assert "Both as they are there now" in kari.get(path).text
    assert act(kari, path, "relink", reason=REASON).status_code == 303
    [one] = ledger.proposals.standing()
    assert one.argument == "51234567"
    assert "Both as they are there now" in ola.get(f"/approvals/{one.id}").text
    confirm(ola, one.id)
    assert ledger.action_requests.last(FLOW, "P1").argument == "51234567"


def test_a_target_that_gives_no_answer_is_told_and_not_waited_for(ledger, signed, monkeypatch):
    differs(ledger)
    monkeypatch.setenv("CIN7_ACCOUNT_ID", "a")
    monkeypatch.setenv("CIN7_KEY", "b")
    text = signed("kari").get(f"{path_of('P1')}&to=other").text  # nobody listens at its address
    assert "They could not be read:" in text and "Look at both in the other system" in text


def test_a_request_is_withdrawn_until_a_run_takes_it(ledger, signed):
    differs(ledger)
    kari = signed("kari")
    mark = mark_of(*ledger.differences.open(FLOW, "P1"))
    ledger.action_requests.ask(FLOW, "P1", "restore", "", mark, ("kari, confirmed by ola", REASON))
    sent = {**form(kari, path_of("P1"), "withdraw"), "reason": "it was the wrong one"}
    [one] = ledger.action_requests.standing([FLOW])
    assert kari.post(path_of("P1"), data=sent).status_code == 303
    assert ledger.action_requests.last(FLOW, "P1").ended_how == "withdrawn"
    assert not ledger.action_requests.take(one)
    ledger.action_requests.ask(FLOW, "P1", "restore", "", mark, ("kari, confirmed by ola", REASON))
    sent = {**form(kari, path_of("P1"), "withdraw"), "reason": "it was the wrong one"}
    [one] = ledger.action_requests.standing([FLOW])
    assert ledger.action_requests.take(one)
    answer = kari.post(path_of("P1"), data=sent)
    assert (
        answer.status_code == 409 and "a run has taken it up" in answer.text and "it was the wrong one" in answer.text
    )


def test_an_acceptance_is_taken_back_until_the_record_is_delivered_again(ledger, signed):
    differs(ledger)
    kari = signed("kari")
    before = ledger.differences.open(FLOW, "P1")
    act(kari, path_of("P1"), "accept", reason=REASON)
    assert ledger.differences.open() == []
    answer = act(kari, path_of("P1"), "take_back_accept", reason="it was the wrong one")
    assert answer.status_code == 303
    assert mark_of(*ledger.differences.open(FLOW, "P1")) == mark_of(*before)
    [look] = ledger.looks.of(FLOW, ["P1"])
    assert look.shown == {"total": Decimal(100), "memo": "a"} and look.accepted == {}
    assert "accept is taken back: it was the wrong one" in kari.get("/decisions").text

    act(kari, path_of("P1"), "accept", reason=REASON)
    late = {**form(kari, path_of("P1"), "take_back_accept"), "reason": "it was the wrong one"}
    deliver(ledger, ready("P1"))
    answer = kari.post(path_of("P1"), data=late)
    assert answer.status_code == 409 and ledger.differences.open() == []
    assert "It cannot be taken back any more: it was delivered since" in kari.get(path_of("P1")).text


def test_a_difference_is_explained_for_a_while_and_counts_as_before(ledger, signed):
    differs(ledger)
    kari, today = signed("kari"), datetime.now(UTC).date()
    for bad in ("", "soon", (today - timedelta(days=1)).isoformat(), (last_day(today) + timedelta(days=1)).isoformat()):
        answer = act(kari, path_of("P1"), "explain", reason=REASON, until=bad)
        assert answer.status_code == 422 and REASON in answer.text
    assert act(kari, path_of("P1"), "explain", reason=REASON, until=last_day(today).isoformat()).status_code == 303
    text = kari.get(path_of("P1")).text
    assert f"Explained until {last_day(today)} by kari: {REASON}" in text and "counts in the close" in text
    assert "P1" in kari.get("/items?explained=yes").text and "P1" not in kari.get("/items?explained=no").text
    told = kari.get("/items", headers={"accept": "application/json"}).json()
    assert (told["count"], told["sums"]) == (1, {"SEK": "-9.5"}), "it is open still"
    assert act(kari, path_of("P1"), "end_explanation", reason="it came in by now").status_code == 303
    assert ledger.differences.open(FLOW, "P1")[0].explained_until is None
    assert [line.event.value for line in ledger.trail(FLOW, "P1")][-2:] == ["explained", "explanation_ended"]


def test_an_explanation_ends_by_itself_and_with_another_value(ledger, signed):
    differs(ledger)
    kari, today = signed("kari"), datetime.now(UTC).date()
    act(kari, path_of("P1"), "explain", reason=REASON, until=today.isoformat())
    ledger.differences.see(FLOW, [EDITED])
    assert ledger.differences.open(FLOW, "P1")[0].explained_until == today, "seen again as it was"
    ledger.differences.see(FLOW, [EDITED._replace(theirs="1.00")])
    assert ledger.differences.open(FLOW, "P1")[0].explained_until is None

    from mlc_dagster.ledger.records.ways_back import Said

    seen = ledger.differences.open(FLOW, "P1")
    ledger.explanations.explain(seen, today - timedelta(days=1), Said("kari", REASON))
    assert "Explained until" not in kari.get(path_of("P1")).text
    assert "P1" in kari.get("/items?explained=no").text


def test_the_last_day_is_the_end_of_the_next_month():
    assert [last_day(date(2026, 11, day)) for day in (1, 30)] == [date(2026, 12, 31)] * 2
    assert last_day(date(2026, 12, 31)) == date(2027, 1, 31)
    assert last_day(date(2027, 1, 31)) == date(2027, 2, 28)


def test_the_last_reasons_of_a_person_are_offered_and_may_be_taken(ledger, signed):
    differs(ledger)
    differs(ledger, EDITED._replace(key="P2"))
    kari = signed("kari")
    act(kari, path_of("P1"), "restore", reason=REASON)
    assert f'<option value="{REASON}">' in kari.get(path_of("P2")).text
    assert REASON not in signed("ola").get(path_of("P2")).text
    assert act(kari, path_of("P2"), "restore", reason="", again=REASON).status_code == 303
    assert [one.reason for one in ledger.proposals.standing()] == [REASON] * 2


def test_what_is_done_by_a_run_stands_beside_its_request(ledger, signed):
    differs(ledger)
    mark = mark_of(*ledger.differences.open(FLOW, "P1"))
    ledger.action_requests.ask(FLOW, "P1", "restore", "", mark, ("kari, confirmed by ola", REASON))
    [one] = ledger.action_requests.standing([FLOW])
    ledger.action_requests.end(one, "not_done", "it is deleted in the target", Run("run-2"))
    text = signed("kari").get(path_of("P1")).text
    assert "Restore: not done" in text and "it is deleted in the target" in text


def test_a_proposal_is_void_with_its_proposer_with_his_role_and_after_fourteen_days(ledger, signed):
    from sqlalchemy import update

    from mlc_dagster.ledger.records.proposals import LIVES
    from mlc_dagster.ledger.tables import proposals

    for key in ("P1", "P2", "P3"):
        differs(ledger, EDITED._replace(key=key))
    kari, ola = signed("kari"), signed("ola")
    for key in ("P1", "P2", "P3"):
        act(kari, path_of(key), "restore", reason=REASON)
    first, second, third = ledger.proposals.standing()
    ledger.users.remove("kari")
    assert "kari may sign in no more" in ola.get("/approvals").text and confirm(ola, first.id).status_code == 409
    ledger.users.add("kari", [("look", "*")], 30)
    assert "kari has the role no more" in ola.get("/approvals").text and confirm(ola, second.id).status_code == 409
    ledger.users.add("kari", [("decide", "*")], 30)
    with ledger._database.writing() as connection:
        old = third.at - LIVES
        connection.execute(update(proposals).where(proposals.c.id == third.id).values(at=old))
    assert "it is older than 14 days" in ola.get("/approvals").text and confirm(ola, third.id).status_code == 409
    assert all(ledger.action_requests.last(FLOW, key) is None for key in ("P1", "P2", "P3"))
