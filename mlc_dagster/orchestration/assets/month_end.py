"""The month end as an asset, by month: what each company delivered, holds and has different; whether it is signed."""

from collections.abc import Iterator, Sequence
from typing import Any

import dagster as dg

from mlc_dagster.core.flows import Flow
from mlc_dagster.core.inert import inert
from mlc_dagster.orchestration.assets import reports
from mlc_dagster.orchestration.assets.started_by import run_of
from mlc_dagster.orchestration.failures import as_step_failures
from mlc_dagster.pipeline.closing.gathering import Gathering, clients_of
from mlc_dagster.pipeline.closing.month import Month
from mlc_dagster.pipeline.closing.signing import Closed, keep
from mlc_dagster.settings import Settings

KEY, JOB, CHECK = ["close", "month_end"], "month_end", "both_sides_agree"
WORDS = "Nothing of the month is on hold, due or different, and all of it was looked at in its target."
COLUMNS = ("flow", "account", "currency", "ours", "theirs", "difference")


def month_end_assets(flows: Sequence[Flow], settings: Settings) -> Iterator[dg.AssetsDefinition]:
    """One, where anything moves."""
    if flows:
        yield month_end_asset(flows, settings)


def month_end_asset(flows: Sequence[Flow], settings: Settings) -> dg.AssetsDefinition:
    """Reads the ledger alone; `mlc close` shows the same, and signs."""
    first = settings.partitions_start.replace(day=1)
    months = dg.MonthlyPartitionsDefinition(start_date=first.isoformat(), timezone="UTC", end_offset=1)

    @dg.asset(
        key=KEY,
        partitions_def=months,
        group_name="close",
        kinds={"ledger"},
        owners=["team:finance"],
        description="What each company delivered, holds and has different in a month, on both sides, by account and "
        "currency. A version is kept where the figures are others; a signature is void where they are not the signed "
        "ones. Sign: mlc close sign.",
        required_resource_keys={"ledger", *clients_of(flows)},
        check_specs=[dg.AssetCheckSpec(CHECK, asset=KEY, description=WORDS)],
    )
    def month_end(context: dg.AssetExecutionContext) -> Iterator[Any]:
        with as_step_failures():
            clients = {name: getattr(context.resources, name).client for name in clients_of(flows)}
            month = Month.of(context.partition_key[:7])
            gathering = Gathering(month, settings, context.resources.ledger.open, clients)
            found = [keep(gathering, each, run_of(context, str(month))) for each in gathering.of(flows)]
        yield dg.MaterializeResult(metadata=_metadata(found), check_results=[_check(found)])

    return month_end


def month_end_jobs(flows: Sequence[Flow]) -> Iterator[Any]:
    """Run by hand, or by whatever closes the month."""
    if flows:
        words = "The month end of every company: versions of its figures, and what is open."
        yield dg.define_asset_job(JOB, selection=dg.AssetSelection.assets(KEY), description=words)


def _metadata(found: Sequence[Closed]) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for each in found:
        name = inert(each.figures.books.company) or "no company told"
        told[f"{name}: state"] = _state(each)
        if rows := [_row(flow.flow, row) for flow in each.figures.flows for row in flow.as_json()["sums"]]:
            told[f"{name}: both sides"] = reports.table(COLUMNS, rows)
    return told


def _row(flow: str, row: dict[str, str]) -> list[str]:
    return [flow, *(row[name] for name in COLUMNS[1:])]


def _state(each: Closed) -> str:
    if each.signature is not None:
        return inert(f"version {each.version.number}, signed by {each.signature.who}")
    if each.signatures:
        last = each.signatures[0]
        return inert(f"version {each.version.number}; the signature of {last.who} is void: {last.voided_because}")
    return f"version {each.version.number}, not signed"


def _check(found: Sequence[Closed]) -> dg.AssetCheckResult:
    still = [f"{each.figures.books.company or 'no company'} {words}" for each in found for words in _still(each)]
    return dg.AssetCheckResult(
        check_name=CHECK,
        passed=not still,
        severity=dg.AssetCheckSeverity.WARN,
        description=inert("; ".join(still)) or None,
        metadata={"open": len(still)},
    )


def _still(each: Closed) -> list[str]:
    return each.figures.open_in_words()
