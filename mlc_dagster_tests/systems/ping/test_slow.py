"""Who is slow, hangs or sends byte by byte costs a ping no more than its time: it ends, and ends clean."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from socket import socket
from typing import Any

import pytest
import yaml

from mlc_dagster.cli import ping as cli
from mlc_dagster.ledger.credentials import sealed
from mlc_dagster.sandbox import Sandbox
from mlc_dagster.sandbox.seed.start import demo_settings
from mlc_dagster.systems.configuration import parse
from mlc_dagster.systems.ping import WITHIN, ping_all, still_asking
from mlc_dagster_tests.orchestration.conftest import SECRETS
from mlc_dagster_tests.systems.loopback import Asked, Loopback

HOUSE = Path(cli.__file__).parents[1]
OFTEN = 20
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n"


def hangs(connection: socket) -> None:
    """Until the other side goes."""
    connection.settimeout(30)
    connection.recv(1)


def drips_its_head(connection: socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-Padding: ")
    _drip(connection)


def drips_its_body(connection: socket) -> None:
    connection.sendall(HEAD)
    _drip(connection)


def _drip(connection: socket) -> None:
    for _ in range(3000):
        connection.sendall(b" ")
        time.sleep(0.01)


SLOW = [hangs, drips_its_head, drips_its_body]


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize("manner", SLOW)
def test_who_is_slow_is_named_and_no_thread_is_left(manner: Callable[[socket], None]) -> None:
    with Loopback(lambda _: manner).running() as server:
        settings = parse(demo_settings(server.url), "mlc.yaml")
        began, before = time.monotonic(), threading.active_count()
        found = ping_all(settings, sealed, within=0.5)
        assert not still_asking(), [thread.name for thread in threading.enumerate()]
        names = [thread.name for thread in threading.enumerate() if thread.name.startswith(("ping ", "in-order"))]
        assert names == [] and time.monotonic() - began < 10 and before
    late = [each for each in found if "came within 0.5 s" in each.answer]
    given_up = {each.system for each in found if not each.ok and "timed out" in each.answer}  # one timeout is enough
    assert {each.system for each in late} | given_up == {"ifs", "cin7", "airbase", "monday", "hubspot", "procurify"}
    assert given_up <= {"procurify"}
    assert all("mlc ping --within 60" in each.answer and f"{each.system}.base_url" in each.answer for each in late)


def test_a_system_that_asks_to_wait_for_a_minute_holds_nobody(box: Sandbox, content: dict[str, Any]) -> None:
    box.faults.add(system="hubspot", status=429, headers={"Retry-After": "60"}, times=None)
    began = time.monotonic()
    wrong = [each for each in ping_all(parse(content, "mlc.yaml"), sealed, within=3.0) if each.system == "hubspot"]
    assert [each.ok for each in wrong] == [False] and not still_asking()
    assert time.monotonic() - began < 15


def test_what_was_found_by_then_is_told(box: Sandbox, content: dict[str, Any]) -> None:
    box.faults.add(system="ifs", path="/CustomerOrderSet", delay=30.0, times=None)
    content["cin7"]["location"] = "Nowhere"
    found = ping_all(parse(content, "mlc.yaml"), sealed, within=4.0)
    assert any(each.system == "cin7" and "Nowhere" in each.answer for each in found)
    assert [each.what for each in found if each.system == "ifs" and not each.ok] == ["answers"]


def test_ten_seconds_are_given_unless_told_otherwise() -> None:
    assert WITHIN == 10.0 and cli.ping.__defaults__ == (False, WITHIN)


def slow_by_chance(dice: random.Random) -> Callable[[Asked], Callable[[socket], None]]:
    return lambda _: dice.choice(SLOW)


def run(url: str, folder: Path, within: str) -> subprocess.CompletedProcess[str]:
    (folder / "mlc.yaml").write_text(yaml.safe_dump(demo_settings(url)))
    own = {"MLC_CONFIG": str(folder / "mlc.yaml"), "COLUMNS": "200", "PYTHONPATH": str(HOUSE.parent)}
    environment = {**os.environ, **SECRETS, **own}
    command = [sys.executable, "-m", "mlc_dagster", "ping", "--within", within]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.slow
@pytest.mark.promise("C17", "a ping of slow systems, in a process of its own", times=OFTEN)
def test_c17_a_process_that_pings_slow_systems_always_ends_clean(tmp_path: Path, box: Sandbox) -> None:
    """Half of them by systems that hang and drip; half by some that answer late, so that threads are in the midst."""
    dice = random.Random(20261128)
    box.faults.reseed(7)
    box.faults.add(delay=0.35, times=None, share=0.5)
    box.faults.add(delay=0.1, times=None)
    with Loopback(slow_by_chance(dice)).running() as server:
        for number in range(OFTEN):
            ended = run(box.url if number % 2 else server.url, tmp_path, within="0.7")
            assert ended.returncode == 1, f"{number}: {ended.returncode}\n{ended.stderr}"
            assert ended.stderr == "" and "came within 0.7 s" in ended.stdout, f"{number}: {ended.stderr}"
