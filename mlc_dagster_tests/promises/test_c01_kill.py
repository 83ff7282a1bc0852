"""C1: kill -9 anywhere in a journey, then the same again: nothing lost, nothing doubled, whatever the flow."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from mlc_dagster.ledger.entries import Event
from mlc_dagster_tests.promises.kinds import KINDS, ON_POSTGRES, RECORDS, Kind
from mlc_dagster_tests.promises.rooms import DELIVERED, Room, Rooms
from mlc_dagster_tests.promises.seeds import seeds
from mlc_dagster_tests.promises.victims import Child, Victims

POINTS = len(seeds())


@pytest.mark.slow
@pytest.mark.promise(
    "C1", "each kind of flow, from read to load, ledger on SQLite; by count of calls and by the clock", times=POINTS
)
@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=pytest.mark.xdist_group(str(kind))) for kind in KINDS], ids=str
)
def test_c1_killed_anywhere_the_same_run_again_completes_it(kind: Kind, rooms_of: Callable[[Kind], Rooms]) -> None:
    killed_everywhere(rooms_of(kind))


@pytest.mark.slow
@pytest.mark.promise("C1", "three kinds of flow, from read to load, ledger on PostgreSQL", times=POINTS)
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.flow in ON_POSTGRES], ids=str)
def test_c1_killed_anywhere_the_same_run_again_completes_it_on_postgresql(
    kind: Kind, victims: Victims, tmp_path: Path, postgres_server: str
) -> None:
    killed_everywhere(Rooms(kind, victims, tmp_path, postgres_server))


def killed_everywhere(rooms: Rooms) -> None:
    """At points spread over the journey: by the count of calls and by the clock in turn."""
    for point, seed in enumerate(seeds(KINDS.index(rooms.kind))):
        dice = random.Random(seed)
        while not killed_once(rooms, point, seed % 2 == 1, dice):
            pass  # it came to its end first, and tells how long that is


def killed_once(rooms: Rooms, point: int, by_clock: bool, dice: random.Random) -> bool:
    """Whether it was killed while it worked; then the run after it was right."""
    share = (point + dice.random()) / POINTS
    with rooms.room() as room:
        began, victim = time.monotonic(), room.start("killed")
        if by_clock:
            time.sleep(share * rooms.seconds)
        else:
            wait_for_calls(room, victim, int(share * rooms.calls))
            time.sleep(dice.random() * 0.01)
        victim.kill()
        if not victim.wait().was_killed:
            rooms.seconds, rooms.calls = min(rooms.seconds, time.monotonic() - began), min(rooms.calls, room.calls())
            return False
        before = room.trails()

        account = room.run("again")

        check(rooms, room, account, before, f"point {point}, {share:.0%} of the way")
    return True


def wait_for_calls(room: Room, victim: Child, wanted: int) -> None:
    """So many calls, or the victim's own end: the first run may have made more."""
    deadline = time.monotonic() + 30
    while room.calls() < wanted and victim.is_running and time.monotonic() < deadline:
        time.sleep(0.001)


def check(rooms: Rooms, room: Room, account: dict[str, int], before: dict[str, list], where: str) -> None:  # type: ignore[type-arg]
    """The target is the judge: it holds what it would hold had nobody been killed."""
    assert room.held() == rooms.good, where
    assert account["held"] == 0 and room.holds() == {}, where
    settled = {key for key, lines in before.items() if any(line.event in DELIVERED for line in lines)}
    after = room.trails()
    assert {key: after[key] for key in settled} == {key: before[key] for key in settled}, f"{where}: sent again"
    open_ends = [key for key, lines in after.items() if lines[-1].event not in DELIVERED]
    assert len(after) == RECORDS, where
    assert len(open_ends) <= (rooms.kind.in_flight if rooms.kind.forgets else 0), f"{where}: {open_ends} have no end"
    again = [key for key, lines in after.items() if sum(line.event is Event.SENT for line in lines) > 1]
    assert len(again) <= rooms.kind.in_flight, f"{where}: sent again {again}"
    extra = room.writes() - rooms.writes
    assert extra <= rooms.kind.in_flight * math.ceil(rooms.writes / RECORDS), f"{where}: {extra} writes more"
