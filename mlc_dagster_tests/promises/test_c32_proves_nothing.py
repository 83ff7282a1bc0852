"""C32: the write acted, or did not, and the answer proves neither: it is looked for before it is sent again."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from mlc_dagster_tests.promises.kinds import KINDS, ON_POSTGRES, RECORDS, Kind
from mlc_dagster_tests.promises.rooms import DELIVERED, Room, Rooms
from mlc_dagster_tests.promises.seeds import seed
from mlc_dagster_tests.promises.test_c12_lost_answers import PLACE
from mlc_dagster_tests.promises.victims import Victims

SEED, TIMES = seed(), 3
JSON = {"content-type": "application/json"}
ANSWERS: dict[str, dict[str, Any]] = {
    "503 with Retry-After": {"status": 503, "headers": {"retry-after": "1"}, "body": "<html>upstream reset</html>"},
    "503 with JSON": {"status": 503, "headers": JSON, "body": '{"error": {"code": "BUSY", "message": "try again"}}'},
    "500 locked": {
        "status": 500,
        "headers": JSON,
        "body": '{"error": {"code": "FND_LOCKED", "message": "The record is currently locked by another user."}}',
    },
    "423": {"status": 423, "body": ""},
    "429 of a gateway": {"status": 429, "headers": {"retry-after": "1"}, "body": "<html>Too Many Requests</html>"},
    "MI_MODIFIED": {
        "status": 503,
        "headers": {**JSON, "retry-after": "0"},
        "body": '{"error": {"code": "MI_MODIFIED_ERROR", "message": "Metadata has been modified."}}',
    },
}


@pytest.mark.slow
@pytest.mark.promise("C32", "each kind of flow, six answers that prove nothing, before and after it acted", times=12)
@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=pytest.mark.xdist_group(str(kind))) for kind in KINDS], ids=str
)
def test_c32_what_may_have_acted_is_looked_for_in_the_same_load(kind: Kind, rooms_of: Callable[[Kind], Rooms]) -> None:
    try_each_answer(rooms_of(kind))


@pytest.mark.slow
@pytest.mark.promise("C32", "three kinds of flow, likewise, ledger on PostgreSQL", times=12)
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.flow in ON_POSTGRES], ids=str)
def test_c32_what_may_have_acted_is_looked_for_in_the_same_load_on_postgresql(
    kind: Kind, victims: Victims, tmp_path: Path, postgres_server: str
) -> None:
    try_each_answer(Rooms(kind, victims, tmp_path, postgres_server))


def try_each_answer(rooms: Rooms) -> None:
    hits = [
        met(rooms, answer, acts, random.Random(SEED + number), f"{name}, {'acted' if acts else 'did not act'}")
        for number, (name, answer) in enumerate(ANSWERS.items())
        for acts in (True, False)
    ]
    assert sum(hits) >= len(hits), "the answers were given"


def met(rooms: Rooms, answer: Mapping[str, Any], acts: bool, dice: random.Random, where: str) -> int:
    """One run in which some writes are answered so; all is there once at its end. How many were."""
    with rooms.room() as room:
        room.box.faults.reseed(dice.randrange(10**6))
        faults = [
            room.box.faults.add(
                system=rooms.kind.system,
                method=verb,
                path=PLACE.get(rooms.kind.system, f"/{rooms.kind.system}/"),
                times=TIMES,
                share=dice.choice((0.5, 1.0)),
                acts=acts,
                **answer,
            )
            for verb in ("POST", "PUT", "PATCH")
        ]
        account = room.run("met")
        assert room.held() == rooms.good, f"{where}: {room.held() - rooms.good} is too much"
        assert account["held"] == 0 and room.holds() == {}, where
        assert account["created"] + account["updated"] + account["adopted"] == RECORDS, f"{where}: {account}"
        check_trail(room, where)
        return sum(fault.hits for fault in faults)


def check_trail(room: Room, where: str) -> None:
    trails = room.trails()
    assert len(trails) == RECORDS
    assert all(lines[-1].event in DELIVERED for lines in trails.values()), where
