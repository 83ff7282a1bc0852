"""C19: a run, a partition and a key replayed twice: the same end, no write the second time, old and new linked."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from typing import Any

import pytest

from mlc_dagster.ledger.entries import Event
from mlc_dagster.orchestration.automation.running import instance_at_home
from mlc_dagster_tests.cli.test_holds import PURCHASES, mlc
from mlc_dagster_tests.cli.test_holds import place as place
from mlc_dagster_tests.orchestration.conftest import DAY, World

ASKED = {
    "a run": lambda run: ["--run", run],
    "a run, read again": lambda run: ["--run", run, "--read-again"],
    "a partition": lambda run: ["--flow", PURCHASES, "--partition", DAY],
    "a key": lambda run: ["--key", "P2"],
}


def kept(world: World) -> Any:
    with world.box.lock:
        return copy.deepcopy((world.box.cin7.suppliers, world.box.cin7.purchases))


def replay(*words: str) -> None:
    result = mlc("replay", *words, "--who", "ann")
    assert result.exit_code == 0, result.output


@pytest.mark.promise("C19", "a run, a partition, a key, by the command line, each twice")
@pytest.mark.parametrize("what", ASKED)
def test_c19_a_replay_delivers_what_was_held_and_the_second_one_writes_nothing(world: World, what: str) -> None:
    world.chart()
    for number in (1, 3, 4):
        world.put_order(f"P{number}", price=f"{number}.00")
    world.put_order("P2", account="4711")
    first = world.run("cin7")
    assert first.success and world.order_markers() == ["0010/P1", "0010/P3", "0010/P4"]
    before = kept(world)
    world.put_account("4711")
    world.box.cin7.add_account("4711", "Services")
    world.chart()
    world.box.forget_calls()

    replay(*ASKED[what](first.run_id))

    assert world.order_markers() == ["0010/P1", "0010/P2", "0010/P3", "0010/P4"], "what was held, and nothing twice"
    after, writes = kept(world), len(world.box.journal("cin7"))
    assert {each: after[1][each] for each in before[1]} == before[1] and after[0] == before[0]
    assert writes == 2, "the new purchase, and its lines"

    replay(*ASKED[what](first.run_id))

    assert kept(world) == after and len(world.box.journal("cin7")) == writes
    linked(world, first.run_id, what)


def linked(world: World, first: str, what: str) -> None:
    """From the record's trail to both runs; the new one says what it is a replay of, and who asked."""
    lines = {line.event: line for line in world.ledger.trail(PURCHASES, "P2")}
    assert lines[Event.HELD].run_id == first
    new = lines[Event.CREATED].run_id
    assert new != first
    with instance_at_home() as instance:
        tags = instance.get_run_by_id(new).tags  # type: ignore[union-attr]
    assert tags["mlc/who"] == "ann"
    assert tags["mlc/replay_of"] == {"a partition": DAY, "a key": "P2"}.get(what, first)


@pytest.mark.promise("C19", "an old run replayed after its records changed: superseded, nothing written")
def test_c19_a_replay_of_an_old_day_never_undoes_a_newer_one(world: World) -> None:
    world.chart()
    world.put_order("P1", price="1.00")
    first = world.run("cin7")
    world.put_order("P1", price="2.00", at=datetime(2026, 11, 6, 9, tzinfo=UTC))
    assert world.run("cin7", "2026-11-06").success
    before, writes = kept(world), len(world.box.journal("cin7"))
    for _ in range(2):
        replay("--run", first.run_id)
        assert kept(world) == before and len(world.box.journal("cin7")) == writes
    said = [line.event for line in world.ledger.trail(PURCHASES, "P1")]
    assert Event.SUPERSEDED in said and world.ledger.open_holds() == []
