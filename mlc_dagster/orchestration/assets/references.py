"""What a SaaS keeps of its own accounts and subsidiaries, beside the ERP's: read whole, checked in both directions."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import dagster as dg
import msgspec

from mlc_dagster.core.arrow_columns import records_of, source_batch, source_schema
from mlc_dagster.core.logs import logger
from mlc_dagster.core.vocabulary import Record, renamed
from mlc_dagster.orchestration.assets import columns, reports
from mlc_dagster.orchestration.assets.charts import CHART, chart_of_accounts
from mlc_dagster.orchestration.failures import as_step_failures
from mlc_dagster.rules.chart_agreement import Missing
from mlc_dagster.settings import Settings
from mlc_dagster.systems.columns import words_of
from mlc_dagster.systems.configuration import connections
from mlc_dagster.systems.system import Reference, ReferenceCheck

log = logger("mlc_dagster.references")

SNAPSHOT = "latest"
SHOWN = 200  # rows of a check's table

Key = tuple[str, str]


def references(settings: Settings) -> Iterator[tuple[str, Reference]]:
    """(connection, list) of each list that is on."""
    for connection, system in connections(settings).items():
        section = settings.connections.get(connection)
        if section is not None:
            yield from ((connection, reference) for reference in system.references if reference.is_on(section))


def reference_assets(settings: Settings) -> list[dg.AssetsDefinition]:
    """One asset for each list that is on."""
    return [
        _asset((connection, reference.name), settings.system_of(connection), reference)
        for connection, reference in references(settings)
    ]


def _asset(key: Key, kind: str, reference: Reference) -> dg.AssetsDefinition:
    (system, name), record = key, reference.record
    said = words_of(kind, "kept", name)

    @dg.asset(
        key=list(key),
        group_name=system,
        kinds={kind, "parquet"},
        owners=["team:finance"],
        description=" ".join((record.__doc__ or "").split()),
        metadata={"dagster/column_schema": columns.schema(record, lambda name: said.get(name, ""))},
        required_resource_keys={system, "storage"},
    )
    def read(context: dg.AssetExecutionContext) -> dg.MaterializeResult:  # type: ignore[type-arg]
        with as_step_failures():
            found = getattr(getattr(context.resources, system).client, name)()
            rows, nothing = [msgspec.structs.asdict(each) for each in found], [None] * len(found)
            batch = source_batch(rows, nothing, nothing, record)
            context.resources.storage.store.write(key, SNAPSHOT, source_schema(record), [batch])
        log.info("%s: %d rows", "/".join(key), len(rows))
        shown = {"rows": _rows(record, rows[:SHOWN])} if reference.shown and rows else {}
        return dg.MaterializeResult(metadata={"dagster/row_count": len(rows), **shown})

    return read


def alignment_checks(settings: Settings) -> list[dg.AssetChecksDefinition]:
    """What is missing on which side: a line in the UI for each direction."""
    return [
        _check(connection, reference, check, settings)
        for connection, reference in references(settings)
        for check in reference.checks
    ]


def _check(
    connection: str, reference: Reference, asked: ReferenceCheck, settings: Settings
) -> dg.AssetChecksDefinition:
    key, system = (connection, reference.name), settings.system_of(connection)
    title = connections(settings)[connection].title

    @dg.asset_check(
        asset=list(key),
        name=renamed(asked.name, system, connection),
        description=asked.words,
        additional_deps=[dg.AssetDep(list(CHART), partition_mapping=dg.AllPartitionMapping())],
        required_resource_keys={"storage"},
    )
    def check(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        with as_step_failures():
            store = context.resources.storage.store
            chart = chart_of_accounts(store, settings)
            theirs = list(_stored(store, key, reference.record))
            if asked.asks_the_chart and not (chart and theirs):
                return _nothing_to_compare("IFS" if not chart else title, key if chart else CHART)
            facts = replace(settings.facts_for(connection), title=title)
            missing = asked.missing(chart, theirs, facts, datetime.now(UTC).date())
        return dg.AssetCheckResult(
            passed=not missing,
            severity=dg.AssetCheckSeverity.WARN,
            description=f"{len(missing)} missing" if missing else None,
            metadata={
                "asked": len(chart) if asked.counts_the_chart else len(theirs),
                "missing": len(missing),
                **({"what_is_missing": _table(missing[:SHOWN])} if missing else {}),
            },
        )

    return check


def _rows(record: type[Record], rows: Sequence[dict[str, Any]]) -> dg.TableMetadataValue:
    names = record.__struct_fields__
    return reports.table(names, ([str(row[name]) for name in names] for row in rows))


def _stored(store: Any, key: Key, record: type[Record]) -> Iterator[Any]:
    for batch in store.read(key, SNAPSHOT, of=record):
        yield from (found for found, _, _ in records_of(batch, record))


def _nothing_to_compare(side: str, key: tuple[str, ...]) -> dg.AssetCheckResult:
    words = f"{side} gave none: there is nothing to compare. Materialize {'/'.join(key)}."
    return dg.AssetCheckResult(passed=False, severity=dg.AssetCheckSeverity.ERROR, description=words)


def _table(missing: Sequence[Missing]) -> dg.TableMetadataValue:
    columns = ("missing_in", "company", "code", "name", "reason")
    return reports.table(columns, ([getattr(each, name) for name in columns] for each in missing))
