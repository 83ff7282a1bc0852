"""Airbase in the sandbox."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlc_dagster.sandbox.airbase.api import TOKEN, AirbaseSandbox
from mlc_dagster.sandbox.airbase.seed import DEMO_AIRBASE, sow_airbase
from mlc_dagster.sandbox.airbase.seed_spend import DEPARTMENTS
from mlc_dagster.sandbox.airbase.traits import AirbaseTraits, profiles
from mlc_dagster.sandbox.limits import RollingCounts
from mlc_dagster.sandbox.part import Part, Shared


def _made(shared: Shared, limits: Mapping[str, int]) -> AirbaseSandbox:
    counts = RollingCounts(limits["requests_per_minute"], shared.minute)
    return AirbaseSandbox(counts, shared.journal, shared.lock, shared.traits)


def _add_request(airbase: AirbaseSandbox, body: dict[str, Any]) -> dict[str, str]:
    return {"id": airbase.add_request(**body)}


def _add_entry(airbase: AirbaseSandbox, body: dict[str, Any]) -> dict[str, str]:
    return {"id": airbase.add_entry(**body)}


def _change(airbase: AirbaseSandbox, body: dict[str, Any]) -> dict[str, str]:
    """As a person would: {"kind": "ledger_entries", "id": ..., "status": "voided"}."""
    fields = dict(body)
    kind, which = str(fields.pop("kind", "")), str(fields.pop("id", ""))
    try:
        airbase.change(kind, which, **fields)
    except KeyError as error:
        raise ValueError(f"there is no {error} to change") from None
    return {"id": which}


PART = Part(
    name="airbase",
    make=_made,
    settings=lambda url: {**DEMO_AIRBASE, "base_url": f"{url}/airbase"},
    secrets={"AIRBASE_TOKEN": TOKEN},
    limits={"requests_per_minute": 500},
    sow=sow_airbase,
    traits=AirbaseTraits(),
    profiles=profiles({name: code for code, name in DEPARTMENTS.items()}),
    nearest=("recorded",),
    controls={
        ("POST", "requests"): _add_request,
        ("POST", "entries"): _add_entry,
        ("POST", "change"): _change,
    },
)
