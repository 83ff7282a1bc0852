"""Procurify's lists by day: its filters may do nothing, and lines are to be had one document at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from mlc_dagster.core.errors import RecordRejected
from mlc_dagster.core.vocabulary import Pull, Scope, Window
from mlc_dagster.systems.procurify.api import Document, ProcurifyApi
from mlc_dagster.systems.procurify.documents.document_values import (
    BILLS,
    FAULT,
    SUMMARY,
    WHOLE,
    covered_orders,
    is_newest,
    plain_uuid,
)
from mlc_dagster.systems.procurify.endpoints import Endpoints, ReadScope
from mlc_dagster.systems.shared.json_values import moment, moment_or_none
from mlc_dagster.transport.threads import in_order

CANCELLED = 1
TAKEN_BACK = (3, 5)
"""Statuses of a bill: denied, withdrawn."""


@dataclass(frozen=True)
class _List:
    """A list of documents: how it is asked, and where one of them is."""

    path: str
    one: str
    id_name: str
    modified: str
    params: Mapping[str, str]
    within: tuple[datetime, datetime]  # what the parameters ask for, both ends included
    has_lines: Callable[[Document], bool]  # whether its lines are wanted
    key: Callable[[Document], object]


class DocumentLists:
    """Bills and purchase orders of a day."""

    def __init__(self, api: ProcurifyApi, at: Endpoints, read_scope: ReadScope) -> None:
        self._api, self._at, self._read_scope = api, at, read_scope

    def bills(self, scope: Scope, pull: Pull) -> Iterator[Document]:
        """Those changed in the window, whole where they may be posted: a draft costs no call of its own."""
        window = _window(scope)
        return self._documents(self._bills_of(window, self._is_posted), window, pull)

    def _bills_of(self, window: Window, has_lines: Callable[[Document], bool]) -> _List:
        around = timedelta(minutes=self._read_scope.bill_overlap_minutes)
        start, end = window.start - around, window.end + around
        params = {
            "last_modified_datetime_0": start.isoformat(),
            "last_modified_datetime_1": end.isoformat(),
            "order_by": "last_modified_datetime",
        }
        return _List(
            self._at.bills,
            self._at.bill,
            "id",
            "last_modified_datetime",
            params,
            (start, end),
            has_lines,
            lambda row: plain_uuid(row["uuid"]),
        )

    def purchase_orders(self, scope: Scope, pull: Pull) -> Iterator[Document]:
        """Those changed in the window, whole where they are not cancelled; older versions first, so that they lose.

        Where bills take their parts of orders, those too whose bills were changed in the window: with these bills, and
        as of the moment of the last change of all.
        """
        window = _window(scope)
        asked = self._orders_of(window)
        listed = self._documents(asked, window, pull)
        return self._with_bills(asked, listed, window, pull) if self._read_scope.part_bills == "reduce" else listed

    def bills_by_key(self, keys: Sequence[str]) -> Iterator[Document]:
        """Bills by uuid, whole, whatever their status; one that is gone is left out."""
        return self._by_key(self._at.bill, keys, self._takes_or_gives_back)

    def orders_by_key(self, keys: Sequence[str], since: datetime | None, now: datetime) -> Iterator[Document]:
        """Orders by their keys, whole; with the bills that were changed since then, where bills take their parts."""
        orders = list(self._by_key(self._at.purchase_order, keys, _is_current))
        if since is None or self._read_scope.part_bills != "reduce" or not orders:
            yield from orders
            return
        window = Window(since, now + timedelta(days=1))
        asked = self._bills_of(window, self._takes_or_gives_back)
        of = orders_of_bills(list(self._documents(asked, window, Pull("", ""))))
        yield from (with_bills(order, of.get(str(order["procurify_PO"]), [])) for order in orders)

    def _by_key(self, path: str, keys: Sequence[str], has_lines: Callable[[Document], bool]) -> Iterator[Document]:
        """As the lists give them: lines of those alone that may be posted."""
        found = in_order(lambda key: self._one(path, key), keys, self._read_scope.in_flight)
        rows = (document for document in found if document is not None)
        return ({**row, WHOLE: True} if has_lines(row) else row for row in rows)

    def _one(self, path: str, key: str) -> Document | None:
        try:
            answer = self._api.answer(path, key)
        except RecordRejected as error:
            if error.status != 404:
                raise
            return None
        return {**answer["data"], SUMMARY: (answer.get("metadata") or {}).get("summary")}

    def _orders_of(self, window: Window) -> _List:
        around = timedelta(days=self._read_scope.order_overlap_days)
        first, last = (window.start - around).date(), (window.end - timedelta(microseconds=1) + around).date()
        params = {
            "modified_date_0": first.isoformat(),
            "modified_date_1": last.isoformat(),
            "order_by": "last_modified",
        }
        return _List(
            self._at.purchase_orders,
            self._at.purchase_order,
            "procurify_PO",
            "last_modified",
            params,
            (_midnight(first) - timedelta(days=1), _midnight(last) + timedelta(days=2)),  # in whatever time zone
            _is_current,
            lambda row: row["procurify_PO"],
        )

    def _with_bills(self, asked: _List, listed: Iterator[Document], window: Window, pull: Pull) -> Iterator[Document]:
        orders = list(listed)
        here, filtered = pull.filter, Pull("", "")
        bills = list(self._documents(self._bills_of(window, self._takes_or_gives_back), window, filtered))
        pull.filter, of = f"{here}; bills: {filtered.filter}", orders_of_bills(bills)
        known = {str(order["procurify_PO"]) for order in orders}
        also = [{"procurify_PO": int(number)} for number in of if number not in known]
        requests = self._api.requests
        found = list(in_order(lambda row: self._whole(asked, row), also, self._read_scope.in_flight))
        pull.requests += filtered.requests + self._api.requests - requests
        pull.pages += filtered.pages
        yield from (with_bills(order, of.get(str(order["procurify_PO"]), [])) for order in [*orders, *found])

    def _takes_or_gives_back(self, row: Document) -> bool:
        """Bills that are posted, and those that were and may not be any more; drafts never took anything."""
        statuses = (*self._read_scope.bill_statuses, *TAKEN_BACK)
        return row.get("status") in statuses and row.get("type") in self._read_scope.bill_types

    def _is_posted(self, row: Document) -> bool:
        return row.get("status") in self._read_scope.bill_statuses and row.get("type") in self._read_scope.bill_types

    def _documents(self, asked: _List, window: Window, pull: Pull) -> Iterator[Document]:
        pull.filter = "&".join(f"{name}={value}" for name, value in asked.params.items())
        requests, pages = self._api.requests, self._api.pages
        here = [row for row in self._rows(asked) if _belongs(row, asked.modified, window)]
        here.sort(key=is_newest)
        yield from in_order(lambda row: self._whole(asked, row), here, self._read_scope.in_flight)
        pull.requests, pull.pages = self._api.requests - requests, self._api.pages - pages

    def _rows(self, asked: _List) -> Sequence[Document]:
        """A list that came with rows that were not asked for heeds no filter: it is kept for the next days."""
        if (kept := self._api.still_kept(asked.path)) is not None:
            return kept
        rows = self._api.listed(asked.path, asked.id_name, **asked.params)
        start, end = asked.within
        if any((at := moment_or_none(row.get(asked.modified))) and not start <= at <= end for row in rows):
            self._api.keep(asked.path, rows)
        return rows

    def _whole(self, asked: _List, row: Document) -> Document:
        """With its lines. It may have been changed since it was listed: what it says itself counts."""
        if not asked.has_lines(row):
            return row
        try:
            answer = self._api.answer(asked.one, asked.key(row))
            summary = (answer.get("metadata") or {}).get("summary")
            return {**row, **answer["data"], SUMMARY: summary, WHOLE: True}
        except RecordRejected as error:
            return {**row, FAULT: f"{error.message}. It is listed, and cannot be read: look at it in Procurify."}


def orders_of_bills(bills: Sequence[Document]) -> dict[str, list[Document]]:
    """Key of an order -> the bills, read whole, that cover it."""
    found: dict[str, list[Document]] = {}
    for bill in bills:
        for order in covered_orders(bill) if bill.get(WHOLE) else ():
            found.setdefault(order, []).append(bill)
    return found


def with_bills(order: Document, bills: Sequence[Document]) -> Document:
    """As of the last change of all; it would be of another day, and older than what is known, otherwise."""
    if not bills:
        return order
    moments = [str(bill["last_modified_datetime"]) for bill in bills if moment_or_none(bill["last_modified_datetime"])]
    own = order.get("last_modified")
    latest = max([*moments, *([str(own)] if moment_or_none(own) else [])], key=moment)
    return {**order, "last_modified": latest, BILLS: list(bills)}


def _is_current(row: Document) -> bool:
    return row.get("state") != CANCELLED and is_newest(row)


def _belongs(row: Document, modified: str, window: Window) -> bool:
    """Whether it may be of this day; a row without a readable timestamp may be of any."""
    at = moment_or_none(row.get(modified))
    return at is None or window.start <= at < window.end


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _window(scope: Scope) -> Window:
    if scope.window is None:
        raise ValueError(f"bills and orders are read by day; found {scope.partition}")
    return scope.window
