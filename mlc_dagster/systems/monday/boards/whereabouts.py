"""Where an item is that a change does not find: archived, deleted, or moved by a person, each with its own cure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from mlc_dagster.systems.monday.api import MondayApi
from mlc_dagster.systems.monday.boards.layout import Board
from mlc_dagster.systems.monday.graphql import documents

ARCHIVED, DELETED, MOVED = "item_is_not_archived", "item_is_not_deleted", "item_is_on_its_board"
RULES = (ARCHIVED, DELETED, MOVED)


class Whereabouts(NamedTuple):
    """The rule that is broken, and why, with the cure."""

    rule: str
    reason: str


def whereabouts(api: MondayApi, board: Board, item_ids: Sequence[str]) -> dict[str, Whereabouts]:
    """Item id -> where it is, of those that are not where they were. One request for a hundred. Raises MlcError."""
    found: dict[str, Mapping[str, Any]] = {}
    for start in range(0, len(item_ids), 100):
        items = api.read(documents.WHEREABOUTS, ids=list(item_ids[start : start + 100])).get("items") or []
        found |= {str(item["id"]): item for item in items if item}
    told = {item_id: _of(item_id, found.get(item_id), board) for item_id in item_ids}
    return {item_id: where for item_id, where in told.items() if where is not None}


def _of(item_id: str, item: Mapping[str, Any] | None, board: Board) -> Whereabouts | None:
    named, again = f"item {item_id} of board {board.name} ({board.id})", "then release this hold; or discard it."
    state, there = str((item or {}).get("state") or ""), (item or {}).get("board") or {}
    if item is None or state == "deleted":
        cure = f"Restore it from monday's trash, where it is kept for 30 days, {again}"
        return Whereabouts(DELETED, f"{named} was deleted in monday. {cure}")
    if state == "archived":
        return Whereabouts(ARCHIVED, f"{named} was archived in monday. Restore it from the board's archive, {again}")
    if str(there.get("id") or board.id) != board.id:
        to = f"board {there.get('name')} ({there['id']})"
        words = f"item {item_id} is on {to}, and mlc.yaml names board {board.name} ({board.id}) for it"
        cure = "Move it there in monday, as all items of a board can be at once; or name the other board in mlc.yaml"
        return Whereabouts(MOVED, f"{words}. {cure}; {again}")
    return None
