"""C12: the target acts and its answer is lost; it is looked up, and nothing is made twice."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from mlc_dagster_tests.promises.kinds import KINDS, RECORDS, Kind
from mlc_dagster_tests.promises.rooms import DELIVERED, Rooms
from mlc_dagster_tests.promises.seeds import seeds

REPEATS, LOST = len(seeds()), 3
EACH, SOME = (1.0,), (0.3, 0.6)  # which share of the answers to writes is lost: a flow may make but one write
IMPATIENT = 0.6  # seconds; a call takes some milliseconds
LOSSES: dict[str, dict[str, Any]] = {
    "closed": {"drop": "after"},
    "reset": {"drop": "after", "reset": True},
    "502": {"acts": True, "status": 502, "body": "<html>Bad Gateway</html>"},
    "timeout": {"acts": True, "delay": 2 * IMPATIENT},
}
PLACE = {"ifs": "/projection/", "procurify": "/api/"}
"""Where a system signs in elsewhere: its sign-in is another promise."""


@pytest.mark.slow
@pytest.mark.promise(
    "C12", "each kind of flow: connection closed, reset, 502 and timeout after the target acted", times=REPEATS
)
@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=pytest.mark.xdist_group(str(kind))) for kind in KINDS], ids=str
)
def test_c12_what_was_done_and_not_answered_is_not_done_again(kind: Kind, rooms_of: Callable[[Kind], Rooms]) -> None:
    rooms, met = rooms_of(kind), 0
    for seed in seeds(KINDS.index(kind)):
        name = list(LOSSES)[seed % len(LOSSES)]
        met += lost(rooms, LOSSES[name], random.Random(seed), EACH if seed % 2 else SOME, f"seed {seed}, {name}")
    assert met >= REPEATS / 2, "answers were lost"


def lost(rooms: Rooms, loss: Mapping[str, Any], dice: random.Random, shares: Sequence[float], where: str) -> int:
    """Up to three answers to writes are lost in one run, and none in the next; how many were."""
    with rooms.room() as room:
        room.box.faults.reseed(dice.randrange(10**6))
        place = PLACE.get(rooms.kind.system, f"/{rooms.kind.system}/")
        faults = [
            room.box.faults.add(
                system=rooms.kind.system,
                method=verb,
                path=place,
                times=LOST,
                share=dice.choice(shares),
                **loss,
            )
            for verb in ("POST", "PUT", "PATCH")
        ]
        room.run("lossy", IMPATIENT if "delay" in loss else 20.0)
        once = room.held()
        room.box.faults.clear()

        account = room.run("after")

        assert not once - rooms.good, f"{where}: {once - rooms.good} is too much"
        assert room.held() == rooms.good, where
        assert account["held"] == 0 and room.holds() == {}, where
        trails = room.trails()
        assert len(trails) == RECORDS and all(
            lines[-1].event in DELIVERED or _closed(lines) for lines in trails.values()
        )
        return sum(fault.hits for fault in faults)


def _closed(lines: list[Any]) -> bool:
    """It was held for want of an answer, and delivered: the hold's end is the last line."""
    return lines[-1].event.value == "closed" and any(line.event in DELIVERED for line in lines)
