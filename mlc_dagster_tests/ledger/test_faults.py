import multiprocessing
import random
import sqlite3
import time
from contextlib import closing

import psycopg2
import pytest

from mlc_dagster.core.outcomes import State
from mlc_dagster.ledger.database import LedgerUnavailable
from mlc_dagster.ledger.ledger import Ledger
from mlc_dagster_tests.conftest import execute
from mlc_dagster_tests.ledger.samples import FLOW, RUN, deliver, held, ready, saved

KILLS, BATCH = 20, 5


def _load_until_killed(url: str, first: int, told) -> None:
    """Says what it is about to send, and what it believes to be written."""
    with Ledger.open(url) as ledger, ledger.lease(FLOW, f"load from {first}", seconds=0.1) as lease:
        for start in range(first, first + 100_000, BATCH):
            records = [ready(f"P{number}") for number in range(start, start + BATCH)]
            ledger.begin(FLOW, [(record, None) for record in records], run=RUN, lease=lease)
            told.send(("sent", start))
            ledger.finish(FLOW, [saved(record) for record in records], run=RUN, lease=lease)
            told.send(("finished", start))


def test_a_writer_killed_at_any_point_loses_nothing_it_was_told_is_written(ledger_url):
    Ledger.open(ledger_url).close()
    rng = random.Random(20261105)
    for kill in range(KILLS):
        first = kill * 100_000
        sent, finished = _run_and_kill(ledger_url, first, after=rng.uniform(0.02, 0.1))
        with Ledger.open(ledger_url) as ledger:
            for start in range(first, max([first, *sent, *finished]) + 3 * BATCH, BATCH):
                records = [ready(f"P{number}") for number in range(start, start + BATCH)]
                states = {standing.state for standing in ledger.judge(FLOW, records).values()}
                assert len(states) == 1, "a batch is written as one"
                assert start not in finished or states == {State.UNCHANGED}
                assert start not in sent or states <= {State.UNCHANGED, State.IN_DOUBT}
                assert start in sent or start in finished or states <= {State.NEW, State.IN_DOUBT}


def _run_and_kill(url: str, first: int, after: float) -> tuple[set[int], set[int]]:
    context = multiprocessing.get_context("fork")
    listening, told = context.Pipe(duplex=False)
    process = context.Process(target=_load_until_killed, args=(url, first, told))
    process.start()
    told.close()
    said = {"sent": set(), "finished": set()}
    deadline = None
    try:
        while deadline is None or time.monotonic() < deadline:
            if listening.poll(0.001):
                what, start = listening.recv()
                said[what].add(start)
                deadline = deadline or time.monotonic() + after
        process.kill()
        process.join()
        while True:
            what, start = listening.recv()
            said[what].add(start)
    except EOFError:
        return said["sent"], said["finished"]


def test_a_full_disk_fails_loudly_and_is_forgotten_when_there_is_room_again(sqlite_ledger):
    records = [ready(f"P{number}") for number in range(2000)]
    _limit_pages(sqlite_ledger, 1)
    with pytest.raises(LedgerUnavailable, match="full"):
        sqlite_ledger.begin(FLOW, [(record, None) for record in records], run=RUN)
    assert {standing.state for standing in sqlite_ledger.judge(FLOW, records).values()} == {State.NEW}
    _limit_pages(sqlite_ledger, 1_000_000)
    deliver(sqlite_ledger, *records)
    assert {standing.state for standing in sqlite_ledger.judge(FLOW, records).values()} == {State.UNCHANGED}


def _limit_pages(ledger: Ledger, pages: int) -> None:
    """SQLite then says what it says on a full disk; a limit below the present size means the present size."""
    with ledger._database.writing() as connection:
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")


def test_a_server_that_was_restarted_between_two_calls_costs_nothing(postgres_url):
    with Ledger.open(postgres_url) as ledger:
        deliver(ledger, ready())
        budget = ledger.budget("credential", 10, 1)
        _disconnect_all(postgres_url)
        deliver(ledger, ready("P2"))
        assert budget.take() == 0.0
        assert len(ledger.remote_ids(FLOW)) == 2


def test_a_connection_lost_in_a_call_fails_it_whole(postgres_url):
    with Ledger.open(postgres_url) as ledger:
        with pytest.raises(LedgerUnavailable, match="connection"), ledger._database.writing() as connection:
            connection.exec_driver_sql("INSERT INTO flows VALUES ('cin7/purchases', now())")
            _disconnect_all(postgres_url)
            connection.exec_driver_sql("SELECT 1")
        assert ledger.began_at(FLOW) is None


def _disconnect_all(url: str) -> None:
    name = psycopg2.extensions.parse_dsn(url)["dbname"]
    execute(
        url,
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}' AND pid <> pg_backend_pid()",
    )


def test_an_unchanged_reload_commits_nothing(sqlite_ledger, sqlite_url):
    records = [ready(f"P{number}") for number in range(50)]
    deliver(sqlite_ledger, *records)
    sqlite_ledger.hold(FLOW, [held("P99")], run=RUN)
    with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))) as watcher:
        before = _commits_seen_by(watcher)
        standings = sqlite_ledger.judge(FLOW, records)
        sqlite_ledger.settle(FLOW, [(record, standings[record.key].state) for record in records], run=RUN)
        sqlite_ledger.hold(FLOW, [held("P99")], run=RUN)
        assert _commits_seen_by(watcher) == before
        deliver(sqlite_ledger, ready("P100"))
        assert _commits_seen_by(watcher) != before


def _commits_seen_by(watcher: sqlite3.Connection) -> int:
    """SQLite's number for the state of the file: another one after each commit by somebody else."""
    return watcher.execute("PRAGMA data_version").fetchone()[0]
