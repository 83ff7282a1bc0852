"""One record as a person looks at it: what is open of it, and whether he may see it at all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from mlc_dagster.ledger import HoldEntry
from mlc_dagster.ledger.records.differences import Difference
from mlc_dagster.ledger.records.open_item_entries import OpenItem, most_money
from mlc_dagster.ledger.records.proposals import mark_of
from mlc_dagster.web.review.visits import Refused, Visit

OF_DIFFERENCES = ("accept", "restore", "recreate", "reverse", "relink", "forget", "explain", "end_explanation")
SHOWN, VALUE = 300, 300  # names, and signs of a value, of what was looked at


@dataclass
class OpenRecord:
    """Its hold and its differences; neither: it is open no more."""

    flow: str
    key: str
    company: str
    hold: HoldEntry | None = None
    differences: list[Difference] = field(default_factory=list)
    items: list[OpenItem] = field(default_factory=list)
    url: str = ""  # of a page of its own, that is not the record's

    @property
    def is_open(self) -> bool:
        return bool(self.items)

    @property
    def money(self) -> tuple[Decimal | None, str]:
        """(amount, currency) of the hold, else the largest that differs: they are never added."""
        return most_money(self.items)

    @property
    def looked_at(self) -> dict[str, str]:
        """What a person looks at before he decides, name -> value: beside it stands later what it is then."""
        found = {f"{one.kind} {one.field}".strip(): f"ours {one.ours}, theirs {one.theirs}" for one in self.differences}
        if self.hold is not None:
            found |= {problem.rule: problem.reason for problem in self.hold.problems}
            found |= dict(flattened(self.hold.row))
        return {name[:VALUE]: value[:VALUE] for name, value in list(found.items())[:SHOWN]}

    def mark(self, action: str) -> str:
        """Of the content that a decision is about."""
        if action in OF_DIFFERENCES:
            return mark_of(*self.differences) if self.differences else ""
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


def flattened(row: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    """Name -> value, with those of lines: "lines 2 account"."""
    for name, value in row.items():
        if isinstance(value, Mapping):
            yield from flattened(value, f"{before}{name} ")
        elif isinstance(value, list):
            for number, each in enumerate(value, 1):
                one = each if isinstance(each, Mapping) else {"": each}
                yield from flattened(one, f"{before}{name} {number} ")
        else:
            yield f"{before}{name}".strip(), "" if value is None else str(value)


def nothing_there() -> Refused:
    return Refused(404, "There is nothing here that you can see.", "It may be another company's, or a wrong address.")
