"""What of an order of the ERP is ordered: its state, its lines, their total, and what one costs. Pure.

A line has a state of its own, beside that of its order. IFS's line amount holds discounts, price units and conversion
factors: it is what is paid, and a quantity times a price need not be it (ifs-tenants, 3.2).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from mlc_dagster.core.amounts import STEPS, currency_decimals, proportion, round_to, times
from mlc_dagster.core.facts import Facts
from mlc_dagster.systems.ifs.line_records import CustomerOrderLine, PurchaseOrderLine
from mlc_dagster.systems.ifs.records import CustomerOrder, PurchaseOrder

NOT_ORDERED = "Cancelled,Closed,Stopped"
"""States of a line that is not ordered (any more), where the option `line_states` says nothing."""

CLOSED = "Closed"
ZERO = Decimal(0)


def is_not_ordered_yet(order: PurchaseOrder, facts: Facts) -> str:
    """Why an order is no purchase yet, or "": it is only planned."""
    state = order.obj_state or ""
    waits = facts.table("order_states").get(state) == "wait"
    return f"an order that is {state}: it is no purchase yet (order_states in mlc.yaml)" if waits else ""


def ordered(order: PurchaseOrder, facts: Facts) -> list[PurchaseOrderLine]:
    """The lines that are ordered, by line and release, numbers by their value: in which order a tenant gives them must
    change nothing. A line in the state of its order says nothing of its own.
    """
    lines = [line for line in order.lines if is_ordered(order, line, facts)]
    return sorted(lines, key=lambda line: (len(line.line_no), line.line_no, len(line.release_no), line.release_no))


def stated_total(order: PurchaseOrder | CustomerOrder, facts: Facts) -> Decimal | None:
    """The ERP's total of what is ordered: its header may count lines that are not ordered any more, or not."""
    lines: tuple[PurchaseOrderLine | CustomerOrderLine, ...] = order.lines
    kept: list[PurchaseOrderLine | CustomerOrderLine] = (
        [line for line in order.lines if is_ordered(order, line, facts)]
        if isinstance(order, PurchaseOrder)
        else [line for line in order.lines if is_sold(order, line, facts)]
    )
    every = sum_of(line.line_amount for line in lines)
    if order.total_amount not in (None, every):
        return order.total_amount
    return sum_of(line.line_amount for line in kept) if kept or not lines else ZERO


def is_ordered(order: PurchaseOrder, line: PurchaseOrderLine, facts: Facts) -> bool:
    """Whether a line is ordered (still). One that is closed since its goods are there was ordered all the same."""
    return line.obj_state not in _off(order, facts) or (line.obj_state == CLOSED and _is_received(order, line))


def is_sold(order: CustomerOrder, line: CustomerOrderLine, facts: Facts) -> bool:
    """The same of a customer order's line."""
    return line.obj_state not in _off(order, facts)


def _is_received(order: PurchaseOrder, line: PurchaseOrderLine) -> bool:
    place = (line.line_no, line.release_no)
    return any(each.counts and (each.source_ref2, each.source_ref3) == place for each in order.receipts or ())


def wanted_on(order: PurchaseOrder, facts: Facts) -> date | None:
    """When the order is wanted: its header's date; where mlc.yaml says so of headers without one its lines' latest."""
    if order.wanted_receipt_date or facts.options.get("wanted_date") != "lines":
        return order.wanted_receipt_date
    days = [line.wanted_delivery_date or line.planned_receipt_date for line in ordered(order, facts)]
    return max((day for day in days if day), default=None)


def _off(order: PurchaseOrder | CustomerOrder, facts: Facts) -> set[str | None]:
    named = facts.options.get("line_states", NOT_ORDERED).split(",")
    off: set[str | None] = {state.strip() for state in named}
    return off - {order.obj_state}


def sum_of(amounts: Iterable[Decimal | None]) -> Decimal | None:
    """The sum, None where one of them is missing or there are none."""
    given = list(amounts)
    known = [amount for amount in given if amount is not None]
    return sum(known, ZERO) if known and len(known) == len(given) else None


def has_another_price(order: PurchaseOrder, line: PurchaseOrderLine, facts: Facts) -> bool:
    """Whether less is paid than quantity times price: there is a discount, or a price unit."""
    quantity, price, stated = line.buy_qty_due, line.buy_unit_price, line.line_amount
    if not quantity or not price or stated is None:
        return False
    step = STEPS[currency_decimals(order.currency_code, facts.companies.get(order.company or ""))]
    gross = times(quantity, price)
    return round_to(gross, step) != stated and 0 < proportion(Decimal(1), stated, gross) < 1


def one_costs(line: PurchaseOrderLine, decimals: int) -> Decimal:
    """What one costs by the line's amount, to so many decimals."""
    return round_to(proportion(line.line_amount or ZERO, Decimal(1), line.buy_qty_due or Decimal(1)), STEPS[decimals])
