"""One root asset for each entity set of the ERP, and each list of a SaaS: to read again is to materialize again."""

import time
from collections.abc import Iterator, Sequence
from functools import partial

import dagster as dg
import pyarrow as pa

from mlc_dagster.core.arrow_columns import source_schema
from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.core.inert import inert
from mlc_dagster.core.logs import logger
from mlc_dagster.core.vocabulary import ERP, EntitySet, Pull
from mlc_dagster.orchestration.assets import columns, failing, reports, shown_records
from mlc_dagster.orchestration.assets.asset_keys import read_of
from mlc_dagster.orchestration.assets.single_records import read_records, told_of
from mlc_dagster.orchestration.assets.started_by import run_of
from mlc_dagster.orchestration.failures import as_step_failures
from mlc_dagster.orchestration.partitions import ONE_RUN, scope_of
from mlc_dagster.pipeline.failing import blocked
from mlc_dagster.systems.ifs.schema.catalogue import wire_name
from mlc_dagster.systems.ifs.schema.metadata import SchemaReport

log = logger("mlc_dagster.sources")

COMPLETE = "complete"
SCHEMA = "schema_as_expected"
SECONDS_BETWEEN_WORDS = 5.0
AND_OLDER = "\n\nMaster data counts whatever its age: the first day, {}, holds all that is older too."


def source_asset(
    entity: EntitySet,
    system: str,
    partitions: dg.PartitionsDefinition[str],
    after: Sequence[str] = (),
    feeds: Sequence[str] = (),
    first: str = "",
) -> dg.AssetsDefinition:
    """The asset of an entity set, with its two checks; read after these flows are loaded. `feeds`: the flows that a run
    leaves out where this is not read. `first`: its first day, which of master data holds whatever is older too.

    `system`: what the connection that it is read from leads to.
    """

    def left(context: dg.AssetExecutionContext, pulls: Sequence[Pull]) -> list[tuple[str, str]]:
        """What is not read, and all that would have been made of it."""
        read = {pull.partition for pull in pulls}
        unread = [(read_of(entity), partition) for partition in context.partition_keys if partition not in read]
        return [*unread, *failing.every(context, failing.in_this_run(context, feeds))]

    schema = columns.of_source(entity, system)

    @dg.asset(
        key=list(entity.key),
        partitions_def=partitions,
        backfill_policy=ONE_RUN,
        group_name=entity.system,
        kinds={system, "odata", "parquet"} if system == ERP else {system, "parquet"},
        owners=["team:data-platform"],
        deps=[dg.AssetDep(name.split("/")) for name in after],
        tags={"mlc/entity_set": entity.path.strip("/").replace("/", ".")},
        description=f"{entity.description}{AND_OLDER.format(first) if entity.is_master and first else ''}",
        metadata={"dagster/column_schema": schema, "entity set": entity.path, **shown_records.of_source(entity.page)},
        required_resource_keys={entity.system, "ledger", "storage"},
        check_specs=[
            dg.AssetCheckSpec(COMPLETE, asset=list(entity.key), blocking=True, description=complete.__doc__),
            dg.AssetCheckSpec(SCHEMA, asset=list(entity.key), blocking=True, description=as_expected.__doc__),
        ],
    )
    def read(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult]:  # type: ignore[type-arg]
        pulls: list[Pull] = []
        noted = partial(failing.noted, context, entity.system, "/".join(entity.key), partial(left, context, pulls))
        with as_step_failures(), noted():
            source = getattr(context.resources, entity.system)
            schema = source.client.schema_report(entity)
            source.account(context.run.run_id)()  # rows of another account are never taken for this one's
        if schema and schema.gone:
            yield as_expected(entity, schema)  # type: ignore[misc]
            with as_step_failures(), noted():
                raise gone(entity, schema)
        with as_step_failures(), noted():
            for partition in context.partition_keys:
                ids = told_of(context.run.tags, entity)
                pulls.append(
                    read_records(context, entity, partition, ids)
                    if ids
                    else read_partition(context, entity, partition, first)
                )
        judged = complete(pulls)
        if not judged.passed:
            incomplete(context, entity, feeds, judged)
        yield dg.MaterializeResult(check_results=[judged, as_expected(entity, schema)])

    return read


