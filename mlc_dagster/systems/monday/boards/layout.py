"""The boards as they are: which columns they have, of which type; missing ones are made where mlc.yaml allows it."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from mlc_dagster.core.errors import Misconfigured, OutcomeUnknown, RecordRejected, TransientError
from mlc_dagster.systems.monday.api import MondayApi
from mlc_dagster.systems.monday.boards.cell_values import COLUMN_TYPES
from mlc_dagster.systems.monday.graphql import documents
from mlc_dagster.systems.monday.records import Cell

TRIES = 4  # of making columns whose answer tells nothing, or a part
FRESH = 300.0  # seconds that a board's columns are taken for what they were


@dataclass(frozen=True)
class Column:
    id: str
    title: str
    type: str
    links: tuple[str, ...] | None = None  # the boards that a link column points to; None: it does not say


@dataclass(frozen=True)
class Board:
    """A board and its columns, without archived ones."""

    id: str
    name: str
    columns: tuple[Column, ...]
    state: str = "active"  # or archived, deleted
    rolls_up: bool = False  # parents of a multi-level board compute their numbers: writes succeed and change nothing

    def column(self, named: str) -> Column | None:
        """By id, else by title. Raises Misconfigured where two columns have this title."""
        found = [column for column in self.columns if column.id == named]
        found = found or [column for column in self.columns if column.title == named]
        if len(found) > 1:
            ids = " and ".join(column.id for column in found)
            raise Misconfigured(
                f"board {self.name} ({self.id}) has two columns {named!r}: {ids}",
                cure="Name one of them by its id in mlc.yaml.",
            )
        return found[0] if found else None


@dataclass(frozen=True)
class BoardFault:
    """Why a board does not take what mlc.yaml sends to it."""

    words: str
    cure: str = ""
    column: Cell | None = None  # None: it is the board itself
    is_absent: bool = False  # the column is not there; it may be made

    @property
    def is_of_the_key(self) -> bool:
        return self.column is _KEY


@dataclass(frozen=True)
class Layout:
    """Where the cells of a flow's items go."""

    board: Board
    key: Column
    columns: Mapping[str, Column]  # as mlc.yaml names it -> the column

    def column_of(self, cell: Cell) -> Column:
        return self.columns[cell.column]

    @property
    def ids(self) -> list[str]:
        """The columns that an item is compared by."""
        return [self.key.id, *(column.id for column in self.columns.values())]


