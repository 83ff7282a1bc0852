"""What monday shows of the items that were delivered: a hundred in a request, whatever became of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from mlc_dagster.core.outcomes import Delivered, Seen, Shown, Worth
from mlc_dagster.core.shown_values import Value, value_of
from mlc_dagster.systems.monday.api import MondayApi
from mlc_dagster.systems.monday.boards.layout import Board, Boards, Column
from mlc_dagster.systems.monday.graphql import documents
from mlc_dagster.systems.monday.records import Cell, Item, Kind
from mlc_dagster.systems.shared.json_values import moment_or_none

AT_ONCE = 100  # items by id in a request
NAME = "name"
Document = Mapping[str, Any]


class ItemsReadBack:
    """Of one account. Columns are called as mlc.yaml calls them, by title or id."""

    def __init__(self, api: MondayApi, boards: Boards, options: Mapping[str, str], named: _Named) -> None:
        """`named`: flow -> an empty cell for each column that mlc.yaml names for it."""
        self._api, self._boards, self._options, self._named = api, boards, options, named
        self._key = options.get("key_column", "IFS key")

    def read_back(self, target: str, delivered: Sequence[Delivered]) -> Iterator[Seen]:
        """Raises AccessDenied, Misconfigured, TransientError."""
        place = self._place(target)
        for start in range(0, len(delivered), AT_ONCE):
            some = delivered[start : start + AT_ONCE]
            found = self._items(place, [one.remote_id for one in some])
            yield from (place.seen(one, found.get(one.remote_id)) for one in some)

    def expected(self, item: Item) -> Shown:
        """The item's name and key, and its cells."""
        return {NAME: item.name, self._key: item.key, **{cell.column: _sent(cell) for cell in item.cells}}

    def worth(self, target: str, values: Shown) -> Worth:
        """Its amount, of a journal entry its debit, in the currency that a column names."""
        named = {each: self._options.get(f"{target}.columns.{each}", "") for each in ("amount", "debit", "currency")}
        amount = values.get(named["amount"] or named["debit"])
        company = values.get(self._options.get(f"{target}.columns.company", ""))
        currency = values.get(named["currency"])
        return Worth(str(company or ""), amount if isinstance(amount, Decimal) else None, str(currency or ""))

    def ours_in(self, target: str, since: datetime | None, known: AbstractSet[str]) -> Iterator[Seen]:
        """Items that carry a key, newest first. A board that several flows share tells nothing: whose they are is not
        to be seen.
        """
        place = self._place(target)
        if sum(board == place.board.id for name, board in self._options.items() if name.endswith(".board")) > 1:
            return
        for item in self._newest(place, since):
            key = place.key_of(item)
            if key and str(item["id"]) not in known:
                yield Seen(key, str(item["id"]), "there", place.values(item), detail=str(item.get("url") or ""))

    # --- calls --------------------------------------------------------------------------------------------------------

    def _place(self, target: str) -> _Place:
        board = self._boards.board(self._options.get(f"{target}.board", ""))
        return _Place(board, self._key, list(self._named(target)))

    def _items(self, place: _Place, ids: Sequence[str]) -> dict[str, Document]:
        answer = self._api.read(documents.READ_BACK, ids=list(ids), columns=place.ids)
        return {str(item["id"]): item for item in answer.get("items") or [] if item}

    def _newest(self, place: _Place, since: datetime | None) -> Iterator[Document]:
        """Those touched since then; to the end of the board where it does not come newest first."""
        answer = self._api.read(documents.NEWEST_ITEMS, boards=[place.board.id], columns=place.ids)
        pages: list[Any] = [board["items_page"] for board in answer.get("boards") or []]
        page = pages[0] if pages else {"items": []}
        while True:
            touched = [moment_or_none(item.get("updated_at")) for item in page["items"]]
            of_now = [since is None or at is None or at >= since for at in touched]
            yield from (item for item, is_of_now in zip(page["items"], of_now, strict=True) if is_of_now)
            if not page.get("cursor") or not any(of_now):
                return
            more = self._api.read(documents.MORE_NEWEST_ITEMS, cursor=page["cursor"], columns=place.ids)
            page = more["next_items_page"]


_Named = Callable[[str], Iterable[Cell]]


class _Place:
    """A board, and what a flow's columns are there."""

    def __init__(self, board: Board, key: str, cells: Sequence[Cell]) -> None:
        self.board, self._key, self._key_column = board, key, board.column(key)
        found = {cell.column: (board.column(cell.column), cell.kind) for cell in cells}
        self._columns = {name: (column, kind) for name, (column, kind) in found.items() if column is not None}

    @property
    def ids(self) -> list[str]:
        keys = [self._key_column.id] if self._key_column else []
        return [*keys, *(column.id for column, _ in self._columns.values())]

    def key_of(self, item: Document) -> str:
        column = _by_id(item).get(self._key_column.id, {}) if self._key_column else {}
        return str(column.get("text") or "")

    def values(self, item: Document) -> Shown:
        there = _by_id(item)
        cells = {
            name: _shown(there[column.id], column, kind)
            for name, (column, kind) in self._columns.items()
            if column.id in there
        }
        return {NAME: value_of(item.get("name")), self._key: self.key_of(item) or None, **cells}

    def seen(self, one: Delivered, item: Document | None) -> Seen:
        state = str((item or {}).get("state") or "")
        if item is None or state == "deleted":
            return Seen(one.key, one.remote_id, "deleted", detail="in monday's trash" if item else "")
        if state == "archived":
            return Seen(one.key, one.remote_id, "deleted", detail="archived in monday")
        there, url = item.get("board") or {}, str(item.get("url") or "")
        if str(there.get("id") or self.board.id) != self.board.id:
            where = f"board {there.get('name')} ({there['id']}), and not on {self.board.name} ({self.board.id})"
            return Seen(one.key, one.remote_id, "moved", remote_now=where, detail=url)
        return Seen(one.key, one.remote_id, "there", self.values(item), detail=url)


def _by_id(item: Document) -> dict[str, Document]:
    return {str(value["id"]): value for value in item.get("column_values") or ()}


def _sent(cell: Cell) -> Value:
    values = sorted(cell.values) if cell.kind in ("codes", "link") else cell.values
    return _typed(", ".join(values), cell.kind)


def _shown(value: Document, column: Column, kind: Kind) -> Value:
    """A status that is a number was sent as "IFS 30", since monday takes a number for the place of a label."""
    if kind == "link":
        return ", ".join(sorted(str(each) for each in value.get("linked_item_ids") or ())) or None
    text = str(value.get("text") or "")
    if kind == "codes":
        text = ", ".join(sorted(filter(None, text.split(", "))))
    number = text.removeprefix("IFS ")
    return _typed(number if column.type == "status" and number.isdigit() else text, kind)


def _typed(text: str, kind: Kind) -> Value:
    try:
        return Decimal(text) if kind == "amount" and text else value_of(text)
    except InvalidOperation:
        return text
