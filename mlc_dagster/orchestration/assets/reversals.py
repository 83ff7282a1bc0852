"""One asset for each flow of which mlc.yaml says `reverse`: what reversed the documents that their source took back."""

from collections.abc import Iterator
from functools import partial

import dagster as dg

from mlc_dagster.core.flows import Flow
from mlc_dagster.core.inert import inert
from mlc_dagster.core.logs import logger
from mlc_dagster.orchestration.assets.asset_keys import group_of
from mlc_dagster.orchestration.assets.charts import facts_for
from mlc_dagster.orchestration.assets.second_read import rows_by_key
from mlc_dagster.orchestration.assets.started_by import run_of
from mlc_dagster.orchestration.failures import as_step_failures
from mlc_dagster.orchestration.partitions import ONE_RUN
from mlc_dagster.pipeline.reversing import MOST, Reversed, reverse
from mlc_dagster.pipeline.taken_back import reversal_name
from mlc_dagster.settings import Settings

log = logger("mlc_dagster.reversals")


def reverses(flow: Flow, settings: Settings) -> bool:
    """Whether mlc.yaml says so, and something may be written to the target at all."""
    return flow.reversing is not None and settings.reverses(flow.name) and not settings.is_shadow(flow.target.system)


def reversals_key(flow: Flow) -> tuple[str, ...]:
    return tuple(reversal_name(flow.name).split("/"))


def reversals_asset(flow: Flow, settings: Settings, partitions: dg.PartitionsDefinition[str]) -> dg.AssetsDefinition:
    """Reverses what open differences say was taken back, whatever day it is of."""

    @dg.asset(
        key=list(reversals_key(flow)),
        partitions_def=partitions,
        backfill_policy=ONE_RUN,
        group_name=group_of(flow),
        kinds={flow.systems[1]},
        owners=[flow.owner],
        pool=flow.spoke,
        tags={"mlc/flow": flow.name.replace("/", ".")},
        description=(
            f"Documents of {flow.name} that {flow.title or flow.spoke} took back, reversed: preliminary ones are "
            "cancelled, others are entered negated in the first open day, once, under /R1. What is not certain is held."
        ),
        deps=[dg.AssetDep(list(flow.key))],
        required_resource_keys={flow.source.system, flow.target.system, "ledger", "storage"},
    )
    def take_back(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult]:  # type: ignore[type-arg]
        with as_step_failures():
            found = _reversed(context, flow, settings)
        if found.asked:
            log.info("%s: %d taken back, %d reversed, %d held", flow.name, found.asked, len(found.numbers), found.held)
        for partition in context.partition_keys:
            context.add_asset_metadata(_account(found), partition_key=partition)
        yield dg.MaterializeResult()

    return take_back


def _reversed(context: dg.AssetExecutionContext, flow: Flow, settings: Settings) -> Reversed:
    target, ledger = getattr(context.resources, flow.target.system), context.resources.ledger.open
    guarded = settings.guards.get(flow.name)
    return reverse(
        flow,
        partial(rows_by_key, context, flow),
        partial(facts_for, flow, settings, context),
        target.client,
        ledger,
        run_of(context, context.partition_keys[-1]),
        most=guarded.max_reversals if guarded else MOST,
        longest_request=target.client.api.timeout,
        account=target.account(context.run.run_id),
    )


def _account(found: Reversed) -> dict[str, int | str]:
    told = {"guard": inert(found.guarded)} if found.guarded else {}
    return {"taken_back": found.asked, "reversed": len(found.numbers), "held": found.held + found.loaded.held, **told}
