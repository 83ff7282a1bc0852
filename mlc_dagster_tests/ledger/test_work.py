from datetime import timedelta

from sqlalchemy import select, update

from mlc_dagster.core.vocabulary import Pull
from mlc_dagster.ledger.tables import pulls, work
from mlc_dagster_tests.ledger.samples import FLOW, RUN

BUSY = ("throttled by the target", "cin7: 429")


def test_what_is_asked_for_is_due_the_newest_day_first_and_each_day_once(ledger):
    ledger.work.ask(FLOW, ["2026-11-04", "2026-11-05"], "told by webhook")
    ledger.work.ask(FLOW, ["2026-11-05"], "told again")
    assert [(task.partition, task.state, task.why) for task in ledger.work.due()] == [
        ("2026-11-05", "due", "told by webhook"),
        ("2026-11-04", "due", "told by webhook"),
    ]
    assert [task.partition for task in ledger.work.due(limit=1)] == ["2026-11-05"]
    assert ledger.work.due(["cin7/bills"]) == []


def test_it_is_done_by_a_load_that_began_after_the_request_and_by_no_earlier_one(ledger):
    ledger.work.ask(FLOW, ["2026-11-05"], "told by webhook")
    began = ledger.work.now()
    ledger.work.ask(FLOW, ["2026-11-05"], "changed while it was loaded")
    assert not ledger.work.done(FLOW, "2026-11-05", began)
    assert len(ledger.work.due()) == 1
    assert ledger.work.done(FLOW, "2026-11-05", ledger.work.now())
    assert ledger.work.all() == []


def test_what_failed_waits_counts_its_attempts_and_is_due_when_its_time_has_come(ledger):
    ledger.work.ask(FLOW, ["2026-11-05"], "told by webhook")
    ledger.work.wait(FLOW, "2026-11-05", 60.0, *BUSY)
    task = ledger.work.wait(FLOW, "2026-11-05", 0.0, *BUSY)
    assert (task.state, task.attempts, task.cause) == ("waiting", 2, "cin7: 429")
    assert [each.partition for each in ledger.work.due()] == ["2026-11-05"]
    ledger.work.wait(FLOW, "2026-11-05", 3600.0, *BUSY)
    assert ledger.work.due() == []
    assert ledger.work.count() == {(FLOW, "waiting", "cin7: 429"): 1}


def test_what_needs_a_person_is_not_due_until_one_has_spoken_of_its_cause(ledger):
    ledger.work.need_person(FLOW, "2026-11-05", "the token is refused", "cin7: AccessDenied")
    ledger.work.ask(FLOW, ["2026-11-05"], "told by webhook")
    assert ledger.work.due() == []
    assert ledger.work.release("cin7: 429") == 0
    assert ledger.work.release("cin7: AccessDenied") == 1
    [task] = ledger.work.due()
    assert (task.state, task.attempts, task.why) == ("due", 0, "the token is refused")


def test_a_time_that_a_wrong_clock_wrote_is_none(ledger):
    ledger.work.wait(FLOW, "2026-11-05", 60.0, *BUSY)
    assert ledger.work.due() == []
    ahead = ledger.work.now() + timedelta(days=1)
    with ledger._database.writing() as connection:
        connection.execute(update(work).values(asked_at=ahead, due_at=ahead))
    assert [each.partition for each in ledger.work.due()] == ["2026-11-05"]


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
