"""What must be true of an order's receipts and dates before a target shows them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mlc_dagster.core.facts import Facts
from mlc_dagster.core.flows import Problem
from mlc_dagster.rules.dates import DUE_AHEAD, Dated, date_failures
from mlc_dagster.rules.problems import problem
from mlc_dagster.systems.ifs.records import PurchaseOrder
from mlc_dagster.systems.shared.order_progress import unplaced


def progress_can_be_told(source: Any, target: Any, facts: Facts) -> Problem | None:
    """Each receipt is on a line of the order, in the line's unit, and each date of a line can be meant."""
    if not target.tells_progress:
        return None
    failures = list(unplaced(source)) if isinstance(source, PurchaseOrder) else []
    dates = [(str(each.on), why) for each in _dates(source) for why in date_failures(each, facts)]
    return problem("progress_can_be_told", [*failures, *dates])


def _dates(source: Any) -> Iterator[Dated]:
    names = {
        "PromisedDeliveryDate": "promised_delivery_date",
        "PlannedReceiptDate": "planned_receipt_date",
        "PlannedDeliveryDate": "planned_delivery_date",
    }
    for line in source.lines:
        where = f"line {line.line_no}/{getattr(line, 'release_no', None) or getattr(line, 'rel_no', '')}"
        for name, field in names.items():
            yield Dated(f"{where}, {name}", getattr(line, field, None), DUE_AHEAD)
