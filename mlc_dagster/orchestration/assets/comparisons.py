"""A SaaS's records beside the ERP's, as both were read last: nothing is asked, and nothing written."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import dagster as dg

from mlc_dagster.core.arrow_columns import records_of
from mlc_dagster.core.vocabulary import EntitySet, record_key, renamed
from mlc_dagster.orchestration.assets import reports
from mlc_dagster.orchestration.failures import as_step_failures
from mlc_dagster.settings import Settings
from mlc_dagster.systems.configuration import connections
from mlc_dagster.systems.system import Comparison

SHOWN = 200  # rows of the table


def comparison_assets(settings: Settings) -> list[dg.AssetsDefinition]:
    """The reports that are on."""
    return [
        _report(connection, comparison, settings)
        for connection, system in connections(settings).items()
        if (section := settings.connections.get(connection)) is not None
        for comparison in system.comparisons
        if comparison.is_on(section)
    ]


def _report(connection: str, comparison: Comparison, settings: Settings) -> dg.AssetsDefinition:
    key, theirs = [connection, comparison.name], (connection, comparison.theirs.name)
    here = partial(renamed, system=settings.system_of(connection), connection=connection)
    flow = here(comparison.flow)

    @dg.asset(
        key=key,
        group_name=connection,
        kinds={settings.system_of(connection)},
        owners=["team:finance"],
        description=renamed(comparison.description, settings.system_of(connection), connection),
        deps=[dg.AssetDep(list(comparison.ours.key)), dg.AssetDep(list(theirs))],
        required_resource_keys={"ledger", "storage"},
        check_specs=[
            dg.AssetCheckSpec(name, asset=key, description=words) for name, (words, _) in comparison.checks.items()
        ],
    )
    def compare(context: dg.AssetExecutionContext) -> dg.MaterializeResult:  # type: ignore[type-arg]
        with as_step_failures():
            store, ledger = context.resources.storage.store, context.resources.ledger.open
            there, ours = (
                _newest(store, theirs, comparison.theirs),
                _newest(store, comparison.ours.key, comparison.ours),
            )
            known, also = ledger.remote_ids(flow), {name: ledger.remote_ids(here(name)) for name in comparison.also}
            facts = replace(settings.facts_for(connection), delivered=also)
            found = list(comparison.find(there.values(), ours.values(), known, facts))
        counts = Counter(each.kind for each in found)
        return dg.MaterializeResult(
            metadata={
                _plural(comparison.ours.name): len(ours),
                _plural(comparison.theirs.name): len(found),
                **{kind: counts[kind] for kind in comparison.kinds},
                "what_differs": _table(comparison.columns, [each for each in found if each.why][:SHOWN]),
            },
            check_results=[
                _verdict(name, _plural(comparison.theirs.name), counts[kind])
                for name, (_, kind) in comparison.checks.items()
            ],
        )

    return compare


def _plural(entity_set: str) -> str:
    """supplier_set -> suppliers: what the figures count."""
    name = entity_set.removesuffix("_set").removesuffix("_list")
    return name if name.endswith("s") else f"{name}s"


def _newest(store: Any, key: tuple[str, str], entity: EntitySet) -> dict[str, Any]:
    """Key -> the record as it was read last: a later day wins."""
    return {record_key(record, entity.keys): record for record in _every(store, key, entity)}


def _every(store: Any, key: tuple[str, str], entity: EntitySet) -> Iterator[Any]:
    for partition in sorted(store.partitions(key)):
        for batch in store.read(key, partition):
            yield from (found for found, _, _ in records_of(batch, entity.record) if found is not None)


def _verdict(name: str, what: str, wrong: int) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        check_name=name,
        passed=not wrong,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={what: wrong},
    )


def _table(columns: Sequence[str], found: Sequence[Any]) -> dg.TableMetadataValue:
    return reports.table(columns, ([getattr(each, name) for name in columns] for each in found))
