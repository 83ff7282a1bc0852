"""What people archived or deleted of a board: no list and no search shows it. Its activity log names the items."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.core.logs import logger
from mlc_dagster.systems.monday.api import MondayApi
from mlc_dagster.systems.monday.boards.layout import Layout
from mlc_dagster.systems.monday.graphql import documents
from mlc_dagster.systems.shared.cancelled_documents import cancelled_words

LOG_SIZE, PAGES = 1000, 10
"""monday keeps 10,000 lines of a board at the most."""
STATES = {"archived": "archived", "deleted": "in the trash"}
"""State of an item -> as people say it."""
_CURE = {
    "archived": "restore it from the board's archive",
    "deleted": "restore it from monday's trash, where it is kept for 30 days",
}
_ENDINGS = ("archive", "delete")
"""In the names of events that put an item away: archive_pulse, delete_pulse. Their list is not published."""
_IDS = ("pulse_id", "item_id", "pulse_ids", "item_ids")
log = logger("mlc_dagster.monday")


class PutAway(NamedTuple):
    """An item that carries one of our keys."""

    item_id: str
    state: str

    def words(self, key: str) -> str:
        """Why it is not made a second time."""
        return cancelled_words("monday", f"item {self.item_id}", STATES[self.state], key, _CURE[self.state])


def put_away_of(api: MondayApi, layout: Layout) -> dict[str, PutAway]:
    """Our key -> the item under it that people put away; of several the newest. Where monday does not show the log that
    is logged, and nothing is known.
    """
    try:
        ids = list(dict.fromkeys(_put_away(api, layout.board.id)))
        return dict(_with_keys(api, layout, ids))
    except Misconfigured as error:
        words = "monday does not show what was archived or deleted of board %s (%s): %s"
        log.warning(words, layout.board.name, layout.board.id, error.message)
        return {}


def _put_away(api: MondayApi, board: str) -> Iterator[str]:
    """Ids of items, what was put away last comes first; they may have been restored since."""
    for page in range(1, PAGES + 1):
        boards = api.read(documents.ACTIVITY, boards=[board], limit=LOG_SIZE, page=page).get("boards") or [{}]
        lines: Sequence[Mapping[str, Any]] = boards[0].get("activity_logs") or ()
        for line in lines:
            if any(ending in str(line.get("event")) for ending in _ENDINGS):
                yield from _ids(line.get("data"))
        if len(lines) < LOG_SIZE:
            return


def _ids(data: Any) -> Iterator[str]:
    """`{"board_id": 1800000004, "pulse_id": 102518, ...}`, as text."""
    try:
        told = json.loads(data or "{}")
    except (TypeError, ValueError):
        return
    for value in (told.get(name) for name in _IDS) if isinstance(told, dict) else ():
        yield from (str(each) for each in (value if isinstance(value, list) else [value]) if each)


def _with_keys(api: MondayApi, layout: Layout, ids: Sequence[str]) -> Iterator[tuple[str, PutAway]]:
    """The newest last, so that it counts."""
    found: dict[str, Mapping[str, Any]] = {}
    for start in range(0, len(ids), 100):
        some = list(ids[start : start + 100])
        items = api.read(documents.READ_BACK, ids=some, columns=[layout.key.id]).get("items") or []
        found |= {str(item["id"]): item for item in items if item}
    for item_id in reversed(ids):
        item = found.get(item_id) or {}
        state, board = str(item.get("state")), str((item.get("board") or {}).get("id"))
        if state in STATES and board == layout.board.id and (key := _key(item.get("column_values") or ())):
            yield key, PutAway(item_id, state)


def _key(cells: Iterable[Mapping[str, Any]]) -> str:
    return next((str(cell.get("text") or "") for cell in cells), "")
