"""Finds a purchase by the ERP's key, which Cin7 cannot search for: it lists what changed, and reads each candidate."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from mlc_dagster.errors import RecordRejected
from mlc_dagster.systems.cin7.calls import Cin7Api, Document, same_id
from mlc_dagster.systems.cin7.records import Paper

FRESH = 60.0  # seconds that the list is taken for the truth, unless a write went unanswered
OVERLAP = timedelta(minutes=15)  # between Cin7's clock and ours
ELSEWHERE = timedelta(days=1)  # Cin7 dates an order in the time zone of its account
POSTDATED = timedelta(days=31)  # a paper may be dated this far after it was entered in the ERP


class Look:
    """Which purchase carries which marker. Each candidate is read once: markers do not change.

    A first load looks "from ever". A purchase cannot have been sent before its paper was dated, so candidates are the
    purchases of the same supplier that were made since then, less a month for papers dated ahead.
    """

    def __init__(
        self,
        api: Cin7Api,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._api, self._clock, self._wall = api, clock, wall
        self._rows: dict[str, Document] = {}
        self._from: datetime | None = None  # the list is complete from here
        self._listed_at = wall()
        self._fresh_until = 0.0
        self._marks: dict[str, frozenset[str]] = {}

    def find(self, paper: Paper, since: datetime) -> Document | None:
        """The purchase with this paper's marker, as it is now. Raises RecordRejected where two carry it."""
        earliest = _earliest(paper, since)
        self._list(max(since, earliest) - OVERLAP, since)
        found = [row for row in self._candidates(paper, earliest) if paper.marker in self._marks_of(row, paper.slot)]
        if len(found) > 1:
            named = " and ".join(str(row["OrderNumber"]) for row in found)
            raise RecordRejected(f"Cin7 has two purchases for {paper.marker}: {named}. Void one of them.")
        return read(self._api, found[0]["ID"]) if found else None

    def remember(self, purchase: Document, paper: Paper) -> None:
        """A purchase that we made needs no reading."""
        self._marks[str(purchase["ID"]).casefold()] = frozenset({paper.marker})

    def doubt(self) -> None:
        """A write went unanswered: list anew before the next find."""
        self._fresh_until = 0.0

    def _list(self, start: datetime, since: datetime) -> None:
        begun, begun_at = self._clock(), self._wall()
        if self._from is not None and start >= self._from:
            if begun < self._fresh_until and self._listed_at > since:
                return
            start = self._listed_at - OVERLAP
        text = start.strftime("%Y-%m-%dT%H:%M:%S.000")
        rows = list(self._api.pages("/purchaseList", "PurchaseList", UpdatedSince=text))
        self._rows.update({str(row["ID"]).casefold(): row for row in rows})
        self._from = start if self._from is None else min(start, self._from)
        self._listed_at, self._fresh_until = begun_at, begun + FRESH

    def _candidates(self, paper: Paper, earliest: datetime) -> Iterator[Document]:
        made_since = (earliest - ELSEWHERE).strftime("%Y-%m-%d")
        for row in self._rows.values():
            ours = same_id(row.get("SupplierID"), paper.supplier_id) and row.get("Type") != "Simple Purchase"
            if ours and (row.get("OrderDate") or made_since)[:10] >= made_since:
                yield row

    def _marks_of(self, row: Document, slot: str) -> frozenset[str]:
        name = str(row["ID"]).casefold()
        if name not in self._marks:
            purchase = read(self._api, row["ID"])
            self._marks[name] = frozenset() if abandoned(purchase) else frozenset(marks(purchase, slot))
        return self._marks[name]


def read(api: Cin7Api, purchase_id: str) -> Document:
    purchase: Document = api.get("/advanced-purchase", ID=purchase_id)
    return purchase


def abandoned(purchase: Document) -> bool:
    """Voided before it had lines: we did that, when Cin7 refused the lines. It never was the order."""
    stage: Any = purchase.get("Order") or {}
    return purchase.get("Status") == "VOIDED" and not stage.get("Lines") and not stage.get("AdditionalCharges")


def marks(purchase: Document, slot: str) -> Iterator[str]:
    """The marker in its attribute, or behind "IFS " on the first line of the note."""
    if marker := (purchase.get("AdditionalAttributes") or {}).get(slot):
        yield marker
    first = str(purchase.get("Note") or "").partition("\n")[0].strip()
    if first.startswith("IFS "):
        yield first.removeprefix("IFS ")


def _earliest(paper: Paper, since: datetime) -> datetime:
    """When the purchase can have been made at the earliest; a paper without a sensible date tells nothing."""
    dated = paper.dated
    if dated is None or dated.year < since.year:
        return since
    return datetime(dated.year, dated.month, dated.day, tzinfo=UTC) - POSTDATED
