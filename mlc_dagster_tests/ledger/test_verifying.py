import multiprocessing
import random
from collections.abc import Callable
from typing import Any

import pytest

from mlc_dagster.core.outcomes import State
from mlc_dagster.ledger import Ledger, Run
from mlc_dagster.ledger.records import chain
from mlc_dagster_tests.ledger.samples import FLOW, RUN, deliver, held, ready, refused, saved, unanswered

OTHER = "hubspot/invoices"
WRITERS, ROUNDS = 4, 25
HISTORIES = 20


def faults(ledger: Ledger, flow: str | None = None) -> list[tuple[str, int | None, str]]:
    return [(fault.flow, fault.seq, fault.what) for fault in ledger.history.verify(flow)]


def attack(ledger: Ledger, *statements: str) -> None:
    """By one who may do all with the database, but does not reckon the hashes anew."""
    sqlite = ledger._database.is_sqlite
    unlock = (
        ["DROP TRIGGER IF EXISTS attempts_no_update", "DROP TRIGGER IF EXISTS attempts_no_delete"]
        if sqlite
        else ["DROP TRIGGER IF EXISTS attempts_no_change ON attempts"]
    )
    with ledger._database.writing() as connection:
        for statement in (*unlock, *statements):
            connection.exec_driver_sql(statement)


@pytest.fixture
def five(ledger: Ledger) -> Ledger:
    """Lines 1 to 5 of one flow, 1 to 4 of another; the ids run through both."""
    deliver(ledger, ready("P1"), ready("P2"))
    ledger.begin(OTHER, [(ready("I1"), None), (ready("I2"), None)], run=RUN)
    ledger.finish(OTHER, [saved(ready("I1")), saved(ready("I2"))], run=RUN)
    ledger.hold(FLOW, [held("P3")], run=RUN)
    return ledger


def test_a_trail_that_nobody_touched_is_intact(five):
    verification = five.history.verify()
    assert list(verification) == []
    assert verification.lines == 9
    assert {flow: head.seq for flow, head in verification.heads.items()} == {FLOW: 5, OTHER: 4}


def test_an_empty_ledger_is_intact(ledger):
    ledger.finish(FLOW, [], run=RUN)
    assert faults(ledger) == []


EDITS = {
    "at": "'2026-11-05 10:00:00.000001+00:00'",
    "key": "'P9'",
    "event": "'updated'",
    "version": "'2026-11-09'",
    "fingerprint": "''",
    "remote_id": "'c-2'",
    "detail": "'PO-00103'",
    "run_id": "'run-9'",
    "partition": "'2026-11-06'",
    "hash": "'0123456789abcdef0123456789abcdef'",
}


@pytest.mark.parametrize("column", EDITS)
def test_each_edited_column_is_named(five, column):
    attack(five, f"UPDATE attempts SET {column} = {EDITS[column]} WHERE flow = '{FLOW}' AND seq = 3")
    assert (FLOW, 3, "edited") in faults(five)
    assert faults(five, OTHER) == []


def test_a_null_is_not_an_empty_text(five):
    attack(five, f"UPDATE attempts SET remote_id = '' WHERE flow = '{FLOW}' AND seq = 2")
    assert faults(five) == [(FLOW, 2, "edited")]


def test_a_line_that_moved_to_another_flow_is_missing_here_and_too_much_there(five):
    attack(five, f"UPDATE attempts SET flow = '{OTHER}' WHERE flow = '{FLOW}' AND seq = 3")
    found = faults(five)
    assert (FLOW, 3, "missing") in found
    assert {(flow, seq) for flow, seq, _ in found} == {(FLOW, 3), (OTHER, 3)}


@pytest.mark.parametrize(
    ("condition", "first", "last"), [("seq = 3", 3, 3), ("seq IN (2, 3)", 2, 3), ("seq = 1", 1, 1)]
)
def test_a_deleted_line_is_named_with_its_place(five, condition, first, last):
    attack(five, f"DELETE FROM attempts WHERE flow = '{FLOW}' AND {condition}")
    (fault,) = five.history.verify()
    assert (fault.flow, fault.seq, fault.until, fault.what, fault.id) == (FLOW, first, last, "missing", None)


@pytest.mark.parametrize("kept", [0, 3, 4])
def test_a_deleted_tail_is_named_too(five, kept):
    attack(five, f"DELETE FROM attempts WHERE flow = '{FLOW}' AND seq > {kept}")
    (fault,) = five.history.verify()
    assert (fault.seq, fault.until, fault.what) == (kept + 1, 5, "missing")


FORGED = (
    "INSERT INTO attempts (at, flow, key, event, version, fingerprint, detail, run_id, partition, seq, hash) "
    "SELECT at, flow, 'P4', event, version, fingerprint, detail, run_id, partition, {seq}, hash FROM attempts "
    f"WHERE flow = '{FLOW}' AND seq = 5"
)


@pytest.mark.parametrize(("seq", "what"), [("6", "edited"), ("3", "out of order"), ("NULL", "out of order")])
def test_a_forged_line_is_named(five, seq, what):
    attack(five, FORGED.format(seq=seq))
    found = [fault for fault in five.history.verify() if fault.key == "P4"]
    assert [(fault.what, fault.id) for fault in found] == [(what, 10)]


