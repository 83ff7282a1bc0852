"""How the sandboxed Procurify lists: pages, filters, orders; what it does not know it ignores without a word."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import urlencode

from mlc_dagster.sandbox.procurify.reference_data import Row
from mlc_dagster.sandbox.wire import Call, decode, query_of

USUAL_PAGE, LARGEST_PAGE = 10, 100
Options = Mapping[str, str]


class Refusal(Exception):
    """A refused call, with the body that says why."""

    def __init__(self, body: Row, status: int = 400) -> None:
        super().__init__(str(body))
        self.body, self.status = body, status


NOT_FOUND = Refusal({"detail": "Not found."}, 404)


@dataclass(frozen=True)
class Listing:
    """What one list can be asked: field filters, ranges of dates (_0, _1), ranges of moments, orders."""

    equal: Mapping[str, Callable[[Row], Any]] = field(default_factory=dict)
    dates: Mapping[str, str] = field(default_factory=dict)  # name of the filter -> field
    moments: Mapping[str, str] = field(default_factory=dict)
    orders: Sequence[str] = ("id",)
    searched: Sequence[str] = ()

    def narrowed(self, rows: Sequence[Row], options: Options, heeds_ranges: bool = True) -> list[Row]:
        """The rows that are asked for. Raises Refusal for a date that is none."""
        found = [row for row in rows if all(_same(row, options, each) for each in self.equal.items())]
        for name, column in self.dates.items() if heeds_ranges else ():
            low, high = (_bound(options, f"{name}_{end}", _date, "Enter a valid date.") for end in "01")
            found = [row for row in found if _within(row[column], low, high, lambda moment: moment.date())]
        for name, column in self.moments.items() if heeds_ranges else ():
            low, high = (_bound(options, f"{name}_{end}", _moment, "Enter a valid date/time.") for end in "01")
            found = [row for row in found if _within(row[column], low, high, lambda moment: moment)]
        words = options.get("search", "").lower()
        if words and self.searched:
            found = [row for row in found if any(words in str(row[column]).lower() for column in self.searched)]
        return self._ordered(found, options.get("order_by", ""))

    def _ordered(self, rows: list[Row], order: str) -> list[Row]:
        column = order.removeprefix("-")
        if column not in self.orders:
            return rows
        return sorted(rows, key=lambda row: _first_none(row[column]), reverse=order.startswith("-"))


def _first_none(value: Any) -> tuple[bool, Any]:
    return (value is not None, 0 if value is None else value)


def _same(row: Row, options: Options, asked: tuple[str, Callable[[Row], Any]]) -> bool:
    name, value = asked
    wanted = options.get(name, "").lower()
    return not wanted or str(value(row)).lower() in (wanted.split(",") if name.endswith("__in") else [wanted])


def _bound(options: Options, name: str, parse: Callable[[str], Any], said: str) -> Any:
    if not options.get(name):
        return None
    try:
        return parse(options[name])
    except ValueError:
        raise Refusal({name: [said]}) from None


def _date(words: str) -> date:
    return datetime.strptime(words, "%Y-%m-%d").replace(tzinfo=UTC).date()


def _moment(words: str) -> datetime:
    """Without an offset it is UTC."""
    moment = datetime.fromisoformat(words)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _within(value: str | None, low: Any, high: Any, measure: Callable[[datetime], Any]) -> bool:
    """Both ends belong to the range; a row without a moment is in none."""
    if low is None and high is None:
        return True
    if not value:
        return False
    measured = measure(_moment(value).astimezone(UTC))
    return (low is None or measured >= low) and (high is None or measured <= high)


def page(call: Call, rows: Sequence[Row], origin: str = "") -> tuple[Row, Sequence[Row]]:
    """(pagination, its rows). Raises Refusal for a page that there is not."""
    options = query_of(call.query, plus_is_space=True)
    size = min(_positive(options.get("page_size", ""), USUAL_PAGE), LARGEST_PAGE)
    pages = max(-(-len(rows) // size), 1)
    number = _positive(options.get("page", "1"), 0)
    if not 1 <= number <= pages:
        raise Refusal({"detail": "Invalid page."}, 404)
    links = {"next": number + 1 if number < pages else None, "previous": number - 1 if number > 1 else None}
    pagination = {
        "count": len(rows),
        **{name: each and _link(call, options, each, origin) for name, each in links.items()},
        "page_size": size,
        "num_pages": pages,
        "current_page": number,
    }
    return pagination, rows[(number - 1) * size : number * size]


def _positive(words: str, otherwise: int) -> int:
    return int(words) if words.isascii() and words.isdigit() and int(words) else otherwise


def _link(call: Call, options: Options, number: int, origin: str) -> str:
    return f"{origin or call.origin}{call.path}?{urlencode({**options, 'page': number})}"


def body_of(call: Call) -> dict[str, Any]:
    """The JSON object that was sent. Raises Refusal."""
    try:
        body = decode(call.body)
    except ValueError as error:
        raise Refusal({"detail": f"JSON parse error - {error}"}) from None
    if not isinstance(body, dict):
        raise Refusal({"errors": {"null": {"message": "Invalid data. Expected a dictionary.", "code": "INVALID"}}})
    return body
