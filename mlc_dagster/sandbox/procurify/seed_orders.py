"""The demo's Procurify purchase orders, and the lines that its bills are made of too."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any
from uuid import UUID

from mlc_dagster.sandbox.procurify.api import ProcurifySandbox
from mlc_dagster.sandbox.procurify.lines import Line
from mlc_dagster.sandbox.procurify.reference_data import DECIMALS
from mlc_dagster.sandbox.seed.books import COSTS
from mlc_dagster.sandbox.seed.orders import price, rounded
from mlc_dagster.sandbox.seed.partners import DAYS, Season

ORDERS = 60
GOODS = ("Drill bits", "Safety shoes", "Toner", "Hotel, two nights", "Hydraulic oil", "Calibration", "Software seats")
PROJECTS = ("P-01", "P-02", "P/03")
"""Values of code part D; of four lines one is of no project."""
_STATES = (0, 0, 0, 0, 3, 4, 5, 1)

Paper = dict[str, Any]


@dataclass(frozen=True)
class Buyer:
    """A vendor as its papers need it; its departments are all of one company."""

    vendor: int
    company: str
    currency: str
    departments: tuple[str, ...]


@dataclass(frozen=True)
class Ordered:
    """A purchase order as its bills need it."""

    number: int
    buyer: Buyer
    day: int
    lines: tuple[Line, ...]


def sow_purchase_orders(procurify: ProcurifySandbox, season: Season, buyers: list[Buyer]) -> list[Ordered]:
    """Two each day; those that bills can be of."""
    orders = []
    for number in range(ORDERS):
        buyer, day = buyers[number % len(buyers)], number % DAYS
        lines = tuple(new_line(season, buyer) for _ in range(season.rng.choice((1, 1, 2, 3, 4))))
        paper = _order(season, number, day, lines)
        made = procurify.put_purchase_order(buyer.vendor, currency=buyer.currency, **paper)
        if paper["state"] != 1 and paper["most_recent_version"]:
            orders.append(Ordered(made, buyer, day, lines))
        else:
            season.flawed(f"procurify order: {'cancelled' if paper['state'] == 1 else 'superseded'}", made)
    return orders


def _order(season: Season, number: int, day: int, lines: tuple[Line, ...]) -> Paper:
    moment = season.moment(day)
    state = _STATES[number % len(_STATES)]
    also = {13: Line("400", status=7), 21: Line("250", status=8), 29: Line("0", quantity="0")}.get(number)
    return {
        "lines": (*lines, replace(also, department=lines[0].department)) if also else lines,
        "state": state,
        "fulfilment_status": {3: "full", 4: "full"}.get(state, season.rng.choice(("empty", "partial"))),
        "version": season.rng.choice((1, 1, 2, 3)),
        "most_recent_version": number != 34,
        "uuid": new_uuid(season),
        "date": moment,
        "last_modified": moment,
        "closed_date": moment if state == 3 else None,
        "freight": "20.00" if number % 10 == 6 else "0",
    }


def new_line(season: Season, buyer: Buyer) -> Line:
    """One of six is split over two departments, the odd cent on the second."""
    rng, quantity = season.rng, season.rng.choice((1, 1, 2, 5, 12))
    unit = price(season, buyer.currency) + (Decimal("0.005") if buyer.currency == "KWD" else 0)
    account, department, amount = rng.choice(COSTS), rng.choice(buyer.departments), quantity * unit
    line = Line(amount, account, department, quantity=quantity, description=rng.choice(GOODS))
    project = [*PROJECTS, ""][int(amount) % 4]  # no draw of its own: what follows stays as it was
    line = replace(line, custom={"Project": project} if project else {})
    if rng.random() > 1 / 6:
        return line
    part = rounded(amount / 3, DECIMALS.get(buyer.currency, 2))
    others = [each for each in buyer.departments if each != department]
    return replace(line, splits=((account, department, part), (account, rng.choice(others), amount - part)))


def new_uuid(season: Season) -> str:
    return str(UUID(int=season.rng.getrandbits(128), version=4))
