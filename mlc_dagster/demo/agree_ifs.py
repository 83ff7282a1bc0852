"""Do the ledger and the sandboxed ERP agree on the suppliers that came from a SaaS?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mlc_dagster.core.arrow_columns import read_ready
from mlc_dagster.core.flows import Flow
from mlc_dagster.core.vocabulary import key_text
from mlc_dagster.ledger import Ledger
from mlc_dagster.orchestration.assets.asset_keys import prepared_key
from mlc_dagster.orchestration.storage.row_store import RowStore
from mlc_dagster.settings import Settings
from mlc_dagster.systems import configuration
from mlc_dagster.systems.ifs.records import catalogue_for
from mlc_dagster.systems.ifs.supplier_records import PARTNERS, SHARED


def disagreements(
    suppliers: Sequence[Mapping[str, Any]],
    flows: Sequence[Flow],
    store: RowStore,
    environment: Mapping[str, str],
    settings: Settings,
) -> list[str]:
    """One line for each supplier that is missing, shared, or says something else than both sides agreed on.

    Of a field that the tenant's supplier set does not have nothing is agreed with the ERP.
    """
    gone = catalogue_for(configuration.erp_settings(settings))["supplier_set"].not_selected
    shared = tuple(name for name in SHARED if name not in gone)
    rows = {str(row["SupplierId"]): row for row in suppliers}
    found: list[str] = []
    with Ledger.open(environment["MLC_DATABASE_URL"]) as ledger:
        for flow in (flow for flow in flows if flow.target.name == PARTNERS.name):
            found += _of_flow(flow, store, ledger, rows, shared)
    return found


def _of_flow(
    flow: Flow, store: RowStore, ledger: Ledger, rows: Mapping[str, Mapping[str, Any]], shared: Sequence[str]
) -> Iterator[str]:
    delivered = ledger.remote_ids(flow.name)
    prepared = {
        ready.key
        for partition in store.partitions(prepared_key(flow))
        for batch in store.read(prepared_key(flow), partition)
        for ready in read_ready(batch, flow.target.record)
    }
    if twice := len(delivered) - len(set(delivered.values())):
        yield f"{flow.name}: {twice} keys share a supplier in IFS"
    for key, number in delivered.items():
        if number not in rows:
            yield f"{flow.name} {key}: IFS has no supplier {number}"
        elif key in prepared and (
            fault := _difference(ledger.agreements.of(flow.pair, key_text(number)), rows[number], shared)
        ):
            yield f"{flow.name} {key}: {fault}"


def _difference(agreed: Mapping[str, str] | None, row: Mapping[str, Any], shared: Sequence[str]) -> str:
    names = {name: "".join(word.capitalize() for word in name.split("_")) for name in shared}
    wrong = [
        f"{wire} is {row[wire]}, agreed was {agreed[name]}"
        for name, wire in names.items()
        if agreed and name in agreed and (row[wire] or "").strip() != agreed[name]
    ]
    return ", ".join(wrong) if agreed else "nothing was agreed on"
