"""C43: the first load brings master data of any age by itself, and a plan of it tells all that is in its way."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import dagster as dg
import pytest

from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.orchestration.automation import planning
from mlc_dagster.orchestration.resources import LedgerResource
from mlc_dagster.systems.registry import systems
from mlc_dagster_tests.orchestration.conftest import DAY, World, metadata
from mlc_dagster_tests.promises.days import tick
from mlc_dagster_tests.promises.test_c43_due import carried, listed

FIRST, LONG_AGO = "2026-11-01", datetime(2011, 3, 4, 5, tzinfo=UTC)
SUPPLIERS, PURCHASES = "cin7/suppliers", "cin7/purchases"
READ_SUPPLIERS = "read ifs/supplier_set"


def put_old_supplier(world: World, number: str = "S0", **fields: Any) -> None:
    """One that nobody has touched for fifteen years."""
    world.put_supplier(number, **fields)
    [row] = [row for row in world.box.ifs.rows("SupplierSet") if row["SupplierId"] == number]
    world.box.ifs.put("SupplierSet", row, modified=LONG_AGO)


def schedule(world: World, name: str = "cin7_running_day", ledger_url: str = "") -> Any:
    ledger = LedgerResource(database_url=ledger_url or world.environment.database_url)
    with dg.build_schedule_context(
        scheduled_execution_time=datetime(2026, 11, 6, 9, tzinfo=UTC),
        repository_def=world.defs.get_repository_def(),
        resources={"ledger": ledger},
    ) as context:
        return world.defs.resolve_schedule_def(name).evaluate_tick(context)


@pytest.mark.promise("C43", "an empty ledger, a new order of a supplier of 2011: loaded by itself, begun by a sensor")
@pytest.mark.parametrize("begun_by", ["cin7_changes", "cin7_running_day"])
def test_c43_an_old_supplier_holds_no_new_order(world: World, begun_by: str) -> None:
    world.chart()
    put_old_supplier(world)
    world.put_order("P1", VendorNo="S0")
    assert (tick(world) if begun_by == "cin7_changes" else schedule(world)) is not None
    due = listed(world)
    assert due[SUPPLIERS, FIRST] == due[READ_SUPPLIERS, FIRST] == ("due", "")
    with world.ledger as ledger:
        asked_at = {task.asked_at for task in ledger.work.all([SUPPLIERS]) if task.partition == FIRST}
    assert world.run("cin7").success and world.order_markers() == [], "held: its supplier is not there"

    tick(world) if begun_by == "cin7_changes" else schedule(world)
    with world.ledger as ledger:
        assert asked_at == {task.asked_at for task in ledger.work.all([SUPPLIERS]) if task.partition == FIRST}
    [request] = [each for each in tick(world, sensor="due").run_requests if each.partition_key == FIRST]
    assert carried(world, request)
    assert {each["Name"] for each in world.box.cin7.suppliers.values()} == {"Supplier S0", "Supplier S1"}
    assert (SUPPLIERS, FIRST) not in listed(world)
    for healing in tick(world, sensor="cin7_heals").run_requests:
        assert carried(world, healing)
    assert world.order_markers() == ["0010/P1"]
    schedule(world)
    assert (SUPPLIERS, FIRST) not in listed(world), "once"


@pytest.mark.promise("C43", "a ledger in which something was delivered: an upgrade asks for no first load")
def test_c43_where_suppliers_were_delivered_before_nothing_old_is_asked_for(world: World) -> None:
    world.chart()
    put_old_supplier(world)
    assert world.run("cin7").success
    tick(world)
    schedule(world)
    assert (SUPPLIERS, FIRST) not in listed(world) and (READ_SUPPLIERS, FIRST) not in listed(world)


@pytest.mark.promise(
    "C43", "the first day of suppliers and of customers holds all that is older; of documents it does not"
)
def test_c43_the_first_day_of_master_data_holds_whatever_is_older_and_no_other_day_does(world: World) -> None:
    put_old_supplier(world)
    customer = {"CustomerId": "C0", "Name": "Old", "Country": "SE", "CurrencyCode": "SEK"}
    world.box.ifs.put("CustomerSet", customer, modified=LONG_AGO)
    world.put_order("P0", at=LONG_AGO)
    sets = ["ifs/supplier_set", "ifs/customer_set", "ifs/purchase_order_set"]
    read = world.run("ifs", FIRST, "2026-11-02", only=sets)
    assert read.success, "counted by the tenant too"
    rows = {name: [metadata(read, name, day)["rows_read"] for day in (FIRST, "2026-11-02")] for name in sets}
    assert rows == {"ifs/supplier_set": [1, 0], "ifs/customer_set": [1, 0], "ifs/purchase_order_set": [0, 0]}
    shown = {
        spec.key.to_user_string(): spec.description or "" for asset in world.defs.assets or [] for spec in specs(asset)
    }
    assert "the first day, 2026-11-01, holds all that is older too" in shown["ifs/supplier_set"]
    assert "holds all that is older too" not in shown["ifs/purchase_order_set"]


def specs(asset: Any) -> list[dg.AssetSpec]:
    return list(asset.specs) if isinstance(asset, dg.AssetsDefinition) else []


@pytest.mark.promise(
    "C43", "a plan of all flows and days on an empty ledger: after its supplier, and every other reason"
)
def test_c43_a_plan_on_an_empty_ledger_tells_what_comes_first_and_all_reasons(world: World) -> None:
    put_old_supplier(world)
    world.put_order("P1", VendorNo="S0")
    world.put_order("P2", VendorNo="S0", account="9999")
    world.put_order("P3", VendorNo="NOBODY", account="9999", at=datetime(2026, 11, 4, 9, tzinfo=UTC))
    world.put_order("P4", VendorNo="S0", CurrencyCode="EUR")
    sets = ["ifs/supplier_set", "ifs/purchase_order_set"]
    assert world.run("ifs", FIRST, DAY, only=sets).success
    days = [f"2026-11-0{number}" for number in range(1, 7)]

    blind = steps(planned(world, days))
    assert all("materialize ifs/account_set" in step["why"] for step in blind.values() if step["key"].startswith("P"))
    assert "is not delivered yet" in blind["P3"]["why"], "what cannot be validated hides nothing else"

    world.chart()
    found = planned(world, days)
    told = steps(found)
    assert (told["S0"]["does"], told["P1"]["does"], told["P1"]["after"]) == ("create", "create", [SUPPLIERS])
    assert told["P2"]["does"] == "held" and "9999" in told["P2"]["why"] and told["P2"]["after"] == [SUPPLIERS]
    assert "not delivered yet" not in told["P2"]["why"]
    assert "9999" in told["P3"]["why"] and "NOBODY is not delivered yet" in told["P3"]["why"]
    assert "The record is in EUR" in told["P4"]["why"], "its supplier will be in SEK"
    assert [PURCHASES, "2026-11-06"] in found["unread"]
    assert world.box.journal("cin7") == []


def planned(world: World, days: list[str]) -> dict[str, Any]:
    flows = [flow for flow in _flows(world) if flow.name in (PURCHASES, SUPPLIERS)]
    job = world.defs.resolve_job_def(planning.JOB)
    return planning.run_several(job, planning.in_order_of_need(flows[::-1], days))


def _flows(world: World) -> Any:
    from mlc_dagster.orchestration.automation.replaying import flows_on

    return list(flows_on(world.settings).values())


def steps(found: dict[str, Any]) -> dict[str, Any]:
    return {step["key"]: step for plan in found["plans"] for step in plan["steps"]}


CUT_OVER = date(2026, 11, 1)


@pytest.mark.promise("C43", "documents from before the cut-over are never sent; what was delivered stays in agreement")
def test_c43_what_is_dated_before_the_cut_over_is_out_of_scope_and_what_was_delivered_is_not(world: World) -> None:
    world.chart()
    world.put_order("OURS", OrderDate="2026-10-30", price="10.50")
    assert world.run("cin7").success and world.order_markers() == ["0010/OURS"]
    world.settings = world.settings.model_copy(update={"cut_over": {PURCHASES: CUT_OVER}})
    world.put_order("OLD", OrderDate="2026-10-31")
    world.put_order("NEW", OrderDate="2026-11-01")
    world.put_order("OURS", OrderDate="2026-10-30", price="12.00", at=datetime(2026, 11, 5, 10, tzinfo=UTC))

    told = steps(planned(world, [DAY])) if world.run("ifs", only=["ifs/purchase_order_set"]).success else {}
    assert (told["OLD"]["does"], told["OLD"]["why"]) == ("out of scope", "dated before the cut-over 2026-11-01")
    result = world.run("cin7")
    assert result.success and world.order_markers() == ["0010/NEW", "0010/OURS"]
    prepared, loaded = metadata(result, f"{PURCHASES}_prepared"), metadata(result, PURCHASES)
    assert (prepared["out_of_scope"], loaded["created"], loaded["updated"]) == (1, 1, 1)
    assert world.ledger.open_holds() == []


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("cin7/purchase", "there is no such flow"),
        (SUPPLIERS, "what it moves has no date: a cut-over is one of documents"),
    ],
)
def test_a_cut_over_of_what_is_no_flow_of_documents_is_a_mistake_in_words(world: World, name: str, says: str) -> None:
    world.settings = world.settings.model_copy(update={"cut_over": {name: CUT_OVER}})
    with pytest.raises(Misconfigured) as error:
        _ = world.defs
    assert says in str(error.value) and "cut_over" in str(error.value)


def test_every_flow_of_documents_has_a_date_to_cut_by() -> None:
    every = [flow for system in systems().values() for flow in system.flows if flow.source.partition == "day"]
    undated = {flow.source.name for flow in every if not hasattr(flow.source.record, "dates")}
    assert undated == {"supplier_set", "customer_set", "supplier_list", "vendor_list"}
