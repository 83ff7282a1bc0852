from dataclasses import replace

import pytest

from mlc_dagster.core.outcomes import Saved, State
from mlc_dagster.ledger import Decision, HoldEntry, Ledger, Run
from mlc_dagster.ledger.records.decisions import DecisionRefused
from mlc_dagster.pipeline.auditing import stories
from mlc_dagster.systems.configuration import flows as all_flows
from mlc_dagster_tests.ledger.samples import FLOW, RUN, deliver, draft, events, held, ready, version

CLI = Run("cli", "2026-11-05")


def on_hold(ledger: Ledger, key: str = "P1", *, rule: str = "order_is_a_purchase", content: str = "c1") -> HoldEntry:
    ledger.hold(FLOW, [replace(held(key, rule=rule), content=content)], run=RUN)
    return next(hold for hold in ledger.open_holds(FLOW) if hold.key == key)


def test_a_release_closes_the_hold_and_says_who_and_why(ledger):
    hold = on_hold(ledger)
    decision = ledger.decisions.release(hold, "ann", "the buyer confirmed it", CLI)
    assert ledger.open_holds() == []
    assert (decision.verdict, decision.rules, decision.content) == ("released", ("order_is_a_purchase",), "c1")
    assert ledger.decisions.of(FLOW, ["P1", "P2"]) == {"P1": replace(decision, version=version(5))}
    assert events(ledger, "P1") == ["held", "released", "closed"]
    assert ledger.trail(FLOW, "P1")[1].detail == "by ann: the buyer confirmed it"


def test_a_discard_is_kept_with_the_version_that_was_decided_on(ledger):
    ledger.decisions.discard(on_hold(ledger), "ann", "paid by hand", CLI)
    (decision,) = ledger.decisions.of(FLOW, ["P1"]).values()
    assert isinstance(decision, Decision)
    assert (decision.verdict, decision.version, decision.reason) == ("discarded", version(5), "paid by hand")
    (closed,) = ledger.history.holds("P1")
    assert (closed.closed_how, closed.closed_at is not None) == ("discarded", True)


def test_a_flow_without_decisions_has_none_and_another_flow_is_not_asked(ledger):
    ledger.decisions.discard(on_hold(ledger), "ann", "paid by hand", CLI)
    assert ledger.decisions.of("monday/invoices", ["P1"]) == {}
    assert ledger.decisions.of(FLOW, ["P2"]) == {}


@pytest.mark.parametrize("rule", ["amounts_add_up", "record_is_readable", "gl_accounts_exist", "supplier_exists"])
def test_what_would_break_the_books_is_not_released_but_may_be_discarded(ledger, rule):
    hold = on_hold(ledger, rule=rule)
    with pytest.raises(DecisionRefused, match=f"{rule} cannot be waived"):
        ledger.decisions.release(hold, "ann", "please", CLI)
    assert events(ledger, "P1") == ["held"] and ledger.open_holds() == [hold]
    assert ledger.decisions.of(FLOW, ["P1"]) == {}
    ledger.decisions.discard(hold, "ann", "entered by hand", CLI)
    assert ledger.open_holds() == []


@pytest.mark.parametrize("who, reason, missing", [("ann", "  ", "why"), ("", "paid by hand", "by whom")])
def test_a_decision_without_a_name_or_a_reason_is_refused(ledger, who, reason, missing):
    with pytest.raises(DecisionRefused, match=missing):
        ledger.decisions.discard(on_hold(ledger), who, reason, CLI)
    assert len(ledger.open_holds()) == 1


def test_a_hold_that_changed_or_closed_meanwhile_is_not_decided_on(ledger):
    seen = on_hold(ledger)
    on_hold(ledger, content="c2")
    with pytest.raises(DecisionRefused, match="has changed"):
        ledger.decisions.release(seen, "ann", "ok", CLI)
    now = ledger.open_holds()[0]
    deliver(ledger, ready("P1"))
    with pytest.raises(DecisionRefused, match="no longer on hold"):
        ledger.decisions.discard(now, "ann", "ok", CLI)
    assert ledger.decisions.of(FLOW, ["P1"]) == {}


def test_a_hold_of_an_earlier_release_is_held_anew_before_it_is_decided_on(ledger):
    hold = on_hold(ledger, content="")
    with pytest.raises(DecisionRefused, match="mlc replay"):
        ledger.decisions.release(hold, "ann", "ok", CLI)


def test_the_newest_decision_stands_and_the_trail_keeps_both(ledger):
    ledger.decisions.discard(on_hold(ledger), "ann", "a duplicate", CLI)
    ledger.decisions.release(on_hold(ledger, content="c2", rule="not_discarded"), "bo", "it was none", CLI)
    (decision,) = ledger.decisions.of(FLOW, ["P1"]).values()
    assert (decision.verdict, decision.who, decision.content) == ("released", "bo", "c2")
    assert [line.detail for line in ledger.trail(FLOW, "P1") if str(line.event) in ("released", "discarded")] == [
        "by ann: a duplicate",
        "by bo: it was none",
    ]


