"""What of an IFS order is ordered in Cin7: its state, its lines, their prices. Pure.

IFS's line amount holds discounts, price units and conversion factors: it is what is paid, and a quantity times a price
need not be it (ifs-tenants, 3.2).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from itertools import groupby
from typing import NamedTuple

import msgspec

from mlc_dagster.core.amounts import STEPS, currency_decimals, proportion, round_to, times
from mlc_dagster.core.facts import Facts
from mlc_dagster.systems.cin7.records import CENT, HUNDRED, PRICE_DECIMALS, ZERO, OrderLine, line_total
from mlc_dagster.systems.ifs import records as ifs

NOT_ORDERED = "Cancelled,Closed,Stopped"


class Price(NamedTuple):
    """What is paid for one, and the discount on it in per cent."""

    each: Decimal | None
    discount: Decimal = ZERO


def is_not_ordered_yet(order: ifs.PurchaseOrder, facts: Facts) -> str:
    """Why an order is no purchase yet, or "": it is only planned."""
    state = order.obj_state or ""
    waits = facts.table("order_states").get(state) == "wait"
    return f"an order that is {state}: it is no purchase yet (cin7.order_states)" if waits else ""


def ordered(order: ifs.PurchaseOrder, facts: Facts) -> list[ifs.PurchaseOrderLine]:
    """The lines that are ordered, by line and release, numbers by their value: in which order a tenant gives them must
    change nothing. A line in the state of its order says nothing of its own.
    """
    off = {state.strip() for state in facts.options.get("line_states", NOT_ORDERED).split(",")} - {order.obj_state}
    lines = [line for line in order.lines if line.obj_state not in off]
    return sorted(lines, key=lambda line: (len(line.line_no), line.line_no, len(line.release_no), line.release_no))


def stated_total(order: ifs.PurchaseOrder, lines: Iterable[ifs.PurchaseOrderLine]) -> Decimal | None:
    """The ERP's total of what is ordered: its header may count lines that are not ordered any more, or not."""
    every, kept = _sum(line.line_amount for line in order.lines), _sum(line.line_amount for line in lines)
    return kept if order.total_amount in (None, every) else order.total_amount


def _sum(amounts: Iterable[Decimal | None]) -> Decimal | None:
    """The sum, None where one of them is missing or there are none."""
    given = list(amounts)
    known = [amount for amount in given if amount is not None]
    return sum(known, ZERO) if known and len(known) == len(given) else None


def price_paid(order: ifs.PurchaseOrder, line: ifs.PurchaseOrderLine, facts: Facts) -> Price:
    """The line's price; where its amount is less than that, what one costs after the discount, else the discount."""
    quantity, price, stated = line.buy_qty_due, line.buy_unit_price, line.line_amount
    if not quantity or not price or stated is None:
        return Price(price)
    step = STEPS[currency_decimals(order.currency_code, facts.companies.get(order.company or ""))]
    gross = times(quantity, price)
    if round_to(gross, step) == stated or not 0 < proportion(HUNDRED, stated, gross) < HUNDRED:
        return Price(price)
    each = round_to(proportion(stated, Decimal(1), quantity), STEPS[PRICE_DECIMALS])
    if line_total(quantity, each) == stated:
        return Price(each)
    discount = round_to(HUNDRED - proportion(HUNDRED, stated, gross), CENT)
    return Price(price, discount) if line_total(quantity, price, discount) == stated else Price(price)


def merged(lines: Iterable[OrderLine], units: Iterable[str | None], facts: Facts) -> tuple[OrderLine, ...]:
    """Cin7 refuses, as far as is known, one product twice: two lines that are equal but for their quantity are one, and
    its comment names both. Those that differ stay two, and are held. `units`: the ERP's, line by line.
    """
    given = list(lines)
    if facts.options.get("same_product", "merge") != "merge" or len({line.sku for line in given}) == len(given):
        return tuple(given)
    places = {line.sku: place for place, line in reversed(list(enumerate(given)))}
    by_sku = sorted(zip(given, units, strict=True), key=lambda pair: places[pair[0].sku])
    groups = (list(same) for _, same in groupby(by_sku, key=lambda pair: pair[0].sku))
    return tuple(line for group in groups for line in _as_one([line for line, _ in group], {unit for _, unit in group}))


def _as_one(lines: list[OrderLine], units: set[str | None]) -> Iterator[OrderLine]:
    first = lines[0]
    quantity, stated = _sum(line.quantity for line in lines), _sum(line.stated for line in lines)
    accounts = {line.comment.partition(" account ")[2] for line in lines}
    alike = len({(line.price, line.discount, line.tax_code) for line in lines}) == len(units) == len(accounts) == 1
    if len(lines) == 1 or not alike or line_total(quantity, first.price, first.discount) != stated:
        yield from lines
        return
    changes: Mapping[str, object] = {
        "where": " and ".join(line.where for line in lines),
        "quantity": quantity,
        "stated": stated,
        "tax": sum((line.tax for line in lines), ZERO),
        "comment": _both_origins([line.comment for line in lines]),
    }
    yield msgspec.structs.replace(first, **changes)


def _both_origins(comments: list[str]) -> str:
    """ "IFS 0010/P1/1/1 and 2/1 account 4010": the first in full, the others by line and release."""
    first, _, account = comments[0].partition(" account ")
    more = ["/".join(each.partition(" account ")[0].split("/")[-2:]) for each in comments[1:]]
    return " and ".join([first, *more]) + (f" account {account}" if account else "")
