"""C51: a pause in mid-load lets the batch in flight end, and nothing is written after it; then all comes, once."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path

import pytest

from mlc_dagster.ledger import Ledger, Pause
from mlc_dagster.ledger.entries import Event
from mlc_dagster.pipeline import ending
from mlc_dagster.sandbox import Sandbox
from mlc_dagster_tests.promises import work
from mlc_dagster_tests.promises.kinds import KINDS, ON_POSTGRES, RECORDS, Kind
from mlc_dagster_tests.promises.quick import PLENTY, PURCHASES, a_supplier, deliver, purchased, purchases
from mlc_dagster_tests.promises.rooms import DELIVERED, Room, Rooms, ended
from mlc_dagster_tests.promises.victims import Child, Victims
from mlc_dagster_tests.systems.cin7 import samples as cin7

ANSWER_LATE = 0.6  # seconds: the first batch is in flight for longer than a person's command takes


@pytest.mark.promise("C51", "`mlc pause` amid a batch of each kind of flow, then `mlc resume`; ledger on SQLite")
@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=pytest.mark.xdist_group(str(kind))) for kind in KINDS], ids=str
)
def test_c51_a_paused_load_ends_its_batch_writes_no_more_and_goes_on_after_it(
    kind: Kind, rooms_of: Callable[[Kind], Rooms]
) -> None:
    paused_and_resumed(rooms_of(kind))


@pytest.mark.promise("C51", "the same for three kinds of flow; ledger on PostgreSQL")
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.flow in ON_POSTGRES], ids=str)
def test_c51_a_paused_load_ends_its_batch_writes_no_more_and_goes_on_after_it_on_postgresql(
    kind: Kind, victims: Victims, tmp_path: Path, postgres_server: str
) -> None:
    paused_and_resumed(Rooms(kind, victims, tmp_path, postgres_server))


def paused_and_resumed(rooms: Rooms) -> None:
    with rooms.room() as room:
        pause, account = paused_amid(room)
        check_the_stop(rooms, room, pause, account)

        written = room.writes()
        assert room.run("while paused")["paused"] == account["paused"] and room.writes() == written

        told = mlc(room, "resume", room.kind.system)
        assert f"{room.kind.system} goes on" in told
        again = room.run("again")
        assert (again["paused"], again["held"]) == (0, 0)
        assert room.held() == rooms.good, "nothing lost, nothing doubled"
        assert room.writes() == rooms.writes, "not one write more than without a pause"
        sent = {key: sum(line.event is Event.SENT for line in lines) for key, lines in room.trails().items()}
        assert sent == dict.fromkeys(sent, 1) and len(sent) == RECORDS


def paused_amid(room: Room) -> tuple[Pause, dict[str, int]]:
    """The pause, given by the command line when the target has the first of the flow's writes; the load's account."""
    for method in ("POST", "PATCH"):
        room.box.faults.add(system=room.kind.system, method=method, times=None, delay=ANSWER_LATE, acts=True)
    load = room.start("paused")
    wait_for_a_write(room, load)
    mlc(room, "pause", room.kind.system, "--who", "anna", "--reason", "month end")
    assert load.is_running, "the batch was in flight when the pause was given"
    room.box.faults.clear()
    account: dict[str, int] = ended(load)
    with Ledger.open(room.database) as ledger:
        pause = ledger.pauses.of(room.kind.system)
    assert pause is not None
    return pause, account


def check_the_stop(rooms: Rooms, room: Room, pause: Pause, account: dict[str, int]) -> None:
    trails, kind = room.trails(), rooms.kind
    begun = [line.at for lines in trails.values() for line in lines if line.event is Event.SENT]
    assert begun and max(begun) <= pause.at, "no batch was begun after the pause"
    assert all(lines[-1].event in DELIVERED for lines in trails.values()), (
        "the batch in flight ended: nothing is in doubt"
    )
    assert 0 < account["paused"] == RECORDS - len(trails), account
    assert account["asked"] == len(trails) + account["paused"] and account["held"] == 0 and room.holds() == {}
    late = [each for each in room.box.journal(kind.system) if each["at"] > pause.at]
    assert len(late) <= kind.in_flight * math.ceil(rooms.writes / RECORDS), late


def wait_for_a_write(room: Room, load: Child) -> None:
    deadline = time.monotonic() + 60
    while not room.writes():
        assert load.is_running and time.monotonic() < deadline, load.said
        time.sleep(0.002)


def mlc(room: Room, *words: str) -> str:
    """What the command said; it must succeed."""
    end = room.victims.start(work.mlc, room.database, *words).wait()
    assert end.code == 0, end.said
    return end.said


@pytest.mark.promise("C51", "a batch that lasts longer than the grace is cut between two requests")
def test_c51_a_batch_that_lasts_too_long_is_cut_and_each_record_is_completed_after_the_pause(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ending, "GRACE_SECONDS", 0.0)
    with Sandbox(limits=PLENTY) as box, ThreadPoolExecutor(1) as threads:
        box.cin7.add_account("4010", "Material")
        ready, client = purchases(range(1, 9), a_supplier(box)), cin7.client_on(box)
        box.faults.add(system="cin7", method="POST", times=None, delay=0.2, acts=True)
        load = threads.submit(deliver, ledger, PURCHASES, ready, client)
        wait_until(lambda: bool(box.journal("cin7")) or load.done())
        pause, _ = ledger.pauses.pause("cin7", "anna", "wrong prices")
        loaded = load.result(60)
        box.faults.clear()
        cut = [each for each in box.journal("cin7") if each["at"] > pause.at]
        assert len(cut) <= 1, "the request under way, and none after it"
        assert loaded.pause == pause and loaded.paused == 8 - loaded.delivered > 4, "more than a batch"

        ledger.pauses.lift("cin7", "anna")
        again = deliver(ledger, PURCHASES, ready, client)

        assert (again.paused, again.held, again.delivered + again.unchanged) == (0, 0, 8)
        assert purchased(box) == {f"0010/P{n}": [Decimal(n)] for n in range(1, 9)}


def wait_until(there: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not there():
        assert time.monotonic() < deadline
        time.sleep(0.002)
