"""The code location from settings: assets, checks, jobs, schedules, sensors, resources."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import dagster as dg

from mlc_dagster.core.flows import Flow
from mlc_dagster.core.vocabulary import ERP, EntitySet
from mlc_dagster.orchestration import partitions
from mlc_dagster.orchestration.assets.checks import voucher_check
from mlc_dagster.orchestration.assets.comparisons import comparison_assets
from mlc_dagster.orchestration.assets.loads import loaded_asset, prepared_asset
from mlc_dagster.orchestration.assets.month_end import month_end_assets, month_end_jobs
from mlc_dagster.orchestration.assets.pausing import after
from mlc_dagster.orchestration.assets.references import alignment_checks, reference_assets
from mlc_dagster.orchestration.assets.reversals import reversals_asset, reversals_key, reverses
from mlc_dagster.orchestration.assets.sources import source_asset
from mlc_dagster.orchestration.assets.stale import RELEASE
from mlc_dagster.orchestration.assets.verified import reads_back, verified_asset
from mlc_dagster.orchestration.automation import alerts, duplicates, own_times, source_checks, verifying
from mlc_dagster.orchestration.automation import jobs_and_schedules as automation
from mlc_dagster.orchestration.automation.due import due_sensors
from mlc_dagster.orchestration.automation.failed_runs import failed_runs_sensor
from mlc_dagster.orchestration.automation.healing import healing_sensors
from mlc_dagster.orchestration.automation.inbox import inbox_sensors
from mlc_dagster.orchestration.automation.planning import plan_job
from mlc_dagster.orchestration.automation.requested_actions import requested_actions_jobs, requested_actions_sensors
from mlc_dagster.orchestration.automation.retention import purge_job, purge_schedule
from mlc_dagster.orchestration.automation.stock import stock_sensor
from mlc_dagster.orchestration.automation.sweep import sweep_jobs, sweep_schedules
from mlc_dagster.orchestration.automation.taken_up import taken_up_sensors
from mlc_dagster.orchestration.fixed_resources import resources
from mlc_dagster.orchestration.liveness.lost_runs import lost_runs_sensor
from mlc_dagster.orchestration.liveness.signs_of_life import in_process_executor
from mlc_dagster.orchestration.record_pages import with_page, with_pages
from mlc_dagster.orchestration.settings_check import (
    check_extras,
    check_guards,
    check_lives,
)
from mlc_dagster.settings import Environment, Settings
from mlc_dagster.systems.configuration import erp_settings, switched_off
from mlc_dagster.systems.configuration import flows as all_flows
from mlc_dagster.systems.ifs import records as ifs

VOUCHERS = ifs.VOUCHERS.name
"""The SaaS whose chart of accounts the ERP's journal entries are checked against."""


def build(settings: Settings, environment: Environment) -> dg.Definitions:
    """Everything that Dagster shows and runs for these settings. Raises Misconfigured."""
    catalogue = {name: with_page(each, settings) for name, each in ifs.catalogue_for(erp_settings(settings)).items()}
    flows = flows_of(settings, catalogue)
    check_guards(settings)
    check_lives(settings)
    parts = _Parts(settings, environment, catalogue, flows)
    return dg.Definitions(
        assets=[*parts.sources(), *parts.prepared(), *parts.loaded(), *parts.references, *parts.verified()],
        asset_checks=list(parts.checks()),
        jobs=list(parts.jobs()),
        schedules=list(parts.schedules()),
        sensors=list(parts.sensors()),
        resources=resources(settings, environment),
        executor=in_process_executor,
        metadata={"mlc-dagster": RELEASE},
    )


