"""What a list had when it was shown: an export has the same, or says how many came and went meanwhile."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Self

from mlc_dagster.core.vocabulary import plain
from mlc_dagster.ledger.records.open_item_entries import Totals, Wanted
from mlc_dagster.web.review.shown_text import money
from mlc_dagster.web.review.visits import Visit

LONGEST = 500


@dataclass(frozen=True)
class Listed:
    """The mark of its totals, and when it was shown."""

    mark: str
    at: datetime

    @classmethod
    def of(cls, visit: Visit, wanted: Wanted) -> Self:
        """As the link of the list says; without one, what is there now, before the export begins."""
        try:
            at = datetime.fromisoformat(visit.query.get("at", ""))
        except ValueError:
            return cls.now(visit, wanted)
        mark = visit.query.get("listed", "")[:LONGEST]
        return cls(mark, at) if mark and at.tzinfo else cls.now(visit, wanted)

    @classmethod
    def now(cls, visit: Visit, wanted: Wanted) -> Self:
        at = visit.ledger.looks.now()
        return cls(mark_of(visit.ledger.open_items.totals(wanted)), at)

    def unlike(self, written: Totals, visit: Visit, wanted: Wanted) -> str:
        """In words; empty where both have the same totals."""
        if mark_of(written) == self.mark:
            return ""
        came, went = visit.ledger.open_items.moved(wanted, self.at)
        number, _, _ = self.mark.partition(" ")
        sums = ", ".join(money(amount, name) for name, amount in sorted(written.amounts.items()))
        told = f"The list of {self.at:%Y-%m-%d %H:%M:%S} UTC had {number} items, and this has {written.items} ({sums})"
        others = "" if came or went else "; amounts have changed, or it was cut"
        return f"{told}: {came} came and {went} went meanwhile{others}."


def mark_of(totals: Totals) -> str:
    """ "14 EUR=3.5 SEK=1204300": as a link has it."""
    sums = (f"{name or '-'}={plain(amount or Decimal(0)):f}" for name, amount in sorted(totals.amounts.items()))
    return " ".join([str(totals.items), *sums])
