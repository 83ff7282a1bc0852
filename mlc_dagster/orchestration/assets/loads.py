"""Two assets for each flow: what was prepared, with a check for each rule, and what was loaded."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import dagster as dg
from pydantic import Field

from mlc_dagster import pipeline
from mlc_dagster.core.arrow_columns import ready_batch, ready_schema, records_of
from mlc_dagster.core.flows import Flow
from mlc_dagster.core.inert import inert
from mlc_dagster.core.logs import logger
from mlc_dagster.ledger import Ledger
from mlc_dagster.orchestration.assets import (
    columns,
    delivered,
    failing,
    freshness,
    pausing,
    reports,
    shadowing,
    shown_records,
    stale,
    stock_checks,
)
from mlc_dagster.orchestration.assets.asset_keys import group_of, prepared_key
from mlc_dagster.orchestration.assets.charts import CHART, CODE_PARTS, GL_RULE, facts_for, reads_code_parts
from mlc_dagster.orchestration.assets.following_ledgers import ACCOUNTS, followers, judges_following
from mlc_dagster.orchestration.assets.guarding import block, guard, stored
from mlc_dagster.orchestration.assets.judgements import MAY_LOAD, judgements, statements, stock_of
from mlc_dagster.orchestration.assets.second_read import records_by_key, second_read, source_number
from mlc_dagster.orchestration.assets.started_by import run_of
from mlc_dagster.orchestration.failures import as_step_failures
from mlc_dagster.orchestration.partitions import ONE_RUN
from mlc_dagster.pipeline import Loaded, Slice, Verdict
from mlc_dagster.pipeline.batches import SLICE_SECONDS
from mlc_dagster.pipeline.closing import settings_digests
from mlc_dagster.pipeline.older_documents import OlderDocuments
from mlc_dagster.settings import Settings

log = logger("mlc_dagster.loads")


class LoadRequest(dg.Config):
    """What a run may ask of a load."""

    also_unchanged: bool = Field(
        False, description="Send what is stale, too: records whose source rests and whose mapping changed since"
    )


def prepared_asset(
    flow: Flow, settings: Settings, partitions: dg.PartitionsDefinition[str], after: Sequence[str] = ()
) -> dg.AssetsDefinition:
    """Maps and judges a day's rows; blocking checks keep a bad day away from the load. `after` as of a load."""
    key, limits = prepared_key(flow), settings.guards_of(flow.name)

    @dg.asset(
        key=list(key),
        partitions_def=partitions,
        backfill_policy=ONE_RUN,
        group_name=group_of(flow),
        kinds={flow.system or flow.spoke, "parquet"},
        owners=[flow.owner],
        pool=flow.spoke,
        tags={"mlc/flow": flow.name.replace("/", ".")},
        description=f"{flow.description}\n\nPrepared: typed, mapped and judged; held records wait in the ledger.",
        metadata=columns.prepared_metadata(flow, settings),
        code_version=stale.RELEASE,
        deps=_upstream(flow, settings),
        required_resource_keys={*_asked(flow), flow.target.system, "ledger", "storage"},
        check_specs=[
            dg.AssetCheckSpec(name, asset=list(key), blocking=name == MAY_LOAD, description=words)
            for name, words in {**statements(flow), stale.CHECK: stale.WORDS}.items()
        ],
    )
    def prepare(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult]:  # type: ignore[type-arg]
        ledger, names = context.resources.ledger.open, [flow.name, *failing.in_this_run(context, after)]
        places = partial(failing.every, context, names)
        with as_step_failures(), failing.noted(context, flow.target.system, flow.name, places):
            began = ledger.work.now()
            settings_digests.see(settings, ledger, run_of(context, ""))
            facts = facts_for(flow, settings, context)
            verdicts = [prepare_partition(context, flow, facts, settings, day) for day in context.partition_keys]
            store = context.resources.storage.store
            guard(flow, limits, verdicts, store, ledger, run_of(context, ""))
            stale.compare(flow, facts, store, ledger)
            failing.due_again(flow, verdicts, places(), began, ledger, context.run.run_id)
            for verdict in verdicts:
                tell(context, flow, verdict)
            passing = _passing(flow, [verdict.partition for verdict in verdicts], store, ledger)
            stocks = stock_checks.by_check(flow.name, stock_of(flow), ledger, passing)
        told = judgements(flow, verdicts, stocks, settings)
        yield dg.MaterializeResult(check_results=[*told, stale.check(flow, ledger)])

    return prepare


