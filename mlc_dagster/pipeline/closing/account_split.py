"""What a document comes to, account by account, from its values as a target shows them. Pure.

What is on no account, as tax and freight often are, stands under the empty one: the parts are the whole, to the cent.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from mlc_dagster.core.amounts import round_half_up
from mlc_dagster.core.outcomes import Shown
from mlc_dagster.core.shown_values import Value
from mlc_dagster.core.vocabulary import EXACT

NO_ACCOUNT = ""
_OF_A_ROW = re.compile(r"^(.*\[.+\])\.([^.\[\]]+)$", re.DOTALL)
_ACCOUNT = ("Account", "account", "ifs_gl_account")
_AMOUNT = ("amount", "LineAmount", "line_amount")
_PRICE, _QUANTITY = ("Price", "unit_price", "price"), ("Quantity", "quantity")
_DISCOUNT = "Discount"  # in hundredths
_RECORD_ROWS = ("account", "debit_amount")
"""Names of the fields of rows, in the targets' own words; the first that has a value counts."""

Parts = dict[str, Decimal]
"""Account -> amount."""


def by_account(values: Shown, total: Decimal, decimals: int) -> Parts:
    """Of a document that comes to `total`, in a currency of so many decimals."""
    rows: dict[str, dict[str, Value]] = defaultdict(dict)
    for name, value in values.items():
        if found := _OF_A_ROW.match(name):
            rows[found[1]][found[2]] = value
    parts = defaultdict[str, Decimal](Decimal)
    for row in rows.values():
        account, amount = _first(row, _ACCOUNT), _amount(row, decimals)
        if isinstance(account, str) and amount is not None:
            parts[account] = EXACT.add(parts[account], amount)
    return _whole(parts, total)


def of_postings(record: Mapping[str, Any], total: Decimal) -> Parts:
    """Of a journal entry as it was sent: its debit side, account by account."""
    parts = defaultdict[str, Decimal](Decimal)
    for row in record.get("lines") or ():
        account, debit = (row.get(name) for name in _RECORD_ROWS) if isinstance(row, Mapping) else (None, None)
        if account and debit:
            parts[str(account)] = EXACT.add(parts[str(account)], Decimal(str(debit)))
    return _whole(parts, total)


def moved_to(parts: Parts, total: Decimal) -> Parts:
    """The same parts of a document that comes to another total now: what that is more is on no account we know of."""
    return _whole({name: amount for name, amount in parts.items() if name != NO_ACCOUNT}, total)


def is_split(parts: Parts) -> bool:
    return any(name != NO_ACCOUNT for name in parts)


def _whole(parts: Mapping[str, Decimal], total: Decimal) -> Parts:
    found = {name: amount for name, amount in parts.items() if amount}
    rest = EXACT.subtract(total, sum(found.values(), Decimal(0)))
    return {**found, NO_ACCOUNT: rest} if rest or not found else found


def _amount(row: Mapping[str, Value], decimals: int) -> Decimal | None:
    stated = _first(row, _AMOUNT)
    if isinstance(stated, Decimal):
        return stated
    price, quantity = _first(row, _PRICE), _first(row, _QUANTITY)
    if not (isinstance(price, Decimal) and isinstance(quantity, Decimal)):
        return None
    discount = row.get(_DISCOUNT)
    left = 100 - discount if isinstance(discount, Decimal) else Decimal(100)
    return round_half_up(EXACT.divide(EXACT.multiply(EXACT.multiply(price, quantity), left), Decimal(100)), decimals)


def _first(row: Mapping[str, Value], names: tuple[str, ...]) -> Value:
    return next((row[name] for name in names if row.get(name) is not None), None)
