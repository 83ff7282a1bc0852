"""The demo's Procurify bills, and what is wrong with a few of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from mlc_dagster.sandbox.procurify.api import ProcurifySandbox
from mlc_dagster.sandbox.procurify.lines import Cost, Line
from mlc_dagster.sandbox.procurify.reference_data import DECIMALS
from mlc_dagster.sandbox.procurify.seed_orders import Buyer, Ordered, Paper, new_line, new_uuid
from mlc_dagster.sandbox.seed.books import BLOCKED, EXPIRED, NOT_IN_IFS
from mlc_dagster.sandbox.seed.orders import rounded
from mlc_dagster.sandbox.seed.partners import DAYS, Season

BILLS = 90
TAX_PERCENT = {"0010": 25, "20": 10, "0030": 0}
_STATUSES = (2, 2, 4, 2, 1, 2, 6, 2, 7, 0, 2, 8, 3, 2, 5)
_TYPES = {17: 1, 47: 1, 31: 2, 61: 2}
_POSTED = (2, 4, 6, 7)
_FIRST_FLAW, _BETWEEN_FLAWS = 4, 3


def sow_bills(
    procurify: ProcurifySandbox, season: Season, buyers: list[Buyer], orders: list[Ordered], ambiguous: int
) -> None:
    """Three each day. `ambiguous` is a vendor that fits two of the ERP's suppliers."""
    billing = _Billing(season, buyers, orders)
    papers = [_bill(season, number, *billing.next(number)) for number in range(BILLS)]
    flaws = {**_flawed(papers, ambiguous), **_same_number(papers)}
    for place, paper in enumerate(papers):
        key = procurify.put_bill(**paper)
        if place in flaws:
            season.flawed(f"procurify bill: {flaws[place]}", key)


class _Billing:
    """Which purchase orders are not billed yet, or by half."""

    def __init__(self, season: Season, buyers: list[Buyer], orders: list[Ordered]) -> None:
        self._season, self._buyers, self._open = season, buyers, orders
        self._halved: list[Ordered] = []

    def next(self, number: int) -> tuple[Buyer, list[Line]]:
        """Half of the bills have no order; the others have one, or two of a vendor, or half of one."""
        earlier = [each for each in self._open if each.day <= number % DAYS]
        if number % 6 == 4 and self._halved and self._halved[0].day <= number % DAYS:
            order = self._halved.pop(0)
            return order.buyer, [replace(line, amount=rest) for line, _, rest in _halves(order)]
        if number % 2 or not earlier:
            buyer = self._buyers[number % len(self._buyers)]
            return buyer, [new_line(self._season, buyer) for _ in range(self._season.rng.choice((1, 1, 2, 3)))]
        order = self._season.rng.choice(earlier)
        self._open.remove(order)
        if number % 6 == 4:
            self._halved.append(order)
            return order.buyer, [replace(line, amount=half) for line, half, _ in _halves(order)]
        return order.buyer, _of(order) + (self._another(order, earlier) if number % 6 == 2 else [])

    def _another(self, order: Ordered, earlier: list[Ordered]) -> list[Line]:
        others = [each for each in earlier if each.buyer == order.buyer and each is not order]
        for other in others[:1]:
            self._open.remove(other)
        return [line for other in others[:1] for line in _of(other)]


def _of(order: Ordered) -> list[Line]:
    return [replace(line, po=order.number) for line in order.lines]


def _halves(order: Ordered) -> list[tuple[Line, Decimal, Decimal]]:
    lines = [replace(line, splits=None) for line in _of(order)]
    halves = [rounded(Decimal(line.amount) / 2, DECIMALS.get(order.buyer.currency, 2)) for line in lines]
    return [(line, half, Decimal(line.amount) - half) for line, half in zip(lines, halves, strict=True)]


def _bill(season: Season, number: int, buyer: Buyer, lines: list[Line]) -> Paper:
    day = number % DAYS
    dated, moment = season.day(day) - timedelta(days=season.rng.randrange(9)), season.moment(day)
    taxed = _taxed(buyer, lines, inclusive=number % 7 == 2)
    return {
        "vendor": buyer.vendor,
        "currency": buyer.currency,
        "lines": [_gross(line) for line in taxed] if number % 10 == 8 else taxed,
        "costs": [Cost("Freight", "120", department=buyer.departments[0])] if number % 9 == 4 else [],
        "shipping": "45" if number % 11 == 6 else "0",
        "status": _STATUSES[number % len(_STATUSES)],
        "type": _TYPES.get(number, 0),
        "uuid": new_uuid(season),
        "version": season.rng.choice((1, 2, 3)),
        "invoice_number": f"{season.rng.choice(('F', 'INV-', '2026-'))}{season.rng.randrange(1000, 99999)}-{number}",
        "invoice_date": f"{dated}T00:00:00Z",
        "due_date": f"{dated + timedelta(days=30)}T00:00:00Z",
        "gl_post_date": f"{dated}T00:00:00Z",
        "submitted_date": moment,
        "last_modified_datetime": moment,
    }