def loaded_asset(
    flow: Flow,
    settings: Settings,
    partitions: dg.PartitionsDefinition[str],
    after: Sequence[str] = (),
    *,
    in_shadow: bool = False,
    slice_seconds: float = SLICE_SECONDS,
) -> dg.AssetsDefinition:
    """Delivers what is ready; what the target has already costs no request. In shadow it tells what it would do.

    `after`: the flows that a run leaves out where this one does not come to its end.
    """
    shadow = f"\n\n{shadowing.WORDS.format(system=flow.target.system)}" if in_shadow else ""

    @dg.asset(
        key=list(flow.key),
        partitions_def=partitions,
        backfill_policy=ONE_RUN,
        group_name=group_of(flow),
        kinds={flow.systems[1]},
        owners=[flow.owner],
        pool=flow.spoke,
        tags={"mlc/flow": flow.name.replace("/", "."), **({"mlc/mode": "shadow"} if in_shadow else {})},
        description=f"{flow.description}{shadow}",
        code_version=stale.RELEASE,
        freshness_policy=freshness.of(flow, settings),
        metadata={**columns.loaded_metadata(flow, settings), **shown_records.of_target(flow)},
        deps=[dg.AssetDep(list(prepared_key(flow)))],
        required_resource_keys={flow.source.system, flow.target.system, "ledger", "storage"},
        output_required=False,  # a run that gave way ends well, and has not loaded all
    )
    def load(context: dg.AssetExecutionContext, config: LoadRequest) -> Iterator[Any]:
        ledger = context.resources.ledger.open
        if in_shadow:
            with as_step_failures():
                for partition in context.partition_keys:
                    context.add_asset_metadata(shadowing.partition(context, flow, partition), partition_key=partition)
                    ledger.work.done(flow.name, partition, ledger.work.now())
            yield dg.MaterializeResult()
            return
        with as_step_failures():
            if config.also_unchanged:
                stale.refuse_too_many(context, flow, settings.guards_of(flow.name))
            how = {"slice_": Slice(slice_seconds), "also_unchanged": config.also_unchanged}
            loads = loaded_days(context, flow, settings, after, how)
        yield from pausing.seen(flow, loads)
        with as_step_failures():
            pausing.stop(flow, loads)
        if gave_way := pausing.gave_way(flow, loads):
            context.log.info(gave_way)
            return
        for partition, (_, account) in loads.items():
            context.add_asset_metadata(account, partition_key=partition)
        yield dg.MaterializeResult()

    return load


def _asked(flow: Flow) -> set[str]:
    """The source, where preparing asks it for other keys of the same document."""
    return {flow.source.system} if flow.document else set()


def _upstream(flow: Flow, settings: Settings) -> list[dg.AssetDep]:
    keys = [CHART] * flow.checks_accounts + [CODE_PARTS] * reads_code_parts(flow)
    charts = [dg.AssetDep(list(key), partition_mapping=dg.AllPartitionMapping()) for key in keys]
    charts += [dg.AssetDep([name, ACCOUNTS]) for name in followers(settings) if judges_following(flow)]
    return [dg.AssetDep(list(flow.source.key)), *charts, *(dg.AssetDep(needed.split("/")) for needed in flow.needs)]


def _passing(flow: Flow, partitions: Sequence[str], store: Any, ledger: Ledger) -> set[str]:
    """What is on hold, and was found in order just now: its hold is closed by the load that follows."""
    held = set(ledger.stock.keys(flow.name, partitions))
    return {one.key for name in partitions for one in stored(store, flow, name) if one.key in held} if held else set()


