"""Procurify, as the house knows it."""

from __future__ import annotations

from mlc_dagster.systems.ifs.records import SUPPLIERS
from mlc_dagster.systems.procurify.connect import procurify_client
from mlc_dagster.systems.procurify.discovery import discover_procurify
from mlc_dagster.systems.procurify.flows import FLOWS
from mlc_dagster.systems.procurify.identity import has
from mlc_dagster.systems.procurify.mapping import SUPPLIERS_FLOW
from mlc_dagster.systems.procurify.ping import ask_procurify
from mlc_dagster.systems.procurify.records import VENDOR_LIST
from mlc_dagster.systems.procurify.settings import ProcurifySettings
from mlc_dagster.systems.procurify.vendors.drift import drifts
from mlc_dagster.systems.procurify.vendors.vendor_writer import MATCHED
from mlc_dagster.systems.system import Comparison, System


def _is_not_written(section: ProcurifySettings) -> bool:
    return not section.vendor_writeback


VENDOR_DRIFT = Comparison(
    name="vendor_drift",
    description=(
        "Which vendor of Procurify is which supplier of IFS, and where the two say otherwise, by what was read of "
        "both last. Nothing is written: procurify.vendor_writeback is off."
    ),
    theirs=VENDOR_LIST,
    ours=SUPPLIERS,
    flow=SUPPLIERS_FLOW,
    is_on=_is_not_written,
    columns=("vendor_id", "vendor", "supplier_id", "kind", "why"),
    kinds=("matched", "different", "unmatched"),
    checks={
        "vendors_are_suppliers": ("Every active vendor is one supplier of IFS.", "unmatched"),
        "vendors_agree_with_suppliers": ("A vendor and its supplier say the same.", "different"),
    },
    find=drifts,
)

SYSTEM = System(
    name="procurify",
    title="Procurify",
    settings=ProcurifySettings,
    secrets=("PROCURIFY_CLIENT_ID", "PROCURIFY_CLIENT_SECRET"),
    connect=procurify_client,
    ping=ask_procurify,
    flows=FLOWS,
    has=has,
    reads_back=True,
    holds_by=(MATCHED,),
    comparisons=(VENDOR_DRIFT,),
    discover=discover_procurify,
)
