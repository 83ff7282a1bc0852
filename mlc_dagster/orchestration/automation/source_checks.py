"""What was delivered from a SaaS is asked for there again: the latest in each run, the open window each night."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import Any

import dagster as dg

from mlc_dagster.core.difference_kinds import SOURCE_SIDE
from mlc_dagster.core.flows import Flow
from mlc_dagster.core.inert import inert
from mlc_dagster.core.vocabulary import ERP
from mlc_dagster.orchestration.assets import reports
from mlc_dagster.orchestration.assets.charts import facts_for
from mlc_dagster.orchestration.assets.second_read import rows_by_key
from mlc_dagster.orchestration.assets.started_by import run_of
from mlc_dagster.orchestration.automation.looking import looking_schedule, once
from mlc_dagster.orchestration.failures import as_step_failures
from mlc_dagster.pipeline import source_looks
from mlc_dagster.pipeline.taken_back import STANDS, WORDS, LaterLife
from mlc_dagster.settings import Settings

SHOWN = 200  # rows of the table
COLUMNS = ("record", "kind", "entered as", "now", "amount", "currency")


def job_name(system: str) -> str:
    return f"{system}_still_standing"


def by_source(flows: Sequence[Flow], settings: Settings) -> dict[str, list[Flow]]:
    """SaaS -> the flows that it is the source of; none where nothing may be written because of it."""
    found: dict[str, list[Flow]] = {}
    for flow in flows:
        if flow.fate is not None and flow.source.system != ERP and not settings.is_shadow(flow.target.system):
            found.setdefault(flow.source.system, []).append(flow)
    return found


def check_key(flow: Flow) -> dg.AssetCheckKey:
    return dg.AssetCheckKey(dg.AssetKey(list(flow.key)), STANDS)


def standing_checks(flows: Sequence[Flow], settings: Settings) -> list[dg.AssetChecksDefinition]:
    """One step for each SaaS: what one look has read serves the next."""
    return [_checks(system, table, settings) for system, table in by_source(flows, settings).items()]


def standing_jobs(flows: Sequence[Flow], settings: Settings) -> Iterator[Any]:
    for system, table in by_source(flows, settings).items():
        yield dg.define_asset_job(
            job_name(system),
            selection=dg.AssetSelection.checks(*(check_key(flow) for flow in table)),
            description=f"Asks {system} whether what was delivered from it still stands there. Reads only.",
            tags={"mlc/still_standing": system},
        )


def standing_schedules(flows: Sequence[Flow], settings: Settings) -> Iterator[dg.ScheduleDefinition]:
    """On from the start: it writes nothing to any system, and asks nothing before the first delivery."""
    for system, table in by_source(flows, settings).items():
        yield looking_schedule(
            job_name(system),
            settings.schedules.at(settings.schedules.sweep),
            table,
            words=f"Asks {system} each night whether what was delivered from it still stands there.",
            nothing=f"nothing was ever delivered from {system}",
            asked=once(job_name(system)),
        )


def _checks(system: str, flows: Sequence[Flow], settings: Settings) -> dg.AssetChecksDefinition:
    by_key = {check_key(flow): flow for flow in flows}

    @dg.multi_asset_check(
        name=f"{system}_{STANDS}",
        specs=[dg.AssetCheckSpec(STANDS, asset=list(flow.key), description=WORDS) for flow in flows],
        can_subset=True,
        required_resource_keys={system, "ledger", "storage", *(flow.target.system for flow in flows)},
    )
    def look(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        is_sweep = context.run.job_name == job_name(system)
        if not is_sweep and context.run.asset_selection:
            return  # a replay, or assets chosen by hand: that run is about its load
        wanted = [by_key[key] for key in by_key if key in context.selected_asset_check_keys]
        with as_step_failures(), _at_a_share(context, system, settings) if is_sweep else nullcontext() as client:
            for flow in wanted:
                yield _result(flow, _looked(context, flow, settings, client), context.resources.ledger.open)

    return look


@contextmanager
def _at_a_share(context: Any, system: str, settings: Settings) -> Iterator[Any]:
    """A client of the night: a look of thousands leaves the calls to whoever delivers."""
    client, _ = getattr(context.resources, system).at_a_share(settings.verify.budget_share)
    try:
        yield client
    finally:
        client.api.close()


def _looked(context: Any, flow: Flow, settings: Settings, client: Any) -> LaterLife:
    """`client`: of the night; None: in an ordinary run those alone that their list does not show any more, and of these
    the latest.
    """
    ledger, days = context.resources.ledger.open, settings.verify.days
    keys: Sequence[str] = ()
    if client is not None:
        keys = source_looks.of_the_night(flow, ledger, days, settings.verify.rotation_days)
    elif flow.leaves_its_list:
        keys = source_looks.latest(flow, ledger, days)
    most = settings.verify.gone_at_once
    if not keys:
        return LaterLife(flow, ledger, most)
    by_keys = partial(rows_by_key, context, flow, client=client)
    facts, run = facts_for(flow, settings, context), run_of(context, "")
    return source_looks.look(flow, by_keys, facts, ledger, keys, most, run)


def _result(flow: Flow, life: LaterLife, ledger: Any) -> dg.AssetCheckResult:
    """Of the stock: all that does not stand, whenever it was found."""
    stock = [one for one in ledger.differences.open(flow.name, limit=None) if one.kind in SOURCE_SIDE]
    rows = [(d.key, d.kind, d.ours or "", d.theirs or "", d.amount or "", d.currency or "") for d in stock]
    told = f"{len(stock)} delivered record(s) do not stand in {flow.title or flow.source.system} as they were"
    return dg.AssetCheckResult(
        check_name=STANDS,
        asset_key=list(flow.key),
        passed=not stock and not life.too_many,
        severity=dg.AssetCheckSeverity.ERROR if life.too_many else dg.AssetCheckSeverity.WARN,
        description=inert(life.too_many) or (told if stock else None),
        metadata={
            "looked_at": life.looked_at,
            "differences": len(stock),
            "new": life.new,
            **({"records": reports.table(COLUMNS, rows[:SHOWN])} if rows else {}),
        },
    )
