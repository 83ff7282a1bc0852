"""Cin7 Core, as the house knows it."""

from __future__ import annotations

from mlc_dagster.settings.web import SignedSource
from mlc_dagster.systems.cin7.connect import cin7_client
from mlc_dagster.systems.cin7.discovery import discover_cin7
from mlc_dagster.systems.cin7.flows import FLOWS
from mlc_dagster.systems.cin7.identity import account_of, has
from mlc_dagster.systems.cin7.ping import ask_cin7
from mlc_dagster.systems.cin7.settings import Cin7Settings, CompanyInCin7
from mlc_dagster.systems.cin7.webhooks import event_of
from mlc_dagster.systems.system import System, Webhooks

SYSTEM = System(
    name="cin7",
    title="Cin7",
    settings=Cin7Settings,
    secrets=("CIN7_ACCOUNT_ID", "CIN7_APPLICATION_KEYS"),
    connect=cin7_client,
    ping=ask_cin7,
    flows=FLOWS,
    identity=account_of,
    has=has,
    reads_back=True,
    company=CompanyInCin7,
    webhooks=Webhooks(SignedSource, event_of),
    discover=discover_cin7,
)
