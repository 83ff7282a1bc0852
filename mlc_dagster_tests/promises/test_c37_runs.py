"""C37: whoever reads stored rows refuses what is not as it was stored: prepare, load, plan, replay, notebook."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest

import mlc_dagster
from mlc_dagster.orchestration.storage.refused_rows import RowsRefused
from mlc_dagster_tests.cli.test_holds import mlc
from mlc_dagster_tests.cli.test_holds import place as place
from mlc_dagster_tests.orchestration.conftest import DAY, World

ORDERS, PREPARED, PURCHASES = "ifs/purchase_order_set", "cin7/purchases_prepared", "cin7/purchases"


@pytest.fixture
def delivered(world: World) -> World:
    """Two orders, delivered."""
    world.chart()
    world.put_order("P1")
    world.put_order("P2")
    assert world.run("cin7").success
    assert world.order_markers() == ["0010/P1", "0010/P2"]
    return world


def file_of(world: World, asset: str, partition: str = DAY) -> Path:
    return Path(world.environment.storage) / asset / f"{partition}.parquet"


def flip(path: Path) -> None:
    whole = bytearray(path.read_bytes())
    whole[len(whole) // 3] ^= 4
    path.write_bytes(bytes(whole))


def why(result: dg.ExecuteInProcessResult) -> list[str]:
    return [
        event.step_failure_data.user_failure_data.description or ""
        for event in result.all_events
        if event.is_step_failure and event.step_failure_data.user_failure_data
    ]


@pytest.mark.promise("C37", "the source's rows lost: prepare fails with its cure, and nothing is held or closed")
def test_c37_a_lost_file_of_the_source_is_no_empty_day(delivered: World) -> None:
    delivered.put_order("P3", account="4711")
    assert delivered.run("cin7").success
    held = [hold.key for hold in delivered.ledger.open_holds()]
    file_of(delivered, ORDERS).unlink()

    (words,) = why(delivered.run("cin7", only=[PREPARED]))

    assert words.startswith(f"{ORDERS} {DAY}: the ledger knows of 3 rows stored on ")
    assert words.endswith(f"\n  Materialize {ORDERS} for {DAY} again: they are read again.")
    assert [hold.key for hold in delivered.ledger.open_holds()] == held == ["P3"]
    assert delivered.run("cin7").success, "the cure"


@pytest.mark.promise("C37", "a bit flipped in prepared rows: a load alone sends nothing, and says what to do")
def test_c37_prepared_rows_that_were_altered_are_not_sent(delivered: World) -> None:
    delivered.put_order("P1", price="99.00")
    assert delivered.run("cin7", only=[ORDERS, PREPARED]).success
    flip(file_of(delivered, PREPARED))
    before = len(delivered.box.journal("cin7"))

    (words,) = why(delivered.run("cin7", only=[PURCHASES]))

    assert f"{PREPARED} {DAY}: " in words and "is not what was stored" in words
    assert words.endswith(f"Materialize {PREPARED} for {DAY} again: they are prepared again from what was read.")
    assert len(delivered.box.journal("cin7")) == before
    assert delivered.run("cin7", only=[PREPARED, PURCHASES]).success, "the cure"
    assert len(delivered.box.journal("cin7")) > before


@pytest.mark.promise("C37", "prepared rows lost, or never made: a load alone is no empty day")
def test_c37_a_load_of_what_was_never_prepared_is_refused(delivered: World) -> None:
    file_of(delivered, PREPARED).unlink()
    (words,) = why(delivered.run("cin7", only=[PURCHASES]))
    assert f"{PREPARED} {DAY}: the ledger knows of 2 rows" in words
    (words,) = why(delivered.run("cin7", "2026-11-02", only=[PURCHASES]))
    assert f"{PREPARED} 2026-11-02: nothing was ever stored" in words


@pytest.mark.promise("C37", "a chart of accounts altered on the disk judges nothing")
def test_c37_an_altered_chart_judges_nothing(delivered: World) -> None:
    flip(file_of(delivered, "ifs/account_set", "0010"))
    (words,) = why(delivered.run("cin7", only=[PREPARED]))
    assert "ifs/account_set 0010: " in words and "Materialize ifs/account_set for 0010 again" in words
    delivered.chart()
    assert delivered.run("cin7", only=[PREPARED]).success


@pytest.mark.promise("C37", "mlc plan, mlc replay and load_partition on altered rows: refused, and the cure by replay")
def test_c37_plan_replay_and_notebook_refuse_too(delivered: World, place: None) -> None:
    flip(file_of(delivered, ORDERS))
    with pytest.raises(RowsRefused, match="is not what was stored"):
        mlc_dagster.load_partition(ORDERS, DAY)
    said = mlc("plan", "--flow", PURCHASES, "--partition", DAY)
    assert said.exit_code != 0 and "is not what was stored" in f"{said.output}{said.exception}"
    said = mlc("replay", "--flow", PURCHASES, "--partition", DAY, "--who", "ann")
    assert said.exit_code != 0 and "is not what was stored" in f"{said.output}{said.exception}"
    said = mlc("replay", "--flow", PURCHASES, "--partition", DAY, "--read-again", "--who", "ann")
    assert said.exit_code == 0, said.output
    assert len(mlc_dagster.load_partition(ORDERS, DAY)) == 2


@pytest.mark.promise("C37", "a day without rows is read, prepared and loaded, and stays an empty day")
def test_c37_a_day_without_rows_is_right(delivered: World) -> None:
    assert delivered.run("cin7", "2026-11-03").success
    assert delivered.run("cin7", "2026-11-03", only=[PREPARED, PURCHASES]).success
    assert len(mlc_dagster.load_partition(ORDERS, "2026-11-03", storage=delivered.environment.storage)) == 0
