"""Pauses: at most one stands for a connection, all are kept, and what waits for their end is known once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from mlc_dagster.ledger import Ledger

DAY = "2026-11-05"


def test_a_pause_stands_until_it_is_lifted_and_is_kept_with_who_and_why(ledger: Ledger) -> None:
    assert ledger.pauses.of("cin7") is None
    pause, began = ledger.pauses.pause("cin7", "anna", "month end")
    assert began and ledger.pauses.of("cin7") == pause and ledger.pauses.of("ifs") is None
    assert str(pause) == f"cin7 is paused by anna since {pause.at:%Y-%m-%d %H:%M} UTC: month end"

    lifted = ledger.pauses.lift("cin7", "bo", "closed")

    assert lifted is not None and (lifted.who, lifted.lifted_by, lifted.lifted_because) == ("anna", "bo", "closed")
    assert lifted.lifted_at is not None and lifted.lifted_at >= lifted.at
    assert ledger.pauses.of("cin7") is None and ledger.pauses.history("cin7") == [lifted]
    assert ledger.pauses.lift("cin7", "bo") is None, "there is nothing to lift"


def test_a_second_pause_changes_nothing_of_the_first(ledger: Ledger) -> None:
    first, _ = ledger.pauses.pause("cin7", "anna", "month end")
    assert ledger.pauses.pause("cin7", "bo", "wrong prices") == (first, False)
    assert list(ledger.pauses.standing()) == ["cin7"]
    ledger.pauses.lift("cin7", "anna")
    second, began = ledger.pauses.pause("cin7", "bo", "wrong prices")
    assert began and second.id > first.id == ledger.pauses.history("cin7")[1].id
    assert ledger.pauses.latest("cin7") == second.id and ledger.pauses.latest("ifs") == 0


def test_of_many_who_pause_at_once_one_does(ledger: Ledger) -> None:
    with ThreadPoolExecutor(8) as threads:
        began = list(threads.map(lambda n: ledger.pauses.pause("cin7", f"person {n}", "stop")[1], range(16)))
    assert began.count(True) == 1 and len(ledger.pauses.history()) == 1


def test_the_latest_load_of_a_flow_is_known(ledger: Ledger) -> None:
    for partition, run in ((DAY, "run 1"), ("2026-11-06", "run 2"), (DAY, "run 3")):
        ledger.loads.ended("cin7/purchases", partition, run)
    (flow, latest) = next(iter(ledger.loads.latest().items()))
    assert (flow, latest.partition, latest.run_id) == ("cin7/purchases", DAY, "run 3")
