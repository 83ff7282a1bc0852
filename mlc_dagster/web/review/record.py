"""One record: what is wrong, both sides, what happened, what was sent, what can be done."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, NamedTuple

from starlette.responses import JSONResponse, Response

from mlc_dagster.web.review.deciding import SHORTEST
from mlc_dagster.web.review.lists import item_as_json
from mlc_dagster.web.review.looking_there import both_documents
from mlc_dagster.web.review.neighbours import neighbours_of
from mlc_dagster.web.review.offers import offers
from mlc_dagster.web.review.open_record import OpenRecord, nothing_there, record_of
from mlc_dagster.web.review.record_contents import fields, sent, story, tables, tables_sent
from mlc_dagster.web.review.visits import Visit, fingerprint

LONGEST_ID = 200


class Typed(NamedTuple):
    """What a form had, to be shown again with what stands in its way."""

    problem: str = ""
    reason: str = ""
    action: str = ""


def record(visit: Visit) -> Response:
    found = asked(visit)
    if visit.wants_json:
        return JSONResponse({"items": [item_as_json(visit, one) for one in found.items], "story": story(visit, found)})
    if not found.is_open and not story(visit, found):
        raise nothing_there()
    return page(visit, found)


def page(visit: Visit, found: OpenRecord, status: int = 200, typed: Typed = Typed()) -> Response:  # noqa: B008
    """`typed`: of a form that came to nothing; its words are kept."""
    key = found.key
    place = visit.ledger.stakes.places(found.flow, [key]).get(key)
    row = found.hold.row if found.hold else {}
    once = visit.query.get("once", "")
    return visit.page(
        "record.html",
        status,
        record=found,
        causes=[visit.site.said(one.cause) for one in found.items],
        money=found.money,
        offers=offers(visit, found),
        proposals=visit.ledger.proposals.standing(found.flow, key),
        fields=fields(row),
        tables=tables(row),
        story=story(visit, found),
        sent=sent(visit, found),
        place=place,
        outward=visit.site.outward(place.link) if place else "",
        typed=typed,
        done=visit.ledger.notes.outcome(once) or "" if once else "",
        neighbours=neighbours_of(visit, found),
        reasons=visit.ledger.taking_back.reasons(visit.user.name),
        may={role: visit.may(role, found.company) for role in ("work", "decide", "confirm")},
        here=visit.site.record_url(found.flow, key),
        shortest=SHORTEST,
        **_decided(visit, found),
        **_of_differences(visit, found),
    )


def _decided(visit: Visit, found: OpenRecord) -> Mapping[str, Any]:
    """What was decided on it, and whether it can be taken back."""
    return {
        "decided": None if found.is_open else visit.ledger.taking_back.last(found.flow, found.key),
        "decided_mark": decided_mark(visit, found),
        "accepted": visit.ledger.accepts_taken_back.last(found.flow, found.key),
        "accepted_mark": accepted_mark(visit, found),
        "request": visit.ledger.action_requests.last(found.flow, found.key),
        "taken_up": _taken_up(visit, found),
    }


def _of_differences(visit: Visit, found: OpenRecord) -> Mapping[str, Any]:
    """What the forms of differences show beside them."""
    to = visit.query.get("to", "").strip()[:LONGEST_ID]
    reversed_ = any(one.kind == "taken_back" for one in found.differences)
    return {
        "to": to,
        "both": both_documents(visit, found.flow, found.key, to) if to and found.differences else None,
        "reversed_lines": tables_sent(visit, found) if reversed_ else [],
        "explained": [one for one in found.differences if is_explained(one.explained_until, visit.now.date())],
        "explain_until": last_day(visit.now.date()),
        "difference_mark": found.mark("explain"),
    }


def is_explained(until: date | None, today: date) -> bool:
    """It ends by itself: the day after its last one."""
    return until is not None and until >= today


def last_day(today: date) -> date:
    """The end of the next period, up to which a difference may be explained at most."""
    after = (today.replace(day=1) + timedelta(days=63)).replace(day=1)
    return after - timedelta(days=1)


def _taken_up(visit: Visit, found: OpenRecord) -> str:
    """When a run takes a decision up."""
    due = [task.due_at for task in visit.ledger.work.all([found.flow])]
    seconds = max(0.0, (min(due) - visit.now).total_seconds()) if due else 0.0
    return f"in about {int(seconds) // 10 * 10 + 10} s" if due else "with the next run"


def decided_mark(visit: Visit, found: OpenRecord) -> str:
    last = None if found.is_open else visit.ledger.taking_back.last(found.flow, found.key)
    return fingerprint(*last) if last else ""


def accepted_mark(visit: Visit, found: OpenRecord) -> str:
    last = visit.ledger.accepts_taken_back.last(found.flow, found.key)
    return fingerprint(*last) if last else ""


def asked(visit: Visit) -> OpenRecord:
    """The one of the address. Raises Refused, 404."""
    parts = visit.request.path_params
    return record_of(visit, f"{parts['connection']}/{parts['flow']}", visit.query.get("key", ""))
