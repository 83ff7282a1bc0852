"""What was decided, and what is due; and the list as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

from starlette.responses import JSONResponse, Response, StreamingResponse

from mlc_dagster.ledger.records.open_item_entries import OpenItem
from mlc_dagster.web.review.lists import PAGE, _with_cause, filter_of
from mlc_dagster.web.review.sentences import said
from mlc_dagster.web.review.visits import Refused, Visit, tell

MOST_ROWS, AT_ONCE = 200_000, 1_000
COLUMNS = (
    *("document", "party", "company", "amount", "currency", "dated", "since", "what", "owner", "flow"),
    *("kind", "id", "rules", "link"),
)
NOT_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def decisions(visit: Visit) -> Response:
    """The newest first. Of companies that he may not see, none: a line of the trail names no company."""
    before = visit.query.get("before", "")
    if before and not (before.isascii() and before.isdigit() and len(before) < 19):
        raise Refused(400, "before: expected the number of a line.")
    flows = sorted(visit.site.connections)
    found = visit.ledger.notes.decisions(flows, int(before) if before else None, PAGE)
    shown = [line for line in found if _may_see(visit, line.flow, line.key)]
    if visit.wants_json:
        return JSONResponse({"decisions": [_as_json(line) for line in shown]})
    older = visit.site.url("/decisions", before=str(found[-1].id)) if len(found) == PAGE else ""
    links = {line.id: visit.site.record_url(line.flow, line.key) for line in shown}
    return visit.page("decisions.html", lines=shown, links=links, older=older)


def due(visit: Visit) -> Response:
    """Read only: sensors take it up by themselves."""
    tasks = visit.ledger.work.all()
    if visit.wants_json:
        listed = [{"flow": one.flow, "partition": one.partition, "state": one.state, "why": one.why} for one in tasks]
        return JSONResponse({"due": listed})
    return visit.page("due.html", tasks=tasks[:500], more=max(0, len(tasks) - 500))


def export(visit: Visit) -> Response:
    """The list of a filter as CSV, in its order, with its sums; streamed."""
    filtered, _ = _with_cause(visit, filter_of(visit))
    separator = ";" if visit.query.get("separator") == ";" else ","
    tell("export", visit.request, who=visit.user.name, filters=",".join(sorted(visit.query)))

    def rows() -> Iterator[bytes]:
        yield "\ufeff".encode()
        yield _line(COLUMNS, separator)
        after, number = None, 0
        while page := visit.ledger.open_items.items(filtered, after, min(AT_ONCE, MOST_ROWS - number)):
            yield b"".join(_line(_row(visit, one), separator) for one in page)
            after, number = page[-1].place, number + len(page)
            if number >= MOST_ROWS:
                yield _line([f"cut after {MOST_ROWS} rows: narrow the filter"], separator)
                return

    name = {"Content-Disposition": 'attachment; filename="open-items.csv"'}
    return StreamingResponse(rows(), media_type="text/csv; charset=utf-8", headers=name)


def _row(visit: Visit, one: OpenItem) -> list[str]:
    told = said(one.cause, visit.site.titles)
    texts = [one.key, one.party, one.cause.company]
    dated = one.dated.isoformat() if one.dated else ""
    middle = [one.amount, one.currency, dated, one.since.isoformat(timespec="seconds"), told.headline]
    kind = "difference" if one.cause.differs else "hold"
    link = visit.site.record_url(one.flow, one.key)
    return [*texts, *middle, one.owner, one.flow, kind, str(one.id), told.name, link]


def _line(values: Any, separator: str) -> bytes:
    out = io.StringIO()
    csv.writer(out, delimiter=separator, lineterminator="\r\n").writerow([harmless(str(each)) for each in values])
    return out.getvalue().encode("utf-8", "backslashreplace")


def harmless(text: str) -> str:
    """A text that a spreadsheet would take for a formula, as text; a number stays one."""
    first = text.lstrip(" ")[:1]
    return f"'{text}" if first in NOT_A_FORMULA and first and not _is_number(text) else text


def _is_number(text: str) -> bool:
    return text.lstrip("-").replace(".", "", 1).isdecimal() and text.isascii()


def _may_see(visit: Visit, flow: str, key: str) -> bool:
    allowed = visit.user.companies
    companies = frozenset() if allowed is None else visit.ledger.open_items.companies(flow, key)
    return allowed is None or bool(companies and companies <= allowed)


def _as_json(line: Any) -> dict[str, str]:
    return {"at": line.at.isoformat(), "flow": line.flow, "key": line.key, "event": line.event, "detail": line.detail}