@dataclass(frozen=True)
class _Parts:
    """What a code location consists of, made of settings and the flows that are on."""

    settings: Settings
    environment: Environment
    catalogue: Mapping[str, EntitySet]
    flows: Mapping[str, tuple[Flow, ...]]

    @cached_property
    def every(self) -> list[Flow]:
        return [flow for table in self.flows.values() for flow in table]

    @cached_property
    def place(self) -> dict[str, dg.PartitionsDefinition[str]]:
        return {"day": partitions.days(self.settings), "company": partitions.companies(self.settings)}

    @cached_property
    def charted(self) -> list[str]:
        """The SaaS whose chart of accounts journal entries are checked against, where the tenant shows them."""
        if self.catalogue[VOUCHERS].is_off:
            return []
        return [system for system in self.flows if self.settings.targets[system].checks_vouchers]

    @cached_property
    def read(self) -> list[EntitySet]:
        return read_by_day_or_company(self.catalogue, self.every)

    @cached_property
    def references(self) -> list[dg.AssetsDefinition]:
        return [*reference_assets(self.settings), *comparison_assets(self.settings)]

    @cached_property
    def reversed(self) -> list[Flow]:
        """The flows whose documents are reversed where their source takes them back."""
        return [flow for flow in self.every if reverses(flow, self.settings)]

    def sources(self) -> Iterator[dg.AssetsDefinition]:
        for entity in self.read:
            before, feeds = written_before(entity, self.every), fed_by(entity, self.every)
            system = self.settings.system_of(entity.system)
            first = self.settings.partitions_start.isoformat()
            yield source_asset(entity, system, self.place[entity.partition], before, feeds, first)

    def prepared(self) -> Iterator[dg.AssetsDefinition]:
        for flow in self.every:
            yield prepared_asset(flow, self.settings, self.place[flow.source.partition], after(flow, self.every))

    def loaded(self) -> Iterator[dg.AssetsDefinition]:
        seconds = 60 * self.settings.policies.slice_minutes
        for flow in self.every:
            in_shadow, place = self.settings.is_shadow(flow.target.system), self.place[flow.source.partition]
            yield loaded_asset(
                flow, self.settings, place, after(flow, self.every), in_shadow=in_shadow, slice_seconds=seconds
            )
        for flow in self.reversed:
            yield reversals_asset(flow, self.settings, self.place[flow.source.partition])

    @cached_property
    def looked_at(self) -> list[Flow]:
        """The flows whose target shows what it has, and may be written to."""
        return [flow for flow in self.every if reads_back(flow, self.settings)]

    def verified(self) -> Iterator[dg.AssetsDefinition]:
        for flow in self.looked_at:
            yield verified_asset(flow, self.settings, self.place[flow.source.partition])
        yield from month_end_assets(self.every, self.settings)

    def checks(self) -> Iterator[dg.AssetChecksDefinition]:
        for system in self.charted:
            yield voucher_check(self.catalogue[VOUCHERS], system, self.settings, self.place["day"])
        yield from alignment_checks(self.settings)
        yield from duplicates.duplicates_checks(self.every, self.settings)
        yield from source_checks.standing_checks(self.every, self.settings)

    def keys_of(self, system: str, flows: Sequence[Flow]) -> list[tuple[str, ...]]:
        """What a run of these flows of a system makes: beside them what is checked with them, and what is reversed."""
        by_day = [flow for flow in flows if flow.source.partition == "day"]
        also = [self.catalogue[VOUCHERS]] if by_day and system in self.charted else []
        return automation.keys_of(flows, also, [reversals_key(flow) for flow in self.reversed if flow in by_day])

    def jobs(self) -> Iterator[automation.AssetJob]:
        quiet = resources(self.settings, self.environment, shares_budget=False)
        moving = [
            *jobs(self.flows, self.catalogue, self.keys_of),
            *automation.reference_jobs(self.references),
            *duplicates.duplicates_jobs(self.every),
            *source_checks.standing_jobs(self.every, self.settings),
            *sweep_jobs(self.every, self.settings),
            *verifying.verify_jobs(self.looked_at),
            *month_end_jobs(self.every),
            *requested_actions_jobs(self.looked_at, self.settings),
            plan_job(self.every, self.settings, quiet),
        ]
        yield from moving
        yield purge_job(self.settings, [job.name for job in moving])
        yield from alerts.daily_jobs(self.settings, self.environment, self.every)

    def schedules(self) -> Iterator[dg.ScheduleDefinition]:
        has_charts = any(entity.partition == "company" for entity in self.read)
        for schedule in automation.schedules(self.flows, self.references, self.settings, self.keys_of):
            if has_charts or schedule.job_name != automation.CHART_JOB:
                yield schedule
        yield from duplicates.duplicates_schedules(self.every, self.settings)
        yield from source_checks.standing_schedules(self.every, self.settings)
        yield from sweep_schedules(self.every, self.settings)
        yield from verifying.verify_schedules(self.looked_at, self.settings)
        yield purge_schedule(self.settings)
        yield from alerts.daily_schedules(self.settings)

    def sensors(self) -> Iterator[dg.SensorDefinition]:
        for system, table in self.flows.items():
            by_day = of_partition("day", table)
            mine = own_times.by_changes(by_day, self.settings)
            if told := outbound(tuple(mine)):  # what begins in the SaaS is read along, as by the schedules
                part = own_times.part_of(system, by_day, mine)
                yield automation.changes_sensor(part, told, self.settings, self.keys_of)
        yield from inbox_sensors(self.flows, self.settings, self.keys_of)
        yield from healing_sensors(self.flows, self.settings)
        yield from due_sensors(self.every, self.settings, self.read)
        yield from alerts.alert_sensors(self.settings, self.environment, self.every)
        yield from taken_up_sensors(self.looked_at)
        yield from requested_actions_sensors(self.looked_at)
        yield lost_runs_sensor()
        yield stock_sensor(self.every)
        yield failed_runs_sensor(self.every, self.read, self.settings, self.environment)