def test_a_release_after_a_refusal_leaves_the_rules_waived_that_were(ledger):
    ledger.decisions.release(on_hold(ledger), "ann", "confirmed", CLI)
    ledger.decisions.release(on_hold(ledger, rule="target_accepts_it", content="t1"), "bo", "it was locked", CLI)
    (decision,) = ledger.decisions.of(FLOW, ["P1"]).values()
    assert (decision.rules, decision.content) == (("order_is_a_purchase",), "c1")
    ledger.decisions.discard(on_hold(ledger, rule="target_accepts_it", content="t1"), "bo", "given up", CLI)
    assert ledger.decisions.of(FLOW, ["P1"])["P1"].verdict == "discarded"


def test_a_change_after_posting_that_is_released_counts_as_known(ledger):
    deliver(ledger, ready("P1", content="a"))
    changed = ready("P1", day=6, content="b")
    refusal = replace(held("P1", day=6, rule="not_changed_after_posting"), content=changed.fingerprint)
    ledger.hold(FLOW, [refusal], run=RUN)
    ledger.decisions.release(ledger.open_holds()[0], "ann", "a new text only", CLI)
    assert ledger.judge(FLOW, [changed])["P1"].state is State.UNCHANGED
    assert ledger.judge(FLOW, [ready("P1", content="a")])["P1"].state is State.SUPERSEDED
    adopted = next(line for line in ledger.trail(FLOW, "P1") if str(line.event) == "adopted")
    assert adopted.detail == "by ann: a new text only"


def test_a_release_waits_for_a_run_until_one_has_moved_it(ledger):
    decision = ledger.decisions.release(on_hold(ledger), "ann", "ok", CLI)
    since = decision.at
    assert [(found.key, day) for found, day in ledger.history.released(FLOW, since)] == [("P1", "2026-11-05")]
    deliver(ledger, ready("P1"))
    assert ledger.history.released(FLOW, since) == []


def test_a_release_whose_record_was_found_unchanged_waits_no_more(ledger):
    deliver(ledger, ready("P1", day=4))
    decision = ledger.decisions.release(on_hold(ledger), "ann", "ok", CLI)
    assert len(ledger.history.released(FLOW, decision.at)) == 1
    ledger.settle(FLOW, [(ready("P1", day=5), State.UNCHANGED)], run=RUN)
    assert ledger.history.released(FLOW, decision.at) == []


def test_history_tells_of_a_key_over_all_flows_and_of_a_run(ledger):
    on_hold(ledger)
    ledger.hold("monday/invoices", [held("P1", partition="2026-11-04")], run=Run("run-2", "2026-11-04"))
    deliver(ledger, ready("P1"), run=Run("run-3", "2026-11-05"))
    assert list(ledger.history.trail("P1")) == [FLOW, "monday/invoices"]
    assert [(hold.flow, hold.closed_how) for hold in ledger.history.holds("P1")] == [
        (FLOW, "delivered"),
        ("monday/invoices", None),
    ]
    assert ledger.history.of_run("run-3") == ({(FLOW, "2026-11-05")}, set())
    assert ledger.history.partition_of("monday/invoices", "P1") == "2026-11-04"
    assert ledger.history.partition_of(FLOW, "P1") == "2026-11-05"
    assert ledger.history.partition_of(FLOW, "P9") is None


def test_open_holds_are_narrowed_counted_and_taken_in_turns(ledger):
    for number in range(5):
        on_hold(ledger, f"P{number}")
    ledger.hold("ifs/suppliers_from_cin7", [held("S1")], run=RUN)
    history = ledger.history
    assert [hold.key for hold in history.open_holds(flow=FLOW, limit=2)] == ["P3", "P4"]
    assert len(history.open_holds(system="cin7")) == 6 and history.open_holds(system="cin") == []
    assert history.count_open(system="ifs").by_rule == {("ifs/suppliers_from_cin7", "gl_accounts_exist"): 1}
    first = history.next_holds(FLOW, 0, 3)
    assert [hold.key for hold in first + history.next_holds(FLOW, first[-1].id, 3)] == [f"P{n}" for n in range(5)]
    assert history.open_keys() == ["P0", "P1", "P2", "P3", "P4", "S1"]


def test_history_tells_what_both_sides_agreed_on(ledger):
    record = ready("S1")
    saved = Saved(draft(record), "c-1", "updated", agreed=("S1", {"terms": "30"}))
    ledger.begin(FLOW, [(record, "c-1")], run=RUN)
    ledger.finish(FLOW, [(record, saved)], run=RUN, pair="cin7/suppliers")
    (content, _, run_id) = ledger.history.agreed("S1")["cin7/suppliers"]
    assert (content, run_id) == ({"terms": "30"}, "run-1") and ledger.history.agreed("S2") == {}


def test_the_story_of_a_record_begins_with_the_webhook_that_told_of_it(sqlite_ledger):
    lists = replace(all_flows()["cin7"][0], source=replace(all_flows()["cin7"][0].source, system="airbase"))
    sqlite_ledger.inbox.store("airbase", "e1", "purchase_request_approved", "S1", "{}")
    sqlite_ledger.hold(lists.name, [held("S1")], run=RUN)
    (story,) = stories(sqlite_ledger, "S1", {lists.name: lists})
    assert [each.what for each in story.happened] == ["told", "held"]
    assert "purchase_request_approved (e1), not taken yet" in story.happened[0].detail
