"""What of an order goes over, in every system that takes orders: its state, its lines, its total, its units."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from mlc_dagster.core.facts import CompanyMapping, Facts
from mlc_dagster.core.flows import Flow
from mlc_dagster.systems.airbase.mapping import order_from_order
from mlc_dagster.systems.airbase.settings import AirbaseSettings
from mlc_dagster.systems.cin7.settings import Cin7Settings
from mlc_dagster.systems.ifs import records as ifs
from mlc_dagster.systems.monday.mapping import item_from_customer_order, item_from_order
from mlc_dagster.systems.monday.settings import MondaySettings
from mlc_dagster.systems.registry import systems
from mlc_dagster.systems.shared.order_lines import stated_total
from mlc_dagster_tests.systems.airbase.samples import order, order_line

SECTIONS: dict[str, Any] = {"cin7": Cin7Settings(), "airbase": AirbaseSettings(), "monday": MondaySettings()}
COLUMNS = {f"{flow}.columns.amount": "Amount" for flow in ("purchase_orders", "customer_orders")}


def known(system: str, **settings: Any) -> Facts:
    section = type(SECTIONS[system])(**settings)
    options = {**section.options(), **(COLUMNS if system == "monday" else {})}
    return Facts(companies={"0010": CompanyMapping("0010", "SEK")}, options=options, tables=section.tables())


def flow_of_orders(system: str) -> Flow:
    return next(flow for flow in systems()[system].flows if flow.source.name == "purchase_order_set")


def held_by(flow: Flow, name: str, source: ifs.PurchaseOrder, facts: Facts) -> str:
    rule = next(rule for rule in flow.rules if rule.__name__ == name)
    problem = rule(source, flow.mapping(source, facts), facts)
    return problem.reason if problem else ""


@pytest.mark.parametrize("system", SECTIONS)
def test_every_flow_that_takes_orders_asks_for_their_state(system: str) -> None:
    takers = [flow.name for each in systems().values() for flow in each.flows if flow.source is ifs.PURCHASE_ORDERS]
    assert {name.partition("/")[0] for name in takers} <= {*SECTIONS, "tally"}
    flow, facts = flow_of_orders(system), known(system, order_states={"Planned": "wait", "Stopped": "hold"})
    assert flow.scope and "is Planned" in flow.scope(order(obj_state="Planned"), facts)
    assert "Stopped in the ERP" in held_by(flow, "order_is_a_purchase", order(obj_state="Stopped"), facts)
    assert not flow.scope(order(), facts) and not held_by(flow, "order_is_a_purchase", order(), facts)


@pytest.mark.parametrize("system, waits", [("cin7", True), ("airbase", True), ("monday", False)])
def test_a_planned_order_is_no_purchase_and_a_board_shows_it_with_its_state(system: str, waits: bool) -> None:
    flow = flow_of_orders(system)
    assert flow.scope and bool(flow.scope(order(obj_state="Planned"), known(system))) is waits
    assert bool(held_by(flow, "order_is_a_purchase", order(obj_state="Stopped"), known(system))) is waits


@pytest.mark.parametrize("total", ["125.00", "250.00"])
@pytest.mark.parametrize("state", ["Cancelled", "Closed", "Stopped"])
def test_a_line_that_is_not_ordered_is_left_out_and_the_total_may_count_it_or_not(state: str, total: str) -> None:
    source = order("P1", order_line(), order_line("2", obj_state=state), total_amount=Decimal(total))
    facts = known("airbase")
    target = order_from_order(source, facts)
    assert [line.key for line in target.lines] == ["P1/1/1"] and target.stated_total == Decimal("125.00")
    assert held_by(flow_of_orders("airbase"), "amounts_add_up", source, facts) == ""


def test_a_total_that_is_neither_is_held() -> None:
    source = order("P1", order_line(), order_line("2", obj_state="Closed"), total_amount=Decimal("200.00"))
    reason = held_by(flow_of_orders("airbase"), "amounts_add_up", source, known("airbase"))
    assert "125.00" in reason and "200.00" in reason


def test_the_amount_of_an_order_on_a_board_is_without_its_cancelled_lines() -> None:
    source = order("P1", order_line(), order_line("2", obj_state="Cancelled"), total_amount=Decimal("250.00"))
    assert item_from_order(source, known("monday")).cells[0].values == ("125",)
    closed = msgspec.structs.replace(source, lines=(order_line(), order_line("2", obj_state="Closed")))
    assert item_from_order(closed, known("monday")).cells[0].values == ("250",), "what came in is part of its worth"


def test_so_is_that_of_a_customer_order() -> None:
    line = ifs.CustomerOrderLine(line_no="1", rel_no="1", line_amount=Decimal(40))
    lines = (line, msgspec.structs.replace(line, line_no="2", obj_state="Cancelled"))
    source = ifs.CustomerOrder(order_no="C1", total_amount=Decimal(80), obj_state="Released", lines=lines)
    assert item_from_customer_order(source, known("monday")).cells[0].values == ("40",)


def test_an_order_of_which_every_line_is_cancelled_comes_to_nothing() -> None:
    source = order("P1", order_line(obj_state="Cancelled"), total_amount=Decimal("125.00"))
    assert stated_total(source, known("monday")) == 0


def test_a_quantity_goes_to_airbase_with_its_unit() -> None:
    (line,) = order_from_order(order("P1", order_line(buy_unit_meas="box")), known("airbase")).lines
    assert line.description == "Bolt M8 (box)"
    lump = order_line(buy_qty_due=None, buy_unit_price=None, buy_unit_meas="pcs")
    assert order_from_order(order("P1", lump), known("airbase")).lines[0].description == "Bolt M8"


def test_a_unit_that_the_table_does_not_name_is_held() -> None:
    facts, flow = known("airbase", units={"pcs": "each"}), flow_of_orders("airbase")
    boxes = order("P1", order_line(buy_unit_meas="box"))
    assert held_by(flow, "units_are_mapped", boxes, facts).startswith("line 1/1: 100 box, and units in mlc.yaml")
    pieces = order("P1", order_line(buy_unit_meas="pcs"))
    assert held_by(flow, "units_are_mapped", pieces, facts) == ""
    assert order_from_order(pieces, facts).lines[0].description == "Bolt M8 (each)"


def test_a_line_with_a_discount_goes_to_airbase_at_its_amount() -> None:
    source = order("P1", order_line(buy_qty_due=Decimal(10), buy_unit_price=Decimal(100), line_amount=Decimal(850)))
    target = order_from_order(source, known("airbase"))
    assert (target.lines[0].price, target.total()) == (Decimal("85.000000"), Decimal("850.00"))
    assert held_by(flow_of_orders("airbase"), "amounts_add_up", source, known("airbase")) == ""
