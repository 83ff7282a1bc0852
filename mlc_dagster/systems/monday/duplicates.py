"""Looks on monday's boards for two active items with one key, in two or three requests for all boards together."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from typing import Any

from mlc_dagster.core.duplicates import TargetDocument, TargetScan
from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.core.flows import Target
from mlc_dagster.systems.monday.api import MondayApi
from mlc_dagster.systems.monday.boards.item_lookup import KEYS
from mlc_dagster.systems.monday.boards.layout import Board, Boards
from mlc_dagster.systems.monday.graphql import documents
from mlc_dagster.systems.shared.json_values import moment_or_none

FRESH = 60.0  # seconds that what was looked at is taken for the truth
AT_ONCE = 6  # searches in one request: each may be dear
AMOUNTS = ("amount", "debit")

Item = Mapping[str, Any]


@dataclass(frozen=True)
class _BoardColumns:
    """A flow's board, and the columns that tell of its items."""

    board: Board
    key: str
    amount: str = ""
    currency: str = ""

    @property
    def columns(self) -> list[str]:
        return [column for column in (self.key, self.amount, self.currency) if column]


@dataclass
class _Scan:
    since: datetime
    at: float
    items: dict[str, dict[str, Item]] = field(default_factory=dict)  # board -> item's id -> item


