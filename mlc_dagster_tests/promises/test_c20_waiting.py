"""C20: a writer that is suspended with a lock in its hand is no silent wall: the server ends it, or it is named."""

from __future__ import annotations

import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from urllib.parse import urlsplit

import psycopg2
import pytest
from sqlalchemy import text

from mlc_dagster.ledger import Ledger
from mlc_dagster.ledger import postgresql as settings
from mlc_dagster.ledger.database import LedgerUnavailable
from mlc_dagster_tests.conftest import execute
from mlc_dagster_tests.ledger.samples import FLOW, RUN, deliver, held, ready
from mlc_dagster_tests.promises import work
from mlc_dagster_tests.promises.test_c02_locks import wait_until_held
from mlc_dagster_tests.promises.victims import Victims


@pytest.mark.promise("C20", "a writer suspended with a lock on PostgreSQL: the others go on once the server ended it")
def test_c20_a_suspended_writer_is_ended_by_the_server_and_the_others_go_on(
    postgres_url: str, victims: Victims
) -> None:
    with Ledger.open(postgres_url) as ledger:
        deliver(ledger, ready("P1"))
        child = victims.start(work.write_slowly, postgres_url, FLOW, 1, 2.0)
        wait_until_held(child)
        child.kill(signal.SIGSTOP)
        begun = time.monotonic()
        deliver(ledger, ready("P2"))
        assert time.monotonic() - begun < settings.LOCK_SECONDS
        child.kill(signal.SIGCONT)
        end = child.wait()
        assert set(ledger.remote_ids(FLOW)) == {"P1", "P2"} and list(ledger.history.verify()) == []
    assert end.code != 0 and "LedgerUnavailable" in end.said
    assert "or was this process suspended for more than 1 s" in end.said


@pytest.mark.promise("C20", "a lock that a person holds in psql: named after the time, with what to do, and gone on")
def test_c20_who_holds_a_lock_for_ever_is_named(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "LOCK_SECONDS", 1)
    with Ledger.open(postgres_url) as ledger:
        deliver(ledger, ready("P1"))
        with closing(psycopg2.connect(postgres_url, application_name="psql of ann")) as other:
            other.cursor().execute("SELECT * FROM chains FOR UPDATE")
            with pytest.raises(LedgerUnavailable) as told:
                deliver(ledger, ready("P2"))
            number = other.info.backend_pid
        words = f"failed: waited 1 s for a lock that psql of ann, server process {number} of "
        assert words in told.value.message and ", idle in transaction since " in told.value.message
        assert told.value.cure and "pg_terminate_backend" in told.value.cure
        deliver(ledger, ready("P2"))
        assert set(ledger.remote_ids(FLOW)) == {"P1", "P2"}


@pytest.mark.promise(
    "C20", "a database whose default is serializable: 60 holds by six writers at once, none fails", times=60
)
def test_c20_a_stricter_default_of_the_database_refuses_nobody(postgres_url: str) -> None:
    name = urlsplit(postgres_url).path.strip("/")
    execute(postgres_url, f"ALTER DATABASE {name} SET default_transaction_isolation TO serializable")
    with Ledger.open(postgres_url) as ledger:

        def hold(number: int) -> None:
            ledger.hold(FLOW, [held(f"P{number}")], run=RUN)

        with ThreadPoolExecutor(6) as threads:
            list(threads.map(hold, range(60)))
        assert len(ledger.open_holds(FLOW)) == 60


@pytest.mark.promise("C20", "what our connections ask of PostgreSQL, read back within a transaction that writes")
def test_c20_our_connections_are_bounded(postgres_url: str) -> None:
    asked = ("lock_timeout", "idle_in_transaction_session_timeout", "transaction_isolation", "application_name")
    with Ledger.open(postgres_url) as ledger, ledger._database.writing() as connection:
        found = {name: connection.execute(text(f"SHOW {name}")).scalar() for name in asked}
        raw = connection.connection.dbapi_connection.info.dsn_parameters  # type: ignore[union-attr]
    assert found["lock_timeout"] == f"{settings.LOCK_SECONDS}s"
    assert found["idle_in_transaction_session_timeout"] == f"{settings.IDLE_SECONDS}s"
    assert found["transaction_isolation"] == "read committed"
    assert found["application_name"] and found["application_name"].endswith(f":{os.getpid()}")
    assert {name: raw[name] for name in settings.KEEPALIVES} == {k: str(v) for k, v in settings.KEEPALIVES.items()}
    assert settings.IDLE_SECONDS < settings.LOCK_SECONDS < 60


@pytest.mark.promise("C20", "what is said to PostgreSQL ends with its transaction: a pooler hands nothing of it on")
def test_c20_nothing_that_is_said_outlives_its_transaction(postgres_url: str) -> None:
    with Ledger.open(postgres_url) as ledger:
        ledger.loads.ended(FLOW, "2026-11-05", "r")  # hasty
        for engine in (ledger._database._hasty, ledger._database._durable):
            with engine.connect() as connection:
                assert connection.execute(text("SHOW synchronous_commit")).scalar() == "on"
                assert connection.execute(text("SHOW lock_timeout")).scalar() == "0"


@pytest.mark.promise("C20", "a process frozen with SQLite's write lock: the next one names it, and goes on")
def test_c20_a_frozen_writer_of_sqlite_is_named(
    sqlite_url: str, victims: Victims, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mlc_dagster.ledger.database.BUSY_SECONDS", 0.3)
    with Ledger.open(sqlite_url) as ledger:
        deliver(ledger, ready("P1"))
        child = victims.start(work.write_slowly, sqlite_url, FLOW, 1, 60.0)
        wait_until_held(child)
        child.kill(signal.SIGSTOP)
        with pytest.raises(LedgerUnavailable) as told:
            deliver(ledger, ready("P2"))
        child.kill()
        child.wait()
        assert f"database is locked: process {child.pid} (python" in told.value.message
        assert "has kept its write lock for 0.3 s" in told.value.message
        assert told.value.cure and told.value.cure.startswith("It may be suspended")
        deliver(ledger, ready("P2"))
        assert set(ledger.remote_ids(FLOW)) == {"P1", "P2"}


def test_a_migration_is_waited_for_as_long_as_it_takes(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bound on locks is for writers: who opens a ledger that is being migrated is not told that it failed."""
    monkeypatch.setattr(settings, "LOCK_SECONDS", 1)
    opened = threading.Event()

    def opens() -> None:
        Ledger.open(postgres_url).close()
        opened.set()

    with closing(psycopg2.connect(postgres_url)) as other:
        other.cursor().execute("SELECT pg_advisory_xact_lock(%s)", (0x6D6C63_6C6564,))
        thread = threading.Thread(target=opens)
        thread.start()
        assert not opened.wait(1.5)
        other.commit()
        thread.join(30)
    assert opened.is_set()
