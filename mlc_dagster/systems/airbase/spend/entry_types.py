"""What the types of Airbase's ledger entries mean for the books, and which were seen. Pure.

Nobody publishes the names of the types (ten lengths of them were recorded), so that none is entered until mlc.yaml says
what it is. A transfer between two accounts looks like an expense: two lines, of which one is 0, the credit side.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Literal

from mlc_dagster.core.facts import Facts
from mlc_dagster.core.vocabulary import Record
from mlc_dagster.systems.airbase.spend.records import Payment, SpendLine

Kind = Literal["bill", "payment", "card", "reimbursement", "transfer", "ignore"]
"""bill, reimbursement: their lines are owed, and something else pays them. payment: it pays another entry. card: its
lines are paid at once. transfer: from one account of the balance sheet to another. ignore: no matter of the books.
"""

TYPES = "types"
"""The table of types in facts: type -> kind."""

LISTED = "listed"
"""A type of airbase.payment_types alone: a payment where it settles another entry, else paid at once."""

TYPE_CURE = "Name it in airbase.types of mlc.yaml: bill, payment, card, reimbursement, transfer or ignore."

OWED = frozenset({"bill", "reimbursement"})
PAID = frozenset({"payment", "card", "transfer", LISTED})


class EntryType(Record, frozen=True, kw_only=True):
    """The types of Airbase's ledger entries that wait for the ERP: how many of each, in which currency, what they come
    to, and how many of them look like transfers between accounts.
    """

    type: str
    currency: str
    entries: int
    amount: Decimal
    like_transfers: int = 0
    example: str = ""  # Airbase's id of one of them

    def words(self) -> str:
        shape = f", {self.like_transfers} with two lines of which one is 0, as transfers have" * bool(
            self.like_transfers
        )
        return f"{self.entries} that come to {self.amount} {self.currency}{shape}; for example {self.example}"


def kind_of(payment: Payment, facts: Facts) -> str:
    """The kind that mlc.yaml gives the entry's type; empty where it gives none."""
    return facts.table(TYPES).get(payment.type or "", "")


def is_like_a_transfer(payment: Payment) -> bool:
    """Two lines of which exactly one comes to nothing, and no account of what is owed."""
    return transfer_sides(payment) is not None and not payment.ap_account


def transfer_sides(payment: Payment) -> tuple[SpendLine, SpendLine] | None:
    """(line with the amount, the other one); None where there are not two, or both or neither has an amount."""
    if len(payment.lines) != 2:
        return None
    first, second = payment.lines
    if bool(first.amount) == bool(second.amount):
        return None
    return (first, second) if first.amount else (second, first)


def types_seen(entries: Iterable[Payment]) -> list[EntryType]:
    """One for each type and currency, by name."""
    seen: dict[tuple[str, str], list[Payment]] = {}
    for entry in entries:
        seen.setdefault((entry.type or "", entry.currency or ""), []).append(entry)
    return [
        EntryType(
            type=name,
            currency=currency,
            entries=len(found),
            amount=sum((entry.total_amount or Decimal(0) for entry in found), Decimal(0)),
            like_transfers=sum(is_like_a_transfer(entry) for entry in found),
            example=found[0].id,
        )
        for (name, currency), found in sorted(seen.items())
    ]
