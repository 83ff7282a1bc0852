"""The list of a filter as CSV or XLSX: its order, its columns, its sums; streamed."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

from starlette.responses import Response, StreamingResponse

from mlc_dagster.core.amounts import parsed
from mlc_dagster.ledger.records.open_item_entries import OpenItem, Totals, Wanted
from mlc_dagster.web.review.filters import asked
from mlc_dagster.web.review.listed import Listed
from mlc_dagster.web.review.lists import filter_of, with_cause
from mlc_dagster.web.review.visits import Visit, tell
from mlc_dagster.web.review.workbook import Cell, workbook

MOST_ROWS, AT_ONCE = 200_000, 1_000
COLUMNS = (
    *("document", "party", "company", "amount", "currency", "dated", "since", "what", "owner", "flow"),
    *("kind", "id", "rules", "link"),
)
AMOUNT = COLUMNS.index("amount")
NOT_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def as_csv(visit: Visit) -> Response:
    """UTF-8 with a mark, so that spreadsheets see it; `separator=;` where they expect that. Where its totals are others
    than the list's, the last line says what came and went since that was shown.
    """
    filtered, _ = with_cause(visit, filter_of(visit))
    separator = ";" if visit.query.get("separator") == ";" else ","
    listed = Listed.of(visit, filtered)
    tell("export", visit.request, who=visit.user.name, filters=",".join(sorted(visit.query)))

    def lines() -> Iterator[bytes]:
        yield "\ufeff".encode() + _line(COLUMNS, separator)
        written = Totals()
        for page in _pages(visit, filtered, written):
            yield b"".join(_line(_row(visit, one), separator) for one in page)
        if said := listed.unlike(written, visit, filtered):
            yield _line([said], separator)

    return _download(lines(), "text/csv; charset=utf-8", "open-items.csv")


def as_xlsx(visit: Visit) -> Response:
    """Numbers are numbers, codes and keys are text; a second sheet says of what, by whom, and how the trails end."""
    filtered, _ = with_cause(visit, filter_of(visit))
    listed, written = Listed.of(visit, filtered), Totals()
    tell("export", visit.request, who=visit.user.name, filters=",".join(sorted(visit.query)))

    def rows() -> Iterator[list[Cell]]:
        yield list(COLUMNS)
        for page in _pages(visit, filtered, written):
            yield from (_typed(_row(visit, one)) for one in page)

    sheets = {"items": rows(), "about": _about(visit, filtered, listed, written)}
    return _download(workbook(sheets), WORKBOOK, "open-items.xlsx")


def _pages(visit: Visit, filtered: Wanted, written: Totals) -> Iterator[list[OpenItem]]:
    """`written`: what they come to, as far as they were asked for."""
    after = None
    while written.items < MOST_ROWS and (found := visit.ledger.open_items.items(filtered, after, AT_ONCE)):
        page = found[: MOST_ROWS - written.items]
        written.items += len(page)
        for one in page:
            written.add(one.currency, parsed(one.amount))
        yield page
        after = page[-1].place


def _about(visit: Visit, filtered: Wanted, listed: Listed, written: Totals) -> Iterator[list[Cell]]:
    """Of the rows that were written: asked for after them."""
    yield ["made by", visit.user.name]
    yield ["at (UTC)", f"{visit.now:%Y-%m-%d %H:%M:%S}"]
    yield ["items", written.items]
    if written.items >= MOST_ROWS:
        yield ["cut after", MOST_ROWS]
    for currency, amount in sorted(written.amounts.items()):
        yield [f"sum {currency or 'without currency'}", amount]
    if said := listed.unlike(written, visit, filtered):
        yield ["since the list was shown", said]
    for name, value in asked(visit.query).items():
        yield [f"filter {name}", value]
    for flow, head in sorted(visit.ledger.close_rows.heads().items()):
        yield [f"end of the trail {flow}", f"{head[0]} {head[1]}"]


def _download(content: Iterator[bytes], kind: str, name: str) -> Response:
    return StreamingResponse(
        content, media_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


def _row(visit: Visit, one: OpenItem) -> list[str]:
    told = visit.site.said(one.cause)
    texts = [one.key, one.party, one.cause.company]
    dated = one.dated.isoformat() if one.dated else ""
    middle = [one.amount, one.currency, dated, one.since.isoformat(timespec="seconds"), told.headline]
    kind = "difference" if one.cause.differs else "hold"
    link = visit.site.absolute(visit.site.record_url(one.flow, one.key), visit.request)
    return [*texts, *middle, one.owner, one.flow, kind, str(one.id), told.name, link]


def _typed(row: list[str]) -> list[Cell]:
    found: list[Cell] = list(row)
    amount = parsed(row[AMOUNT])
    found[AMOUNT] = row[AMOUNT] if amount is None else amount
    return found


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
