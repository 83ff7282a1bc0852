"""`mlc serve` as a process: killed after a 200 it has lost nothing, told to end it answers first."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from mlc_dagster.ledger import Ledger
from mlc_dagster_tests.web.conftest import GOOD, SECRETS, event

MLC = [sys.executable, "-m", "mlc_dagster"]


def started(folder: Path, url: str, **web: Any) -> subprocess.Popen[str]:
    content = {
        "companies": {"0010": {"currency": "SEK"}},
        "ifs": {"base_url": "http://127.0.0.1:9", "token_url": "http://127.0.0.1:9/token"},
        "airbase": {"base_url": "http://127.0.0.1:9"},
        "web": {"sources": ["airbase"], **web},
    }
    (folder / "mlc.yaml").write_text(yaml.safe_dump(content))
    there = {"PYTHONPATH": str(Path(__file__).parents[2]), "MLC_CONFIG": "mlc.yaml", "MLC_DATABASE_URL": url}
    env = {name: value for name, value in os.environ.items() if name not in SECRETS} | there
    env |= {"AIRBASE_WEBHOOK_SECRET": SECRETS["AIRBASE_WEBHOOK_SECRET"]}
    piped = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    return subprocess.Popen([*MLC, "serve", "--port", "0"], cwd=folder, env=env, **piped)


@contextmanager
def served(folder: Path, url: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    process = started(folder, url)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert "Webhooks of airbase on http://127.0.0.1:" in line, line + process.stdout.read()
        yield process, line.split(" on ")[1].split("/webhooks/")[0]
    finally:
        process.kill()
        process.communicate()


def test_what_was_answered_200_is_there_after_kill_9(ledger_url: str, tmp_path: Path) -> None:
    kept = []
    for number in range(3):
        with served(tmp_path, ledger_url) as (process, url):
            for each in (f"evt_{number}_a", f"evt_{number}_b"):
                answer = httpx.post(f"{url}/webhooks/airbase", json=event(each), headers=GOOD)
                if answer.status_code == 200:
                    kept.append(each)
            process.send_signal(signal.SIGKILL)
            process.wait()
    assert len(kept) == 6
    with Ledger.open(ledger_url) as ledger:
        assert [each.event_id for each in ledger.inbox.waiting("airbase")] == kept


def test_sigterm_answers_what_is_in_flight_and_then_ends_without_waiting_for_idle_callers(
    sqlite_url: str, tmp_path: Path
) -> None:
    body = json.dumps(event()).encode()
    head = [f"POST /webhooks/airbase HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n"]
    head += [f"{name}: {value}\r\n" for name, value in GOOD.items()]
    with served(tmp_path, sqlite_url) as (process, url):
        idle = httpx.Client(base_url=url)
        idle.get("/health")
        with socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2]))) as connection:
            connection.sendall("".join(head).encode() + b"\r\n" + body[:10])
            time.sleep(0.3)
            process.terminate()
            time.sleep(0.5)
            assert process.poll() is None, "a request is in flight"
            connection.sendall(body[10:])
            answer = connection.recv(10_000)
        assert answer.startswith(b"HTTP/1.1 200")
        process.wait(timeout=8)  # at once, on a busy machine too; to wait for the idle caller takes ten
        assert process.returncode == 0
        idle.close()
        assert process.stdout is not None
        assert process.stdout.read() == "", "one line is all it says"
    with Ledger.open(sqlite_url) as ledger:
        assert ledger.inbox.count("airbase") == 1


def test_sigterm_does_not_wait_for_a_ledger_that_is_busy(sqlite_url: str, tmp_path: Path) -> None:
    with (
        served(tmp_path, sqlite_url) as (process, url),
        closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)) as another,
    ):
        another.execute("BEGIN IMMEDIATE")
        with ThreadPoolExecutor(1) as pool:
            answer = pool.submit(httpx.post, f"{url}/webhooks/airbase", json=event(), headers=GOOD, timeout=30)
            time.sleep(0.5)
            process.terminate()
            assert answer.result().status_code == 503, "a request in flight is answered first"
        process.wait(timeout=8)  # at once, on a busy machine too; to wait for the idle caller takes ten
    assert process.returncode == 0
    with Ledger.open(sqlite_url) as ledger:
        assert ledger.inbox.count() == 0


@pytest.mark.parametrize(
    "web, said",
    [
        ({"sources": ["cin7"]}, "web.sources names cin7, which is switched off"),
        ({"sources": []}, "no source is on"),
        ({"airbase": {"hmac_header": "X-Sig"}}, "AIRBASE_WEBHOOK_HMAC_KEY"),
    ],
)
def test_what_cannot_be_served_is_told_and_not_begun(sqlite_url: str, tmp_path: Path, web: Any, said: str) -> None:
    process = started(tmp_path, sqlite_url, **web)
    printed, _ = process.communicate(timeout=60)
    assert process.returncode == 2
    assert said in " ".join(printed.split()) and "Traceback" not in printed