def flows_of(settings: Settings, catalogue: Mapping[str, EntitySet]) -> dict[str, tuple[Flow, ...]]:
    """Target system -> its flows that are on; targets that are off, or have none, are left out."""
    on = {
        connection: tenants_flows(switched_on(table, switched_off(settings, connection)), catalogue)
        for connection, table in all_flows(settings).items()
        if connection in settings.targets
    }
    for system, table in on.items():
        check_extras(table, settings.targets[system])
    shown = {system: tuple(with_pages(flow, settings) for flow in table) for system, table in on.items() if table}
    return {system: with_cut_overs(table, settings) for system, table in shown.items()}


def with_cut_overs(flows: tuple[Flow, ...], settings: Settings) -> tuple[Flow, ...]:
    """The flows, each with the day before which mlc.yaml says that its documents are not sent."""
    return tuple(replace(flow, cut_over=settings.cut_over.get(flow.name)) for flow in flows)


def jobs(
    flows: Mapping[str, tuple[Flow, ...]], catalogue: Mapping[str, EntitySet], keys: own_times.Keys
) -> Iterator[automation.AssetJob]:
    """One for each SaaS, one more for what goes there by company, and two that read only."""
    for system, table in flows.items():
        by_day = of_partition("day", table)
        yield automation.job_for(system, by_day, keys(system, by_day))
        if by_company := of_partition("company", table):
            yield automation.job_for(automation.company_job(system), by_company, keys(system, by_company))
    erps = read_by_day_or_company(catalogue, ())
    days = [entity for entity in erps if entity.partition == "day"]
    companies = [entity for entity in erps if entity.partition == "company"]
    if days:
        yield automation.read_job(days, automation.READ_JOB, "Reads all of the ERP's entity sets of a day.")
    words = "Refreshes the charts of accounts and code parts, by company."
    if companies:
        yield automation.read_job(companies, automation.CHART_JOB, words)


def switched_on(flows: tuple[Flow, ...], off: Mapping[str, str]) -> tuple[Flow, ...]:
    """The flows that the settings ask for, without a need of one that is off; where a pair's way back is off, the
    ERP's values count.
    """
    on = [flow for flow in flows if flow.name not in off]
    names = {flow.name for flow in on}
    ways = Counter(flow.pair for flow in on)
    on = [replace(flow, pair="") if flow.source.system == ERP and ways[flow.pair] == 1 else flow for flow in on]
    return tuple(_with_what_is_on(flow, names) for flow in on)


def _with_what_is_on(flow: Flow, names: AbstractSet[str]) -> Flow:
    """The flow without what it needs, links to, or asks for a name of, where that flow is off."""
    found, there = flow.needs_key, frozenset(names)
    if found is None or there.issuperset((*flow.needs, *flow.links)):
        return flow

    def refers_to(record: Any) -> Mapping[str, str | tuple[str, ...]]:
        return {needed: keys for needed, keys in found(record).items() if flow.here(needed) in there}

    needs, links, asked = (tuple(filter(there.__contains__, each)) for each in (flow.needs, flow.links, flow.names))
    return replace(flow, needs=needs, links=links, names=asked, needs_key=refers_to if needs or links else None)


def written_before(entity: EntitySet, flows: Sequence[Flow]) -> list[str]:
    """What a run delivers to the other side of a pair before it reads that side: so it reads what it wrote."""
    pairs = {flow.pair for flow in flows if flow.source.key == entity.key} if entity.system != ERP else set()
    return [flow.name for flow in flows if flow.pair and flow.pair in pairs and flow.source.system == ERP]


def fed_by(entity: EntitySet, flows: Sequence[Flow]) -> list[str]:
    """What is made of an entity set, and what a run leaves out with that."""
    fed = [flow for flow in flows if flow.source.key == entity.key]
    return list(dict.fromkeys(name for flow in fed for name in (flow.name, *after(flow, flows))))


def outbound(flows: tuple[Flow, ...]) -> tuple[Flow, ...]:
    """Those that begin in the ERP, which tells cheaply what changed."""
    return tuple(flow for flow in flows if flow.source.system == ERP)


def read_by_day_or_company(catalogue: Mapping[str, EntitySet], flows: Sequence[Flow]) -> list[EntitySet]:
    """What is read as an asset: all of the catalogue that the ERP has, and what flows ask of a SaaS, each once."""
    written = {entity.name for entity in ifs.WRITTEN}
    erps = [entity for entity in catalogue.values() if entity.name not in written and not entity.is_off]
    return [*erps, *{flow.source.key: flow.source for flow in flows if flow.source.system != ERP}.values()]


def of_partition(kind: str, flows: tuple[Flow, ...]) -> tuple[Flow, ...]:
    """Those whose source, and so all that is made of it, is partitioned by day, or by company."""
    return tuple(flow for flow in flows if flow.source.partition == kind)


def tenants_flows(flows: tuple[Flow, ...], catalogue: Mapping[str, EntitySet]) -> tuple[Flow, ...]:
    """The flows on what this tenant calls its entity sets."""
    return tuple(
        replace(flow, source=catalogue[flow.source.name]) if flow.source.system == ERP else flow for flow in flows
    )
