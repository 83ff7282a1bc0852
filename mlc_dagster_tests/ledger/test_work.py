from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import select, update

from mlc_dagster.core.vocabulary import Pull
from mlc_dagster.ledger import SLICE, THROTTLED, Failure
from mlc_dagster.ledger.tables import pulls, work
from mlc_dagster_tests.ledger.samples import FLOW, RUN

BUSY = Failure("cin7:unreachable", "cin7", "no answer", "run 1")
REFUSED = Failure("cin7:refused", "cin7", "the token is refused", "run 1", patience=2)
DAY = "2026-11-05"


def again(failure: Failure, run: str, **changed: Any) -> Failure:
    return replace(failure, run_id=run, **changed)


def test_what_is_asked_for_is_due_the_newest_day_first_and_each_day_once(ledger):
    ledger.work.ask(FLOW, ["2026-11-04", DAY], "told by webhook")
    ledger.work.ask(FLOW, [DAY], "told again")
    assert [(task.partition, task.state, task.why) for task in ledger.work.due()] == [
        (DAY, "due", "told by webhook"),
        ("2026-11-04", "due", "told by webhook"),
    ]
    assert [task.partition for task in ledger.work.due(limit=1)] == [DAY]
    assert ledger.work.due(["cin7/bills"]) == []


def test_who_asks_for_a_run_himself_leaves_it_some_time(ledger):
    ledger.work.ask(FLOW, [DAY], "changed in the ERP", soon=120.0)
    assert ledger.work.due() == [] and len(ledger.work.all()) == 1
    ledger.work.ask(FLOW, [DAY], "nobody has asked for a run")
    assert len(ledger.work.due()) == 1


def test_the_next_that_is_due_is_the_first_whose_time_comes_and_none_that_needs_a_person(ledger):
    assert ledger.work.next_due() is None
    ledger.work.ask(FLOW, [DAY], "changed in the ERP", soon=120.0)
    now = ledger.work.now()
    assert timedelta(seconds=110) < ledger.work.next_due() - now <= timedelta(seconds=120)
    ledger.work.fail([(FLOW, "2026-11-04")], BUSY)
    assert timedelta(seconds=50) < ledger.work.next_due() - now <= timedelta(seconds=70)
    for run in ("run 1", "run 2"):
        ledger.work.fail([(FLOW, DAY), (FLOW, "2026-11-04")], again(REFUSED, run))
    assert ledger.work.next_due() is None and len(ledger.work.all()) == 2


def test_it_is_done_by_what_began_after_the_request_and_by_nothing_earlier(ledger):
    ledger.work.ask(FLOW, [DAY], "told by webhook")
    began = ledger.work.now()
    ledger.work.ask(FLOW, [DAY], "changed while it was loaded")
    assert not ledger.work.done(FLOW, DAY, began)
    assert len(ledger.work.due()) == 1
    assert ledger.work.done(FLOW, DAY, ledger.work.now())
    assert ledger.work.all() == []


def test_what_was_prepared_of_rows_that_are_to_be_read_again_does_not_count_as_prepared(ledger):
    ledger.work.ask_all([(FLOW, DAY), ("read ifs/orders", DAY)], "changed in the ERP")
    ledger.work.prepared(FLOW, DAY, ledger.work.now(), "read ifs/orders")
    assert ledger.work.prepared_at(FLOW, DAY) is None
    assert ledger.work.done("read ifs/orders", DAY, ledger.work.now())
    began = ledger.work.now()
    ledger.work.prepared(FLOW, DAY, began, "read ifs/orders")
    assert ledger.work.prepared_at(FLOW, DAY) == began
    assert ledger.work.done(FLOW, DAY, began) and ledger.work.all() == []


def test_what_failed_waits_the_longer_the_more_often_and_is_due_when_its_time_has_come(ledger):
    ledger.work.ask(FLOW, [DAY], "told by webhook")
    waits = []
    for number in range(1, 13):
        [task] = ledger.work.fail([(FLOW, DAY)], again(BUSY, f"run {number}"))
        assert (task.state, task.attempts, task.cause) == ("waiting", number, "cin7:unreachable")
        waits.append(round((task.due_at - task.written_at).total_seconds() / 60))
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 360, 360, 360]
    assert ledger.work.due() == [] and ledger.work.count() == {(FLOW, "waiting", "cin7:unreachable"): 1}
    ledger.work.fail([(FLOW, DAY)], again(BUSY, "run 13", seconds=0.0))
    assert [each.partition for each in ledger.work.due()] == [DAY]


def test_steps_of_one_run_that_fail_alike_are_one_attempt(ledger):
    for _ in range(3):
        [task] = ledger.work.fail([(FLOW, DAY)], REFUSED)
    assert (task.attempts, task.state) == (1, "waiting")
    [task] = ledger.work.fail([(FLOW, DAY)], again(REFUSED, "run 2"))
    assert (task.attempts, task.state) == (2, "needs_person") and [each.run_id for each in ledger.work.all()] == [
        "run 2"
    ]
    assert ledger.work.of_run("run 2") == [task] and ledger.work.of_run("run 1") == []


