"""What a SaaS keeps of its own accounts and subsidiaries, beside the ERP's: read whole, checked in both directions."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

import dagster as dg
import msgspec

from mlc_dagster.core.arrow_columns import records_of, source_batch, source_schema
from mlc_dagster.core.facts import Facts, LedgerAccount
from mlc_dagster.core.logs import logger
from mlc_dagster.core.vocabulary import Record
from mlc_dagster.orchestration.assets import reports
from mlc_dagster.orchestration.assets.charts import CHART, chart_of_accounts
from mlc_dagster.orchestration.failures import told
from mlc_dagster.rules.chart_agreement import Missing, companies_without_subsidiary, missing_in_erp, missing_in_target
from mlc_dagster.settings import Settings
from mlc_dagster.systems.airbase.records import Account, Subsidiary

log = logger("mlc_dagster.references")

SNAPSHOT = "latest"
ACCOUNTS, SUBSIDIARIES = ("airbase", "accounts"), ("airbase", "subsidiaries")
SHOWN = 200  # rows of a check's table

Chart = Mapping[tuple[str, str], LedgerAccount]
Found = Callable[[Chart, Sequence[Any], Facts, date], list[Missing]]


def reference_assets(settings: Settings) -> list[dg.AssetsDefinition]:
    """One asset for each list that is on."""
    if settings.airbase is None:
        return []
    on = {ACCOUNTS: settings.airbase.paths.accounts, SUBSIDIARIES: settings.airbase.paths.subsidiaries}
    records: dict[tuple[str, str], type[Record]] = {ACCOUNTS: Account, SUBSIDIARIES: Subsidiary}
    return [_asset(key, records[key]) for key, path in on.items() if path]


def _asset(key: tuple[str, str], record: type[Record]) -> dg.AssetsDefinition:
    system, name = key

    @dg.asset(
        key=list(key),
        group_name=system,
        kinds={system, "parquet"},
        owners=["team:finance"],
        description=" ".join((record.__doc__ or "").split()),
        metadata={"dagster/column_schema": reports.column_schema(record)},
        required_resource_keys={system, "storage"},
    )
    def read(context: dg.AssetExecutionContext) -> dg.MaterializeResult:  # type: ignore[type-arg]
        with told():
            found = getattr(getattr(context.resources, system).client, name)()
            rows, nothing = [msgspec.structs.asdict(each) for each in found], [None] * len(found)
            batch = source_batch(rows, nothing, nothing, record)
            context.resources.storage.store.write(key, SNAPSHOT, source_schema(record), [batch])
        log.info("%s: %d rows", "/".join(key), len(rows))
        return dg.MaterializeResult(metadata={"dagster/row_count": len(rows)})

    return read


def alignment_checks(settings: Settings) -> list[dg.AssetChecksDefinition]:
    """What is missing on which side: a line in the UI for each direction."""
    on = {asset.key.path[-1] for asset in reference_assets(settings)}
    checks = []
    if "accounts" in on:
        words = "Every account of IFS that may be posted to is an active account of Airbase, for that company."
        checks.append(_check("ifs_accounts_are_in_airbase", words, ACCOUNTS, Account, missing_in_target, settings))
        words = "Every active account of Airbase is in the IFS chart of a company that may post to it, and open."
        checks.append(_check("airbase_accounts_are_in_ifs", words, ACCOUNTS, Account, missing_in_erp, settings))
    if "subsidiaries" in on:
        words = "Every company in mlc.yaml is a subsidiary of Airbase, and every subsidiary is one of these companies."
        found = companies_without_subsidiary
        checks.append(_check("companies_are_subsidiaries", words, SUBSIDIARIES, Subsidiary, found, settings))
    return checks


def _check(
    name: str, words: str, key: tuple[str, str], record: type[Record], found: Found, settings: Settings
) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=list(key),
        name=name,
        description=words,
        additional_deps=[dg.AssetDep(list(CHART), partition_mapping=dg.AllPartitionMapping())],
        required_resource_keys={"storage"},
    )
    def check(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        with told():
            store = context.resources.storage.store
            chart = chart_of_accounts(store, settings)
            theirs = list(_stored(store, key, record))
            if not chart or not theirs:
                return _nothing_to_compare("IFS" if not chart else "Airbase", key if chart else CHART)
            missing = found(chart, theirs, settings.facts_for("airbase"), datetime.now(UTC).date())
        return dg.AssetCheckResult(
            passed=not missing,
            severity=dg.AssetCheckSeverity.WARN,
            description=f"{len(missing)} missing" if missing else None,
            metadata={
                "asked": len(chart) if found is missing_in_target else len(theirs),
                "missing": len(missing),
                **({"what_is_missing": _table(missing[:SHOWN])} if missing else {}),
            },
        )

    return check


def _stored(store: Any, key: tuple[str, str], record: type[Record]) -> Iterator[Any]:
    for batch in store.read(key, SNAPSHOT):
        yield from (found for found, _, _ in records_of(batch, record))


def _nothing_to_compare(side: str, key: tuple[str, ...]) -> dg.AssetCheckResult:
    words = f"{side} gave none: there is nothing to compare. Materialize {'/'.join(key)}."
    return dg.AssetCheckResult(passed=False, severity=dg.AssetCheckSeverity.ERROR, description=words)


def _table(missing: Sequence[Missing]) -> dg.TableMetadataValue:
    columns = ("missing_in", "company", "code", "name", "reason")
    return reports.table(columns, ([getattr(each, name) for name in columns] for each in missing))
