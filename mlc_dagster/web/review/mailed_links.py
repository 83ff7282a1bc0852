"""Addresses that stand in mails: an item by its number, a cause by its mark; years later they say what became of it."""

from __future__ import annotations

import re

from starlette.responses import JSONResponse, Response

from mlc_dagster.ledger.records.open_item_entries import Wanted
from mlc_dagster.web.review.open_record import nothing_there, record_of
from mlc_dagster.web.review.visits import Visit


def item(visit: Visit) -> Response:
    """Leads to its record, open or not. Raises Refused, 404."""
    found = re.fullmatch(r"([hd])(\d{1,18})", str(visit.request.path_params["number"]), re.ASCII)
    place = visit.ledger.closed_items.place(found[1] == "d", int(found[2])) if found else None
    if place is None:
        raise nothing_there()
    record_of(visit, *place)  # he may see it
    return visit.back(visit.site.record_url(*place))


def cause(visit: Visit) -> Response:
    """Leads to its items; where none is open any more it says when it healed, and how. Raises Refused, 404."""
    mark = str(visit.request.path_params["mark"])
    wanted = Wanted(companies=visit.user.companies, connections=visit.site.connections)
    if visit.ledger.open_items.cause(mark, wanted) is not None:
        return visit.back(visit.site.url("/items", cause=mark))
    ended = visit.ledger.closed_items.cause(mark, wanted)
    if ended is None:
        raise nothing_there()
    told = visit.site.said(ended.cause)
    if visit.wants_json:
        how = {"items": ended.items, "ended_at": ended.ended_at.isoformat(), "how": ended.how}
        return JSONResponse({"cause": mark, "headline": told.headline, "open": 0, **how})
    return visit.page("cause.html", told=told, ended=ended)
