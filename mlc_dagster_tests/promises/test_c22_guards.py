"""C22: a guard holds the run of a day that read nothing, or a tenth of what is usual, and says so."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from typing import Any

import dagster as dg
import pytest

from mlc_dagster.ledger.entries import Event
from mlc_dagster.settings.guards import GuardSettings
from mlc_dagster_tests.orchestration.conftest import World, check
from mlc_dagster_tests.orchestration.test_hubspot import with_hubspot

USUAL, RULE = 20, "guards_allow_it"
DAYS = ("2026-11-02", "2026-11-03", "2026-11-04")
SPARSE = "2026-11-05"
FLOWS = {"cin7": "cin7/suppliers", "hubspot": "hubspot/supplier_companies"}


def put(world: World, day: str, numbers: range, name: str = "Supplier") -> None:
    at = datetime.fromisoformat(f"{day}T09:00:00+00:00").astimezone(UTC)
    for number in numbers:
        key = f"{day[-2:]}{number:03}"
        row = {"SupplierId": key, "Name": f"{name} {key}", "Country": "SE", "CurrencyCode": "SEK", "PaymentTerms": "30"}
        world.box.ifs.put("SupplierSet", row, modified=at)


def kept(world: World, target: str) -> Any:
    with world.box.lock:
        found = world.box.cin7.suppliers if target == "cin7" else world.box.hubspot.live("companies")
        return copy.deepcopy(found)


@pytest.fixture(params=FLOWS)
def target(request: pytest.FixtureRequest, world: World) -> str:
    """Three days of twenty suppliers are delivered; less than a fifth of that is not usual."""
    world.box.ifs.delete("SupplierSet", SupplierId="S1")
    if request.param == "hubspot":
        with_hubspot(world)
    world.chart()
    for day in DAYS:
        put(world, day, range(USUAL))
        assert world.run(request.param, day).success
    guards = {FLOWS[request.param]: GuardSettings(min_rows_share=0.2)}
    world.settings = world.settings.model_copy(update={"guards": guards})
    return str(request.param)


@pytest.mark.promise("C22", "a day of which nothing, or a tenth, is left, guarded by min_rows_share, Cin7 and HubSpot")
@pytest.mark.parametrize("left", [0, 2])
def test_c22_a_guard_holds_the_run_of_a_day_that_has_far_fewer_rows(world: World, target: str, left: int) -> None:
    put(world, SPARSE, range(left))
    before = kept(world, target)
    assert len(before) == USUAL * len(DAYS)
    world.box.forget_calls()

    result = world.run(target, SPARSE)

    found = check(result, f"{FLOWS[target]}_prepared", RULE)
    assert not result.success and not found.passed and found.severity is dg.AssetCheckSeverity.ERROR
    assert f"{left} rows were read where {USUAL} are usual" in (found.description or "")
    assert kept(world, target) == before and world.box.journal(target) == []
    assert not any(verb == "DELETE" or "archive" in path for verb, path in world.box.calls(target))
    holds = world.ledger.open_holds(FLOWS[target])
    assert len(holds) == left and all(hold.rules == (RULE,) for hold in holds)


@pytest.mark.promise("C22", "a delivered day read again when it is empty, guarded, Cin7 and HubSpot")
def test_c22_a_delivered_day_that_is_suddenly_empty_takes_nothing_away(world: World, target: str) -> None:
    for number in range(USUAL):
        world.box.ifs.delete("SupplierSet", SupplierId=f"04{number:03}")
    put(world, SPARSE, range(USUAL))
    assert world.run(target, SPARSE).success
    before = kept(world, target)
    world.box.forget_calls()
    result = world.run(target, DAYS[-1])
    assert not result.success, "the guard says so"
    assert "0 rows were read" in (check(result, f"{FLOWS[target]}_prepared", RULE).description or "")
    assert kept(world, target) == before and world.box.journal(target) == []
    assert len(world.ledger.remote_ids(FLOWS[target])) == USUAL * 4


ORDERS = "cin7/purchases"


def put_orders(world: World, numbers: range, price: str = "10.00") -> None:
    for number in numbers:
        world.put_order(f"P{number}", price=price, at=datetime(2026, 11, 5, 9, tzinfo=UTC))


def guarded(world: World, **limits: Any) -> None:
    world.settings = world.settings.model_copy(update={"guards": {ORDERS: GuardSettings(**limits)}})


@pytest.mark.promise("C22", "a guard holds the records that it counted, and no others; raised, the trail says so")
def test_c22_one_order_to_create_puts_no_delivered_one_on_hold(world: World) -> None:
    world.chart()
    put_orders(world, range(11))
    assert world.run("cin7").success
    guarded(world, max_creates=0)
    put_orders(world, range(11, 12))
    result = world.run("cin7")
    found = check(result, f"{ORDERS}_prepared", RULE)
    assert not found.passed and found.severity is dg.AssetCheckSeverity.ERROR, "nothing else is to be sent"
    assert "1 records would be created, and max_creates is 0 (P11)" in (found.description or "")
    assert [hold.key for hold in world.ledger.open_holds(ORDERS)] == ["P11"]

    put_orders(world, range(1), price="11.00")
    result = world.run("cin7")
    found = check(result, f"{ORDERS}_prepared", RULE)
    assert result.success and not found.passed and found.severity is dg.AssetCheckSeverity.WARN
    assert sorted(each["Order"]["Total"] for each in world.box.cin7.purchases.values()) == [20] * 10 + [22]
    assert [hold.key for hold in world.ledger.open_holds(ORDERS)] == ["P11"]

    guarded(world, max_creates=1)
    assert world.run("cin7").success and world.ledger.open_holds(ORDERS) == []
    lines = world.ledger.trail(ORDERS, "P11")
    (raised,) = [line for line in lines if line.event is Event.GUARD_RAISED]
    assert raised.detail == "max_creates was 0, and is 1 now; started by a person in Dagster's UI"
    assert [line.event for line in lines][-2:] == [Event.CREATED, Event.CLOSED]
