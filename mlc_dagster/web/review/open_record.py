"""One record as a person looks at it: what is open of it, and whether he may see it at all."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from mlc_dagster.ledger import HoldEntry
from mlc_dagster.ledger.records.differences import Difference
from mlc_dagster.ledger.records.open_item_entries import OpenItem, most_money
from mlc_dagster.ledger.records.proposals import mark_of
from mlc_dagster.web.review.visits import Refused, Visit


@dataclass
class OpenRecord:
    """Its hold and its differences; neither: it is open no more."""

    flow: str
    key: str
    company: str
    hold: HoldEntry | None = None
    differences: list[Difference] = field(default_factory=list)
    items: list[OpenItem] = field(default_factory=list)

    @property
    def is_open(self) -> bool:
        return bool(self.items)

    @property
    def money(self) -> tuple[Decimal | None, str]:
        """(amount, currency) of the hold, else the largest that differs: they are never added."""
        return most_money(self.items)

    def mark(self, action: str) -> str:
        """Of the content that a decision is about."""
        if action == "accept":
            return mark_of(*self.differences)
        return mark_of(self.hold) if self.hold else ""


def record_of(visit: Visit, flow: str, key: str) -> OpenRecord:
    """Raises Refused, 404: there is none, or it is of a company that he may not see. Both sound alike."""
    items = visit.ledger.open_items.of(flow, key)
    companies = frozenset(one.cause.company for one in items) or visit.ledger.open_items.companies(flow, key)
    allowed = visit.user.companies
    if not key or not (allowed is None or (companies and companies <= allowed)):
        raise nothing_there()
    holds = visit.ledger.causes.entries([one.id for one in items if not one.cause.differs])
    company = next((one.cause.company for one in items), next(iter(sorted(companies)), ""))
    found = OpenRecord(flow, key, company, holds[0] if holds else None, items=items)
    found.differences = visit.ledger.differences.open(flow, key)
    return found


def nothing_there() -> Refused:
    return Refused(404, "There is nothing here that you can see.", "It may be another company's, or a wrong address.")
