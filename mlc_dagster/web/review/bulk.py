"""Assign, note, release, discard: for the items that are ticked on the list, or for all that its filter matches."""

from __future__ import annotations

from starlette.responses import Response

from mlc_dagster.ledger.records.open_item_entries import OpenItem, Wanted
from mlc_dagster.web.review import selecting
from mlc_dagster.web.review.filters import address
from mlc_dagster.web.review.lists import filter_of, with_cause
from mlc_dagster.web.review.tags import tags_of
from mlc_dagster.web.review.visits import Refused, Visit

LONGEST, AT_ONCE = 2_000, 500


def act(visit: Visit) -> Response:
    """Items that he may not see, or that are open no more, are left out. Raises Refused."""
    action = visit.form.get("action", "")
    found = _every(visit) if visit.form.get("all") else chosen(visit)
    if action in selecting.ACTIONS:
        return selecting.freeze(visit, action, found)
    if len(found) > AT_ONCE:
        raise Refused(400, f"At most {AT_ONCE} are assigned or noted at once.", "Narrow the filter.")
    for company in {one.cause.company for one in found}:
        visit.expect("work", company)
    to, text, who = visit.form.get("to", "").strip()[:80], visit.form.get("note", "").strip(), visit.user.name
    if action == "assign":
        visit.ledger.open_items.assign([(one.cause.differs, one.id) for one in found], to)
        for one in found:
            visit.ledger.notes.assigned(one.flow, one.key, who, to)
    elif action == "tag":
        visit.ledger.tags.put(found, tags_of(visit.form.get("tag", "")))
    elif action == "note" and text:
        for one in found:
            visit.ledger.notes.add(one.flow, one.key, who, text[:LONGEST])
    else:
        raise Refused(400, "Assign, tag, note something, release or discard.")
    cause = visit.query.get("cause", "")
    return visit.back(visit.site.url(f"/items?{address(visit.query, cause=cause)}"))


def _every(visit: Visit) -> list[OpenItem]:
    filtered, _ = with_cause(visit, filter_of(visit))
    return selecting.every(visit, filtered)


def chosen(visit: Visit) -> list[OpenItem]:
    """Raises Refused where nothing is ticked, or what is no item."""
    ids = []
    for text in visit.chosen:
        kind, number = text[:1], text[1:]
        if kind not in ("h", "d") or not (number.isascii() and number.isdigit() and len(number) < 19):
            raise Refused(400, "This form is none of the page's.", "Load the page again.")
        ids.append((kind == "d", int(number)))
    seen = Wanted(companies=visit.user.companies, connections=visit.site.connections)
    found = visit.ledger.open_items.chosen(ids, seen)
    if not found:
        raise Refused(409, "Nothing of it is open any more.", "Tick items on the list.")
    return found
