"""Each night: what was delivered is looked at in the ERP, and what changed beside its stamp is asked for again."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

import dagster as dg

from mlc_dagster.core.errors import MlcError
from mlc_dagster.core.flows import Flow
from mlc_dagster.core.inert import inert, inert_lines
from mlc_dagster.core.vocabulary import ERP, EntitySet
from mlc_dagster.ledger import Ledger, Run
from mlc_dagster.orchestration.assets import reports
from mlc_dagster.orchestration.assets.asset_keys import read_of
from mlc_dagster.orchestration.assets.started_by import run_of
from mlc_dagster.orchestration.automation.looking import looking_schedule, once
from mlc_dagster.orchestration.failures import as_step_failures, each_once
from mlc_dagster.orchestration.liveness.signs_of_life import in_process_executor
from mlc_dagster.orchestration.partitions import unknown
from mlc_dagster.pipeline.sweeping import WHY, EntitySweep, Limits, Swept
from mlc_dagster.settings import Settings

JOB = "sweep"
NIGHT_MINUTES = 240
"""So long a sweep may go on at its share of the budget; the rest is left to the next night."""
WORDS = (
    "Looks in the ERP, each night, at what was delivered and what is on hold: lines that changed beside an unchanged "
    "header are asked for again, what is gone is told. Writes nothing, in no system."
)
COLUMNS = (
    *("entity set", "looked at", "asked for again", "gone", "posted or deleted", "told first now", "holds ended"),
    *("back", "requests"),
)


def swept_sets(flows: Sequence[Flow]) -> dict[str, list[Flow]]:
    """Entity set of the ERP -> the flows that begin there."""
    found: dict[str, list[Flow]] = {}
    for flow in flows:
        if flow.source.system == ERP:
            found.setdefault(flow.source.name, []).append(flow)
    return found


def sweep_jobs(flows: Sequence[Flow], settings: Settings) -> Iterator[dg.JobDefinition]:
    """One, where anything begins in the ERP."""
    if swept_sets(flows):
        yield _job(flows, settings)


def sweep_schedules(flows: Sequence[Flow], settings: Settings) -> Iterator[dg.ScheduleDefinition]:
    """On from the start, as all that only looks: before the first load there is nothing to ask."""
    if table := swept_sets(flows):
        yield looking_schedule(
            JOB,
            settings.schedules.at(settings.schedules.sweep),
            [flow for mine in table.values() for flow in mine],
            words=WORDS,
            nothing="nothing was ever delivered: there is nothing to look at",
            asked=once(JOB),
        )


def _job(flows: Sequence[Flow], settings: Settings) -> dg.JobDefinition:
    @dg.op(name="look", required_resource_keys={ERP, "ledger"}, description=WORDS, out=dg.Out(dg.Nothing))
    def look(context: dg.OpExecutionContext) -> None:
        with as_step_failures():
            swept, failed = sweep(context, flows, settings)
        context.add_output_metadata(_metadata(swept))
        faults = [*(each.fault for each in swept if each.fault), *filter(None, [each_once(failed)])]
        if faults:
            raise dg.Failure(description=inert_lines("\n".join(faults)), allow_retries=False)

    @dg.job(name=JOB, description=WORDS, executor_def=in_process_executor)
    def nightly() -> None:
        look()

    return nightly


def sweep(context: Any, flows: Sequence[Flow], settings: Settings) -> tuple[list[Swept], dict[str, MlcError]]:
    """(what came of each entity set, why the others could not be looked at). Rows of another account are none of ours:
    raises Misconfigured.
    """
    erp, ledger = getattr(context.resources, ERP), context.resources.ledger.open
    erp.account(context.run.run_id)()
    client, calls = erp.at_a_share(settings.verify.budget_share)
    left, swept, failed = calls * NIGHT_MINUTES, list[Swept](), dict[str, MlcError]()
    try:
        for entity, mine in _in_turn(swept_sets(flows), ledger):
            one = _of_set(entity, mine, client, ledger, settings, run_of(context, ""), left)
            try:
                swept.append(one.make())
            except MlcError as error:
                failed[entity.name] = error
            left -= one.swept.requests
    finally:
        client.close()
    return swept, failed


def _of_set(
    entity: EntitySet, flows: Sequence[Flow], client: Any, ledger: Ledger, settings: Settings, run: Run, left: float
) -> EntitySweep:
    said = settings.verify
    limits = Limits(said.days, said.rotation_days, said.gone_at_once, max(0.0, left))
    facts = {flow.name: settings.facts_for(flow.spoke) for flow in flows}
    ask = partial(_ask, entity, ledger, settings)
    return EntitySweep(entity, flows, client, ledger, run, limits, facts, ask)


def _ask(entity: EntitySet, ledger: Ledger, settings: Settings, flow: str, partitions: Iterable[str]) -> None:
    """Days that there are stand on the work list: to be read again, and loaded."""
    days = [day for day in partitions if not unknown(entity, day, settings)]
    if days:
        ledger.work.ask(read_of(entity), days, WHY)
        ledger.work.ask(flow, days, WHY)


def _in_turn(table: Mapping[str, Sequence[Flow]], ledger: Ledger) -> list[tuple[EntitySet, Sequence[Flow]]]:
    """The entity set first that was looked at longest ago."""
    never = datetime.min.replace(tzinfo=UTC)

    def latest(entity: EntitySet) -> datetime:
        return max((part.ended_at for part in ledger.sweeps.parts("/".join(entity.key)).values()), default=never)

    return sorted(((flows[0].source, flows) for flows in table.values()), key=lambda each: latest(each[0]))


def _metadata(swept: Sequence[Swept]) -> dict[str, Any]:
    names = ("looked_at", "changed", "gone", "unsure", "new", "ended", "back", "requests")
    rows = [(each.entity, *(str(each.counts()[name]) for name in names)) for each in swept]
    sums = {name: sum(each.counts()[name] for each in swept) for name in Swept("").counts()}
    asked = {
        f"{flow} asked for again": inert(", ".join(sorted(days))) for each in swept for flow, days in each.asked.items()
    }
    return {**sums, "parts_put_off": sum(each.put_off for each in swept), **asked, "sets": reports.table(COLUMNS, rows)}
