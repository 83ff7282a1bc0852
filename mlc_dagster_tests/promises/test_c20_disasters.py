"""C20: the ledger lost, or restored from a backup of before; Dagster's instance lost; both: 0 doubled, 0 lost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest

from mlc_dagster.ledger import Ledger
from mlc_dagster.ledger.coordination.leases import FREE
from mlc_dagster.ledger.upkeep.restoring import restore
from mlc_dagster_tests.orchestration.conftest import World
from mlc_dagster_tests.promises import journey
from mlc_dagster_tests.promises.kinds import KINDS, RECORDS, Kind
from mlc_dagster_tests.promises.rooms import Room, Rooms, ended
from mlc_dagster_tests.promises.victims import Victims

ORDERS = ["0010/P1", "0010/P2", "0010/P3"]


@pytest.mark.promise("C20", "the ledger is lost after all was delivered; each kind of flow runs again")
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_c20_the_ledger_is_lost_and_what_the_target_has_is_adopted(
    kind: Kind, rooms_of: Callable[[Kind], Rooms]
) -> None:
    rooms = rooms_of(kind)
    with rooms.room() as room:
        room.run("before")
        assert room.held() == rooms.good
        for end in ("", "-wal", "-shm"):
            Path(f"{room.database.removeprefix('sqlite:///')}{end}").unlink(missing_ok=True)
        for flow in kind.first:
            again = ended(room.victims.start(journey.travel, room.box.url, room.database, room.storage, flow, "after"))
            assert (again["adopted"], again["created"], again["held"]) == (again["asked"], 0, 0), (flow, again)
        account = room.run("after")
        assert room.held() == rooms.good, "nothing doubled, nothing lost"
        assert account["created"] == account["held"] == 0, account
        assert account["asked"] == (0 if kind.forgets else RECORDS)


@pytest.mark.promise("C20", "a backup of before the deliveries is restored; each kind of flow runs again")
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_c20_a_backup_of_before_is_restored_and_what_came_after_is_adopted(
    kind: Kind, rooms_of: Callable[[Kind], Rooms], tmp_path: Path
) -> None:
    rooms = rooms_of(kind)
    with rooms.room() as room:
        restored_after_a_run(room, rooms, tmp_path / "ledger.zip")


@pytest.mark.promise("C20", "the same on PostgreSQL, restored from its own backup")
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.flow == "cin7/purchases"], ids=str)
def test_c20_a_backup_of_before_is_restored_on_postgresql(
    kind: Kind, victims: Victims, tmp_path: Path, postgres_server: str
) -> None:
    rooms = Rooms(kind, victims, tmp_path, postgres_server)
    with rooms.room() as room:
        restored_after_a_run(room, rooms, tmp_path / "ledger.zip")


def restored_after_a_run(room: Room, rooms: Rooms, backup: Path) -> None:
    with Ledger.open(room.database) as ledger:
        ledger.keeping.backup(backup)
    room.run("before")
    assert room.held() == rooms.good
    given_up = restore(backup, room.database, RECORDS).given_up
    assert (given_up.records, given_up.delivered) == (RECORDS, RECORDS)
    account = room.run("after")
    assert room.held() == rooms.good, "nothing doubled, nothing lost"
    assert account["created"] == account["held"] == 0, account
    with Ledger.open(room.database) as ledger:
        assert list(ledger.history.verify()) == []


def ledger_lost(world: World, backup: Path) -> None:
    file = world.environment.database_url.removeprefix("sqlite:///")
    for end in ("", "-wal", "-shm"):
        Path(f"{file}{end}").unlink(missing_ok=True)


def ledger_restored(world: World, backup: Path) -> None:
    restore(backup, world.environment.database_url, giving_up=2)


def ledger_lost_and_restored(world: World, backup: Path) -> None:
    ledger_lost(world, backup)
    restore(backup, world.environment.database_url)


def nothing(world: World, backup: Path) -> None:
    """To the ledger."""


@pytest.mark.promise(
    "C20", "orders changed and added after the backup; ledger, Dagster's instance or both lost, run again"
)
@pytest.mark.parametrize("instance", ["kept", "lost"])
@pytest.mark.parametrize("happens", [nothing, ledger_lost, ledger_restored, ledger_lost_and_restored])
def test_c20_after_a_disaster_the_same_runs_end_where_they_had(
    happens: Callable[[World, Path], None], instance: str, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mlc_dagster.ledger.upkeep.restoring.LEFT", FREE)  # else each flow waits a minute once
    world.chart()
    world.put_order("P1", price="1.00")
    world.put_order("P2", price="2.00")
    assert world.run("cin7").success
    with world.ledger as ledger:
        ledger.keeping.backup(tmp_path / "ledger.zip")
    world.put_order("P1", price="9.00", at=datetime(2026, 11, 5, 10, tzinfo=UTC))
    world.put_order("P3", price="3.00")
    assert world.run("cin7").success
    assert world.order_markers() == ORDERS
    before, numbers = amounts(world), sorted(world.box.cin7.purchases)

    happens(world, tmp_path / "ledger.zip")
    with dg.DagsterInstance.ephemeral() as fresh:
        if instance == "lost":
            world.instance = fresh
        if happens is ledger_lost:
            world.chart()  # of which a ledger that is new knows nothing
        assert world.run("cin7").success
        assert world.order_markers() == ORDERS and sorted(world.box.cin7.purchases) == numbers
        assert amounts(world) == before
        writes = len(world.box.journal("cin7"))
        assert world.run("cin7").success
        assert len(world.box.journal("cin7")) == writes, "the second time nothing is left to say"
    with world.ledger as ledger:
        assert ledger.open_holds() == [] and list(ledger.history.verify()) == []
        assert len(ledger.remote_ids("cin7/purchases")) == 3


def amounts(world: World) -> dict[str, str]:
    """Marker -> the total of its lines."""
    with world.box.lock:
        return {
            each["AdditionalAttributes"]["AdditionalAttribute1"]: str(each["Order"]["Lines"])
            for each in world.box.cin7.purchases.values()
        }