class Duplicates:
    """Looks of one client: all boards at once, for whichever flow asks first."""

    def __init__(
        self, api: MondayApi, boards: Boards, options: Mapping[str, str], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._api, self._boards, self._options, self._clock = api, boards, options, clock
        self._kept: _Scan | None = None

    def scan(self, target: Target, since: datetime) -> TargetScan:
        """Raises MlcError."""
        if not self._options.get(f"{target.name}.board"):
            raise Misconfigured(f"monday.boards.{target.name} is not set", cure="Name its board in mlc.yaml.")
        if not self._is_fresh(since):
            self._boards.refresh([board for name, board in self._options.items() if name.endswith(".board")])
        places = {name.removesuffix(".board"): self._place(name) for name in self._options if name.endswith(".board")}
        place = places[target.name]
        found = self._looked(list(places.values()), since).items.get(place.board.id, {})
        return TargetScan([_carried(place, item) for item in found.values() if _key(place, item)], len(found))

    def _place(self, option: str) -> _BoardColumns:
        board = self._boards.board(self._options[option])
        name = self._options.get("key_column", "IFS key")
        if (key := board.column(name)) is None:
            raise Misconfigured(
                f"board {board.name} ({board.id}) has no column {name!r}, so nobody can tell its items apart",
                cure="Make it there, or correct monday.key_column in mlc.yaml. With create_columns a load makes it.",
            )
        start = f"{option.removesuffix('.board')}.columns."
        ids = [self._column(board, [start + each for each in names]) for names in (AMOUNTS, ("currency",))]
        return _BoardColumns(board, key.id, *ids)

    def _column(self, board: Board, options: Sequence[str]) -> str:
        """The id of the first of these that mlc.yaml names and the board has; empty where there is none."""
        named = (board.column(self._options[option]) for option in options if option in self._options)
        return next((column.id for column in named if column), "")

    def _is_fresh(self, since: datetime) -> bool:
        kept = self._kept
        return kept is not None and kept.since == since and self._clock() - kept.at <= FRESH

    # --- calls --------------------------------------------------------------------------------------------------------

    def _looked(self, places: Sequence[_BoardColumns], since: datetime) -> _Scan:
        kept = self._kept
        if kept is None or not self._is_fresh(since):
            kept = self._kept = _Scan(since, self._clock())
            columns = list(dict.fromkeys(column for place in places for column in place.columns))
            for place, item in [*self._newest(places, columns, since)]:
                kept.items.setdefault(place.board.id, {})[str(item["id"])] = item
            for place, item in self._same_keys(places, columns, kept):
                kept.items[place.board.id][str(item["id"])] = item
        return kept

    def _newest(
        self, places: Sequence[_BoardColumns], columns: list[str], since: datetime
    ) -> Iterator[tuple[_BoardColumns, Item]]:
        by_id = {place.board.id: place for place in places}
        answer = self._api.read(documents.NEWEST_ITEMS, boards=list(by_id), columns=columns)
        boards = {str(board["id"]): board["items_page"] for board in answer.get("boards") or []}
        if missing := sorted(set(by_id) - set(boards)):
            raise Misconfigured(f"monday does not show board {', '.join(missing)} any more", cure="Look there.")
        for board_id, page in boards.items():
            for item in self._until(page, columns, since):
                yield by_id[board_id], item

    def _until(self, page: Any, columns: list[str], since: datetime) -> Iterator[Item]:
        """The items that were touched since then. A board that does not come newest first is read to its end."""
        times: list[datetime | None] = []
        while True:
            for item in page["items"]:
                times.append(at := moment_or_none(item.get("updated_at")))
                if at is None or at >= since:
                    yield item
            if not page.get("cursor") or _have_passed(times, since):
                return
            page = self._next(page["cursor"], columns)

    def _same_keys(
        self, places: Sequence[_BoardColumns], columns: list[str], scan: _Scan
    ) -> Iterator[tuple[_BoardColumns, Item]]:
        """What else carries the keys of these items, of whatever age."""
        asked = [(place, some) for place in places for some in _chunks(place, scan.items.get(place.board.id, {}))]
        for start in range(0, len(asked), AT_ONCE):
            some = asked[start : start + AT_ONCE]
            variables: dict[str, Any] = {"columns": columns}
            for number, (place, keys) in enumerate(some):
                variables |= {f"b{number}": place.board.id, f"k{number}": place.key, f"v{number}": keys}
            answer = self._api.read(documents.items_by_keys(len(some)), **variables)
            for number, (place, _) in enumerate(some):
                yield from ((place, item) for item in self._whole(answer[f"i{number}"], columns))

    def _next(self, cursor: str, columns: list[str]) -> Any:
        return self._api.read(documents.MORE_NEWEST_ITEMS, cursor=cursor, columns=columns)["next_items_page"]

    def _whole(self, page: Any, columns: list[str]) -> Iterator[Item]:
        while True:
            yield from page["items"]
            if not page.get("cursor"):
                return
            page = self._next(page["cursor"], columns)


def _have_passed(times: Sequence[datetime | None], since: datetime) -> bool:
    """Whether what follows is older still: only where the times fall, and not where all are one."""
    known = [at for at in times if at is not None]
    falls = len(known) == len(times) and all(later <= at for at, later in pairwise(known))
    return falls and bool(known) and known[-1] < since and known[0] > known[-1]


def _chunks(place: _BoardColumns, items: Mapping[str, Item]) -> Iterator[list[str]]:
    keys = list(dict.fromkeys(key for item in items.values() if (key := _key(place, item))))
    yield from (keys[start : start + KEYS] for start in range(0, len(keys), KEYS))


def _carried(place: _BoardColumns, item: Item) -> TargetDocument:
    texts = _texts(item)
    return TargetDocument(
        id=str(item["id"]),
        number=f"item {item['id']}",
        reference=_key(place, item),
        at=moment_or_none(item.get("updated_at")),
        amount=_amount(texts.get(place.amount)),
        currency=texts.get(place.currency) or "",
        link=str(item.get("url") or ""),
        place=f"board {place.board.name}",
    )


def _key(place: _BoardColumns, item: Item) -> str:
    return _texts(item).get(place.key) or ""


def _texts(item: Item) -> dict[str, str]:
    return {str(value["id"]): str(value.get("text") or "") for value in item.get("column_values") or ()}


def _amount(text: str | None) -> Decimal | None:
    try:
        return Decimal(text) if text else None
    except InvalidOperation:
        return None
