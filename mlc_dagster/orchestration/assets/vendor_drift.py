"""Procurify's vendors beside the ERP's suppliers, as both were read last: nothing is asked, and nothing written."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import dagster as dg

from mlc_dagster.core.arrow_columns import records_of
from mlc_dagster.core.vocabulary import EntitySet, record_key
from mlc_dagster.orchestration.assets import reports
from mlc_dagster.orchestration.failures import told
from mlc_dagster.settings import Settings
from mlc_dagster.systems.ifs.records import SUPPLIERS
from mlc_dagster.systems.procurify.drift import Drift, drifts
from mlc_dagster.systems.procurify.mapping import SUPPLIERS_FLOW
from mlc_dagster.systems.procurify.records import VENDOR_LIST

KEY = ("procurify", "vendor_drift")
MATCHED, AGREE = "vendors_are_suppliers", "vendors_agree_with_suppliers"
SHOWN = 200  # rows of the table


def drift_assets(settings: Settings) -> list[dg.AssetsDefinition]:
    """The report, where Procurify is on and its vendors are not written anyway."""
    return [] if settings.procurify is None or settings.procurify.vendor_writeback else [_report(settings)]


def _report(settings: Settings) -> dg.AssetsDefinition:
    @dg.asset(
        key=list(KEY),
        group_name="procurify",
        kinds={"procurify"},
        owners=["team:finance"],
        description=(
            "Which vendor of Procurify is which supplier of IFS, and where the two say otherwise, by what was read of "
            "both last. Nothing is written: procurify.vendor_writeback is off."
        ),
        deps=[dg.AssetDep(list(SUPPLIERS.key)), dg.AssetDep(list(VENDOR_LIST.key))],
        required_resource_keys={"ledger", "storage"},
        check_specs=[
            dg.AssetCheckSpec(MATCHED, asset=list(KEY), description="Every active vendor is one supplier of IFS."),
            dg.AssetCheckSpec(AGREE, asset=list(KEY), description="A vendor and its supplier say the same."),
        ],
    )
    def compare(context: dg.AssetExecutionContext) -> dg.MaterializeResult:  # type: ignore[type-arg]
        with told():
            store, ledger = context.resources.storage.store, context.resources.ledger.open
            vendors, suppliers = _newest(store, VENDOR_LIST), _newest(store, SUPPLIERS)
            known, facts = ledger.remote_ids(SUPPLIERS_FLOW), settings.facts_for("procurify")
            found = list(drifts(vendors.values(), suppliers.values(), known, facts))
        counts = Counter(each.kind for each in found)
        return dg.MaterializeResult(
            metadata={
                "suppliers": len(suppliers),
                "vendors": len(found),
                **{kind: counts[kind] for kind in ("matched", "different", "unmatched")},
                "what_differs": _table([each for each in found if each.why][:SHOWN]),
            },
            check_results=[_verdict(MATCHED, counts["unmatched"]), _verdict(AGREE, counts["different"])],
        )

    return compare


def _newest(store: Any, entity: EntitySet) -> dict[str, Any]:
    """Key -> the record as it was read last: a later day wins."""
    return {record_key(record, entity.keys): record for record in _every(store, entity)}


def _every(store: Any, entity: EntitySet) -> Iterator[Any]:
    for partition in sorted(store.partitions(entity.key)):
        for batch in store.read(entity.key, partition):
            yield from (found for found, _, _ in records_of(batch, entity.record) if found is not None)


def _verdict(name: str, wrong: int) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        check_name=name,
        passed=not wrong,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"vendors": wrong},
    )


def _table(found: Sequence[Drift]) -> dg.TableMetadataValue:
    columns = ("vendor_id", "vendor", "supplier_id", "kind", "why")
    return reports.table(columns, ([getattr(each, name) for name in columns] for each in found))
