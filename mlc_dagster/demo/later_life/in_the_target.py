"""What people do in a target to what was delivered there: two companies merged, a purchase edited by hand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

from mlc_dagster.core.difference_kinds import EDITED_IN_THE_TARGET, MERGED_IN_THE_TARGET
from mlc_dagster.demo.later_life.event import PURCHASES, Books, Document, Outcome, Records, picked

COMPANIES = "hubspot/supplier_companies"
INVOICES, DEALS = "hubspot/invoices", "hubspot/deals"


@dataclass(frozen=True)
class CompaniesMerged:
    """In HubSpot: both old ids lead to a new one, and what hung on them hangs on that. None of it is made again; a
    person says what the companies are.
    """

    keys: tuple[str, str]
    survivor: str
    left: int  # companies that there are then
    carried: Records  # invoices and deals of both
    what: ClassVar[str] = "two companies are merged"
    where: ClassVar[str] = "HubSpot"
    amount: ClassVar[Decimal | None] = None
    currency: ClassVar[str] = ""

    @classmethod
    def happens(cls, books: Books) -> CompaniesMerged:
        delivered, companies = books.ledger.remote_ids(COMPANIES), books.of("hubspot")["companies"]
        there = {row["id"] for row in companies}
        keys = (key for key in sorted(delivered) if delivered[key] in there)
        one, other = picked(keys, "company in HubSpot"), picked(keys, "second company in HubSpot")
        old = (delivered[one], delivered[other])
        carried = tuple(_hanging(books, old))
        body = {"kind": "companies", "primary": old[0], "secondary": old[1]}
        survivor = books.place.control("POST", "hubspot/merge", body)["id"]
        return cls((one, other), survivor, len(companies) - 1, carried)

    @property
    def document(self) -> str:
        return f"suppliers {' and '.join(self.keys)}"

    @property
    def differs(self) -> Records:
        return tuple((COMPANIES, key) for key in self.keys)

    def judged(self, books: Books) -> Outcome:
        many = Counter(flow for flow, _ in self.carried)
        hanging = f"with {many[INVOICES]} invoices and {many[DEALS]} deals"
        said = f"difference {MERGED_IN_THE_TARGET} of both: they are {self.survivor} now, {hanging}"
        return Outcome(said, list(self._faults(books)))

    def _faults(self, books: Books) -> Iterator[str]:
        for key in self.keys:
            found = [one.theirs for one in books.open(COMPANIES, key, MERGED_IN_THE_TARGET)]
            if found != [self.survivor]:
                yield f"{key}: {', '.join(map(str, found)) or 'no difference'}, where it is {self.survivor} now"
        if (there := len(books.of("hubspot")["companies"])) != self.left:
            yield f"HubSpot has {there} companies, and {self.left} after the merger"
        if lost := sorted(set(self.carried) ^ set(_hanging(books, (self.survivor,)))):
            yield f"{', '.join(' '.join(one) for one in lost[:5])}: not as it hung on the two companies"


def _hanging(books: Books, companies: Collection[str]) -> Iterator[tuple[str, str]]:
    """The invoices and deals that we delivered and that hang on one of these companies, by HubSpot's ids."""
    links = books.of("hubspot")["associations"]
    for flow in (INVOICES, DEALS):
        kind = flow.partition("/")[2]
        of_each, live = links.get(f"{kind}/companies", {}), {row["id"] for row in books.of("hubspot")[kind]}
        for key, remote_id in books.ledger.remote_ids(flow).items():
            if remote_id in live and not set(companies).isdisjoint(of_each.get(remote_id, ())):
                yield flow, key


@dataclass(frozen=True)
class EditedByHand:
    """In Cin7: a price. By default nothing is written over it, and nothing calls it agreed."""

    key: str
    remote_id: str
    before: Decimal
    amount: Decimal
    currency: str
    what: ClassVar[str] = "a purchase is edited by hand"
    where: ClassVar[str] = "Cin7"
    carried: ClassVar[Records] = ()

    @classmethod
    def happens(cls, books: Books, taken: set[str]) -> EditedByHand:
        delivered = books.ledger.remote_ids(PURCHASES)
        rows = {row["ID"]: row for row in books.of("cin7")["purchases"]}
        known = sorted((delivered.keys() & books.orders().keys()) - taken - books.differing())
        there = (key for key in known if _lines(rows.get(delivered[key])))
        key = picked(there, "purchase in Cin7")
        taken.add(key)
        row = rows[delivered[key]]
        body = {"ID": row["ID"], "Price": _lines(row)[0]["Price"] + 1}
        total = Decimal(books.place.control("POST", "cin7/purchases", body)["Total"])
        return cls(key, row["ID"], row["Order"]["Total"], total, books.orders()[key]["CurrencyCode"])

    @property
    def document(self) -> str:
        return f"purchase of order {self.key}, {self.before:,} before"

    @property
    def differs(self) -> Records:
        return ((PURCHASES, self.key),)

    def judged(self, books: Books) -> Outcome:
        said = f"difference {EDITED_IN_THE_TARGET}: {self.amount - self.before:+,} {self.currency}, left as it is"
        return Outcome(said, list(self._faults(books)))

    def _faults(self, books: Books) -> Iterator[str]:
        found = books.open(PURCHASES, self.key, EDITED_IN_THE_TARGET)
        off = [(Decimal(one.amount), one.currency) for one in found if one.amount]
        if off != [(self.amount - self.before, self.currency)]:
            yield f"the differences say {off or 'nothing'} of it"
        there = [row["Order"]["Total"] for row in books.purchases(books.orders()[self.key])]
        if there != [self.amount]:
            yield f"Cin7 has {', '.join(map(str, there)) or 'none'} of it, and a person entered {self.amount}"


def _lines(purchase: Document | None) -> list[Document]:
    """None of one that is invoiced already."""
    if purchase is None or any(each["Status"] != "NOT AVAILABLE" for each in purchase["Invoice"]):
        return []
    return [*purchase["Order"]["Lines"], *purchase["Order"]["AdditionalCharges"]]
