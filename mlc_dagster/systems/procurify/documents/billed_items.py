"""What a bill's allocations take of orders: each its part of the item's cost and tax. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from mlc_dagster.core.amounts import proportion, round_half_up
from mlc_dagster.systems.shared.json_values import amount

EXACT = 10
"""Decimals; amounts are rounded by their currency when they are posted."""
NOTHING = Decimal(0)


def shares(rows: Sequence[Mapping[str, Any]]) -> Iterator[tuple[Decimal, Decimal]]:
    """Of each allocation (its part of the item's cost without tax and shipping, its part of the tax).

    Procurify does not say whether an allocation has these in it, and need not: only proportions are taken of them.

    `rows`: allocations with `line`, `amount`, `net` and `tax` of the whole item.
    """
    whole: dict[str, Decimal] = defaultdict(Decimal)
    for row in rows:
        whole[row["line"]] += _decimal(row.get("amount"))
    for row in rows:
        part = _decimal(row.get("amount"))
        net = part if row.get("net") is None else _decimal(row["net"])
        yield _share(net, part, whole[row["line"]]), _share(_decimal(row.get("tax")), part, whole[row["line"]])


def _share(total: Decimal, part: Decimal, whole: Decimal) -> Decimal:
    return total if part == whole or not whole else round_half_up(proportion(total, part, whole), EXACT)


def _decimal(value: Any) -> Decimal:
    return NOTHING if value in (None, "") else amount(value)
