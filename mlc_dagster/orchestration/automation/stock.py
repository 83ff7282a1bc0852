"""The checks of what is on hold follow the ledger: what a person, a load or healing closes turns its check green."""

import json
from collections.abc import Iterator, Sequence

import dagster as dg

from mlc_dagster.core.errors import MlcError
from mlc_dagster.core.flows import Flow
from mlc_dagster.core.inert import inert
from mlc_dagster.ledger import Ledger
from mlc_dagster.orchestration.assets import stock_checks
from mlc_dagster.orchestration.assets.asset_keys import prepared_key
from mlc_dagster.orchestration.assets.judgements import stock_of

NAME = "checks_follow_the_stock"


def stock_sensor(flows: Sequence[Flow]) -> dg.SensorDefinition:
    """Looks at the flows alone whose trail has grown, and tells what Dagster shows otherwise; runs nothing."""

    @dg.sensor(
        name=NAME,
        minimum_interval_seconds=60,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Turns the checks of what is on hold green, or not, where no run did: after a decision, or a load.",
        required_resource_keys={"ledger"},
    )
    def follow(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        seen: dict[str, int] = json.loads(context.cursor or "{}")
        try:
            ledger: Ledger = context.resources.ledger.open
            ends = {flow: lines for flow, (lines, _) in ledger.close_rows.heads().items()}
            grown = [flow for flow in flows if flow.name in ends and ends[flow.name] != seen.get(flow.name)]
            told = [each for flow in grown for each in _otherwise(flow, ledger, context.instance)]
        except MlcError as error:
            why = inert(f"what is on hold is not known: {error.message}")
            return dg.SensorResult(skip_reason=why, cursor=context.cursor)
        for each in told:
            context.instance.report_runless_asset_event(each)
        seen |= {flow.name: ends[flow.name] for flow in grown}
        names = ", ".join(f"{each.asset_key.path[-1]} {each.check_name}" for each in told)
        why = f"told: {names}" if told else "all is shown as it is"
        return dg.SensorResult(skip_reason=why, cursor=json.dumps(seen))

    return follow


def _otherwise(flow: Flow, ledger: Ledger, instance: dg.DagsterInstance) -> Iterator[dg.AssetCheckEvaluation]:
    """What the latest evaluation of a check shows otherwise than the ledger has it."""
    asset = dg.AssetKey(prepared_key(flow))
    names = stock_of(flow)
    stocks = stock_checks.by_check(flow.name, names, ledger)
    for name in names:
        now = stock_checks.evaluation(asset, name, stocks)
        shown = _shown_number(instance, dg.AssetCheckKey(asset, name))
        if (shown or 0) != stocks.get(name, stock_checks.NOTHING).number:
            yield now


def _shown_number(instance: dg.DagsterInstance, key: dg.AssetCheckKey) -> int | None:
    """How many the latest evaluation tells of; None: there is none."""
    record = instance.get_latest_asset_check_evaluation_record(key)
    event = record.event.dagster_event if record and record.event else None
    if event is None or event.event_type is not dg.DagsterEventType.ASSET_CHECK_EVALUATION:
        return None
    found = event.asset_check_evaluation_data.metadata.get("held_now")
    return int(str(found.value)) if found is not None else None