def _taxed(buyer: Buyer, lines: list[Line], inclusive: bool) -> list[Line]:
    percent, decimals = TAX_PERCENT[buyer.company], DECIMALS.get(buyer.currency, 2)
    share = Decimal(percent) / (100 + percent if inclusive else 100)
    taxes = [rounded(Decimal(line.amount) * share, decimals) for line in lines]
    return [replace(line, tax=tax, tax_inclusive=inclusive) for line, tax in zip(lines, taxes, strict=True)]


def _gross(line: Line) -> Line:
    """Its allocation has the tax in it: Procurify does not say which of the two it is."""
    return replace(line, splits=((line.account, line.department, Decimal(line.amount) + line.exclusive_tax),))


# --- flaws ----------------------------------------------------------------------------------------------------------


def _first_line(**changes: Any) -> Callable[[Paper], object]:
    def change(paper: Paper) -> None:
        paper["lines"][0] = replace(paper["lines"][0], **{"splits": None, **changes})

    return change


def _header(**fields: Any) -> Callable[[Paper], object]:
    return lambda paper: paper.update(fields)


def _credit(paper: Paper) -> None:
    lines = [replace(line, splits=None) for line in paper["lines"]]
    negative = [replace(line, amount=-Decimal(line.amount), tax=-Decimal(line.tax)) for line in lines]
    paper.update(lines=negative, costs=[], shipping="0")


def _two_companies(paper: Paper) -> None:
    line = paper["lines"][0]
    whole = Decimal(line.amount)
    half = rounded(whole / 2, DECIMALS.get(paper["currency"], 2))
    splits = ((line.account, "Operations", half), (line.account, "Osaka plant", whole - half))
    paper["lines"][0] = replace(line, splits=splits)


def _in_another_currency(paper: Paper) -> None:
    """Its first line, as an item of that currency; its allocations still add up as numbers."""
    other = {"name": "EUR" if paper["currency"] != "EUR" else "SEK", "rate": "0.087539", "base": False}
    _first_line(fields={"currency": other})(paper)


FLAWS: tuple[tuple[str, Callable[[Paper], object]], ...] = (
    ("credit", _credit),
    ("totals do not add up", _header(shipping_amount="1.00")),
    ("allocated over two companies", _two_companies),
    ("line in another currency", _in_another_currency),
    ("department without cost centre", _first_line(department="Ventures")),
    ("allocation missing", _first_line(splits=())),
    ("account not in IFS", _first_line(account=NOT_IN_IFS)),
    ("account blocked", _first_line(account=BLOCKED)),
    ("account expired", _first_line(account=EXPIRED)),
    ("invoice number empty", _header(invoice_number="")),
)
AMBIGUOUS = "vendor fits two suppliers"


def _flawed(papers: list[Paper], ambiguous: int) -> dict[int, str]:
    """Place -> what is wrong there; otherwise they are bills that would be posted."""
    without_order = [place for place, paper in enumerate(papers) if place % 10 != 8 and not paper["lines"][0].po]
    flaws = {}
    places = without_order[_FIRST_FLAW::_BETWEEN_FLAWS]
    for place, (flaw, change) in zip(places, (*FLAWS, (AMBIGUOUS, _header(vendor=ambiguous))), strict=False):
        papers[place].update(status=2, type=0)
        change(papers[place])
        flaws[place] = flaw
    return flaws


def _same_number(papers: list[Paper]) -> dict[int, str]:
    """Two bills of one vendor under one invoice number, by mistake. Run last: it takes bills that are good so far."""
    good = [place for place, paper in enumerate(papers) if paper["status"] in _POSTED and paper["type"] == 0]
    first = good[-1]
    second = next(place for place in good if place != first and papers[place]["vendor"] == papers[first]["vendor"])
    papers[second]["invoice_number"] = papers[first]["invoice_number"]
    return dict.fromkeys((first, second), "invoice number of another bill")
