"""C46: a hold heals, a person releases, a load runs alone: what is gone is not delivered."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from mlc_dagster.ledger import Ledger
from mlc_dagster.settings.model import Policies
from mlc_dagster_tests.orchestration.conftest import World, metadata
from mlc_dagster_tests.orchestration.conftest import world as world
from mlc_dagster_tests.orchestration.test_healing import PURCHASES, carry_out, decide, tick
from mlc_dagster_tests.promises.journey import days
from mlc_dagster_tests.promises.kinds import RECORDS, now
from mlc_dagster_tests.promises.looked_at import DELETED, TAKEN_BACK, Prepared, kind_of, prepared

PREPARED, LOADED = ["ifs/purchase_order_set", "cin7/purchases_prepared"], [PURCHASES]
LATER = datetime(2026, 11, 6, 9, tzinfo=UTC)


def account_appears(world: World) -> None:
    world.put_account("4711")
    world.box.cin7.add_account("4711", "Services")
    world.chart()


def healed(world: World) -> dict[str, Any]:
    (request,) = tick(world).run_requests
    return metadata(carry_out(world, request), PURCHASES)


@pytest.fixture
def held(world: World) -> World:
    """P2 is on hold since its account is missing."""
    world.chart()
    world.put_order("P2", account="4711")
    assert world.run("cin7").success and world.order_markers() == []
    return world


@pytest.mark.slow
@pytest.mark.promise("C46", "held, deleted in the ERP, healed: not created, and the hold is closed as gone")
def test_c46_a_hold_heals_when_its_order_is_gone(held: World) -> None:
    held.box.ifs.delete("PurchaseOrderSet", OrderNo="P2")
    account_appears(held)
    assert healed(held)["gone"] == 1
    assert held.order_markers() == [] and held.ledger.open_holds(PURCHASES) == []
    lines = held.ledger.trail(PURCHASES, "P2")
    assert [line.event.value for line in lines] == ["held", "gone", "closed"] and lines[-1].detail == "gone"
    assert tick(held).run_requests == []


@pytest.mark.slow
@pytest.mark.promise("C46", "held, changed in the ERP on a later day, healed: delivered as it is now")
def test_c46_a_hold_heals_when_its_order_has_changed(held: World) -> None:
    held.put_order("P2", account="4711", price="20.00", at=LATER)
    account_appears(held)
    assert healed(held)["created"] == 1
    (purchase,) = held.box.cin7.purchases.values()
    assert purchase["Order"]["Total"] == Decimal("40.00") and held.ledger.open_holds(PURCHASES) == []
    assert held.run("cin7", "2026-11-06").success and len(held.box.cin7.purchases) == 1


@pytest.mark.slow
@pytest.mark.promise("C46", "held, cancelled in the ERP, healed: held by the cancellation, on its new day")
def test_c46_a_hold_heals_when_its_order_is_cancelled(held: World) -> None:
    held.put_order("P2", account="4711", at=LATER, ObjState="Cancelled")
    account_appears(held)
    assert healed(held)["held"] == 1
    (hold,) = held.ledger.open_holds(PURCHASES)
    assert (hold.rules, hold.partition) == (("is_not_cancelled",), "2026-11-06")
    assert held.order_markers() == []


@pytest.mark.slow
@pytest.mark.promise("C46", "released in the morning, cancelled at noon, loaded at night: not delivered")
def test_c46_a_release_is_of_what_was_there_when_it_was_given(world: World) -> None:
    world.chart()
    world.put_order("P1", OrderDate="2029-01-04")  # years ahead: a person may let that pass
    assert world.run("cin7").success and world.order_markers() == []
    decide(world, "released")
    world.put_order("P1", OrderDate="2029-01-04", at=LATER, ObjState="Cancelled")
    assert healed(world)["held"] == 1
    assert world.order_markers() == []


@pytest.mark.slow
@pytest.mark.promise("C46", "a load alone of rows older than prepared_max_age_minutes: looked at; of younger ones not")
@pytest.mark.parametrize("age", [30, 61])
def test_c46_a_load_alone_looks_at_what_is_older_than_an_hour(world: World, age: int) -> None:
    world.chart()
    world.put_order("P1")
    world.put_order("P2")
    assert world.run("cin7").success
    world.put_order("P3")
    world.put_order("P4")
    assert world.run("cin7", only=PREPARED).success
    world.box.ifs.delete("PurchaseOrderSet", OrderNo="P3")
    _read_ago(world, timedelta(minutes=age))
    world.box.forget_calls()
    result = world.run("cin7", only=LOADED)
    told = metadata(result, PURCHASES)
    asked = [path for _, path in world.box.calls("ifs") if "PurchaseOrderSet" in path]
    old = age > 60
    assert (told["created"], told["unchanged"], told.get("gone", 0)) == (1 if old else 2, 2, int(old)), told
    assert len(asked) == int(old), "one request for all that would be sent; none for what is delivered"
    assert world.order_markers() == [f"0010/P{n}" for n in ((1, 2, 4) if old else (1, 2, 3, 4))]


@pytest.mark.slow
@pytest.mark.promise("C46", "the age is a setting: 0 looks at all that would be sent")
def test_c46_the_age_is_a_setting(world: World) -> None:
    world.settings = world.settings.model_copy(update={"policies": Policies(prepared_max_age_minutes=0)})
    world.chart()
    world.put_order("P1")
    assert world.run("cin7", only=["cin7/suppliers", "cin7/suppliers_prepared", "ifs/supplier_set", *PREPARED]).success
    world.put_order("P1", at=LATER, ObjState="Cancelled")
    assert metadata(world.run("cin7", only=LOADED), PURCHASES)["held"] == 1
    assert world.order_markers() == []


def _read_ago(world: World, age: timedelta) -> None:
    """As though the rows had been read so long ago."""
    path = world.environment.database_url.removeprefix("sqlite:///")
    with sqlite3.connect(path) as connection:
        (stamp,) = connection.execute("SELECT max(began_at) FROM reads").fetchone()
        moment = (datetime.fromisoformat(stamp) - age).isoformat(timespec="microseconds")
        began = moment.replace("+00:00", "Z") if stamp.endswith("Z") else moment
        connection.execute("UPDATE reads SET began_at = ?", (began.replace("T", stamp[10]),))


# --- the same of other flows, without Dagster -------------------------------------------------------------------------

Acts = dict[str, Callable[[Any], str]]


@pytest.mark.promise("C46", "held for its account, taken back or gone at its source, healed: every way into the ERP")
@pytest.mark.parametrize("acts", [DELETED, TAKEN_BACK], ids=["deleted", "taken back"])
@pytest.mark.parametrize(
    "flow",
    [
        "ifs/vouchers_from_airbase_payments",
        "ifs/supplier_invoices_from_procurify",
        "ifs/posting_proposals_from_procurify",
        "airbase/purchase_orders",
    ],
)
def test_c46_what_is_taken_back_while_it_is_on_hold(
    flow: str, acts: Acts, sqlite_ledger: Ledger, tmp_path: Path
) -> None:
    with prepared(kind_of(flow), sqlite_ledger, tmp_path) as there:
        _account(there, blocked=True)
        there.prepare()
        assert there.load(is_old=False).delivered == 0 and len(there.holds()) == RECORDS
        key = acts[flow](there.box)
        _account(there, blocked=False)
        _heal(there)
        loaded = there.load(is_old=False)
        assert loaded.delivered == RECORDS - 1, (vars(loaded), there.holds())
        assert not {"sent", "created"}.intersection(there.events(key))
        assert acts is TAKEN_BACK or there.holds() == {}


def _account(there: Prepared, *, blocked: bool) -> None:
    for account in ("4010", "2440"):
        row = {"Company": "0010", "Account": account, "Description": account, "ValidFrom": "2015-01-01"}
        there.box.ifs.put("AccountSet", {**row, "Blocked": blocked}, modified=now())


def _heal(there: Prepared) -> None:
    """The stored rows are prepared once more: no call to the source."""
    journey = there.journey()
    facts = journey.facts()
    for day in days():
        journey.prepare(day, facts)
