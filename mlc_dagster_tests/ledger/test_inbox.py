"""The inbox: each event once, in order, and taken only by the run that was asked for it."""

from __future__ import annotations

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import psycopg2
import pytest

from mlc_dagster.ledger import Ledger
from mlc_dagster.ledger.database import LedgerUnavailable
from mlc_dagster_tests.conftest import execute

BODY = '{"id": "evt_1"}'


def put(ledger: Ledger, *event_ids: str, source: str = "airbase", subject: str = "pr_1") -> list[bool]:
    return [ledger.inbox.store(source, each, "purchase_request_approved", subject, BODY) for each in event_ids]


def test_an_event_is_kept_as_it_came(ledger: Ledger) -> None:
    before = datetime.now(UTC)
    assert ledger.inbox.store("airbase", "evt_1", "approved", "pr_1", '{"name": "Å \\u0000"}')
    (event,) = ledger.inbox.waiting("airbase")
    assert (event.source, event.event_id, event.kind, event.subject) == ("airbase", "evt_1", "approved", "pr_1")
    assert event.body == '{"name": "Å \\u0000"}' and event.says('{"name": "Å \\u0000"}')
    assert event.taken_at is None and event.run_key is None
    assert abs((event.received_at - before).total_seconds()) < 60


def test_a_thousand_stores_of_one_event_from_eight_threads_are_one_row(ledger: Ledger) -> None:
    with ThreadPoolExecutor(8) as pool:
        new = list(pool.map(lambda _: put(ledger, "evt_1")[0], range(1000)))
    assert new.count(True) == 1
    assert ledger.inbox.count("airbase") == 1


def test_the_same_id_of_two_sources_is_two_events(ledger: Ledger) -> None:
    assert put(ledger, "evt_1") == [True] and put(ledger, "evt_1", source="cin7") == [True]
    assert (ledger.inbox.count(), ledger.inbox.count("cin7"), ledger.inbox.count("monday")) == (2, 1, 0)


def test_a_second_body_changes_nothing(ledger: Ledger) -> None:
    put(ledger, "evt_1")
    assert ledger.inbox.store("airbase", "evt_1", "other", "other", "{}") is False
    event = ledger.inbox.read("airbase", "evt_1")
    assert event is not None and event.body == BODY and event.kind == "purchase_request_approved"
    assert not event.says("{}")


def test_what_waits_comes_oldest_first_and_is_taken_up_to_an_id(ledger: Ledger) -> None:
    put(ledger, "a", "b", "c")
    put(ledger, "other", source="cin7")
    first = ledger.inbox.waiting("airbase", limit=2)
    assert [event.event_id for event in first] == ["a", "b"]
    assert ledger.inbox.take("airbase", first[-1].id, "b") == 2
    assert [event.event_id for event in ledger.inbox.waiting("airbase")] == ["c"]
    assert (ledger.inbox.count(waiting=True), ledger.inbox.count("cin7", waiting=True)) == (2, 1)
    taken = ledger.inbox.read("airbase", "a")
    assert taken is not None and taken.run_key == "b" and taken.taken_at is not None
    assert ledger.inbox.take("airbase", first[-1].id, "again") == 0, "what was taken stays with its run"


def test_a_batch_tells_all_that_waits_by_its_newest_events(ledger: Ledger) -> None:
    assert ledger.inbox.batch("airbase") is None
    put(ledger, *(f"evt_{number}" for number in range(30)))
    batch = ledger.inbox.batch("airbase", named=3)
    assert batch is not None and batch.count == 30
    assert batch.event_ids == ("evt_29", "evt_28", "evt_27")
    ledger.inbox.take("airbase", batch.up_to_id, "evt_29")
    assert ledger.inbox.batch("airbase") is None


def test_all_that_was_told_of_a_record_is_read_for_audit(ledger: Ledger) -> None:
    put(ledger, "a", "b", subject="pr_7")
    put(ledger, "c", subject="pr_8")
    ledger.inbox.take("airbase", 10**9, "run")
    assert [event.event_id for event in ledger.inbox.of_subject("airbase", "pr_7")] == ["a", "b"]
    assert ledger.inbox.of_subject("cin7", "pr_7") == []


def test_an_event_id_of_any_length_and_content_is_one_event(ledger: Ledger) -> None:
    hostile = ["x" * 100_000, "x" * 99_999 + "y", "nul\x00", "' OR 1=1 --", "Ω" * 5000, "\ud800"]
    assert put(ledger, *hostile, *hostile) == [True] * len(hostile) + [False] * len(hostile)


def test_none_is_skipped_when_takers_and_senders_work_at_once(ledger: Ledger) -> None:
    """PostgreSQL would let a taker see a later id before an earlier one is committed."""
    dice, ids, taken = random.Random(20261105), [f"evt_{number}" for number in range(200)], []
    dice.shuffle(ids)
    done = threading.Event()

    def take() -> None:
        while not done.is_set() or ledger.inbox.batch("airbase"):
            if batch := ledger.inbox.batch("airbase", named=1000):
                seen = set(batch.event_ids)
                assert ledger.inbox.take("airbase", batch.up_to_id, batch.event_ids[0]) == len(seen) == batch.count
                taken.extend(seen)
            time.sleep(0.001)

    with ThreadPoolExecutor(9) as pool:
        taker = pool.submit(take)
        list(pool.map(lambda each: put(ledger, each), ids))
        done.set()
        taker.result(timeout=60)
    assert sorted(taken) == sorted(ids)


def test_a_database_that_takes_no_connections_is_unavailable_and_comes_back(
    postgres_server: str, postgres_url: str
) -> None:
    name = psycopg2.extensions.parse_dsn(postgres_url)["dbname"]
    with Ledger.open(postgres_url) as ledger:
        execute(postgres_server, f"ALTER DATABASE {name} ALLOW_CONNECTIONS false", _terminate(name))
        with pytest.raises(LedgerUnavailable):
            put(ledger, "evt_1")
        execute(postgres_server, f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
        assert put(ledger, "evt_1") == [True]


def _terminate(name: str) -> str:
    return f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
