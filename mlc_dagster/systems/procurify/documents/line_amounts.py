"""What is posted of a document: net amounts line by line that make its total, rounded once. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from mlc_dagster.core.amounts import round_half_up, times
from mlc_dagster.systems.procurify.records import Allocation

NOTHING = Decimal(0)
TOTAL_DECIMALS = 2
"""Procurify states totals in two decimals, also of a currency that has three."""


@dataclass(frozen=True)
class StatedAmounts:
    """What a document says of itself, in its currency."""

    decimals: int
    tax: Decimal  # that is not in the prices
    shipping: Decimal  # with all that is charged beside items, costs and tax
    payable: Decimal | None
    cost: Decimal | None = None  # items and costs, without tax and shipping


class PostedAmounts(NamedTuple):
    """Net amounts of the allocations, in their order, and what comes to them. They make `net` where all adds up."""

    amounts: tuple[Decimal, ...]
    tax: Decimal
    shipping: Decimal  # what the allocations do not have in them yet
    net: Decimal  # payable less tax
    rest: Decimal  # net less amounts and shipping: a matter of rounding, or not


def posted_amounts(allocations: Sequence[Allocation], stated: StatedAmounts) -> PostedAmounts:
    """Amounts without tax. Procurify does not say whether an allocation has tax and shipping in it: its sum tells."""
    has_tax, has_shipping = _inside(allocations, stated)
    exact = _without_tax(allocations) if has_tax else [each.amount for each in allocations]
    amounts = tuple(round_half_up(amount, stated.decimals) for amount in exact)
    tax = round_half_up(stated.tax, stated.decimals)
    shipping = NOTHING if has_shipping else round_half_up(stated.shipping, stated.decimals)
    posted = sum(amounts, shipping)
    net = posted if stated.payable is None else _payable(stated, sum(exact, shipping + tax), len(amounts)) - tax
    return PostedAmounts(amounts, tax, shipping, net, net - posted)


def _payable(stated: StatedAmounts, exact: Decimal, lines: int) -> Decimal:
    """What is payable: as it is stated, or as the lines say, where it is their sum in two decimals."""
    computed = round_half_up(exact, stated.decimals)
    total = round_half_up(stated.payable or NOTHING, stated.decimals)
    is_short = stated.decimals > TOTAL_DECIMALS and total == round_half_up(total, TOTAL_DECIMALS)
    half = Decimal(5).scaleb(-TOTAL_DECIMALS - 1)
    return computed if is_short and abs(total - computed) <= half * max(lines, 1) else total


def most_of_rounding(lines: int, decimals: int) -> Decimal:
    """The most that rounding can make of so many lines: one unit of the currency's last decimal for each."""
    return lines * Decimal(1).scaleb(-decimals)


def largest(amounts: Sequence[Decimal]) -> int:
    """The place of the line that takes a rest; the first of equals."""
    return max(range(len(amounts)), key=lambda place: abs(amounts[place]))


def _inside(allocations: Sequence[Allocation], stated: StatedAmounts) -> tuple[bool, bool]:
    """(tax, shipping) that the allocations have in them: the sum that they come nearest to, within rounding.

    Where two fit alike and mean different things, neither is taken: then the lines do not add up, and a person looks.
    """
    if stated.payable is None and stated.cost is None:
        return False, False
    cost = stated.cost if stated.cost is not None else (stated.payable or NOTHING) - stated.tax - stated.shipping
    found = sum((each.amount for each in allocations), NOTHING)
    ways = [(False, False), (True, False), (False, True), (True, True)]
    off = {
        way: abs(found - cost - (stated.tax if way[0] else NOTHING) - (stated.shipping if way[1] else NOTHING))
        for way in ways
        if (stated.tax or not way[0]) and (stated.shipping or not way[1])
    }
    least = min(off.values())
    nearest = [way for way, by in off.items() if by == least]
    if len(nearest) > 1 or least > most_of_rounding(len(allocations), min(stated.decimals, TOTAL_DECIMALS)):
        return False, False
    return nearest[0]


def _without_tax(allocations: Sequence[Allocation]) -> list[Decimal]:
    """Each less its share of its item's tax; costs of the whole bill have none."""
    whole: dict[str, Decimal] = defaultdict(Decimal)
    for each in allocations:
        whole[each.line] += each.amount
    return [_less_tax(each, whole[each.line]) for each in allocations]


def _less_tax(each: Allocation, whole: Decimal) -> Decimal:
    if each.is_cost or not each.tax or not whole:
        return each.amount
    return each.amount - times(each.amount, each.tax) / whole
