"""Do the ledger and the sandboxed Airbase agree, record by record and to the cent?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from mlc_dagster.core.arrow_columns import read_ready
from mlc_dagster.core.flows import Flow
from mlc_dagster.ledger import Ledger
from mlc_dagster.orchestration.assets.asset_keys import prepared_key
from mlc_dagster.orchestration.storage.row_store import RowStore
from mlc_dagster.systems.airbase.records import PurchaseOrder, Vendor

Document = Mapping[str, Any]


def disagreements(
    state: Mapping[str, Any], flows: Sequence[Flow], store: RowStore, environment: Mapping[str, str]
) -> list[str]:
    """One line for each difference between what was prepared and delivered, and what Airbase holds."""
    found: list[str] = []
    with Ledger.open(environment["MLC_DATABASE_URL"]) as ledger:
        for flow in (each for each in flows if each.target.name in state):
            rows = {row["airbase_id"]: row for row in state[flow.target.name]}
            found += _of_flow(flow, store, ledger.remote_ids(flow.name), rows)
    return found


def _of_flow(flow: Flow, store: RowStore, delivered: Mapping[str, str], rows: Mapping[str, Document]) -> Iterator[str]:
    newest = {
        ready.key: ready.record
        for partition in store.partitions(prepared_key(flow))
        for batch in store.read(prepared_key(flow), partition)
        for ready in read_ready(batch, flow.target.record)
    }
    if shared := len(delivered) - len(set(delivered.values())):
        yield f"{flow.name}: {shared} keys share a record in Airbase"
    for remote_id in sorted(set(rows) - set(delivered.values())):
        if rows[remote_id]["erp_reference_id"]:
            yield f"Airbase holds {flow.target.name} {remote_id} that no flow delivered"
    for key, remote_id in delivered.items():
        if key in newest and (fault := _difference(newest[key], rows.get(remote_id))):
            yield f"{flow.name} {key}: {fault}"


def _difference(record: Any, row: Document | None) -> str:
    if row is None:
        return "Airbase does not have it"
    wrong = [
        f"{name} is {theirs}, delivered was {ours}" for name, theirs, ours in _pairs(record, row) if theirs != ours
    ]
    return ", ".join(wrong)


def _pairs(record: Vendor | PurchaseOrder, row: Document) -> Iterator[tuple[str, Any, Any]]:
    yield "erp_reference_id", row["erp_reference_id"], record.key
    if isinstance(record, Vendor):
        yield "name", row["name"], record.name
        yield "is_active", row["is_active"], record.is_active
        return
    yield "vendor", row["vendor"]["airbase_id"], record.supplier_id
    yield "total_amount", Decimal(row["total_amount"]), record.total()
    theirs = [(Decimal(line["amount"]), (line["account"] or {}).get("erp_reference_id")) for line in row["line_items"]]
    yield "line_items", theirs, [(line.total(record.decimals), line.account) for line in record.lines]
