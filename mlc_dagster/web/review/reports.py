"""What was decided, and what is due."""

from __future__ import annotations

from typing import Any

from starlette.responses import JSONResponse, Response

from mlc_dagster.ledger.records.review_notes import DecidedLine
from mlc_dagster.web.review.lists import PAGE
from mlc_dagster.web.review.visits import Refused, Visit


def decisions(visit: Visit) -> Response:
    """The newest first. Of companies that he may not see, none: a line of the trail names no company."""
    before = visit.query.get("before", "")
    if before and not (before.isascii() and before.isdigit() and len(before) < 19):
        raise Refused(400, "before: expected the number of a line.")
    flows = sorted(visit.site.connections)
    found = visit.ledger.notes.decisions(flows, int(before) if before else None, PAGE)
    shown = [one for one in found if _may_see(visit, one.flow, one.key)]
    if visit.wants_json:
        return JSONResponse({"decisions": [_as_json(line) for line in shown]})
    older = visit.site.url("/decisions", before=str(found[-1].id)) if len(found) == PAGE else ""
    links = {one.id: visit.site.record_url(one.flow, one.key) for one in shown}
    return visit.page("decisions.html", lines=shown, links=links, older=older)


def due(visit: Visit) -> Response:
    """Read only: sensors take it up by themselves."""
    tasks = visit.ledger.work.all()
    if visit.wants_json:
        listed = [{"flow": one.flow, "partition": one.partition, "state": one.state, "why": one.why} for one in tasks]
        return JSONResponse({"due": listed})
    return visit.page("due.html", tasks=tasks[:500], more=max(0, len(tasks) - 500))


def _may_see(visit: Visit, flow: str, key: str) -> bool:
    allowed = visit.user.companies
    companies = frozenset() if allowed is None else visit.ledger.open_items.companies(flow, key)
    return allowed is None or bool(companies and companies <= allowed)


def _as_json(line: DecidedLine) -> dict[str, Any]:
    told = {"line": line.seq, "hash": line.hash}
    return told | {
        "at": line.at.isoformat(),
        "flow": line.flow,
        "key": line.key,
        "event": line.event,
        "detail": line.detail,
    }
