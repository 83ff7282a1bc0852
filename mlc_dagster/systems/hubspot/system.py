"""HubSpot, as the house knows it."""

from __future__ import annotations

from mlc_dagster.systems.hubspot.connect import hubspot_client
from mlc_dagster.systems.hubspot.discovery import discover_hubspot
from mlc_dagster.systems.hubspot.flows import FLOWS
from mlc_dagster.systems.hubspot.identity import has, portal_of
from mlc_dagster.systems.hubspot.ping import ask_hubspot
from mlc_dagster.systems.hubspot.settings import HubspotSettings
from mlc_dagster.systems.system import System

SYSTEM = System(
    name="hubspot",
    title="HubSpot",
    settings=HubspotSettings,
    secrets=("HUBSPOT_TOKEN",),
    connect=hubspot_client,
    ping=ask_hubspot,
    flows=FLOWS,
    identity=portal_of,
    has=has,
    reads_back=True,
    discover=discover_hubspot,
)
