"""C33: a writer that is suspended, overtaken or cut off sends nothing any more, and what it says of it is true."""

from __future__ import annotations

import random
import signal
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from mlc_dagster.ledger import Ledger
from mlc_dagster.ledger.entries import Event
from mlc_dagster.pipeline.duplicates import Looks
from mlc_dagster_tests.promises import stops
from mlc_dagster_tests.promises.journey import client_of, flow_of, settings_at
from mlc_dagster_tests.promises.kinds import KINDS, ON_POSTGRES, Kind
from mlc_dagster_tests.promises.rooms import DELIVERED, Room, Rooms, ended
from mlc_dagster_tests.promises.seeds import seed
from mlc_dagster_tests.promises.victims import Child, End, Victims
from mlc_dagster_tests.promises.wires import wire

SEED = seed()
DOUBLED = ("cin7/purchases", "ifs/vouchers_from_airbase_payments", "procurify/vendors")
"""Flows whose first request within the window makes a second document."""

UNIQUE = ("hubspot", "airbase")
"""Targets that refuse a second record under our key."""


def grouped(kinds: tuple[Kind, ...] = KINDS) -> list[object]:
    return [pytest.param(kind, marks=pytest.mark.xdist_group(str(kind))) for kind in kinds]


def stopped(room: Room, moment: str, dice: random.Random) -> Child | None:
    """A writer that is suspended at this moment of one of its writes; None where it never came to that."""
    words = (room.box.url, room.database, room.storage, room.kind.flow, "suspended", moment, dice.randint(1, 3))
    child = room.victims.start(stops.travel_and_stop, *words)
    return child if stops.has_stopped(child) else None


def overtake(room: Room, child: Child) -> End:
    """Another run delivers all; then the first one wakes up, much later than its lease."""
    account = room.run("successor")
    assert account["held"] == 0, room.holds()
    child.kill(signal.SIGCONT)
    return child.wait(90)


def check_words(room: Room, end: End, moment: str) -> None:
    """It failed by the lease's loss, unless nothing was left to do; the trail tells what it was answered too late."""
    assert end.code == 0 or "LeaseLost" in end.said, end.said
    late = [line for lines in room.trails().values() for line in lines if line.event is Event.LATE]
    if moment in ("when the answer is there", "before the answers are written") and end.code:
        assert all(line.run_id == "suspended" and line.detail for line in late)
        assert late or "took 0 record(s)" in end.said or "was not sent" in end.said, end.said
    known = (*DELIVERED, Event.LATE) if room.kind.forgets else DELIVERED
    for lines in room.trails().values():
        assert any(line.event in known for line in lines)


@pytest.mark.slow
@pytest.mark.promise("C33", "each kind of flow, suspended at each moment of a write, overtaken, woken", times=7)
@pytest.mark.parametrize("kind", grouped(), ids=str)
def test_c33_a_writer_that_wakes_after_its_lease_doubles_nothing(kind: Kind, rooms_of: Callable[[Kind], Rooms]) -> None:
    suspend_at_each_moment(rooms_of(kind))


@pytest.mark.slow
@pytest.mark.promise("C33", "three kinds of flow, likewise, ledger on PostgreSQL", times=7)
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.flow in ON_POSTGRES], ids=str)
def test_c33_a_writer_that_wakes_after_its_lease_doubles_nothing_on_postgresql(
    kind: Kind, victims: Victims, tmp_path: Path, postgres_server: str
) -> None:
    suspend_at_each_moment(Rooms(kind, victims, tmp_path, postgres_server))


def suspend_at_each_moment(rooms: Rooms) -> None:
    came = 0
    for number, moment in enumerate(stops.MOMENTS):
        with rooms.room() as room:
            child = stopped(room, moment, random.Random(SEED + number))
            if child is None:
                continue
            came += 1
            end = overtake(room, child)
            assert room.held() == rooms.good, f"{moment}: {end.said}"
            check_words(room, end, moment)
            writes = room.writes()
            assert room.run("after")["held"] == 0 and room.writes() == writes, moment
    assert came >= len(stops.MOMENTS) - 2, "it was suspended"


