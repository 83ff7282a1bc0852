"""Do the ledger and the sandboxed ERP agree on the suppliers that came from a SaaS?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mlc_dagster.core.vocabulary import ERP, key_text
from mlc_dagster.demo.comparisons.compared import Compared
from mlc_dagster.settings import Settings
from mlc_dagster.systems import configuration
from mlc_dagster.systems.ifs.records import catalogue_for
from mlc_dagster.systems.ifs.supplier_records import PARTNERS, SHARED


def disagreements(compared: Compared, settings: Settings) -> Iterator[str]:
    """One line for each supplier that is missing, shared, or says something else than both sides agreed on.

    Of a field that the tenant's supplier set does not have nothing is agreed with the ERP.
    """
    gone = catalogue_for(configuration.erp_settings(settings))["supplier_set"].not_selected
    shared = tuple(name for name in SHARED if name not in gone)
    rows = {str(row["SupplierId"]): row for row in compared.state(ERP)["suppliers"]}
    for flow in (flow for flow in compared.to(ERP) if flow.target.name == PARTNERS.name):
        yield from compared.doubled(flow, "a supplier in IFS")
        prepared = {key for key, _, _ in compared.newest(flow)}
        for key, number in compared.delivered(flow).items():
            agreed = compared.ledger.agreements.of(flow.pair, key_text(number))
            if number not in rows:
                yield f"{flow.name} {key}: IFS has no supplier {number}"
            elif key in prepared and (fault := _difference(agreed, rows[number], shared)):
                yield f"{flow.name} {key}: {fault}"


def _difference(agreed: Mapping[str, str] | None, row: Mapping[str, Any], shared: Sequence[str]) -> str:
    names = {name: "".join(word.capitalize() for word in name.split("_")) for name in shared}
    wrong = [
        f"{wire} is {row[wire]}, agreed was {agreed[name]}"
        for name, wire in names.items()
        if agreed and name in agreed and (row[wire] or "").strip() != agreed[name]
    ]
    return ", ".join(wrong) if agreed else "nothing was agreed on"