def test_another_cause_counts_anew_and_the_same_one_stands_since_it_began(ledger):
    [first] = ledger.work.fail([(FLOW, DAY)], BUSY)
    [second] = ledger.work.fail([(FLOW, DAY)], again(BUSY, "run 2"))
    assert second.since == first.since and second.written_at >= first.written_at
    [other] = ledger.work.fail([(FLOW, DAY)], again(REFUSED, "run 3"))
    assert (other.attempts, other.state) == (1, "waiting") and other.since > first.since


def test_what_needs_a_person_is_not_due_until_one_has_spoken_of_its_cause_or_its_flow(ledger):
    for what in (REFUSED.cause, FLOW):
        ledger.work.fail([(FLOW, DAY)], again(REFUSED, "run 1", patience=1))
        ledger.work.ask(FLOW, [DAY], "told by webhook")
        assert ledger.work.due() == []
        assert ledger.work.release("cin7:unreachable") == 0
        assert ledger.work.release(what) == 1
        [task] = ledger.work.due()
        assert (task.state, task.attempts, task.why) == ("due", 0, "the token is refused")


def test_a_connection_that_answers_again_lets_go_on_what_its_silence_stopped_and_nothing_else(ledger):
    ledger.work.fail([(FLOW, DAY)], BUSY)
    ledger.work.fail([(FLOW, "2026-11-04")], again(REFUSED, "run 1", patience=1))
    ledger.work.fail([("cin7/bills", DAY)], Failure("cin7/bills:refused", "cin7", "no right", "run 1"))
    ledger.work.fail(
        [("cin7/bills", "2026-11-04")], Failure("cin7/bills:guard", "cin7", "too many", "run 1", patience=1)
    )
    ledger.work.fail([("hubspot/deals", DAY)], Failure("hubspot:unreachable", "hubspot", "no answer", "run 1"))
    assert ledger.work.answered("cin7", FLOW) == 2
    assert {(task.flow, task.partition, task.attempts) for task in ledger.work.due()} == {
        (FLOW, DAY, 1),
        (FLOW, "2026-11-04", 1),
    }
    assert ledger.work.answered("cin7", "cin7/bills") == 1
    assert ledger.work.answered("cin7", "cin7/bills") == 0


def test_a_silence_is_told_until_it_is_over(ledger):
    ledger.work.put_off([(FLOW, DAY)], "cin7", THROTTLED, "leave me alone", "run 1", seconds=3600.0)
    [task] = ledger.work.all()
    assert ledger.work.due() == [] and ledger.work.silent() == {"cin7": task.due_at} and not task.failed
    ledger.work.put_off([(FLOW, DAY)], "cin7", SLICE, "the slice is over", "run 2", prepared=True)
    assert ledger.work.silent() == {} and [each.run_id for each in ledger.work.due()] == ["run 2"]
    assert ledger.work.release(FLOW) == 0, "it did not fail"


def test_a_time_that_a_wrong_clock_wrote_is_none(ledger):
    ledger.work.fail([(FLOW, DAY)], BUSY)
    assert ledger.work.due() == []
    ahead = ledger.work.now() + timedelta(days=1)
    with ledger._database.writing() as connection:
        connection.execute(update(work).values(written_at=ahead, due_at=ahead))
    assert [each.partition for each in ledger.work.due()] == [DAY]


def test_a_day_that_is_gone_leaves_the_list(ledger):
    ledger.work.ask(FLOW, ["2026-11-04", "2026-11-05"], "told by webhook")
    ledger.work.forget(FLOW, ["2026-11-04"])
    assert [task.partition for task in ledger.work.all([FLOW])] == ["2026-11-05"]


def test_each_walk_has_a_higher_read_number_than_those_before(ledger):
    numbers = [ledger.reads.begin("ifs/orders", day, "run-1") for day in ("2026-11-05", "2026-11-04", "2026-11-05")]
    assert numbers == sorted(set(numbers))
    assert ledger.reads.latest("ifs/orders", "2026-11-05").number == numbers[2]
    assert ledger.reads.latest("ifs/orders", "2026-11-04")[:4] == (numbers[1], "ifs/orders", "2026-11-04", "run-1")
    assert ledger.reads.latest("ifs/suppliers", "2026-11-05") is None


def test_a_pull_and_its_stored_rows_bear_the_number_of_their_walk(ledger):
    number = ledger.reads.begin("ifs/orders", "2026-11-05", "run-1")
    ledger.record_pull(Pull("ifs/orders", "2026-11-05", read_number=number), run=RUN)
    ledger.stored.begin("ifs/orders", "2026-11-05", digest="d", size=1, rows=1, read_number=number)
    ledger.stored.begin("ifs/orders", "2026-11-04", digest="d", size=1, rows=1)
    assert [entry.pull.read_number for entry in ledger.pulls()] == [number]
    assert [entry.read_number for entry in ledger.stored.of("ifs/orders", "2026-11-05")] == [number]
    assert [entry.read_number for entry in ledger.stored.of("ifs/orders", "2026-11-04")] == [None]
    with ledger._database.reading() as connection:
        assert connection.execute(select(pulls.c.read_number)).scalars().all() == [number]
