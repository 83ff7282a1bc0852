"""Causes and items: what is open, with sums per currency from the same question as the list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from starlette.responses import JSONResponse, Response

from mlc_dagster.core.vocabulary import plain
from mlc_dagster.ledger.records.open_item_entries import CauseStock, OpenItem, Totals, Wanted
from mlc_dagster.ledger.records.open_items import summed
from mlc_dagster.web.review.filters import FilterMistake, address, asked, place, wanted
from mlc_dagster.web.review.listed import mark_of
from mlc_dagster.web.review.sentences import Said, request_text
from mlc_dagster.web.review.shown_text import money
from mlc_dagster.web.review.visits import Refused, Visit

PAGE, CAUSES = 50, 80
NAMED = 20  # documents in a request


def filter_of(visit: Visit) -> Wanted:
    """Raises Refused: 400, with the name of the filter."""
    try:
        return _wanted(visit, visit.query)
    except FilterMistake as error:
        raise Refused(400, f"This filter cannot be asked for: {error}.") from None


def _wanted(visit: Visit, query: Mapping[str, str]) -> Wanted:
    return wanted(query, visit.user.companies, visit.site.connections, visit.site.zones)


def causes(visit: Visit) -> Response:
    """The first screen."""
    filtered = filter_of(visit)
    found = in_order(visit.ledger.open_items.causes(filtered))
    if visit.wants_json:
        return JSONResponse({"causes": [cause_as_json(visit, one) for one in found], "sums": _plain(summed(found))})
    trend = visit.ledger.trend.of(found[:CAUSES], filtered)
    shown = [(one, _said(visit, one), _request(visit, one), trend[one.cause]) for one in found[:CAUSES]]
    hidden = [] if found else _hidden(visit)
    return visit.page(
        "causes.html",
        causes=shown,
        more=max(0, len(found) - CAUSES),
        items=sum(one.items for one in found),
        sums=summed(found),
        filters=asked(visit.query),
        hidden=hidden,
        saved=saved_of(visit, "/"),
    )


def items(visit: Visit) -> Response:
    """Those of a filter, or of one cause: 50 at a time, by place."""
    filtered, cause = with_cause(visit, filter_of(visit))
    try:
        after = place(visit.query)
    except FilterMistake as error:
        raise Refused(400, f"This filter cannot be asked for: {error}.") from None
    at = visit.ledger.looks.now()
    found = visit.ledger.open_items.items(filtered, after, PAGE + 1)
    is_all = after is None and len(found) <= PAGE
    total = Totals.of(found) if is_all else visit.ledger.open_items.totals(filtered)
    if visit.wants_json:
        told = {"items": [item_as_json(visit, one) for one in found[:PAGE]], "sums": _plain(total.amounts)}
        return JSONResponse({**told, "count": total.items, "next": _next(visit, found)})
    listed = {"at": at.isoformat(), "listed": mark_of(total)}
    return visit.page(
        "items.html",
        items=[(one, visit.site.said(one.cause), where(visit, one)) for one in found[:PAGE]],
        count=total.items,
        sums=total.amounts,
        cause=visit.site.said(cause.cause) if cause else None,
        stock=cause,
        request_text=_request(visit, cause) if cause else "",
        filters=asked(visit.query),
        next=_next(visit, found),
        export_csv=visit.site.url(f"/export.csv?{_query(visit, **listed)}"),
        export_xlsx=visit.site.url(f"/export.xlsx?{_query(visit, **listed)}"),
        hidden=[] if found else _hidden(visit),
        saved=saved_of(visit, "/items"),
    )


def saved_of(visit: Visit, path: str) -> list[tuple[str, str]]:
    """(name, address) of the filters that the person keeps."""
    return [(one.name, visit.site.url(f"{path}?{one.query}")) for one in visit.ledger.saved_filters.of(visit.user.name)]


def where(visit: Visit, one: OpenItem) -> str:
    return visit.site.record_url(one.flow, one.key)


def in_order(stocks: Sequence[CauseStock]) -> list[CauseStock]:
    """What holds most money first, in any one currency; then the oldest. Sums of currencies are never added."""
    return sorted(stocks, key=lambda one: (-max(map(abs, one.amounts.values()), default=Decimal(0)), one.oldest))


def with_cause(visit: Visit, filtered: Wanted) -> tuple[Wanted, CauseStock | None]:
    mark = visit.query.get("cause", "")
    if not mark:
        return filtered, None
    found = visit.ledger.open_items.cause(mark, filtered)
    if found is None:
        words = "It has healed, was decided, or its records are not yours to see: its own page says which."
        here = visit.site.url(f"/cause/{mark}") if mark.isalnum() else ""
        raise Refused(404, "Nothing of this cause is open any more.", words, link=here)
    return replace(filtered, cause=found.cause), found


def _query(visit: Visit, **more: str) -> str:
    return address(visit.query, cause=visit.query.get("cause", ""), **more)


def _next(visit: Visit, found: Sequence[OpenItem]) -> str:
    if len(found) <= PAGE:
        return ""
    return visit.site.url(f"/items?{_query(visit, after=str(found[PAGE - 1].place))}")


def _said(visit: Visit, one: CauseStock) -> Said:
    return visit.site.said(one.cause)


def _request(visit: Visit, one: CauseStock) -> str:
    """The text of the copy button: the documents are named on the list of the cause alone."""
    named: list[str] = []
    if visit.query.get("cause"):
        few = visit.ledger.open_items.items(replace(filter_of(visit), cause=one.cause), None, NAMED)
        named = [f"- {each.key} {each.party} {each.amount} {each.currency}".rstrip() for each in few]
    link = visit.site.absolute(visit.site.url(f"/cause/{one.cause.mark}"), visit.request)
    counted = f"{one.items} document(s), {', '.join(money(sum_, name) for name, sum_ in one.amounts.items())}"
    return request_text(_said(visit, one), [counted, *named], link, one.items - len(named) if named else 0)


def _hidden(visit: Visit) -> list[tuple[str, str, int]]:
    """Each filter, and how many it alone keeps from the list: (name, address without it, items)."""
    told = []
    for name in asked(visit.query):
        others = {each: value for each, value in visit.query.items() if each != name}
        found = visit.ledger.open_items.causes(_wanted(visit, others))
        if number := sum(one.items for one in found):
            told.append((name, visit.site.url(f"/items?{address(others)}"), number))
    return told


# --- as JSON ----------------------------------------------------------------------------------------------------------


def _plain(sums: dict[str, Decimal]) -> dict[str, str]:
    return {currency: f"{plain(amount):f}" for currency, amount in sorted(sums.items())}


def cause_as_json(visit: Visit, one: CauseStock) -> dict[str, Any]:
    told = _said(visit, one)
    return {
        "cause": one.cause.mark,
        "headline": told.headline,
        "cure": told.cure,
        "who": told.who,
        "rules": list(one.cause.rules),
        "kind": "difference" if one.cause.differs else "hold",
        "connection": one.cause.connection,
        "company": one.cause.company,
        "value": one.cause.value,
        "items": one.items,
        "flows": sorted(one.flows),
        "oldest": one.oldest.isoformat() if one.oldest else None,
        "amounts": _plain(one.amounts),
    }


def item_as_json(visit: Visit, one: OpenItem) -> dict[str, Any]:
    return {
        "id": one.id,
        "kind": "difference" if one.cause.differs else "hold",
        "flow": one.flow,
        "key": one.key,
        "company": one.cause.company,
        "party": one.party,
        "amount": one.amount,
        "currency": one.currency,
        "dated": one.dated.isoformat() if one.dated else None,
        "since": one.since.isoformat(),
        "cause": one.cause.mark,
        "rules": list(one.cause.rules),
        "value": one.cause.value,
        "owner": one.owner,
        "tags": list(one.tags),
        "explained_until": one.explained_until.isoformat() if one.explained_until else None,
        "link": where(visit, one),
    }