def read_partition(context: dg.AssetExecutionContext, entity: EntitySet, partition: str, first: str = "") -> Pull:
    """Read one partition into storage, and note the pull in the ledger and in the UI."""
    client, ledger = getattr(context.resources, entity.system).client, context.resources.ledger.open
    name = "/".join(entity.key)
    began = ledger.work.now()
    pull = Pull(name, partition, read_number=ledger.reads.begin(name, partition, context.run.run_id))
    batches = client.read(entity, scope_of(entity, partition, first), pull, ledger.sightings)
    store = context.resources.storage.store
    told = told_while_reading(batches, pull)
    schema, number = source_schema(entity.record), pull.read_number
    store.write(entity.key, partition, schema, told, stale=lambda: pull.stale, read_number=number)
    ledger.record_pull(pull, run=run_of(context, partition))
    ledger.work.done(read_of(entity), partition, began)
    ledger.work.answered(entity.system)
    context.add_asset_metadata(
        {**reports.of_pull(pull), "dagster/uri": str(store.path(entity.key, partition))}, partition_key=partition
    )
    if words := reports.stamps_ahead(pull):
        log.warning(words)
    log.info("%s %s: %d rows in %d requests", pull.entity, partition, pull.rows, pull.requests)
    return pull


def incomplete(
    context: dg.AssetExecutionContext, entity: EntitySet, feeds: Sequence[str], judged: dg.AssetCheckResult
) -> None:
    """The check stops the run: it is read again after a while, and what would have been made of it comes then."""
    name, why = "/".join(entity.key), f"not all was read: {judged.metadata['faults'].value}"
    places = failing.every(context, [read_of(entity), *failing.in_this_run(context, feeds)])
    context.resources.ledger.open.work.fail(places, blocked(name, COMPLETE, entity.system, why, context.run.run_id))


def told_while_reading(batches: Iterator[pa.RecordBatch], pull: Pull) -> Iterator[pa.RecordBatch]:
    """The batches as they come, with a line in the log every few seconds."""
    rows, told_at = 0, time.monotonic()
    for batch in batches:
        rows += batch.num_rows
        if time.monotonic() - told_at > SECONDS_BETWEEN_WORDS:
            told_at = time.monotonic()
            log.info("%s %s: %d rows so far", pull.entity, pull.partition, rows)
        yield batch


def complete(pulls: list[Pull]) -> dg.AssetCheckResult:
    """The tenant's own count of the window, before and after, agrees with the rows read, and all keys are distinct."""
    wrong = {pull.partition: fault for pull in pulls if (fault := _fault(pull))}
    counted = [pull for pull in pulls if pull.expected_before is not None]
    return dg.AssetCheckResult(
        check_name=COMPLETE,
        passed=not wrong,
        severity=dg.AssetCheckSeverity.ERROR,
        metadata={
            "rows": sum(pull.rows for pull in pulls),
            "partitions": len(pulls),
            "partitions_counted_by_the_tenant": len(counted),
            "faults": reports.sentences(wrong),
        },
    )


def _fault(pull: Pull) -> str:
    if pull.duplicate_keys:
        return f"{pull.duplicate_keys} keys stand on more than one row"
    before, after = pull.expected_before, pull.expected_after
    if before is None:
        return ""
    after = before if after is None else after
    moving = before != after  # rows came and went meanwhile: more may have been seen than either count says
    if min(before, after) <= pull.rows and (moving or pull.rows <= before):
        return ""
    return f"{pull.rows} rows read, the tenant counts {before}" + (f", then {after}" if moving else "")


def gone(entity: EntitySet, found: SchemaReport) -> Misconfigured:
    """Nothing is stored: what is materialized alone must not take a field that is gone for one that was emptied."""
    names = ", ".join(f"{name} ({wire_name(name, entity.wire)})" for name in sorted(found.gone))
    words = (
        f"{entity.system}/{entity.name} was not read: the tenant has no {names}. The rows of the last read are kept."
    )
    cure = f"Say in mlc.yaml what the tenant calls it: {entity.system}.entity_sets.{entity.name}.fields"
    return Misconfigured(inert(words), cure=cure)


def as_expected(entity: EntitySet, found: SchemaReport | None) -> dg.AssetCheckResult:
    """The tenant has every field that is read, of the type that is expected."""
    if found is None or found.untold:
        why = f": {found.untold}" if found else ""
        words = f"{entity.system} does not tell which fields it has{why}"
        return dg.AssetCheckResult(check_name=SCHEMA, passed=True, metadata={"fields": inert(words)})
    changed = {name: f"expected {expected}, found {actual}" for name, (expected, actual) in found.changed.items()}
    return dg.AssetCheckResult(
        check_name=SCHEMA,
        passed=not found.gone and not changed,
        severity=dg.AssetCheckSeverity.ERROR if found.gone else dg.AssetCheckSeverity.WARN,
        metadata={
            "gone": ", ".join(f"{name} ({wire_name(name, entity.wire)})" for name in sorted(found.gone)) or "nothing",
            "new": inert(", ".join(sorted(found.new))) or "nothing",
            "types_changed": reports.sentences(changed),
        },
    )
