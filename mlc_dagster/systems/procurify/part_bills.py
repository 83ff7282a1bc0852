"""What bills take of orders, whose rest is still expected. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import msgspec

from mlc_dagster.core.amounts import round_half_up
from mlc_dagster.core.facts import Facts
from mlc_dagster.core.vocabulary import key_text
from mlc_dagster.systems.ifs.entry_records import BilledLine
from mlc_dagster.systems.procurify.coding import (
    BILL,
    BILLS_FLOW,
    account_of,
    codes,
    company_of,
    decimals_of,
    proposal_reference,
)
from mlc_dagster.systems.procurify.documents.billed_items import shares
from mlc_dagster.systems.procurify.documents.line_amounts import NOTHING
from mlc_dagster.systems.procurify.records import Allocation, Bill, PurchaseOrder
from mlc_dagster.systems.procurify.statuses import is_posted


def reduces(facts: Facts) -> bool:
    """Whether a bill takes its part of an order's proposal, and leaves the rest."""
    return facts.options.get("part_bills") == "reduce"


def billed_by(bill: Bill, facts: Facts) -> Iterator[BilledLine]:
    """What a bill takes of each of its orders."""
    rows = [each for each in bill.allocations if order_of(bill, each)]
    decimals = decimals_of(bill, company_of(bill, facts) or "", facts)
    for each, (net, tax) in zip(rows, shares([msgspec.structs.asdict(row) for row in rows]), strict=True):
        yield _billed(each, order_of(bill, each), bill.uuid, net, tax, decimals, facts)
    if len(bill.orders) == 1 and (charges := _charges(bill)):
        yield _charged(bill.orders[0], bill.uuid, charges, facts)


def order_of(bill: Bill, each: Allocation) -> str:
    """The order that an allocation bills, or "": where no item names one, all are of the bill's only one."""
    if each.order or each.is_cost:
        return each.order or ""
    return bill.orders[0] if len(bill.orders) == 1 and not any(row.order for row in bill.allocations) else ""


def _charges(bill: Bill) -> Decimal:
    return sum((each.net or NOTHING for each in bill.allocations if each.is_cost), bill.shipping or NOTHING)


def billed_of(order: PurchaseOrder, facts: Facts) -> Iterator[BilledLine]:
    """What bills take of an order, of those that are posted in the ERP and still stand."""
    decimals = decimals_of(order, company_of(order, facts) or "", facts)
    for each in order.billed if reduces(facts) else ():
        if is_posted(each.status, each.type, facts) and facts.remote_id(BILLS_FLOW, key_text(each.bill)):
            if each.amount or each.tax:
                yield _billed(each, order.order_id, each.bill, each.amount, each.tax or NOTHING, decimals, facts)
            if each.charges:
                yield _charged(order.order_id, each.bill, each.charges, facts)


def given_back(order: PurchaseOrder, facts: Facts) -> Iterator[str]:
    for each in order.billed if reduces(facts) else ():
        if not is_posted(each.status, each.type, facts):
            yield facts.reference(BILL, each.bill)


def _billed(
    each: Allocation, order: str, bill: str, net: Decimal, tax: Decimal, decimals: int, facts: Facts
) -> BilledLine:
    amount, vat = round_half_up(net, decimals), round_half_up(tax, decimals)
    if facts.options.get("tax_account"):
        amount, vat = amount + vat, NOTHING
    names: dict[str, Any] = {**_names(order, bill, facts), **codes(each, facts)}
    return BilledLine(account=account_of(each, facts), amount=amount, vat=vat, **names)


def _charged(order: str, bill: str, charges: Decimal, facts: Facts) -> BilledLine:
    names: dict[str, Any] = _names(order, bill, facts)
    return BilledLine(amount=NOTHING, charges=charges, **names)


def _names(order: str, bill: str, facts: Facts) -> dict[str, str]:
    return {"order": proposal_reference(order, facts), "bill": facts.reference(BILL, bill)}
