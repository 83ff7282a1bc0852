"""Finds items by the ERP's key, a hundred keys in a request, and says what of them differs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mlc_dagster.systems.monday.api import MondayApi
from mlc_dagster.systems.monday.boards.cell_values import same
from mlc_dagster.systems.monday.boards.layout import Layout
from mlc_dagster.systems.monday.graphql import documents
from mlc_dagster.systems.monday.records import Cell, Item

KEYS = 100  # in one request; how many monday takes is not documented

Found = Mapping[str, Any]
"""An item: id, name, column_values [{id, text, linked_item_ids}]."""


def by_key(api: MondayApi, layout: Layout, keys: Sequence[str]) -> dict[str, list[Found]]:
    """Key -> the items that carry it, byte for byte: monday compares text in any case."""
    found: dict[str, list[Found]] = defaultdict(list)
    for start in range(0, len(keys), KEYS):
        chunk = keys[start : start + KEYS]
        for item in _pages(api, layout, chunk):
            key = str(_columns(item).get(layout.key.id, {}).get("text") or "")
            if key in chunk and all(known["id"] != item["id"] for known in found[key]):
                found[key].append(item)
    return found


def _pages(api: MondayApi, layout: Layout, keys: Sequence[str]) -> Iterator[Found]:
    answer = api.read(
        documents.ITEMS_BY_KEY, board=layout.board.id, key=layout.key.id, keys=list(keys), columns=layout.ids
    )
    page = answer["items_page_by_column_values"]
    while True:
        yield from page["items"]
        if not page.get("cursor"):
            return
        page = api.read(documents.NEXT_ITEMS, cursor=page["cursor"], columns=layout.ids)["next_items_page"]


def by_id(api: MondayApi, layout: Layout, item_id: str) -> Found | None:
    """The item as it is now; None where it is gone."""
    items = api.read(documents.ITEMS_BY_ID, ids=[item_id], columns=layout.ids).get("items") or []
    return next((item for item in items if item.get("state") in (None, "active")), None)


def differing(item: Item, found: Found, layout: Layout) -> tuple[Cell, ...]:
    """The cells that the board does not show yet."""
    columns = _columns(found)

    def is_there(cell: Cell) -> bool:
        column = layout.column_of(cell)
        return same(cell, column.type, columns.get(column.id, {}))

    return tuple(cell for cell in item.cells if not is_there(cell))


def not_kept(cells: Sequence[Cell], found: Found, layout: Layout) -> list[str]:
    """The fields of a write that monday answered and dropped: empty, or another number. Texts it may write anew."""
    columns = _columns(found)
    told = [(cell, column, columns[column.id]) for cell in cells if (column := layout.column_of(cell)).id in columns]
    return [
        cell.field
        for cell, column, value in told
        if cell.values
        and (column.type in ("numbers", "board_relation") or not value.get("text"))
        and not same(cell, column.type, value)
    ]


COMPUTED = "Is the column computed, or may the token's user not write it? Name another one in mlc.yaml."
LINKS_TO = (
    "Is item %s, which it links to, deleted or archived? Restore it in monday, or have it made again with mlc recreate."
)


def cure_of(cells: Sequence[Cell], lost: Sequence[str]) -> str:
    """What to look at where monday dropped these fields of a write."""
    linked = [item for cell in cells if cell.kind == "link" and cell.field in lost for item in cell.values]
    return LINKS_TO % " and ".join(linked) if linked else COMPUTED


def _columns(found: Found) -> dict[str, Mapping[str, Any]]:
    return {str(value["id"]): value for value in found.get("column_values") or ()}
