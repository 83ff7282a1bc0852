"""What a check says of all that a flow has on hold now, whichever run, load or person put it there or closed it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import dagster as dg

from mlc_dagster.core.inert import inert
from mlc_dagster.ledger import Ledger
from mlc_dagster.ledger.records.stock import OpenStock

AT_THE_LOAD = "held_by_the_load"
AT_THE_LOAD_WORDS = "Nothing is on hold that the target refused or did not answer, or that the load itself held."
NOTHING = OpenStock()


def by_check(flow: str, checks: Collection[str], ledger: Ledger, passing: Collection[str] = ()) -> dict[str, OpenStock]:
    """Check -> what it holds. Rules that have no check of their own are told by the one of the load.

    `passing`: keys that a run found in order and is about to deliver.
    """
    found: dict[str, OpenStock] = {}
    for rule, stock in ledger.stock.by_rule(flow, passing).items():
        name = rule if rule in checks else AT_THE_LOAD
        found[name] = _together(found[name], stock) if name in found else stock
    return found


def in_words(stock: OpenStock, why: str = "") -> str | None:
    """How many, of a guard why, since when, and how much money."""
    if not stock.number:
        return None
    since = f", since {stock.oldest:%Y-%m-%d %H:%M} UTC" if stock.oldest else ""
    return inert(f"{stock.number} held{f': {why}' if why else ''}{since}{_money(stock)}")


def metadata(stock: OpenStock) -> dict[str, Any]:
    told: dict[str, Any] = {"held_now": stock.number}
    if stock.number and stock.oldest:
        told["since"] = dg.MetadataValue.timestamp(stock.oldest)
    amounts = sorted(stock.amounts.items()) if stock.number else []
    return told | {f"amount in {inert(currency)}": f"{amount:f}" for currency, amount in amounts}


def evaluation(asset: dg.AssetKey, name: str, stocks: Mapping[str, OpenStock]) -> dg.AssetCheckEvaluation:
    """As a look at the stock without a run has it."""
    stock = stocks.get(name, NOTHING)
    return dg.AssetCheckEvaluation(
        asset_key=asset,
        check_name=name,
        passed=not stock.number,
        severity=dg.AssetCheckSeverity.WARN,
        description=in_words(stock) or "nothing is on hold by it any more",
        metadata={
            name: dg.MetadataValue.int(value) if isinstance(value, int) else _shown(value)
            for name, value in metadata(stock).items()
        },
    )


def _shown(value: Any) -> Any:
    return dg.MetadataValue.text(value) if isinstance(value, str) else value


def _money(stock: OpenStock) -> str:
    told = ", ".join(f"{amount:f} {currency}" for currency, amount in sorted(stock.amounts.items()))
    return f" ({told})" if told else ""


def _together(one: OpenStock, other: OpenStock) -> OpenStock:
    both = OpenStock(one.number + other.number, min(filter(None, (one.oldest, other.oldest)), default=None))
    for each in (one, other):
        for currency, amount in each.amounts.items():
            both.amounts[currency] += amount
    return both