def test_two_lines_that_changed_places_are_named(five):
    swap = "UPDATE attempts SET id = {} WHERE id = {}"
    attack(five, swap.format(99, 1), swap.format(1, 4), swap.format(4, 99))
    assert faults(five) == [(FLOW, 2, "out of order"), (FLOW, 4, "out of order")]


@pytest.mark.parametrize("change", ["hash = 'x'", "seq = 3", "seq = 0, hash = ''"])
def test_an_edited_head_is_named(five, change):
    attack(five, f"UPDATE chains SET {change} WHERE flow = '{FLOW}'")
    assert faults(five) == [(FLOW, 5, "head differs")]


def test_a_deleted_head_is_named_and_the_next_writer_does_not_hide_it(five):
    attack(five, f"DELETE FROM chains WHERE flow = '{FLOW}'")
    assert faults(five) == [(FLOW, 5, "head differs")]
    deliver(five, ready("P4"))
    assert faults(five) != []


def test_what_is_no_time_and_no_number_ends_no_walk(sqlite_ledger):
    deliver(sqlite_ledger, ready("P1"), ready("P2"))
    attack(
        sqlite_ledger,
        "UPDATE attempts SET at = 'yesterday' WHERE seq = 1",
        "UPDATE attempts SET key = x'ff00' WHERE seq = 2",
        "UPDATE attempts SET seq = 'third' WHERE seq = 3",
    )
    assert {what for _, _, what in faults(sqlite_ledger)} == {"edited", "out of order", "missing"}


@pytest.mark.parametrize("seed", range(HISTORIES))
def test_an_honest_history_verifies_whatever_happened(ledger, seed):
    dice = random.Random(20261105 + seed)
    for _ in range(30):
        dice.choice(STEPS)(ledger, dice)
    verification = ledger.history.verify()
    assert list(verification) == []
    assert verification.lines == sum(head.seq for head in verification.heads.values()) > 0


def _some(dice: random.Random) -> list[Any]:
    names = [f"{name}{dice.choice(['', 'å', chr(0), '🚚', 'x' * 2000])}" for name in ("P1", "P2", "P3", "P4")]
    return [ready(name, day=dice.randrange(1, 28)) for name in dice.sample(names, dice.randrange(1, 4))]


def _attempt(ledger: Ledger, dice: random.Random) -> None:
    flow, records = dice.choice([FLOW, OTHER]), _some(dice)
    answer = dice.choice([saved, refused, unanswered])
    ledger.begin(flow, [(record, dice.choice([None, "c-7"])) for record in records], run=RUN)
    if dice.random() < 0.3:
        ledger.note_id(flow, records[0].key, "c-\x00", run=RUN)
    taken = {OTHER: {"I9": "P1"}, FLOW: {"P9": "I1"}} if dice.random() < 0.3 else None
    ledger.finish(flow, [answer(record) for record in records], run=RUN, supersedes=taken)


def _hold(ledger: Ledger, dice: random.Random) -> None:
    ledger.hold(
        FLOW, [held(record.key, day=dice.randrange(1, 28)) for record in _some(dice)], run=Run("r\u20ac", "5/å")
    )


def _settle(ledger: Ledger, dice: random.Random) -> None:
    state = dice.choice([State.UNCHANGED, State.SUPERSEDED])
    ledger.settle(FLOW, [(record, state) for record in _some(dice)], run=RUN)


def _close(ledger: Ledger, dice: random.Random) -> None:
    ledger.close_holds(FLOW, [record.key for record in _some(dice)], "ready_again", run=RUN, reason="\ud800")


STEPS: list[Callable[[Ledger, random.Random], None]] = [_attempt, _attempt, _hold, _settle, _close]


def _write(url: str, number: int, start: Any) -> None:
    start.wait()
    with Ledger.open(url) as ledger:
        for each in range(ROUNDS):
            records = [ready(f"{number}-{each}-{n}") for n in range(3)]
            deliver(ledger, *records)
            ledger.hold(FLOW, [held(f"shared {n}", day=1 + each, rule=f"rule_{number}") for n in range(3)], run=RUN)


def test_writers_of_one_flow_at_once_never_fork_the_chain(ledger_url):
    Ledger.open(ledger_url).close()
    context = multiprocessing.get_context("fork")
    start = context.Barrier(WRITERS)
    writers = [context.Process(target=_write, args=(ledger_url, number, start)) for number in range(WRITERS)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(120)
    assert [writer.exitcode for writer in writers] == [0] * WRITERS
    with Ledger.open(ledger_url) as ledger:
        verification = ledger.history.verify()
        assert list(verification) == []
        assert verification.lines >= WRITERS * ROUNDS * 6


def test_the_hash_of_a_line_is_the_same_in_every_release():
    common = ("cin7/purchases", "2026-11-05T10:00:00.000000Z", "run-1", "2026-11-05")
    lines = [
        {"key": "0010/Å1", "event": "sent", "version": "", "fingerprint": "f", "remote_id": None, "detail": ""},
        {"key": "0010/Å1", "event": "created", "version": "", "fingerprint": "f", "remote_id": "c-1", "detail": "🚚,"},
    ]
    head = chain.chained(chain.START, common, lines)
    assert [line["hash"] for line in lines] == ["8da180670f930c0af5c7065265fe8ff2", "20549ce38c1a23ed7dbd0a45bea2aa53"]
    assert head == chain.Head(2, "20549ce38c1a23ed7dbd0a45bea2aa53")
