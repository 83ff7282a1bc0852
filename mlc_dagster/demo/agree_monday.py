"""Do the ledger and the sandbox's boards agree, item by item and to the cent?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from mlc_dagster.core.arrow_columns import read_ready
from mlc_dagster.core.flows import Flow
from mlc_dagster.demo.place import Place
from mlc_dagster.ledger import Ledger
from mlc_dagster.orchestration.assets.asset_keys import prepared_key
from mlc_dagster.orchestration.storage.row_store import RowStore
from mlc_dagster.systems.monday.records import Cell, Item

KEY = "IFS key"


def disagreements(place: Place, flows: Sequence[Flow]) -> Iterator[str]:
    """One line for each difference between what was prepared and delivered, and what the boards hold."""
    boards, environment = place.state("monday")["boards"], place.environment()
    items = {str(item["id"]): item for board in boards.values() for item in board}
    store = RowStore(environment["MLC_STORAGE"])
    with Ledger.open(environment["MLC_DATABASE_URL"]) as ledger:
        delivered = {flow.name: ledger.remote_ids(flow.name) for flow in flows}
    known = [remote_id for ids in delivered.values() for remote_id in ids.values()]
    if len(known) != len(set(known)):
        yield f"monday: {len(known) - len(set(known))} keys share an item"
    yield from (f"monday holds item {item} that no flow delivered" for item in sorted(set(items) - set(known)))
    for flow in flows:
        yield from _of_flow(flow, store, delivered[flow.name], items)


def _of_flow(
    flow: Flow, store: RowStore, delivered: Mapping[str, str], items: Mapping[str, Mapping[str, Any]]
) -> Iterator[str]:
    newest = {
        ready.key: ready.record
        for partition in store.partitions(prepared_key(flow))
        for batch in store.read(prepared_key(flow), partition)
        for ready in read_ready(batch, flow.target.record)
    }
    for key, remote_id in delivered.items():
        if key in newest and (fault := _difference(newest[key], items.get(remote_id))):
            yield f"{flow.name} {key}: {fault}"


def _difference(item: Any, found: Mapping[str, Any] | None) -> str:
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
    return (value or "") == ", ".join(cell.values)
