"""The code location from settings: assets, checks, jobs, schedules, sensors, resources."""

from collections.abc import Mapping
from dataclasses import replace

import dagster as dg

from mlc_dagster.moves import switched_on
from mlc_dagster.orchestration import automation, partitions
from mlc_dagster.orchestration.checks import voucher_check
from mlc_dagster.orchestration.loads import loaded_asset, prepared_asset
from mlc_dagster.orchestration.resources import (
    Cin7Resource,
    HubspotResource,
    IfsResource,
    LedgerResource,
    StorageResource,
)
from mlc_dagster.orchestration.sources import source_asset
from mlc_dagster.settings import Environment, Settings
from mlc_dagster.systems.ifs import records as ifs
from mlc_dagster.vocabulary import EntitySet, Flow

VOUCHERS = ifs.VOUCHERS.name


def build(settings: Settings, environment: Environment) -> dg.Definitions:
    """Everything that Dagster shows and runs for these settings. Raises Misconfigured."""
    catalogue = ifs.catalogue(settings.ifs.entity_sets)
    flows = {system: tenants_flows(table, catalogue) for system, table in switched_on(settings).items()}
    charted = [system for system in flows if settings.targets[system].has_chart]
    days, companies = partitions.days(settings), partitions.companies(settings)
    by_day = [entity for entity in catalogue.values() if entity.partition == "day"]
    by_company = [entity for entity in catalogue.values() if entity.partition == "company"]
    return dg.Definitions(
        assets=[
            *(source_asset(entity, days) for entity in by_day),
            *(source_asset(entity, companies) for entity in by_company),
            *(prepared_asset(flow, settings, days) for table in flows.values() for flow in table),
            *(loaded_asset(flow, days) for table in flows.values() for flow in table),
        ],
        asset_checks=[voucher_check(catalogue[VOUCHERS], system, settings, days) for system in charted],
        jobs=[
            *(
                automation.job_for(system, table, [catalogue[VOUCHERS]] if system in charted else [])
                for system, table in flows.items()
            ),
            automation.read_job(by_day, automation.READ_JOB, "Reads all of the ERP's entity sets of a day."),
            automation.read_job(
                by_company,
                automation.CHART_JOB,
                "Refreshes the charts of accounts and code parts, by company.",
            ),
        ],
        schedules=list(automation.schedules(list(flows), settings)),
        sensors=[automation.changes_sensor(system, table, settings) for system, table in flows.items()],
        resources=resources(settings, environment),
        executor=dg.in_process_executor,  # the work is HTTP: steps in one process are eight times faster
    )


def tenants_flows(flows: tuple[Flow, ...], catalogue: Mapping[str, EntitySet]) -> tuple[Flow, ...]:
    """The flows on what this tenant calls its entity sets."""
    return tuple(replace(flow, source=catalogue[flow.source.name]) for flow in flows)


def resources(settings: Settings, environment: Environment) -> dict[str, dg.ConfigurableResource]:  # type: ignore[type-arg]
    """Clients and stores. Secrets are EnvVar: the UI shows their names only."""
    ledger = LedgerResource(database_url=dg.EnvVar("MLC_DATABASE_URL"))  # it may hold a password
    found: dict[str, dg.ConfigurableResource] = {  # type: ignore[type-arg]
        "ledger": ledger,
        "storage": StorageResource(root=environment.storage),
        "ifs": IfsResource(
            client_id=dg.EnvVar("IFS_CLIENT_ID"),
            client_secret=dg.EnvVar("IFS_CLIENT_SECRET"),
            ledger=ledger,
            **settings.ifs.model_dump(exclude={"entity_sets"}),
        ),
    }
    if settings.cin7:
        found["cin7"] = Cin7Resource(
            account_id=dg.EnvVar("CIN7_ACCOUNT_ID"),
            application_keys=dg.EnvVar("CIN7_APPLICATION_KEYS"),
            base_url=settings.cin7.base_url,
            calls_per_minute=settings.cin7.calls_per_minute,
            timeout_seconds=settings.cin7.timeout_seconds,
            options=settings.cin7.options(),
            ledger=ledger,
        )
    if settings.hubspot:
        found["hubspot"] = HubspotResource(
            token=dg.EnvVar("HUBSPOT_TOKEN"), section=settings.hubspot.model_dump(mode="json"), ledger=ledger
        )
    return found
