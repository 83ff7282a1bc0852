"""What lists and healing ask of each hold without opening it: what is missing, whose it is, how much, of which day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from mlc_dagster.core.stakes import AMOUNT, CURRENCY
from mlc_dagster.ledger.columns import storable

MOST = 200  # characters of a column: it stands in an index
BETWEEN = ", "  # what is missing, in one text

COMPANY = ("company", "company_code")
PARTY = ("vendor_no", "supplier_no", "customer_no", "supplier_id", "customer_id", "vendor_id", "vendor_name")
DATED = ("invoice_date", "voucher_date", "order_date", "dated", "entry_date", "approved_date", "payment_entry_date")
"""Fields of the records that are held, as read or as they would be sent; the first that has a value counts."""

NAMES = ("company", "missing", "party", "amount", "currency", "dated")


def narrow(subjects: Iterable[str], row: Mapping[str, Any]) -> dict[str, str | None]:
    """The columns of a hold as they are stored, from what its problems are about and the record that it keeps.

    Empty: not told. A day is ISO text, or None.
    """
    row = {**_cells(row), **row}
    return {
        "company": _first(row, COMPANY),
        "missing": _short(BETWEEN.join(dict.fromkeys(subject for subject in subjects if subject))),
        "party": _first(row, PARTY),
        "amount": _first(row, AMOUNT),
        "currency": _first(row, CURRENCY),
        "dated": _day(_first(row, DATED)),
    }


def dated_in(row: Mapping[str, Any]) -> str | None:
    """The day of `narrow` alone."""
    return _day(_first({**_cells(row), **row}, DATED))


def _cells(row: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a record that has them in cells, as an item of a board does: a debit side is its amount."""
    cells = row.get("cells")
    found: dict[str, Any] = {}
    for cell in cells if isinstance(cells, list | tuple) else ():
        if isinstance(cell, Mapping) and cell.get("values"):
            found[str(cell.get("field"))] = cell["values"][0]
    worth = found.get("amount") or found.get("debit")
    return found | ({"total": worth} if worth else {})


def _first(row: Mapping[str, Any], names: Sequence[str]) -> str:
    """Text alone: an amount is text in a stored record, and what is nested is none of these."""
    return next((_short(value) for name in names if isinstance(value := row.get(name), str) and value), "")


def _short(text: str) -> str:
    return storable(text[:MOST]) if text else ""


def _day(text: str) -> str | None:
    try:
        return date.fromisoformat(text[:10]).isoformat() if text else None
    except ValueError:
        return None