def prepare_partition(
    context: dg.AssetExecutionContext, flow: Flow, facts: Any, settings: Settings, partition: str
) -> Verdict:
    """Prepare one day. A blocked day stores nothing as ready, so a load that runs alone is as safe."""
    ledger, store = context.resources.ledger.open, context.resources.storage.store
    schema = ready_schema(flow.target.record)
    verdict, run = Verdict(partition), run_of(context, partition)
    ledger.tell_start(flow.name, run)
    if settings.is_shadow(flow.target.system):
        delivered.keep(flow, store, ledger, partition)
    read, source = flow.source.key, flow.source.record
    rows = (records_of(batch, source) for batch in store.read(read, partition, needed=True, of=source))
    client = getattr(context.resources, flow.target.system).client
    look = partial(client.known, flow.target) if flow.looks_up else None
    there = partial(records_by_key, context, flow) if flow.document else None
    adopts = flow.cut_over is not None and not settings.is_shadow(flow.target.system)
    older = OlderDocuments(flow, client, ledger, look) if adopts else None
    ready = pipeline.prepare(flow, rows, facts, ledger, run, verdict, look, there, older)
    batches = (ready_batch(chunk, flow.target.record) for chunk in ready)
    number = source_number(flow, ledger, partition)
    store.write(prepared_key(flow), partition, schema, batches, read_number=number)
    if settings.policies.gl_policy == "block_partition" and verdict.held_by[GL_RULE] and not verdict.blocked:
        reason = f"{verdict.held_by[GL_RULE]} record(s) of {partition} name an account that may not be posted to"
        block(flow, verdict, GL_RULE, reason, store, ledger, run_of(context, verdict.partition))
    return verdict


def tell(context: dg.AssetExecutionContext, flow: Flow, verdict: Verdict) -> None:
    """The account of one day, in the UI and in the log."""
    context.add_asset_metadata(reports.of_verdict(verdict), partition_key=verdict.partition)
    name = "/".join(prepared_key(flow))
    log.info("%s %s: %d read, %d ready, %d held", name, verdict.partition, verdict.read, verdict.ready, verdict.held)


def loaded_days(
    context: dg.AssetExecutionContext,
    flow: Flow,
    settings: Settings,
    after: Sequence[str],
    how: Mapping[str, Any],
) -> dict[str, tuple[Loaded, dict[str, Any]]]:
    """Each day, or company, with its account. Where one fails, those that it leaves undone are due again.

    `how`: as pipeline.load has it.
    """
    loads: dict[str, tuple[Loaded, dict[str, Any]]] = {}
    names = [flow.name, *failing.in_this_run(context, after)]

    def left() -> list[tuple[str, str]]:
        return [place for place in failing.every(context, names) if place[0] != flow.name or place[1] not in loads]

    with failing.noted(context, flow.target.system, flow.name, left, prepared=True):
        for day in context.partition_keys:
            loads[day] = load_partition(context, flow, settings, day, after, how)
    return loads


def load_partition(
    context: dg.AssetExecutionContext,
    flow: Flow,
    settings: Settings,
    partition: str,
    after: Sequence[str],
    how: Mapping[str, Any],
) -> tuple[Loaded, dict[str, Any]]:
    """Load one day, with progress in the log every few seconds; its account, and that as the UI shows it."""
    target, ledger = getattr(context.resources, flow.target.system), context.resources.ledger.open
    client, account = target.client, target.account(context.run.run_id)
    before, prepared_at = client.traffic, ledger.work.prepared_at(flow.name, partition)
    ready = stored(context.resources.storage.store, flow, partition, needed=True)
    run = run_of(context, partition)
    ledger.tell_start(flow.name, run)
    fresh = second_read(context, flow, settings, run)
    with_: dict[str, Any] = {"longest_request": client.api.timeout, "account": account, "fresh": fresh}
    with_ |= {"policy": settings.verify_policy(flow.name), **how}
    loaded = pipeline.load(flow, ready, client, ledger, run, **with_)
    account.tell_of_adopted(flow.name, loaded.adopted)
    spent = client.traffic.since(before)
    if loaded.paused:
        pausing.note(flow, partition, loaded, failing.in_this_run(context, after), ledger, run.run_id)
    else:
        failing.ended(flow, partition, prepared_at, ledger, run.run_id, answered=spent.requests > 0)
    log.info(
        "%s %s: %d delivered, %d unchanged, %d held, %d paused, %d requests",
        flow.name,
        partition,
        loaded.delivered,
        loaded.unchanged,
        loaded.held,
        loaded.paused,
        spent.requests,
    )
    told = {**pausing.account(loaded, spent), **shown_records.delivered(flow, loaded.examples)}
    return loaded, {**told, **_of_the_clock(client)}


def _of_the_clock(client: Any) -> dict[str, str]:
    """Where a row that was made just now proves that the target stamps in another zone than mlc.yaml says."""
    said = client.stamps.said if hasattr(client, "stamps") else ""
    return {"time_zone": inert(said)} if said else {}
