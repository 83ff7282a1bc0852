"""What people decided is listed by an index of its own, however long the trail is."""

from __future__ import annotations

from sqlalchemy import text

from mlc_dagster.core.flows import Problem
from mlc_dagster.ledger import Held, Ledger, Run
from mlc_dagster.ledger.migrations.versions import v0011_finance
from mlc_dagster.ledger.people_events import BY_PEOPLE_CONDITION
from mlc_dagster_tests.ledger.samples import deliver, ready

FLOWS = ("cin7/purchases", "hubspot/invoices")
RUN = Run("r1", "2026-11-05")


def discarded(ledger: Ledger, flow: str, *keys: str) -> None:
    problem = Problem("order_is_a_purchase", "it is stopped")
    for key in keys:
        ledger.hold(flow, [Held(key, "v1", (problem,), {}, "2026-11-05", "c")], run=RUN)
        (hold,) = [each for each in ledger.open_holds(flow) if each.key == key]
        ledger.decisions.discard(hold, "kari", "paid by hand", RUN)


def test_decisions_are_listed_the_newest_first_and_page_by_page(ledger: Ledger) -> None:
    discarded(ledger, FLOWS[0], "P1", "P2")
    deliver(ledger, *[ready(f"D{number}") for number in range(20)])
    discarded(ledger, FLOWS[1], "I1")
    discarded(ledger, "monday/invoices", "M1")
    first = ledger.notes.decisions(FLOWS, limit=2)
    assert [(line.flow, line.key) for line in first] == [("hubspot/invoices", "I1"), ("cin7/purchases", "P2")]
    assert [line.key for line in ledger.notes.decisions(FLOWS, first[-1].id, 2)] == ["P1"]
    assert ledger.notes.decisions(()) == []


def test_a_page_of_decisions_reads_their_own_index_alone(ledger: Ledger) -> None:
    deliver(ledger, *[ready(f"D{number}") for number in range(200)])
    discarded(ledger, FLOWS[0], "P1")
    with ledger._database.reading() as connection:
        asked = f"SELECT * FROM attempts WHERE coalesce(flow, '') IN ('a') AND {BY_PEOPLE_CONDITION} ORDER BY id DESC"
        is_sqlite = connection.dialect.name == "sqlite"
        if not is_sqlite:
            for other in ("seqscan", "bitmapscan"):  # what it does with so few rows
                connection.execute(text(f"SET LOCAL enable_{other} = off"))
        explain = "EXPLAIN QUERY PLAN" if is_sqlite else "EXPLAIN"
        plan = " ".join(str(row) for row in connection.execute(text(f"{explain} {asked} LIMIT 50")))
    assert "attempts_by_people" in plan and "TEMP B-TREE" not in plan and "Sort" not in plan, plan


def test_the_index_holds_what_is_asked_for() -> None:
    assert v0011_finance.BY_PEOPLE == BY_PEOPLE_CONDITION, "else it is asked for in vain: a new revision is needed"


def test_a_decision_is_told_with_its_line_and_hash_of_the_trail(ledger: Ledger) -> None:
    discarded(ledger, FLOWS[0], "P1")
    [line] = ledger.notes.decisions(FLOWS)
    seq, last = ledger.close_rows.heads()[FLOWS[0]]
    assert line.seq == seq - 1 and line.hash and len(line.hash) == len(last), "the hold is closed after it"
