"""C10: a timestamp that cannot be believed stops nothing and loses nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from mlc_dagster_tests.orchestration.conftest import World
from mlc_dagster_tests.promises.days import PURCHASES, begin, counts, run, today

NOW = datetime.now(UTC).replace(microsecond=0)
FAR = datetime(2999, 1, 1, tzinfo=UTC)


def totals(world: World) -> dict[str, Decimal]:
    return {
        each["AdditionalAttributes"]["AdditionalAttribute1"]: Decimal(str(each["Order"]["Total"]))
        for each in world.box.cin7.purchases.values()
    }


def put(world: World, number: str, at: Any, price: str = "10.50") -> None:
    world.put_order(number, price=price, at=NOW)
    row = next(row for row in world.box.ifs.rows("PurchaseOrderSet") if row["OrderNo"] == number)
    world.box.ifs.put("PurchaseOrderSet", row, modified=at)


@pytest.mark.promise(
    "C10", "an order stamped 2999, null, or with a text that is no time, among good ones; by a Dagster run"
)
@pytest.mark.parametrize("at", [FAR, None, "soon", "2026-13-45T99:99:99Z"], ids=["2999", "null", "soon", "no date"])
def test_c10_a_row_with_an_odd_timestamp_is_delivered_or_held_and_the_others_go_on(world: World, at: Any) -> None:
    begin(world)
    for number in range(1, 6):
        put(world, f"P{number}", NOW)
    put(world, "odd", at)
    found = counts(run(world))
    assert {f"0010/P{number}" for number in range(1, 6)} <= set(totals(world))
    held = {hold.key for hold in world.ledger.open_holds(PURCHASES)}
    assert ("0010/odd" in totals(world)) != ("odd" in held), "in exactly one state"
    assert found["created"] + found["held"] == 6

    again = counts(run(world))

    assert (again["created"], again["updated"]) == (0, 0), "it costs nothing the second time"


@pytest.mark.promise("C10", "an order stamped 2999 or null that is changed again, and then gets a right timestamp")
@pytest.mark.parametrize("at", [FAR, None], ids=["2999", "null"])
def test_c10_what_is_corrected_after_an_odd_timestamp_is_delivered(world: World, at: Any) -> None:
    begin(world)
    put(world, "odd", at, price="10.00")
    assert counts(run(world))["created"] == 1
    put(world, "odd", at, price="11.00")
    assert counts(run(world))["updated"] == 1
    put(world, "odd", datetime.now(UTC), price="12.00")
    assert counts(run(world))["updated"] == 1
    assert totals(world) == {"0010/odd": Decimal("24.00")}
    assert world.ledger.open_holds(PURCHASES) == []


@pytest.mark.promise("C10", "a row stamped 2999 under the change sensor's cursor")
def test_c10_a_row_from_2999_does_not_take_the_sensors_cursor_along(world: World) -> None:
    from mlc_dagster_tests.promises.days import tick

    begin(world)
    put(world, "odd", FAR)
    first = tick(world)
    put(world, "P1", datetime.now(UTC).replace(microsecond=0))
    second = tick(world, first.cursor)
    assert today() in [request.partition_key for request in second.run_requests or []]
