"""What stands before and after a record on the list of its cause, so that one works through it without going back."""

from __future__ import annotations

import re
from typing import NamedTuple

from mlc_dagster.ledger.records.open_item_entries import OpenItem, Wanted
from mlc_dagster.web.review.open_record import OpenRecord
from mlc_dagster.web.review.visits import Visit

NEAR = 500  # items of a cause among which the next and the one before are looked for


class Neighbours(NamedTuple):
    """Addresses; empty: there is none."""

    up: str
    before: str = ""
    after: str = ""
    next_item: str = ""  # h12: what comes next, when this one is decided


def neighbours_of(visit: Visit, found: OpenRecord) -> Neighbours:
    """Before and after it on the list of its cause. Of what is open no more its form has said what comes next."""
    if not found.items:
        return _of_decided(visit)
    cause = found.items[0].cause
    wanted = Wanted(companies=visit.user.companies, connections=visit.site.connections, cause=cause)
    items = {(one.flow, one.key): one for one in visit.ledger.open_items.items(wanted, None, NEAR)}
    places, here = list(items), (found.flow, found.key)
    at = places.index(here) if here in places else -1
    before = places[at - 1] if at > 0 else None
    after = places[at + 1] if at + 1 < len(places) else None
    url = visit.site.record_url
    told = (url(*before) if before else "", url(*after) if after else "", _named(items[after]) if after else "")
    return Neighbours(visit.site.url("/items", cause=cause.mark), *told)


def _of_decided(visit: Visit) -> Neighbours:
    mark, after = visit.query.get("cause", ""), visit.query.get("next", "")
    up = visit.site.url(f"/cause/{mark}" if re.fullmatch(r"[0-9a-f]{1,64}", mark) else "/items")
    return Neighbours(up, "", visit.site.url(f"/item/{after}") if _is_item(visit, after) else "")


def _named(one: OpenItem) -> str:
    return f"{'d' if one.cause.differs else 'h'}{one.id}"


def _is_item(visit: Visit, name: str) -> bool:
    """Whether it is open still."""
    found = re.fullmatch(r"([hd])(\d{1,18})", name, re.ASCII)
    return bool(found and visit.ledger.open_items.chosen([(found[1] == "d", int(found[2]))]))
