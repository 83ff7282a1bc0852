"""What a record is worth, and which document it is: kept beside its delivery, for when it is gone itself. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from functools import reduce
from typing import Any, NamedTuple, TypeVar

from mlc_dagster.core.vocabulary import EXACT, key_text, plain

AMOUNT = ("gross_amount", "total_amount", "total", "total_cost", "stated_gross", "stated_total", "net_amount")
CURRENCY = ("currency_code", "currency")
"""Fields of a record, as it is read or as it is sent; the first that has a value counts."""


Value = TypeVar("Value")


class Stake(NamedTuple):
    """Of a delivered record."""

    amount: str | None = None  # exact, in `currency`; None: it is worth nothing by itself, as a supplier is
    currency: str | None = None
    document: str | None = None  # `document_key`, of an invoice; None: it is none


def stake_of(record: Any, document: str | None = None) -> Stake:
    """What is known of a record, as it is read or as it is sent."""
    stated = _first(record, AMOUNT, Decimal)
    amount = _of_lines(record) if stated is None else stated
    if amount is None:
        return Stake(document=document)
    return Stake(f"{plain(amount):f}", _first(record, CURRENCY, str), document)


def document_key(company: str | None, supplier: str | None, number: str | None) -> str | None:
    """A supplier's invoice, whatever number the ERP registered it under; None where a part of it is not told."""
    if not (company and supplier and number and number.strip()):
        return None
    return key_text(company, supplier, number.strip())


def _first(record: Any, names: Sequence[str], kind: type[Value]) -> Value | None:
    found = (getattr(record, name, None) for name in names)
    return next((value for value in found if isinstance(value, kind) and value != ""), None)


def _of_lines(record: Any) -> Decimal | None:
    """Where the header states nothing: what its lines state, if each does; of a voucher its debit side."""
    lines = getattr(record, "lines", ())
    for name in ("stated", "line_amount", "debit_amount"):
        given = [value for line in lines if isinstance(value := getattr(line, name, None), Decimal)]
        if given and (len(given) == len(lines) or name == "debit_amount"):
            return reduce(EXACT.add, given, Decimal(0))
    return None
