"""The lines of an IFS order as Cin7 takes them: at the price that is paid, each product once. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from itertools import groupby
from typing import NamedTuple

import msgspec

from mlc_dagster.core.amounts import proportion, round_to, times
from mlc_dagster.core.facts import Facts
from mlc_dagster.systems.cin7.records import CENT, HUNDRED, PRICE_DECIMALS, ZERO, OrderLine, line_total
from mlc_dagster.systems.ifs import records as ifs
from mlc_dagster.systems.shared.order_lines import has_another_price, one_costs, sum_of


class Price(NamedTuple):
    """What is paid for one, and the discount on it in per cent."""

    each: Decimal | None
    discount: Decimal = ZERO


def price_paid(order: ifs.PurchaseOrder, line: ifs.PurchaseOrderLine, facts: Facts) -> Price:
    """The line's price; where its amount is less than that, what one costs after the discount, else the discount."""
    quantity, price, stated = line.buy_qty_due or ZERO, line.buy_unit_price, line.line_amount
    if not has_another_price(order, line, facts) or price is None or stated is None:
        return Price(price)
    each = one_costs(line, PRICE_DECIMALS)
    if line_total(quantity, each) == stated:
        return Price(each)
    discount = round_to(HUNDRED - proportion(HUNDRED, stated, times(quantity, price)), CENT)
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
    quantity, stated = sum_of(line.quantity for line in lines), sum_of(line.stated for line in lines)
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
