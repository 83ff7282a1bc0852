"""C9: rows that appear late, clocks that are apart, offsets and zones: nothing is missed inside the look-back."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mlc_dagster.core.vocabulary import key_text
from mlc_dagster.sandbox import Tenant
from mlc_dagster_tests.orchestration.conftest import World
from mlc_dagster_tests.promises.days import begin, counts, run, tick
from mlc_dagster_tests.promises.seeds import seed

LOOK_BACK = timedelta(minutes=10)
SKEW = 300  # seconds
ORDERS = ["ifs/purchase_order_set", "cin7/purchases_prepared", "cin7/purchases"]
NOTATIONS = ("Z", "+02:00", "-05:30", "")


def stamped(moment: datetime, notation: str) -> str:
    """The same moment as a tenant may write it; without a zone it is UTC."""
    if notation in ("Z", ""):
        return moment.strftime("%Y-%m-%dT%H:%M:%S") + notation
    sign, hours, minutes = notation[0], int(notation[1:3]), int(notation[4:])
    offset = timedelta(hours=hours, minutes=minutes) * (1 if sign == "+" else -1)
    return (moment + offset).strftime("%Y-%m-%dT%H:%M:%S") + notation


def put(world: World, number: str, at: Any) -> None:
    world.put_order(number, at=datetime.now(UTC))
    row = next(row for row in world.box.ifs.rows("PurchaseOrderSet") if row["OrderNo"] == number)
    world.box.ifs.put("PurchaseOrderSet", row, modified=at)


def asked(result: Any) -> set[tuple[str, str]]:
    return {(request.partition_key, request.run_key) for request in result.run_requests or []}


def apart(seconds: float) -> Any:
    return pytest.param((Tenant(clock_skew_seconds=seconds), {}), id=f"clock {seconds:+g} s")


@pytest.mark.promise(
    "C9", "rows committed up to 10 minutes late behind the sensor's cursor; clocks 5 minutes apart", times=20
)
@pytest.mark.parametrize("world", [apart(0), apart(SKEW), apart(-SKEW)], indirect=True)
def test_c9_a_row_that_appears_late_inside_the_look_back_has_its_day_read_again(world: World) -> None:
    begin(world)
    put(world, "P0", datetime.now(UTC).replace(microsecond=0))
    run(world)  # the walk tells how far the clocks are apart
    chance, cursor = random.Random(seed()), tick(world).cursor
    skew = timedelta(seconds=world.box.tenant.clock_skew_seconds)
    for number in range(1, 21):
        before = tick(world, cursor)
        cursor = before.cursor
        late = timedelta(seconds=chance.randrange(int(LOOK_BACK.total_seconds()) - 5))
        when = (datetime.now(UTC) + skew - late).replace(microsecond=0)  # stamped by the ERP's clock, committed now
        put(world, f"L{number}", when)
        found = tick(world, cursor)
        day = when.date().isoformat()
        if (
            day <= datetime.now(UTC).date().isoformat()
        ):  # a clock ahead near midnight: the day comes, and the sensor sees it
            assert day in {key for key, _ in asked(found) - asked(before)}, f"{late} late, at {when}"


@pytest.mark.promise("C9", "the look-back at its very end, where the full hour does not help", times=20)
@pytest.mark.parametrize("skew", [0, SKEW, -SKEW])
def test_c9_the_look_back_reaches_as_far_on_the_erps_clock_as_on_ours(skew: int) -> None:
    from types import SimpleNamespace

    from mlc_dagster.core.vocabulary import Pull
    from mlc_dagster.orchestration.automation.jobs_and_schedules import _look_back
    from mlc_dagster.systems.ifs.records import PURCHASE_ORDERS

    walk = Pull("ifs/purchase_order_set", "2026-11-05", clock_skew_seconds=skew)
    walk.started_at, walk.ended_at = datetime(2026, 11, 5, tzinfo=UTC), datetime(2026, 11, 5, 0, 1, tzinfo=UTC)
    ledger = SimpleNamespace(pulls=lambda *_, **__: [SimpleNamespace(pull=walk)])
    context: Any = SimpleNamespace(resources=SimpleNamespace(ledger=SimpleNamespace(open=ledger)))
    settings: Any = SimpleNamespace(policies=SimpleNamespace(look_back_minutes=10))
    chance = random.Random(seed(abs(skew)))
    for _ in range(20):
        late = chance.random() * LOOK_BACK
        behind_our_clock = late - timedelta(seconds=skew)  # of a row that is committed at this very moment
        assert behind_our_clock <= _look_back(PURCHASE_ORDERS, context, settings)


@pytest.mark.promise("C9", "the same moments as Z, +02:00, -05:30 and without a zone, on both sides of midnight UTC")
@pytest.mark.parametrize("notation", NOTATIONS)
def test_c9_offsets_and_a_missing_zone_place_a_row_on_its_day_in_utc(world: World, notation: str) -> None:
    begin(world)
    midnight = datetime(2026, 11, 6, tzinfo=UTC)
    moments = {f"P{n}": midnight + timedelta(minutes=10 * n - 45) for n in range(9)}
    for number, moment in moments.items():
        put(world, number, stamped(moment, notation))
    first, second = run(world, "2026-11-05"), run(world, "2026-11-06")
    assert len(world.order_markers()) == len(set(world.order_markers())) == 9
    if notation in ("Z", ""):
        assert counts(first, "2026-11-05")["created"] == 5 and counts(second, "2026-11-06")["created"] == 4


@pytest.mark.promise(
    "C9", "rows committed days late, outside the look-back: found when their days are read again, and counted", times=20
)
def test_c9_what_is_outside_the_look_back_is_found_when_its_days_are_read_again(world: World) -> None:
    chance = random.Random(seed())
    begin(world)
    days = [datetime(2026, 11, day, 9, tzinfo=UTC) for day in (2, 3, 4)]
    for number, at in enumerate(days):
        world.put_order(f"P{number}", at=at)
    assert world.run("cin7", "2026-11-02", "2026-11-04", ORDERS).success
    expected = {"0010/P0", "0010/P1", "0010/P2"}
    for again in range(20):
        late = {f"L{again}/{n}": chance.choice(days) + timedelta(minutes=chance.randrange(600)) for n in range(1, 4)}
        for key, at in late.items():
            world.put_order(key, at=at)
        assert world.run("cin7", "2026-11-02", "2026-11-04", ORDERS).success
        expected |= {f"0010/{key_text(key)}" for key in late}
        assert set(world.order_markers()) == expected
        assert found_by_reading_again(world) == [sum(at.day == day for at in late.values()) for day in (2, 3, 4)]


def found_by_reading_again(world: World) -> list[int]:
    """What the account of the reads says had been missed, for each of the three days."""
    with world.ledger as ledger:
        pulls = [ledger.pulls("ifs/purchase_order_set", f"2026-11-0{day}", limit=2) for day in (2, 3, 4)]
    return [latest.pull.rows - before.pull.rows for latest, before in pulls]
