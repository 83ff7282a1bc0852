import random

from mlc_dagster.core.flows import Problem
from mlc_dagster.core.outcomes import State
from mlc_dagster.ledger.entries import Held, Run
from mlc_dagster_tests.ledger.samples import FLOW, RUN, deliver, events, held, ready, version


def test_a_hold_says_what_is_held_and_why(ledger):
    ledger.hold(FLOW, [held()], run=RUN)
    (entry,) = ledger.open_holds()
    assert (entry.flow, entry.key, entry.version, entry.partition, entry.run_id) == (
        FLOW,
        "0010/P1",
        version(5),
        "2026-11-05",
        "run-1",
    )
    assert entry.problems == (Problem("gl_accounts_exist", "unknown account 4711", "4711"),)
    assert entry.row == {"order_no": "0010/P1"}
    assert ledger.trail(FLOW, "0010/P1")[-1].detail == "gl_accounts_exist: unknown account 4711"


def test_the_same_hold_again_writes_nothing(ledger):
    ledger.hold(FLOW, [held()], run=RUN)
    before = ledger.open_holds()
    ledger.hold(FLOW, [held()], run=Run("run-2"))
    assert ledger.open_holds() == before
    assert events(ledger) == ["held"]


def test_a_hold_is_replaced_and_the_trail_keeps_both(ledger):
    ledger.hold(FLOW, [held()], run=RUN)
    ledger.hold(FLOW, [held(day=6, rule="supplier_is_delivered", partition="2026-11-06")], run=Run("run-2"))
    (entry,) = ledger.open_holds()
    assert (entry.problems[0].rule, entry.partition, entry.run_id) == ("supplier_is_delivered", "2026-11-06", "run-2")
    assert entry.opened_at < entry.updated_at
    assert events(ledger) == ["held", "held"]


def test_delivery_closes_the_hold_and_a_later_problem_opens_another(ledger):
    ledger.hold(FLOW, [held()], run=RUN)
    deliver(ledger, ready())
    assert ledger.open_holds() == []
    assert events(ledger) == ["held", "sent", "created", "closed"]
    ledger.hold(FLOW, [held(day=6)], run=RUN)
    assert len(ledger.open_holds()) == 1


def test_delivery_of_an_older_version_leaves_the_newer_hold_open(ledger):
    ledger.hold(FLOW, [held(day=6)], run=RUN)
    deliver(ledger, ready(day=5))
    assert [entry.version for entry in ledger.open_holds()] == [version(6)]


def test_an_older_version_neither_replaces_a_newer_hold_nor_reopens_what_was_delivered(ledger):
    deliver(ledger, ready("P1", day=6))
    ledger.hold(FLOW, [held("P2", day=6)], run=RUN)
    superseded = ledger.hold(FLOW, [held("P1", day=5), held("P2", day=5, rule="other"), held("P3")], run=RUN)
    assert superseded == {"P1", "P2"}
    assert [(entry.key, entry.version) for entry in ledger.open_holds()] == [("P2", version(6)), ("P3", version(5))]
    assert events(ledger, "P2") == ["held", "superseded"]


def test_an_unchanged_record_closes_its_hold_and_a_superseded_one_too(ledger):
    deliver(ledger, ready("P1"), ready("P2"))
    ledger.hold(FLOW, [held("P1"), held("P2")], run=RUN)
    settled = [(ready("P1"), State.UNCHANGED), (ready("P2", day=4), State.SUPERSEDED)]
    ledger.settle(FLOW, settled, run=RUN)
    assert ledger.open_holds() == []
    assert [ledger.trail(FLOW, key)[-1].detail for key in ("P1", "P2")] == ["delivered", "superseded"]


def test_a_person_closes_a_hold_with_a_reason(ledger):
    ledger.hold(FLOW, [held("P1"), held("P2")], run=RUN)
    closed = ledger.close_holds(FLOW, ["P1", "P9"], "discarded", run=Run("cli"), reason="paid by hand")
    assert closed == 1
    assert [entry.key for entry in ledger.open_holds()] == ["P2"]
    assert ledger.trail(FLOW, "P1")[-1].detail == "discarded: paid by hand"


def test_holds_are_found_and_counted_by_rule(ledger):
    both = Held("P3", version(5), (Problem("gl_accounts_exist", "x"), Problem("company_is_mapped", "y")))
    ledger.hold(FLOW, [held("P1"), held("P2", rule="gl_accounts_existXX"), both], run=RUN)
    ledger.hold("monday/invoices", [held("P1", partition="2026-11-04")], run=RUN)
    assert [entry.key for entry in ledger.open_holds(FLOW, rule="gl_accounts_exist")] == ["P1", "P3"]
    assert [entry.key for entry in ledger.open_holds(limit=2)] == ["P1", "P2"]
    assert ledger.count_holds() == {
        (FLOW, "gl_accounts_exist"): 2,
        (FLOW, "gl_accounts_existXX"): 1,
        (FLOW, "company_is_mapped"): 1,
        ("monday/invoices", "gl_accounts_exist"): 1,
    }
    assert ledger.held_partitions() == [(FLOW, ""), (FLOW, "2026-11-05"), ("monday/invoices", "2026-11-04")]


def test_a_held_row_comes_back_exactly(ledger):
    rng = random.Random(7)
    texts = ["nul\x00", "\ud800", "=HYPERLINK(1)", "🚚", "x" * 1_000_000, "12345678901234567890.123456789012345678"]
    texts += ["".join(chr(rng.randrange(1, 0xD7FF)) for _ in range(50)) for _ in range(20)]
    row = {text[:60]: text for text in texts} | {"lines": [{"amount": "-0.00"}], "big": 10**30, "none": None}
    ledger.hold(FLOW, [Held("P1", version(5), (Problem("parses", "nul\x00"),), row)], run=RUN)
    ledger.hold(FLOW, [Held("P1", version(5), (Problem("parses", "nul\x00"),), row)], run=RUN)
    (entry,) = ledger.open_holds()
    assert entry.row == row
    assert entry.problems[0].reason == "nul\x00"
    assert events(ledger, "P1") == ["held"]
