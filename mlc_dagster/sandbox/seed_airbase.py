"""The demo's Airbase: a subsidiary for each company, nearly all of the chart, and vendors that were entered by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mlc_dagster.sandbox.airbase import AirbaseSandbox
from mlc_dagster.sandbox.seed_books import ACCOUNTS, BLOCKED, COMPANIES, EXPIRED

ONLY_IN_AIRBASE = {"9100": "Card spend, unassigned", "": "Out of pocket"}
NOT_IN_AIRBASE = ("7510",)
INACTIVE = "7010"
BY_HAND = slice(70, 76)


def sow_airbase(airbase: AirbaseSandbox, suppliers: Sequence[Mapping[str, Any]]) -> None:
    """Some accounts are missing on either side, one is not active; some vendors have no key of the ERP yet."""
    for company, each in COMPANIES.items():
        airbase.add_subsidiary(company, f"Company {company}", each["currency"])
    for code, name in ACCOUNTS.items():
        if code not in NOT_IN_AIRBASE:
            airbase.add_account(code, name, active=code != INACTIVE)
    for code in (BLOCKED, EXPIRED):
        airbase.add_account(code, "Closed in the ERP")
    for code, name in ONLY_IN_AIRBASE.items():
        airbase.add_account(code, name, subsidiaries=("0010",) if code else ())
    for supplier in suppliers[BY_HAND]:
        airbase.add_vendor(name=supplier["Name"], email="entered.by.hand@example.test")
