"""Airbase, as the house knows it."""

from __future__ import annotations

from mlc_dagster.settings.web import SignedSource
from mlc_dagster.systems.airbase.bills.agreement import BILLS_BESIDE_INVOICES
from mlc_dagster.systems.airbase.connect import airbase_client
from mlc_dagster.systems.airbase.discovery import discover_airbase
from mlc_dagster.systems.airbase.flows import FLOWS
from mlc_dagster.systems.airbase.identity import has
from mlc_dagster.systems.airbase.ping import ask_airbase
from mlc_dagster.systems.airbase.references import REFERENCES
from mlc_dagster.systems.airbase.settings import AirbaseSettings, CompanyInAirbase
from mlc_dagster.systems.airbase.webhooks import concerns, event_of
from mlc_dagster.systems.system import System, Webhooks

SYSTEM = System(
    name="airbase",
    title="Airbase",
    package=__package__,
    settings=AirbaseSettings,
    secrets=("AIRBASE_TOKEN",),
    connect=airbase_client,
    ping=ask_airbase,
    flows=FLOWS,
    has=has,
    reads_back=True,
    company=CompanyInAirbase,
    webhooks=Webhooks(SignedSource, event_of, concerns=concerns),
    references=REFERENCES,
    comparisons=(BILLS_BESIDE_INVOICES,),
    discover=discover_airbase,
)
