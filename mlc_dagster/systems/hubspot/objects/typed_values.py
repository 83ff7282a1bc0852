"""HubSpot's properties, which are all text, as they are compared: numbers by value, days without their hour. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from mlc_dagster.core.shown_values import Value
from mlc_dagster.systems.hubspot.objects.properties import KEY

LINES = "line_items"
BILLED = "hs_amount_billed"
OF_LINES = ("name", "quantity", "price", "ifs_gl_account", "ifs_tax_code")
_NUMBERS = frozenset((BILLED, "ifs_net_amount", "ifs_vat_amount", "ifs_gross_amount", "amount", "quantity", "price"))
_DAYS = frozenset(("hs_invoice_date", "hs_due_date", "closedate"))


def typed(row: Mapping[str, Any]) -> dict[str, Value]:
    return {name: _typed(name, value) for name, value in row.items()}


def of_lines(rows: Sequence[Mapping[str, Any]]) -> dict[str, Value]:
    """How many there are, and those that carry our key: what people added has none."""
    ours = {str(row[KEY]): row for row in rows if row.get(KEY)}
    named = {f"{LINES}[{key}].{name}": _typed(name, row.get(name)) for key, row in ours.items() for name in OF_LINES}
    return {LINES: Decimal(len(rows)), **named}


def _typed(name: str, value: Any) -> Value:
    if value is None or value == "":
        return None
    if name in _DAYS:
        return str(value)[:10]
    return _number(str(value)) if name in _NUMBERS else str(value)


def _number(text: str) -> str | Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        return text