class Boards:
    """Reads boards, and lays out flows on them."""

    def __init__(
        self, api: MondayApi, key_column: str, *, create: bool, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._api, self._key_column, self._create, self._clock = api, key_column, create, clock
        self._boards: dict[str, tuple[float, Board]] = {}

    def layout(self, board_id: str, cells: Iterable[Cell]) -> Layout:
        """The columns that these cells and the key go to. Raises Misconfigured where one is missing or does not fit."""
        wanted = {self._key_column: _KEY, **{cell.column: cell for cell in cells}}
        board = self.board(board_id)
        if missing := [(name, cell) for name, cell in wanted.items() if board.column(name) is None]:
            board = self._completed(board, missing)
        if faults := list(column_faults(board, wanted)):
            raise Misconfigured("; ".join(faults), cure="Correct monday.boards in mlc.yaml, or the board.")
        columns = {name: column for name in wanted if (column := board.column(name))}
        return Layout(board, columns.pop(self._key_column), columns)

    def board(self, board_id: str) -> Board:
        """As it was within the last minutes. Raises Misconfigured where this token sees none that keeps amounts."""
        known = self._boards.get(board_id)
        if known is None or self._clock() - known[0] > FRESH:
            self.refresh([board_id])
        return _usable(self._boards[board_id][1])

    def board_faults(self, board_id: str, cells: Iterable[Cell]) -> Iterator[BoardFault]:
        """All that `layout` would raise, one after the other; nothing is made."""
        try:
            board = self.board(board_id)
        except Misconfigured as error:
            yield BoardFault(error.message, error.cure or "")
            return
        for name, cell in [(self._key_column, _KEY), *((cell.column, cell) for cell in cells)]:
            try:
                words, absent = list(column_faults(board, {name: cell})), board.column(name) is None
            except Misconfigured as error:
                yield BoardFault(error.message, error.cure or "", cell)
            else:
                yield from (BoardFault(each, column=cell, is_absent=absent) for each in words)

    def read_again(self, board_ids: Sequence[str]) -> None:
        """Read these boards anew, in one request; archived and deleted ones too."""
        for found in self._api.read(documents.BOARDS, ids=list(board_ids)).get("boards") or []:
            self._boards[str(found["id"])] = (self._clock(), _board(found))

    def there(self) -> Iterator[Board]:
        """All boards that this token may see, without archived and deleted ones."""
        page = 1
        while found := self._api.read(documents.BOARDS_THERE, page=page).get("boards") or []:
            yield from map(_board, found)
            page += 1

    def refresh(self, board_ids: Sequence[str]) -> None:
        """As `look`. Raises Misconfigured where one is not there."""
        self.read_again(board_ids)
        if missing := [board_id for board_id in board_ids if board_id not in self._boards]:
            raise Misconfigured(
                f"monday has no board {', '.join(missing)} that this token may see",
                cure="Correct monday.boards in mlc.yaml: the id stands in the board's address.",
            )

    def _completed(self, board: Board, missing: Sequence[tuple[str, Cell]]) -> Board:
        if not self._create:
            named = ", ".join(f"{name!r} ({COLUMN_TYPES[cell.kind][0]})" for name, cell in missing)
            raise Misconfigured(
                f"board {board.name} ({board.id}) has no column {named}",
                cure="Make it there, correct monday.boards in mlc.yaml, or set monday.create_columns.",
            )
        key, said = str(uuid.uuid4()), ""
        for _ in range(TRIES):
            try:
                self._make(board, missing, key)
            except OutcomeUnknown as error:
                said = error.message
            self.refresh([board.id])  # what was made is seen now
            board = self._boards[board.id][1]
            left = [(name, cell) for name, cell in missing if board.column(name) is None]
            if not left:
                return board
            key, missing = key if left == missing else str(uuid.uuid4()), left
        raise TransientError(f"board {board.id} did not get all its columns: {said or 'monday does not show them'}")

    def _make(self, board: Board, missing: Sequence[tuple[str, Cell]], key: str) -> None:
        """Raises OutcomeUnknown, Misconfigured, TransientError."""
        variables: dict[str, object] = {"b": board.id}
        for number, (name, cell) in enumerate(missing):
            variables |= {f"t{number}": name, f"k{number}": COLUMN_TYPES[cell.kind][0], f"d{number}": _defaults(cell)}
        try:
            reply = self._api.write(documents.columns(len(missing)), variables, len(missing), key)
        except RecordRejected as error:
            raise Misconfigured(f"board {board.id} takes no new column: {error.message}") from error
        if refused := [fault for fault in reply.faults if not (fault.is_limit or fault.proves_nothing)]:
            raise Misconfigured(f"board {board.id} takes no new column: {refused[0].message}")


_KEY = Cell(field="key", column="", kind="text")


def _usable(board: Board) -> Board:
    """Raises Misconfigured where nothing can be kept on it."""
    named = f"board {board.name} ({board.id})"
    if board.state != "active":
        cure = "Restore it in monday, or name another board under monday.boards in mlc.yaml."
        raise Misconfigured(f"{named} is {board.state}", cure=cure)
    if board.rolls_up:
        words = f"{named} has several levels: it would take amounts and not keep them"
        raise Misconfigured(words, cure="Use a classic board.")
    return board


def column_faults(board: Board, wanted: Mapping[str, Cell]) -> Iterable[str]:
    """A sentence for each column that is not there, or whose type does not take the field."""
    for name, cell in wanted.items():
        column = board.column(name)
        fits = ("text",) if cell is _KEY else COLUMN_TYPES[cell.kind]
        if column is None:
            yield f"board {board.name} ({board.id}) has no column {name!r}, for {cell.field}"
        elif column.type not in fits:
            where = f"column {name!r} of board {board.name} ({board.id}) is of type {column.type}"
            yield f"{where}, and {cell.field} needs {' or '.join(fits)}"
        elif cell.board and column.links is not None and cell.board not in column.links:
            points = f"links to board {' and '.join(column.links)}" if column.links else "links to no board"
            yield f"column {name!r} of board {board.name} ({board.id}) {points}, and {cell.field} is on {cell.board}"


def _defaults(cell: Cell) -> str | None:
    """A link column is told its board when it is made: later only by hand."""
    if cell.kind != "link":
        return None
    return json.dumps({"boardIds": [int(cell.board)], "allowCreateReflectionColumn": False})


def _board(found: Mapping[str, object]) -> Board:
    listed = found.get("columns")
    rows: list[Mapping[str, object]] = listed if isinstance(listed, list) else []
    columns = tuple(_column(row) for row in rows if not row.get("archived"))
    levels = found.get("hierarchy_type") == "multi_level"
    return Board(str(found["id"]), str(found["name"]), columns, str(found.get("state") or "active"), levels)


def _column(row: Mapping[str, object]) -> Column:
    settings, is_link = row.get("settings"), row["type"] == "board_relation"
    ids = settings.get("boardIds") if is_link and isinstance(settings, Mapping) else None
    links = tuple(str(each) for each in ids) if isinstance(ids, list) else None
    return Column(str(row["id"]), str(row["title"]), str(row["type"]), links)
