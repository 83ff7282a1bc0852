"""A plan as a Dagster job: what a load of one flow and partition would do, without a write anywhere."""

import json
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import dagster as dg
from pydantic import Field

from mlc_dagster.core.arrow_columns import records_of
from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.core.flows import Flow
from mlc_dagster.core.near_names import offered
from mlc_dagster.orchestration.assets import reports
from mlc_dagster.orchestration.assets.charts import facts_for
from mlc_dagster.orchestration.assets.delivered import last_delivered
from mlc_dagster.orchestration.failures import as_step_failures
from mlc_dagster.orchestration.liveness.signs_of_life import in_process_executor
from mlc_dagster.pipeline.plan import Coming, Plan, Step, plan
from mlc_dagster.settings import Settings

JOB = "plan"
SHOWN = 200  # steps that the UI shows


class PlanRequest(dg.Config):
    """What to plan."""

    flow: str = ""  # "cin7/purchases"
    partition: str = ""  # "2026-11-05", or a company
    places: list[list[str]] = Field(
        default_factory=list
    )  # [flow, partition]: of several, what the earlier ones deliver is there for the later


def plan_job(flows: Sequence[Flow], settings: Settings, resources: Mapping[str, Any]) -> dg.JobDefinition:
    """`plan`, for any flow that is on. Its resources ask on a budget of their own: the ledger stays as it is."""
    by_name = {flow.name: flow for flow in flows}

    @dg.op(name="show", required_resource_keys=set(resources), description="What a load would do, field by field.")
    def show(context: dg.OpExecutionContext, config: PlanRequest) -> dict[str, Any]:
        with as_step_failures():
            if config.places:
                return _several(context, by_name, [(flow, day) for flow, day in config.places], settings)
            found = make(context, _flow(by_name, config.flow), config.partition, settings)
        context.add_output_metadata(_told(found))
        return as_document(found)

    words = "What a load of one flow and partition would do, field by field. Writes nothing, anywhere."

    @dg.job(name=JOB, description=words, resource_defs=dict(resources), executor_def=in_process_executor)
    def planned() -> None:
        show()

    return planned


def _flow(by_name: Mapping[str, Flow], name: str) -> Flow:
    if name not in by_name:
        cure = f"Flows that are on: {', '.join(by_name)}"
        raise Misconfigured(f"no flow {name} is switched on{offered(name, by_name)}", cure=cure)
    return by_name[name]


def _several(
    context: Any, flows: Mapping[str, Flow], places: Sequence[tuple[str, str]], settings: Settings
) -> dict[str, Any]:
    """The plans in the order in which a load goes: what is needed first. A day that was never read is named."""
    coming: dict[str, dict[str, str]] = {}
    plans, unread = [], []
    for name, partition in places:
        if not is_read(context, _flow(flows, name), partition):
            unread.append([name, partition])
            continue
        found = make(context, flows[name], partition, settings, coming)
        coming.setdefault(name, {}).update(found.brings)
        plans.append(as_document(found))
    return {"plans": plans, "unread": unread, "writes": sum(each["writes"] for each in plans)}


def is_read(context: Any, flow: Flow, partition: str) -> bool:
    """Whether there are rows of it, or a word that they were removed."""
    store, ledger, key = context.resources.storage.store, context.resources.ledger.open, flow.source.key
    return bool(store.path(key, partition).exists() or ledger.stored.of("/".join(key), partition))


def make(context: Any, flow: Flow, partition: str, settings: Settings, coming: Coming | None = None) -> Plan:
    """Raises Misconfigured where the source partition was never read."""
    store, ledger = context.resources.storage.store, context.resources.ledger.open
    if not is_read(context, flow, partition):
        name, there = "/".join(flow.source.key), ", ".join(store.partitions(flow.source.key)[-3:])
        latest = f"; the latest that were: {there}" if there else f"; nor for any other partition, at {store.root}"
        cure = f"Materialize {name} for {partition} first."
        raise Misconfigured(f"{name} was never read for {partition}{latest}", cure=cure)
    facts = facts_for(flow, settings, context)
    client = getattr(context.resources, flow.target.system).client
    look = partial(client.known, flow.target) if flow.looks_up else None
    read, source = flow.source.key, flow.source.record
    rows = (records_of(batch, source) for batch in store.read(read, partition, needed=True, of=source))
    return plan(flow, rows, facts, ledger, partition, partial(last_delivered, flow, store, ledger), look, coming)


def as_document(found: Plan) -> dict[str, Any]:
    """Plain JSON: what `mlc plan --out` writes and `mlc apply` reads."""
    return {
        "flow": found.flow,
        "partition": found.partition,
        "digest": found.digest,
        "counts": dict(found.counts),
        "writes": found.writes,
        "steps": [
            {
                "key": step.key,
                "does": step.does,
                "changes": [change._asdict() for change in step.changes],
                "why": step.why,
                "after": list(step.after),
                "mark": step.mark,
            }
            for step in found.steps
        ],
    }


def _does(step: Step) -> str:
    return f"{step.does} after {', '.join(step.after)}" if step.after else step.does


def _told(found: Plan) -> dict[str, Any]:
    rows = [
        (step.key, _does(step), step.why or reports.changes_in_a_line(step.changes))
        for step in found.steps
        if step.does not in ("nothing", "superseded")
    ]
    return {
        **{f"would {does}" if does in ("create", "change") else does: count for does, count in found.counts.items()},
        "digest": found.digest,
        "steps": reports.table(("record", "does", "what"), rows[:SHOWN]),
    }


def run(job: dg.JobDefinition, flow: str, partition: str) -> dict[str, Any]:
    """The plan's document, by a run that leaves no trace. Raises dg.Failure's words as Misconfigured."""
    return _run(job, {"flow": flow, "partition": partition})


def run_several(job: dg.JobDefinition, places: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """The same of several, with those that were never read: {"plans": [...], "unread": [...], "writes": 0}."""
    return _run(job, {"places": [list(place) for place in places]})


def in_order_of_need(flows: Sequence[Flow], days: Sequence[str]) -> list[tuple[str, str]]:
    """(flow, day), each flow behind those that it needs, of all days: a supplier of any day may be needed on any."""
    placed: list[Flow] = []
    left = list(flows)
    while left:
        names = {flow.name for flow in left}
        free = [flow for flow in left if names.isdisjoint((*flow.needs, *flow.links))] or left
        placed += free
        left = [flow for flow in left if flow not in free]
    return [(flow.name, day) for flow in placed for day in days]


def _run(job: dg.JobDefinition, config: Mapping[str, Any]) -> dict[str, Any]:
    from mlc_dagster.orchestration.automation.running import QUIET, why

    asked = {**QUIET, "ops": {"show": {"config": dict(config)}}}
    with dg.DagsterInstance.ephemeral() as instance:
        result = job.execute_in_process(run_config=asked, instance=instance, raise_on_error=False)
        if not result.success:
            raise Misconfigured(f"no plan: {why(result)}")
        found: dict[str, Any] = json.loads(json.dumps(result.output_for_node("show")))
    return found
