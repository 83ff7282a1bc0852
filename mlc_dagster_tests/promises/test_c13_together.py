"""C13: the same load started several times at once: one writer for a record, nothing doubled, the trail says who."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from mlc_dagster.ledger.entries import Event
from mlc_dagster.orchestration.resources import LedgerResource
from mlc_dagster_tests.orchestration.conftest import SECRETS, World
from mlc_dagster_tests.promises import started
from mlc_dagster_tests.promises.days import begin, tick, today
from mlc_dagster_tests.promises.kinds import KINDS, ON_POSTGRES, RECORDS, Kind
from mlc_dagster_tests.promises.rooms import DELIVERED, Room, Rooms, ended
from mlc_dagster_tests.promises.seeds import seeds
from mlc_dagster_tests.promises.victims import Victims

REPEATS = len(seeds())


@pytest.mark.slow
@pytest.mark.promise("C13", "each kind of flow, in two and three processes, and in two threads", times=REPEATS)
@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=pytest.mark.xdist_group(str(kind))) for kind in KINDS], ids=str
)
def test_c13_the_same_run_several_times_at_once_delivers_each_record_once(
    kind: Kind, rooms_of: Callable[[Kind], Rooms]
) -> None:
    several_at_once(rooms_of(kind))


@pytest.mark.slow
@pytest.mark.promise("C13", "three kinds of flow, likewise, ledger on PostgreSQL", times=REPEATS)
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.flow in ON_POSTGRES], ids=str)
def test_c13_the_same_run_several_times_at_once_delivers_each_record_once_on_postgresql(
    kind: Kind, victims: Victims, tmp_path: Path, postgres_server: str
) -> None:
    several_at_once(Rooms(kind, victims, tmp_path, postgres_server))


def several_at_once(rooms: Rooms) -> None:
    for seed in seeds(KINDS.index(rooms.kind)):
        dice = random.Random(seed)
        with rooms.room() as room:
            accounts = (processes, processes, threads)[seed % 3](room, 2 + seed % 2, dice)
            check(rooms, room, accounts, f"seed {seed}")


def processes(room: Room, count: int, dice: random.Random) -> list[dict[str, int]]:
    running = []
    for number in range(count):
        running.append(room.start(f"run {number}", alone=False))
        time.sleep(dice.choice((0.0, 0.0, 0.05, 0.2)))
    return [ended(each) for each in running]


def threads(room: Room, count: int, dice: random.Random) -> list[dict[str, int]]:
    found: list[dict[str, int]] = ended(room.start("run", at_once=2, alone=False))
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


@pytest.mark.slow
@pytest.mark.promise("C13", "schedule, sensor and hand at once, three Dagster runs in processes of their own", times=3)
def test_c13_schedule_sensor_and_hand_at_once_deliver_once_and_the_trail_says_who(
    world: World, victims: Victims, tmp_path: Path
) -> None:
    begin(world)
    for number in range(1, ORDERS + 1):
        world.put_order(f"P{number}", at=datetime.now(UTC))
    world.put_supplier()
    put_today(world)
    home, settings = tmp_path / "home", world.settings.model_dump(mode="json", exclude_none=True)
    home.mkdir()
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    with dg.DagsterInstance.from_config(str(home)) as instance:  # Dagster's own tables are made by one
        assert not (instance.get_runs() or instance.all_asset_keys() or instance.all_instigator_state())
    environment = {
        **SECRETS,
        "MLC_DATABASE_URL": world.environment.database_url,
        "MLC_STORAGE": world.environment.storage,
    }

    asked = [*requests(world), {"dagster/partition": today(), "mlc/who": "ann"}]
    started_at_once = [victims.start(started.run, str(home), settings, environment, "cin7", tags) for tags in asked]
    runs = [str(ended(each)) for each in started_at_once]

    assert world.ledger.open_holds() == []
    assert Counter(world.order_markers()) == {f"0010/P{n}": 1 for n in range(1, ORDERS + 1)}
    assert len(world.box.cin7.suppliers) == 1 and world.ledger.open_holds() == []
    said = {"dagster/schedule_name": "cin7_running_day", "dagster/sensor_name": "cin7_changes", "mlc/who": "ann"}
    with dg.DagsterInstance.from_config(str(home)) as instance:
        for number in range(1, ORDERS + 1):
            lines = world.ledger.trail("cin7/purchases", f"P{number}")
            (writer,) = {line.run_id for line in lines if line.event in (Event.SENT, *DELIVERED)}
            tags = instance.get_run_by_id(writer).tags  # type: ignore[union-attr]
            assert writer in runs, "the trail says which run"
            assert sum(tags.get(name) == value for name, value in said.items()) == 1, "the run says who asked for it"


ORDERS = 6


def put_today(world: World) -> None:
    row = next(row for row in world.box.ifs.rows("SupplierSet") if row["SupplierId"] == "S1")
    world.box.ifs.put("SupplierSet", row, modified=datetime.now(UTC))


def requests(world: World) -> list[dict[str, str]]:
    """The tags of the runs that the schedule and the sensor ask for now; both are of today."""
    definition = world.defs.resolve_schedule_def("cin7_running_day")
    how: dict[str, Any] = {"instance": world.instance, "repository_def": world.defs.get_repository_def()}
    ledger = LedgerResource(database_url=world.environment.database_url)
    with dg.build_schedule_context(
        scheduled_execution_time=datetime.now(UTC), resources={"ledger": ledger}, **how
    ) as context:
        (scheduled,) = definition.evaluate_tick(context).run_requests or []
    seen = {request.partition_key: request for request in tick(world).run_requests}
    assert scheduled.partition_key == today() and today() in seen
    return [
        {**scheduled.tags, "dagster/schedule_name": "cin7_running_day"},
        {**seen[today()].tags, "dagster/sensor_name": "cin7_changes"},
    ]
