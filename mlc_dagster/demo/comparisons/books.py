"""The demo's books in figures: do the ERP's vouchers balance?"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple

Document = Mapping[str, Any]


class Side(NamedTuple):
    """Debit and credit of a company's vouchers."""

    company: str
    vouchers: int
    debit: Decimal
    credit: Decimal


class Owed(NamedTuple):
    """Bills of one currency: what a SaaS says, and where it is."""

    currency: str
    owed: Decimal
    posted: Decimal
    held: Decimal


def amount(value: Any) -> Decimal:
    """Exact; nothing counts as zero."""
    return Decimal(str(value or 0))


def sides(documents: Mapping[str, list[Document]]) -> list[Side]:
    """By company, of every voucher in the ERP."""
    found: dict[str, Side] = {}
    for voucher in documents["VoucherSet"]:
        company, rows = voucher["Company"], voucher["VoucherRows"]
        before = found.get(company, Side(company, 0, Decimal(0), Decimal(0)))
        debit = before.debit + sum((amount(row["DebitAmount"]) for row in rows), Decimal(0))
        credit = before.credit + sum((amount(row["CreditAmount"]) for row in rows), Decimal(0))
        found[company] = Side(company, before.vouchers + 1, debit, credit)
    return [found[company] for company in sorted(found)]
