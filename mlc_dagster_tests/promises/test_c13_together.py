"""C13: the same load started several times at once: one writer for a record, nothing doubled, the trail says who."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Any

import pytest

from mlc_dagster.ledger.entries import Event
from mlc_dagster_tests.promises.kinds import KINDS, RECORDS, Kind
from mlc_dagster_tests.promises.rooms import DELIVERED, Room, Rooms, ended

REPEATS, SEED = 20, 20261113


@pytest.mark.slow
@pytest.mark.promise("C13", "each kind of flow, in two and three processes, and in two threads", times=REPEATS)
@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=pytest.mark.xdist_group(str(kind))) for kind in KINDS], ids=str
)
def test_c13_the_same_run_several_times_at_once_delivers_each_record_once(
    kind: Kind, rooms_of: Callable[[Kind], Rooms]
) -> None:
    rooms = rooms_of(kind)
    for repeat in range(REPEATS):
        dice = random.Random(SEED + repeat)
        with rooms.room() as room:
            accounts = (processes, processes, threads)[repeat % 3](room, 2 + repeat % 2, dice)
            check(rooms, room, accounts, f"repeat {repeat}")


def processes(room: Room, count: int, dice: random.Random) -> list[dict[str, int]]:
    started = []
    for number in range(count):
        started.append(room.start(f"run {number}"))
        time.sleep(dice.choice((0.0, 0.0, 0.05, 0.2)))
    return [ended(each) for each in started]


def threads(room: Room, count: int, dice: random.Random) -> list[dict[str, int]]:
    found: list[dict[str, int]] = ended(room.start("run", at_once=2))
    return found


def check(rooms: Rooms, room: Room, accounts: list[dict[str, int]], where: str) -> None:
    assert room.held() == rooms.good, where
    assert room.holds() == {} and not any(account["held"] for account in accounts), where
    delivered = sum(account[name] for account in accounts for name in ("created", "updated", "adopted"))
    assert delivered == RECORDS, f"{where}: what one delivers, the others find unchanged: {accounts}"
    assert room.writes() == rooms.writes, f"{where}: {room.writes()} writes, {rooms.writes} are needed"
    for key, lines in room.trails().items():
        writers = {line.run_id for line in lines if line.event in (Event.SENT, *DELIVERED)}
        assert len(writers) == 1, f"{where}: {key} was sent by {writers}"
        assert _events(lines).count(Event.SENT) == 1, f"{where}: {key} {_events(lines)}"


def _events(lines: list[Any]) -> list[Event]:
    return [line.event for line in lines]
