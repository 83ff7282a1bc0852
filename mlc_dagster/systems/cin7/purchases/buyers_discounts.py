"""Discounts that a buyer gave an order in Cin7: a price was agreed that the ERP does not know yet. Pure.

They are told as differences and never overwritten; an order that changed in the ERP as well waits for a person.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from mlc_dagster.core.errors import RecordRejected
from mlc_dagster.core.outcomes import Disagreement
from mlc_dagster.systems.cin7.api import Document
from mlc_dagster.systems.cin7.purchases import request_bodies
from mlc_dagster.systems.cin7.records import Purchase

OTHER_DISCOUNT = "other_discount"
"""The kind of difference: a discount stands in Cin7 that the ERP does not have."""


def discounts_given(document: Purchase, order: Document) -> Iterator[Disagreement]:
    """Of each product line; the amount is what the line costs less (below zero) or more by it."""
    ours = {line.sku: line for line in document.lines}
    for line in order.get("Lines") or ():
        given, mine = Decimal(line.get("Discount") or 0), ours.get(line.get("SKU"))
        if given and mine is not None and given != mine.discount:
            at_stake = str(Decimal(line.get("Total") or 0) - mine.total())
            yield Disagreement(
                OTHER_DISCOUNT, f"Discount of {mine.sku}", str(mine.discount), str(given), at_stake, document.currency
            )


def compared_beside(document: Purchase, order: Document) -> dict[str, Any]:
    """What an order must cover to be equal to ours but for the discounts that a buyer gave: those, and their tax."""
    ours = request_bodies.compared_order(document)
    given = {each.field.removeprefix("Discount of ") for each in discounts_given(document, order)}
    return {**ours, "Lines": [_beside(line, given) for line in ours["Lines"]]}


def _beside(line: Mapping[str, Any], given: set[str]) -> dict[str, Any]:
    left_out = ("Discount", "Tax") if line["SKU"] in given else ()
    return {name: value for name, value in line.items() if name not in left_out}


def refuse_discounts(document: Purchase, theirs: Document) -> None:
    """The order changed in the ERP too: writing it would take the discount away. Raises RecordRejected."""
    for each in discounts_given(document, theirs["Order"]):
        raise RecordRejected(
            f"{theirs['OrderNumber']} gives {each.theirs} % discount on {each.field.removeprefix('Discount of ')} in "
            f"Cin7, and {document.marker} says {each.ours} %. It was not overwritten: enter the discount in IFS, or "
            "take it out in Cin7, and replay."
        )
