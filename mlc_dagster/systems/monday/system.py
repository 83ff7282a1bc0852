"""monday.com, as the house knows it."""

from __future__ import annotations

from mlc_dagster.settings.web import TokenSource
from mlc_dagster.systems.monday.boards.cell_values import DIGITS
from mlc_dagster.systems.monday.boards.item_writer import KEPT
from mlc_dagster.systems.monday.boards.whereabouts import RULES
from mlc_dagster.systems.monday.connect import APP_SECRETS, REFRESH_TOKEN, connect
from mlc_dagster.systems.monday.discovery import discover_monday
from mlc_dagster.systems.monday.flows import FLOWS
from mlc_dagster.systems.monday.identity import account_of, has
from mlc_dagster.systems.monday.ping import ask_monday
from mlc_dagster.systems.monday.settings import MondaySettings
from mlc_dagster.systems.monday.webhooks import challenge, event_of
from mlc_dagster.systems.system import OtherSignIn, System, Webhooks

SYSTEM = System(
    name="monday",
    title="monday.com",
    settings=MondaySettings,
    secrets=("MONDAY_TOKEN",),
    connect=connect,
    ping=ask_monday,
    flows=FLOWS,
    other_sign_in=OtherSignIn(APP_SECRETS, lambda section: bool(section.oauth), replaced=REFRESH_TOKEN),
    identity=account_of,
    has=has,
    reads_back=True,
    holds_by=(*RULES, DIGITS, KEPT),
    webhooks=Webhooks(TokenSource, event_of, challenge),
    discover=discover_monday,
)
