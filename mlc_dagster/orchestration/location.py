"""The code location from settings: assets, checks, jobs, schedules, sensors, resources."""

from collections.abc import Mapping
from dataclasses import replace

import dagster as dg

from mlc_dagster.credentials import NAMES
from mlc_dagster.moves import FLOWS
from mlc_dagster.orchestration import automation, partitions
from mlc_dagster.orchestration.checks import voucher_check
from mlc_dagster.orchestration.loads import loaded_asset, prepared_asset
from mlc_dagster.orchestration.references import alignment_checks, reference_assets
from mlc_dagster.orchestration.resources import (
    AirbaseResource,
    Cin7Resource,
    IfsResource,
    LedgerResource,
    StorageResource,
)
from mlc_dagster.orchestration.sources import source_asset
from mlc_dagster.settings import Environment, Settings
from mlc_dagster.settings.section import TargetSection
from mlc_dagster.systems.ifs import records as ifs
from mlc_dagster.vocabulary import EntitySet, Flow

VOUCHERS = ifs.VOUCHERS.name
POSTED = ("cin7",)
"""The SaaS whose chart of accounts the ERP's journal entries are checked against."""


def build(settings: Settings, environment: Environment) -> dg.Definitions:
    """Everything that Dagster shows and runs for these settings. Raises Misconfigured."""
    catalogue = ifs.catalogue(settings.ifs.entity_sets)
    flows = {
        system: tenants_flows(switched_on(table, section), catalogue)
        for system, table in FLOWS.items()
        if (section := settings.targets.get(system))
    }
    days, companies = partitions.days(settings), partitions.companies(settings)
    by_day = [entity for entity in catalogue.values() if entity.partition == "day"]
    by_company = [entity for entity in catalogue.values() if entity.partition == "company"]
    return dg.Definitions(
        assets=[
            *(source_asset(entity, days) for entity in by_day),
            *(source_asset(entity, companies) for entity in by_company),
            *(prepared_asset(flow, settings, days) for table in flows.values() for flow in table),
            *(loaded_asset(flow, days) for table in flows.values() for flow in table),
            *(references := reference_assets(settings)),
        ],
        asset_checks=[
            *(voucher_check(catalogue[VOUCHERS], system, settings, days) for system in flows if system in POSTED),
            *alignment_checks(settings),
        ],
        jobs=[
            *(
                automation.job_for(system, table, [catalogue[VOUCHERS]] if system in POSTED else [])
                for system, table in flows.items()
                if table
            ),
            *automation.reference_jobs(references),
            automation.read_job(by_day, automation.READ_JOB, "Reads all of the ERP's entity sets of a day."),
            automation.read_job(
                by_company,
                automation.CHART_JOB,
                "Refreshes the charts of accounts and code parts, by company.",
            ),
        ],
        schedules=list(
            automation.schedules([system for system, table in flows.items() if table], references, settings)
        ),
        sensors=[automation.changes_sensor(system, table, settings) for system, table in flows.items() if table],
        resources=resources(settings, environment),
        executor=dg.in_process_executor,  # the work is HTTP: steps in one process are eight times faster
    )


def switched_on(flows: tuple[Flow, ...], section: TargetSection) -> tuple[Flow, ...]:
    """The flows that mlc.yaml leaves on."""
    return tuple(flow for flow in flows if flow.name not in section.switched_off)


def tenants_flows(flows: tuple[Flow, ...], catalogue: Mapping[str, EntitySet]) -> tuple[Flow, ...]:
    """The flows on what this tenant calls its entity sets."""
    return tuple(replace(flow, source=catalogue[flow.source.name]) for flow in flows)


def resources(settings: Settings, environment: Environment) -> dict[str, dg.ConfigurableResource]:  # type: ignore[type-arg]
    """Clients and stores. They know the names of their secrets: the UI shows no more than that."""
    ledger = LedgerResource(database_url=dg.EnvVar("MLC_DATABASE_URL"))  # it may hold a password
    found: dict[str, dg.ConfigurableResource] = {  # type: ignore[type-arg]
        "ledger": ledger,
        "storage": StorageResource(root=environment.storage),
        "ifs": IfsResource(
            secrets=list(NAMES["ifs"]),
            ledger=ledger,
            **settings.ifs.model_dump(exclude={"entity_sets"}),
        ),
    }
    if settings.cin7:
        found["cin7"] = Cin7Resource(
            secrets=list(NAMES["cin7"]),
            base_url=settings.cin7.base_url,
            calls_per_minute=settings.cin7.calls_per_minute,
            timeout_seconds=settings.cin7.timeout_seconds,
            options=settings.cin7.options(),
            ledger=ledger,
        )
    if settings.airbase:
        found["airbase"] = AirbaseResource(
            secrets=list(NAMES["airbase"]),
            ledger=ledger,
            **settings.airbase.model_dump(include=set(AirbaseResource.model_fields)),
        )
    return found
