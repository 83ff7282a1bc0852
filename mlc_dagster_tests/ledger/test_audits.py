"""The trail says what and who, and the rows that stand beside it are as it tells, or are named."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from mlc_dagster.core.outcomes import Draft, Saved
from mlc_dagster.core.vocabulary import Pull
from mlc_dagster.ledger import Ledger, Run
from mlc_dagster.ledger.records.differences import Found
from mlc_dagster_tests.ledger.samples import FLOW, RUN, deliver, held, ready
from mlc_dagster_tests.ledger.test_verifying import attack, faults

ENTITY = "ifs/purchase_order_set"
BY_SCHEDULE = Run("run-2", "2026-11-05", "schedule cin7_running_day")
BY_ANN = Run("run-3", "2026-11-05", "replay of 0010/P1, ann", by_person=True)
PAIR = "cin7/suppliers"


@pytest.fixture
def told(ledger: Ledger) -> Ledger:
    """Two deliveries, a pull, an agreement and a decision, with their lines."""
    deliver(ledger, ready("P1"), ready("P2"))
    ledger.record_pull(pull(240), run=BY_SCHEDULE)
    agree(ledger, {"name": "Nordlys", "iban": "1"})
    ledger.differences.see(FLOW, [Found("P1", "edited_in_the_target", "total", "120.00", "90.00")])
    ledger.differences.see(FLOW, [Found("P2", "deleted_in_the_target")])
    ledger.differences.agree(FLOW, ["P2"], ["deleted_in_the_target"], [])
    ledger.hold(FLOW, [held("P3")], run=RUN)
    (hold,) = ledger.open_holds(FLOW)
    with ledger._database.writing() as connection:
        connection.exec_driver_sql("UPDATE holds SET content = 'fingerprint of a'")
    (hold,) = ledger.open_holds(FLOW)
    ledger.decisions.discard(hold, "ann", "a test order", RUN)
    assert differing(ledger) == [], "what the ledger itself wrote is as the trail tells"
    return ledger


def pull(rows: int) -> Pull:
    found = Pull(ENTITY, "2026-11-05", read_number=7)
    found.rows, found.requests, found.ended_at = rows, 3, datetime(2026, 11, 5, 10, tzinfo=UTC)
    return found


def agree(ledger: Ledger, values: dict[str, str], run: Run = RUN) -> None:
    one = ready("S1")
    ledger.begin(PAIR, [(one, None)], run=run)
    answer = Saved(Draft(one.key, one.record), "c-9", "updated", agreed=("S1", values))
    ledger.finish(PAIR, [(one, answer)], run=run, pair=PAIR)


def differing(ledger: Ledger, flow: str | None = None) -> list[tuple[str, str, str]]:
    return [tuple(each) for each in ledger.audit.differing(flow)]  # type: ignore[misc]


ROWS = {
    "UPDATE deliveries SET remote_id = 'c-77' WHERE key = 'P1'": (FLOW, "P1", "delivery: another remote id"),
    "UPDATE deliveries SET fingerprint = 'x' WHERE key = 'P1'": (FLOW, "P1", "delivery: another content"),
    "DELETE FROM deliveries WHERE key = 'P2'": (FLOW, "P2", "delivery: removed"),
    "INSERT INTO deliveries (flow, key, fingerprint) VALUES ('cin7/purchases', 'P9', 'x')": (
        *(FLOW, "P9"),
        "delivery: the trail tells of none",
    ),
    "UPDATE pulls SET account = replace(account, '240', '239')": (
        *("pulls", f"{ENTITY} 2026-11-05"),
        "pull: another account",
    ),
    "DELETE FROM pulls": ("pulls", f"{ENTITY} 2026-11-05", "pull: removed"),
    "INSERT INTO pulls (run_id, entity, partition, account) VALUES ('r', 'ifs/x', '2026', '{}')": (
        *("pulls", ""),
        "pulls: 1 of which the trail tells nothing",
    ),
    "UPDATE agreed SET content = '{}'": (PAIR, "S1", "agreement: other values"),
    "UPDATE decisions SET who = 'bob'": (FLOW, "P3", "decision: the trail tells of another"),
    "UPDATE differences SET closed_at = first_seen, closed_by = 'ann'": (
        *(FLOW, "P1"),
        "difference: closed, opened or removed beside the trail",
    ),
    "DELETE FROM differences": (FLOW, "P1", "difference: closed, opened or removed beside the trail"),
    "UPDATE contents SET content = '{}' WHERE key = 'P1'": (FLOW, "P1", "content: not as it was sent"),
}


@pytest.mark.parametrize("statement", ROWS, ids=[what for _, _, what in ROWS.values()])
def test_a_row_beside_the_trail_that_somebody_changed_is_named(told: Ledger, statement: str) -> None:
    attack(told, statement)
    assert ROWS[statement] in differing(told)
    assert faults(told) == [], "the lines of the trail themselves are as they were written"


def test_what_was_agreed_on_anew_is_as_the_trail_tells(told: Ledger) -> None:
    agree(told, {"name": "Nordlys AS"})
    agree(told, {"name": "Nordlys AS"})
    assert differing(told) == []
    assert [each.event.value for each in told.trail("agreements", "S1")] == ["agreed"] * 2, "the same again is no line"


def test_an_id_that_the_target_gave_before_it_refused_is_as_the_trail_tells(ledger: Ledger) -> None:
    from mlc_dagster_tests.ledger.samples import refused

    one = ready("P1")
    ledger.begin(FLOW, [(one, None)], run=RUN)
    ledger.note_id(FLOW, "P1", "c-5", run=RUN)
    ledger.finish(FLOW, [refused(one)], run=RUN)
    assert differing(ledger) == []


def test_a_difference_is_told_when_it_is_found_and_when_it_ends(told: Ledger) -> None:
    told.differences.see(FLOW, [Found("P1", "edited_in_the_target", "total", "120.00", "80.00")])
    (one,) = told.differences.open(FLOW)
    told.differences.close([one.id], "ann: theirs is right")
    lines = [(line.event.value, line.detail) for line in told.trail(FLOW, "P1") if "edited" in line.detail]
    assert lines == [
        ("differs", "edited_in_the_target total: ours 120.00, theirs 90.00"),
        ("agrees", "edited_in_the_target total: ann: theirs is right"),
    ]
    assert differing(told) == []


def test_each_content_that_was_sent_is_kept_once(ledger: Ledger) -> None:
    deliver(ledger, ready("P1"))
    deliver(ledger, ready("P1", content="b", day=6))
    deliver(ledger, ready("P1", content="b", day=7))
    sent = ledger.contents.of(FLOW, "P1")
    assert [(each.fingerprint, each.content) for each in sent] == [
        ("fingerprint of a", {"order_no": "P1"}),
        ("fingerprint of b", {"order_no": "P1"}),
    ]


def test_an_erased_content_leaves_the_trail_whole_and_tells_nothing(told: Ledger) -> None:
    attack(told, "DELETE FROM contents WHERE key = 'P1'")
    assert (differing(told), faults(told), told.contents.of(FLOW, "P1")) == ([], [], [])


def test_equal_contents_of_two_records_have_other_hashes(ledger: Ledger) -> None:
    deliver(ledger, ready("P1"), ready("P2"))
    first, second = (ledger.trail(FLOW, key)[0].detail for key in ("P1", "P2"))
    assert first.startswith("content ") and first != second


def test_who_started_a_run_is_told_once_where_the_run_writes(ledger: Ledger) -> None:
    ledger.tell_start(FLOW, BY_SCHEDULE)
    assert ledger.trail(FLOW, "") == [], "a schedule that finds nothing to write leaves no line"
    deliver(ledger, ready("P1"), run=BY_SCHEDULE)
    deliver(ledger, ready("P2"), run=BY_SCHEDULE)
    assert [(line.event.value, line.detail) for line in ledger.trail(FLOW, "")] == [("started", BY_SCHEDULE.by)]


def test_what_a_person_started_is_told_for_each_partition_also_where_nothing_came_of_it(ledger: Ledger) -> None:
    for partition in ("2026-11-05", "2026-11-05", "2026-11-06"):
        ledger.tell_start(FLOW, Run("run-3", partition, "ann", by_person=True))
    assert [line.partition for line in ledger.trail(FLOW, "")] == ["2026-11-05", "2026-11-06"]
    found = ledger.audit.starts(FLOW, [], ["2026-11-06"])
    assert [(line.detail, line.partition) for line in found] == [("ann", "2026-11-06")]


def test_a_pull_tells_who_asked_for_it_and_its_chain_is_no_flow(told: Ledger) -> None:
    (entry,) = told.pulls()
    assert told.audit.pulled_by([entry.id]) == {entry.id: BY_SCHEDULE.by}
    assert told.history.flows() == {FLOW, PAIR}


def test_the_trail_of_a_period_is_exported_with_its_hashes(told: Ledger) -> None:
    now = datetime.now(UTC)
    lines = list(told.audit.exported(now - timedelta(hours=1), now + timedelta(hours=1)))
    verification = told.history.verify()
    assert list(verification) == [] and len(lines) == verification.lines
    last = {line.flow: (int(line.seq), line.hash) for line in lines}
    assert last == {flow: (head.seq, head.hash) for flow, head in verification.heads.items()}
    assert list(told.audit.exported(now - timedelta(hours=2), now - timedelta(hours=1))) == []


def test_rows_of_another_tenant_are_not_looked_at(ledger_url: str) -> None:
    with Ledger.open(ledger_url, "nordlys") as other, Ledger.open(ledger_url) as mine:
        deliver(other, ready("P1"))
        other.record_pull(pull(3), run=RUN)
        deliver(mine, ready("P1"))
        mine.record_pull(pull(4), run=RUN)
        assert differing(mine) == differing(other) == []
        attack(mine, "UPDATE deliveries SET remote_id = 'c-77' WHERE flow = 'cin7/purchases'")
        assert differing(mine) == [(FLOW, "P1", "delivery: another remote id")]
        assert differing(other) == []