@pytest.mark.slow
@pytest.mark.promise("C33", "each kind of flow, suspended within the window: at most the one request that was leaving")
@pytest.mark.parametrize("kind", grouped(), ids=str)
def test_c33_within_the_window_one_request_may_slip_through_and_none_where_the_target_has_a_unique_key(
    kind: Kind, rooms_of: Callable[[Kind], Rooms]
) -> None:
    rooms = rooms_of(kind)
    with rooms.room() as room:
        child = stopped(room, "window", random.Random(1))
        if child is None:
            pytest.fail("its first writes did not come to the window")
        overtake(room, child)
        more = room.held() - rooms.good
        assert not rooms.good - room.held(), "nothing is lost"
        assert more.total() <= (0 if kind.system in UNIQUE else kind.in_flight), more
        told = looked(room)
        assert not more or (len(told) >= 1 and all(" and " in sentence for sentence in told)), told
        if kind.flow in DOUBLED:
            assert more, "the window is real: what slips through it is what the hourly look is for"


def looked(room: Room) -> list[str]:
    """What the hourly look says; nothing of targets that refuse a second record themselves."""
    flow, since = flow_of(room.kind.flow), datetime.now(UTC) - timedelta(hours=1)
    if flow.target.twice is None:
        return []
    with Ledger.open(room.database) as ledger:
        return (
            Looks(client_of(room.kind.system, settings_at(room.box.url), ledger.budget), ledger)
            .at(flow, since)
            .sentences()
        )


@pytest.mark.slow
@pytest.mark.promise("C33", "overtaken by a host whose clock is a day ahead, amid its writes; each kind of flow")
@pytest.mark.parametrize("kind", grouped(), ids=str)
def test_c33_a_writer_that_is_overtaken_because_of_a_clock_stops_before_its_next_write(
    kind: Kind, rooms_of: Callable[[Kind], Rooms]
) -> None:
    rooms = rooms_of(kind)
    with rooms.room() as room:
        room.box.faults.add(system=kind.system, method="POST", times=None, delay=0.15, acts=True)
        first = room.start("first", alone=False)
        words = (room.box.url, room.database, room.storage, kind.flow, "ahead")
        account = ended(room.victims.start(stops.travel_ahead, *words))
        end = first.wait(90)
        room.box.faults.clear()
        assert room.held() == rooms.good, end.said
        assert account["held"] == 0, room.holds()
        assert end.code == 0 or "LeaseLost" in end.said, end.said


@pytest.mark.slow
@pytest.mark.promise("C33", "cut off from the ledger amid its writes, by a broken wire and by a silent one", times=2)
@pytest.mark.parametrize("way", ["cut", "hush"])
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.flow in ON_POSTGRES], ids=str)
def test_c33_a_writer_that_cannot_reach_its_ledger_sends_nothing_any_more(
    kind: Kind, way: str, victims: Victims, tmp_path: Path, postgres_server: str
) -> None:
    rooms = Rooms(kind, victims, tmp_path, postgres_server)
    with rooms.room() as room, wire(postgres_server) as line:
        room.box.faults.add(system=kind.system, method="POST", times=None, delay=0.1, acts=True)
        reached = replace(room, database=line.url(urlsplit(room.database).path[1:]))
        first = reached.start("first", alone=False)
        wait_for_writes(room, first, 2)
        getattr(line, way)()
        account = room.run("successor")
        line.speak()
        end = first.wait(90)
        assert room.held() == rooms.good, end.said
        assert account["held"] == 0, room.holds()
        assert end.code == 1 and ("LeaseLost" in end.said or "LedgerUnavailable" in end.said), end.said


def wait_for_writes(room: Room, child: Child, count: int) -> None:
    deadline = time.monotonic() + 60
    while room.writes() < count:
        assert child.is_running and time.monotonic() < deadline, child.said
        time.sleep(0.005)


@pytest.mark.slow
@pytest.mark.promise("C33", "the window between the last check and the first byte of the body, measured")
def test_c33_the_window_is_a_few_milliseconds_at_most(rooms_of: Callable[[Kind], Rooms]) -> None:
    kind = next(kind for kind in KINDS if kind.flow == "cin7/purchases")
    with rooms_of(kind).room() as room:
        words = (room.box.url, room.database, room.storage, kind.flow, "measured")
        windows = ended(room.victims.start(stops.measured_window, *words))
    assert len(windows) >= 8
    print(f"window: median {statistics.median(windows) * 1e6:.0f} us, highest {max(windows) * 1e6:.0f} us")
