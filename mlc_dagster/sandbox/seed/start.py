"""What stands in the sandbox when it starts, and the settings that fit it."""

from __future__ import annotations

import copy
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

from mlc_dagster.sandbox.airbase.api import AirbaseSandbox
from mlc_dagster.sandbox.cin7.api import Cin7Sandbox
from mlc_dagster.sandbox.ifs.api import IfsSandbox
from mlc_dagster.sandbox.ifs.tokens import PATH as TOKEN_PATH
from mlc_dagster.sandbox.procurify.api import ProcurifySandbox
from mlc_dagster.sandbox.seed.airbase import DEMO_AIRBASE, sow_airbase
from mlc_dagster.sandbox.seed.books import (
    COMPANIES,
    GL_ACCOUNTS,
    INACTIVE_TERM,
    PAYMENT_TERMS,
    TAX_RULES,
    sow_cin7_books,
    sow_ifs_books,
)
from mlc_dagster.sandbox.seed.monday import DEMO_MONDAY
from mlc_dagster.sandbox.seed.orders import sow_customer_orders, sow_orders
from mlc_dagster.sandbox.seed.partners import DAYS as DAYS
from mlc_dagster.sandbox.seed.partners import Season, sow_customers, sow_partners
from mlc_dagster.sandbox.seed.postings import sow_proposals, sow_vouchers
from mlc_dagster.sandbox.seed.procurify import procurify_demo_settings, sow_procurify

DEMO_SETTINGS: dict[str, Any] = {
    "companies": {
        code: {
            "currency": company["currency"],
            "decimals": str(company["decimals"]),
            "cin7": {"location": company["location"]},
        }
        for code, company in COMPANIES.items()
    },
    "ifs": {"requests_per_minute": "1000", "currencies": ["EUR", "USD"]},
    "cin7": {
        "calls_per_minute": "60",
        "location": "Main Warehouse",
        "attribute_set": "IFS",
        "external_key": "AdditionalAttribute1",
        "tax_rule": "Tax Exempt",
        "payment_terms": {**PAYMENT_TERMS, INACTIVE_TERM: "15 days"},
        "tax_rules": dict(TAX_RULES),
        "gl_accounts": dict(GL_ACCOUNTS),
    },
    "airbase": DEMO_AIRBASE,
    "monday": DEMO_MONDAY,
    "hubspot": {"calls_per_10_seconds": "190", "deals": "true"},
    "procurify": {
        "requests_per_second": "2",
        "payment_terms": {code: f"Net {code}" for code in PAYMENT_TERMS},
        "department_code_part": "B",
    },
}
"""The content of mlc.yaml for the demo seed, without addresses: `demo_settings` fills them in."""


def demo_settings(url: str, today: date | None = None, days: int = DAYS) -> dict[str, Any]:
    """The content of mlc.yaml for a sandbox at `url` with the demo seed of those days; its scalars are text."""
    content = copy.deepcopy(DEMO_SETTINGS)
    first = (today or datetime.now(UTC).date()) - timedelta(days=days - 1)
    content["ifs"].update(base_url=f"{url}/ifs", token_url=f"{url}{TOKEN_PATH}")
    content["airbase"].update(base_url=f"{url}/airbase")
    content["cin7"].update(base_url=f"{url}/cin7/ExternalApi/v2")
    content["monday"].update(base_url=f"{url}/monday")
    content["hubspot"].update(base_url=f"{url}/hubspot")
    content["procurify"].update(procurify_demo_settings(url))
    return {"partitions_start": first.isoformat(), **content}


def sow(
    seed: str,
    today: date,
    ifs: IfsSandbox,
    cin7: Cin7Sandbox,
    airbase: AirbaseSandbox,
    procurify: ProcurifySandbox,
    days: int = DAYS,
) -> dict[str, list[str]]:
    """Fill all systems; flaw -> the keys of the records that have it. Raises ValueError for a seed that there is not.

    The same for every `today`, but for the dates: the `days` up to and including it.
    """
    if seed == "empty":
        return {}
    if seed != "demo":
        raise ValueError(f'seed is "empty" or "demo"; found {seed!r}')
    season = Season(today, Random(20261121), days=days)
    sow_ifs_books(ifs, today)
    sow_cin7_books(cin7)
    partners = sow_partners(ifs, cin7, season)
    sow_airbase(airbase, ifs.rows("SupplierSet"), season)
    orders = sow_orders(ifs, season, partners)
    sow_proposals(ifs, season, partners, orders)
    sow_vouchers(ifs, season)
    sow_customer_orders(ifs, season, sow_customers(ifs, season))
    sow_procurify(procurify, season, ifs.rows("SupplierSet"))
    return season.flaws
