"""Is each item on the sandbox's boards there once, under its key, and do its amounts say what was prepared?"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from mlc_dagster.demo.comparisons.compared import Compared, Document
from mlc_dagster.systems.monday.records import Cell, Item

KEY = "IFS key"


def disagreements(compared: Compared) -> Iterator[str]:
    """One line for each item that is missing, doubled, another's, or of another amount."""
    boards = compared.state("monday")["boards"]
    items = {str(item["id"]): item for board in boards.values() for item in board}
    known = [remote_id for flow in compared.to("monday") for remote_id in compared.delivered(flow).values()]
    if len(known) != len(set(known)):
        yield f"monday: {len(known) - len(set(known))} keys share an item"
    yield from (f"monday holds item {item} that no flow delivered" for item in sorted(set(items) - set(known)))
    for flow in compared.to("monday"):
        for key, remote_id, record in compared.newest(flow):
            if fault := _difference(record, items.get(remote_id)):
                yield f"{flow.name} {key}: {fault}"


def _difference(item: Any, found: Document | None) -> str:
    assert isinstance(item, Item)
    if found is None:
        return "the board does not have it"
    wrong = [cell for cell in item.cells if not _same(cell, found.get(cell.column))]
    named = [] if (found["name"], found.get(KEY)) == (item.name, item.key) else [f"it is {found['name']!r} there"]
    return ", ".join([*named, *(f"{c.column} is {found.get(c.column)}, delivered was {c.values}" for c in wrong)])


def _same(cell: Cell, value: Any) -> bool:
    """The demo's boards are addressed by the titles of their columns."""
    if isinstance(value, list):
        return sorted(str(one) for one in value) == sorted(cell.values)
    if cell.kind == "amount" and cell.values and value is not None:
        return Decimal(str(value)) == Decimal(cell.values[0])
    return bool((value or "") == ", ".join(cell.values))
