"""What two people asked for on the review page: a sensor for each target looks every half minute, a run does it."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

import dagster as dg

from mlc_dagster.core.flows import Flow
from mlc_dagster.core.outcomes import Ready
from mlc_dagster.ledger import Ledger, Run
from mlc_dagster.ledger.records.ways_back import Said
from mlc_dagster.orchestration.assets import delivered
from mlc_dagster.orchestration.assets.charts import facts_for
from mlc_dagster.orchestration.assets.second_read import rows_by_key
from mlc_dagster.orchestration.failures import as_step_failures
from mlc_dagster.orchestration.liveness.signs_of_life import in_process_executor
from mlc_dagster.pipeline.load_result import Loaded
from mlc_dagster.pipeline.requested_actions import Hands, carry_out
from mlc_dagster.pipeline.reversing import Reversed, reverse
from mlc_dagster.pipeline.sending_again import send_again
from mlc_dagster.pipeline.verify import Asked
from mlc_dagster.pipeline.ways_back import WaysBack
from mlc_dagster.settings import Settings

SECONDS = 30  # between two looks


def job_name(target: str) -> str:
    return f"{target}_requested_actions"


def by_target(flows: Sequence[Flow]) -> dict[str, list[Flow]]:
    found: dict[str, list[Flow]] = {}
    for flow in flows:
        found.setdefault(flow.target.system, []).append(flow)
    return found


def requested_actions_jobs(flows: Sequence[Flow], settings: Settings) -> Iterator[dg.JobDefinition]:
    """`flows`: those whose target shows what it has, and may be written to."""
    for target, table in by_target(flows).items():
        yield _job(target, table, settings)


def requested_actions_sensors(flows: Sequence[Flow]) -> Iterator[dg.SensorDefinition]:
    """On from the start: what people decided does not wait until somebody thinks of a switch."""
    for target, table in by_target(flows).items():
        yield _sensor(target, [flow.name for flow in table])


def _job(target: str, flows: Sequence[Flow], settings: Settings) -> dg.JobDefinition:
    words = f"Carries out in {target} what two people asked for on the review page: restore, recreate, reverse, ..."
    needed = {"ledger", "storage", target, *(flow.source.system for flow in flows if flow.reversing)}

    @dg.op(name=f"carry_out_in_{target}", required_resource_keys=needed, out=dg.Out(dg.Nothing), description=words)
    def act(context: dg.OpExecutionContext) -> None:
        ledger: Ledger = context.resources.ledger.open
        by_name = {flow.name: _hands(context, flow, settings) for flow in flows}
        with as_step_failures():
            getattr(context.resources, target).account(context.run.run_id)()  # of another account nothing is touched
            found = carry_out(ledger.action_requests.standing(list(by_name)), by_name, ledger, Run(context.run.run_id))
        context.add_output_metadata(dict(found))

    @dg.job(name=job_name(target), description=words, executor_def=in_process_executor)
    def requested_actions() -> None:
        act()

    return requested_actions


def _sensor(target: str, names: Sequence[str]) -> dg.SensorDefinition:
    @dg.sensor(
        name=job_name(target),
        job_name=job_name(target),
        minimum_interval_seconds=SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        required_resource_keys={"ledger"},
        description=f"Requests a run where two people asked for something in {target}, unless it is paused.",
    )
    def look(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        ledger: Ledger = context.resources.ledger.open
        if pause := ledger.pauses.of(target):
            return dg.SkipReason(str(pause))
        if until := ledger.work.silent().get(target):
            return dg.SkipReason(f"{target} asks to be left alone until {until:%Y-%m-%d %H:%M} UTC")
        found = ledger.action_requests.standing(names)
        if not found:
            return dg.SkipReason("nothing was asked for")
        marks = " ".join(f"{one.id}.{one.tries}" for one in found)
        turn = f"{datetime.now(UTC):%Y-%m-%dT%H:%M}"[:-1]  # a run key is used once: of one that died another is made
        return dg.RunRequest(run_key=f"{job_name(target)} {turn} {marks}"[:500])

    return look


# --- with what --------------------------------------------------------------------------------------------------------


def _hands(context: dg.OpExecutionContext, flow: Flow, settings: Settings) -> Hands:
    back = partial(_ways_back, context, flow)
    return Hands(back, partial(_reverse, context, flow, settings) if flow.reversing else None)


def _ways_back(context: dg.OpExecutionContext, flow: Flow, said: Said) -> WaysBack:
    target, ledger = getattr(context.resources, flow.target.system), context.resources.ledger.open
    client, store = target.client, context.resources.storage.store
    run = Run(context.run.run_id, by=said.who, by_person=True)
    account = target.account(context.run.run_id)

    def send(ready: Sequence[Ready], anew: frozenset[str]) -> list[Loaded]:
        times: Mapping[str, Any] = {"longest_request": client.api.timeout}
        return send_again(flow, ready, client, ledger, run, anew, account=account, by_person=True, **times)

    asked = Asked(flow, client, ledger, partial(delivered.sent_last, flow, store, ledger), run=run)
    return WaysBack(asked, send, said, run)


def _reverse(context: Any, flow: Flow, settings: Settings, key: str) -> Reversed:
    target, ledger = getattr(context.resources, flow.target.system), context.resources.ledger.open
    return reverse(
        flow,
        partial(rows_by_key, context, flow),
        partial(facts_for, flow, settings, context),
        target.client,
        ledger,
        Run(context.run.run_id, by="the review page", by_person=True),
        only=frozenset({key}),
        longest_request=target.client.api.timeout,
        account=target.account(context.run.run_id),
    )
