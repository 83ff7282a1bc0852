"""Cin7 Core in the sandbox."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlc_dagster.sandbox.cin7.api import ACCOUNT_ID, APPLICATION_KEYS, Cin7Sandbox
from mlc_dagster.sandbox.cin7.reference_books import RefusedError
from mlc_dagster.sandbox.cin7.seed import DEMO_CIN7, sow_cin7
from mlc_dagster.sandbox.cin7.traits import PROFILES, Cin7Traits
from mlc_dagster.sandbox.limits import RollingCounts
from mlc_dagster.sandbox.part import Account, Part, Shared
from mlc_dagster.sandbox.seed.books import COMPANIES


def _made(shared: Shared, limits: Mapping[str, int]) -> Cin7Sandbox:
    counts = RollingCounts(limits["calls_per_minute"], shared.minute)
    return Cin7Sandbox(counts, shared.journal, shared.lock, traits=shared.traits)


def _add_account(cin7: Cin7Sandbox, body: dict[str, Any]) -> dict[str, Any]:
    names = {"kind": "Type", "status": "Status", "system": "SystemAccountCode"}
    options = {name: str(body[wire]) for name, wire in names.items() if body.get(wire)}
    if not body.get("Code"):
        raise ValueError('the body needs "Code", and may give Name, Type, Status, SystemAccountCode')
    cin7.add_account(str(body["Code"]), str(body.get("Name") or body["Code"]), **options)
    return cin7.accounts[str(body["Code"])]


def _edit_purchase(cin7: Cin7Sandbox, body: dict[str, Any]) -> dict[str, Any]:
    """As a person does in the user interface: {"ID": ..., "Price": 12.50}; what the order comes to then."""
    try:
        return {"Total": cin7.edit_price(str(body.get("ID", "")), body.get("Price"))}
    except RefusedError as error:
        raise ValueError(str(error)) from None


def _serve(system: Cin7Sandbox, account: str) -> None:
    system.account_id = account


PART = Part(
    name="cin7",
    make=_made,
    settings=lambda url: {**DEMO_CIN7, "base_url": f"{url}/cin7/ExternalApi/v2"},
    secrets={"CIN7_ACCOUNT_ID": ACCOUNT_ID, "CIN7_APPLICATION_KEYS": ",".join(APPLICATION_KEYS)},
    limits={"calls_per_minute": 60},
    sow=sow_cin7,
    companies={code: {"location": company["location"]} for code, company in COMPANIES.items()},
    controls={("POST", "accounts"): _add_account, ("POST", "purchases"): _edit_purchase},
    account=Account(_serve),
    traits=Cin7Traits(),
    profiles=PROFILES,
    nearest=("measured",),
)
